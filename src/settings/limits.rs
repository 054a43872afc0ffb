//! The section `limits`: how often one may read, post and guess, and a coordinator search and reveal.

use serde::Deserialize;

use super::fault::{Checks, Fault};
use super::server::ServerSettings;

/// The section `limits`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Whether limits apply.
    pub mode: LimitsMode,
    /// Looking at what is public, for each source.
    pub reads: Rate,
    /// Posting without a token, for each source.
    pub posts: Rate,
    /// Tokens that open nothing, for each source.
    pub guesses: Rate,
    /// Posts under one e-mail address or phone number.
    pub contacts: Rate,
    /// Searches for people that one coordinator may make within an hour.
    pub searches: u32,
    /// Looks at what is sealed that one coordinator may take within an hour.
    pub reveals: u32,
}

/// How often.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// At once, after a while of silence.
    pub burst: u32,
    /// On and on.
    pub per_hour: u32,
}

/// Whether limits apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitsMode {
    /// They do.
    On,
    /// They do not: for load tests on one machine.
    Off,
}

impl LimitSettings {
    /// Limits are off only where nobody else can connect.
    #[must_use]
    pub fn validate(&self, server: &ServerSettings) -> Vec<Fault> {
        let mut checks = Checks::of("limits");
        checks.require(
            self.mode == LimitsMode::On || server.is_loopback_only(),
            "mode",
            "must be on unless server.bind and server.admin_bind are loopback addresses",
        );
        let rates = [
            ("reads", self.reads),
            ("posts", self.posts),
            ("guesses", self.guesses),
            ("contacts", self.contacts),
        ];
        for (name, rate) in rates {
            checks.number(&format!("{name}.burst"), rate.burst, 1..=1_000_000);
            checks.number(&format!("{name}.per_hour"), rate.per_hour, 1..=10_000_000);
        }
        for (name, hourly) in [("searches", self.searches), ("reveals", self.reveals)] {
            checks.number(name, hourly, 1..=100_000);
        }
        checks.done()
    }
}
