//! The section `server`: where it listens and whom it believes.

mod network;
mod public_url;

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

pub use self::network::Network;
pub use self::public_url::PublicUrl;
use super::fault::{Checks, Fault};
use super::values;

/// The section `server`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Where people are answered; port 0 lets the system choose.
    #[serde(deserialize_with = "values::socket_address")]
    pub bind: SocketAddr,
    /// Where health checks and metrics are answered, without authentication.
    #[serde(deserialize_with = "values::socket_address")]
    pub admin_bind: SocketAddr,
    /// What links in letters begin with.
    pub public_url: PublicUrl,
    /// Peers whose forwarding headers are believed.
    #[serde(deserialize_with = "values::list")]
    pub trusted_proxies: Vec<Network>,
    /// Threads that answer; 0: one a processor core.
    pub workers: u32,
    /// Calls that may wait for the database at a time.
    pub waiting_calls: u32,
    /// Largest body of a request, in bytes.
    pub body_limit_bytes: u32,
    /// Largest spreadsheet in a body, in bytes.
    pub import_limit_bytes: u32,
    /// Longest time a request may take.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// Longest time a call may take that brings a spreadsheet.
    #[serde(with = "humantime_serde")]
    pub import_timeout: Duration,
}

impl ServerSettings {
    /// What cannot work, and what would let anyone choose the address they seem to come from.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        let mut checks = Checks::of("server");
        checks.require(
            self.bind != self.admin_bind || self.bind.port() == 0,
            "admin_bind",
            "must differ from server.bind: what is there is not for everyone",
        );
        checks.require(
            !self.trusted_proxies.iter().any(Network::is_everyone),
            "trusted_proxies",
            "must not be everyone: a believed header says who somebody is",
        );
        checks.number("workers", self.workers, 0..=1024);
        checks.number("waiting_calls", self.waiting_calls, 16..=4096);
        checks.number(
            "body_limit_bytes",
            self.body_limit_bytes,
            1024..=16 * 1024 * 1024,
        );
        checks.number(
            "import_limit_bytes",
            self.import_limit_bytes,
            1024..=64 * 1024 * 1024,
        );
        checks.time(
            "request_timeout",
            self.request_timeout,
            Duration::from_secs(1)..=Duration::from_mins(5),
        );
        checks.time(
            "import_timeout",
            self.import_timeout,
            Duration::from_secs(1)..=Duration::from_mins(30),
        );
        checks.done()
    }

    /// What may be meant but should be heard of.
    #[must_use]
    pub fn warnings(&self) -> Vec<Fault> {
        let mut checks = Checks::of("server");
        checks.require(
            self.public_url.is_secure() || self.public_url.is_loopback(),
            "public_url",
            "begins with http: whoever is on the way can read and change everything; use https",
        );
        checks.require(
            is_loopback(self.admin_bind),
            "admin_bind",
            "is not a loopback address: anyone who reaches it can read the metrics",
        );
        checks.done()
    }

    /// Whether only this machine can connect.
    #[must_use]
    pub fn is_loopback_only(&self) -> bool {
        is_loopback(self.bind) && is_loopback(self.admin_bind)
    }
}

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
