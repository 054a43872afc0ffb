//! The POST that takes a message to a webhook.

use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

use super::address;
use super::sign::signatures;
use crate::domain::clock::Ts;
use crate::domain::ids::LetterId;
use crate::domain::webhook::{SigningKey, WebhookUrl};
use crate::settings::webhooks::WebhookSettings;

/// How much of an answer's head is read; nothing is read of its body.
const LONGEST_HEAD: usize = 16 * 1024;

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Message {
    /// Stays the same whenever it is tried.
    pub id: LetterId,
    /// Where it goes.
    pub to: WebhookUrl,
    /// What signs it.
    pub keys: Vec<SigningKey>,
    /// What it says. Stays the same whenever it is tried.
    pub body: Vec<u8>,
}

/// Why a message has not arrived, as far as is known: a class, nothing of what the receiver said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// The receiver said that it wants no more (410).
    #[error("status 410")]
    Gone,
    /// It led elsewhere, where nobody follows.
    #[error("redirect {0}")]
    Redirected(u16),
    /// It answered anything but success.
    #[error("status {0}")]
    Status(u16),
    /// Its name leads nowhere.
    #[error("name not found")]
    NoName,
    /// Its name leads where messages may not go.
    #[error("address refused")]
    Refused,
    /// Nobody listens there.
    #[error("no connection")]
    NoConnection,
    /// Its certificate is none that is trusted, or it speaks no TLS.
    #[error("tls")]
    Tls,
    /// It took too long.
    #[error("timeout")]
    TimedOut,
    /// It broke off, or answered what is no HTTP.
    #[error("broken off")]
    Broken,
    /// The process could not try.
    #[error("not tried")]
    NotTried,
}

/// Posts messages. Shared by all workers of a process; opens a connection for each message.
#[derive(Debug)]
pub struct Client {
    settings: WebhookSettings,
    agent: OnceLock<Agent>,
}

impl Client {
    /// One that has read no certificates yet.
    #[must_use]
    pub fn new(settings: &WebhookSettings) -> Self {
        Self {
            settings: settings.clone(),
            agent: OnceLock::new(),
        }
    }

    /// Posts the message. Blocks for `webhooks.timeout` at the longest.
    ///
    /// # Errors
    /// Why it has not arrived; it may have all the same, where the answer got lost.
    pub fn post(&self, message: &Message, now: Ts) -> Result<(), Undelivered> {
        let agent = self.agent.get_or_init(|| {
            let resolver = Guarded {
                inner: DefaultResolver::default(),
                allow_private: self.settings.allow_private,
            };
            agent(&self.settings, resolver)
        });
        post(agent, message, now)
    }
}

fn agent(settings: &WebhookSettings, resolver: impl Resolver) -> Agent {
    let native = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<_> = native
        .iter()
        .map(|c| Certificate::from_der(c.as_ref()).to_owned())
        .collect();
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Config::builder()
        .http_status_as_error(false)
        .https_only(!settings.allow_insecure)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(settings.timeout))
        .max_response_header_size(LONGEST_HEAD)
        .max_idle_connections(0)
        .max_idle_connections_per_host(0)
        .user_agent("Manyhands")
        .tls_config(tls)
        .build();
    Agent::with_parts(config, DefaultConnector::default(), resolver)
}

fn post(agent: &Agent, message: &Message, now: Ts) -> Result<(), Undelivered> {
    let id = message.id.to_string();
    let signed = signatures(&message.keys, &id, now.as_secs(), &message.body);
    let sent = agent
        .post(message.to.expose())
        .header("content-type", "application/json")
        .header("webhook-id", &id)
        .header("webhook-timestamp", now.as_secs().to_string())
        .header("webhook-signature", signed)
        .send(&message.body[..]);
    match sent.map(|answer| answer.status().as_u16()) {
        Ok(200..300) => Ok(()),
        Ok(410) => Err(Undelivered::Gone),
        Ok(status @ 300..400) => Err(Undelivered::Redirected(status)),
        Ok(status) => Err(Undelivered::Status(status)),
        Err(error) => Err(class(&error)),
    }
}

fn class(error: &Error) -> Undelivered {
    match error {
        Error::HostNotFound => Undelivered::NoName,
        Error::ConnectionFailed => Undelivered::NoConnection,
        Error::Timeout(_) => Undelivered::TimedOut,
        Error::Tls(_) | Error::Rustls(_) | Error::TlsRequired => Undelivered::Tls,
        Error::Other(other) if other.is::<NotAllowed>() => Undelivered::Refused,
        Error::RequireHttpsOnly(_) => Undelivered::Refused,
        Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable => Undelivered::NoConnection,
            ErrorKind::TimedOut => Undelivered::TimedOut,
            // What rustls says of a certificate, or of what is no TLS.
            ErrorKind::InvalidData => Undelivered::Tls,
            _ => Undelivered::Broken,
        },
        _ => Undelivered::Broken,
    }
}

/// No address behind the name may be reached.
#[derive(Debug, thiserror::Error)]
#[error("no address that may be reached")]
struct NotAllowed;

/// Keeps of what a name leads to only where messages may go. Asked for every connection: what a name leads to may
/// have changed since it was registered.
#[derive(Debug)]
struct Guarded<R> {
    inner: R,
    allow_private: bool,
}

impl<R: Resolver> Resolver for Guarded<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self
            .inner
            .resolve(uri, config, timeout)
            .map_err(|error| match error {
                Error::Timeout(_) => error,
                // Whatever the look-up says, which no kind of error names.
                _ => Error::HostNotFound,
            })?;
        let mut allowed = self.empty();
        for address in found
            .iter()
            .filter(|a| address::is_allowed(a.ip(), self.allow_private))
        {
            allowed.push(*address);
        }
        if allowed.is_empty() {
            return Err(Error::Other(Box::new(NotAllowed)));
        }
        Ok(allowed)
    }
}

#[cfg(test)]
mod tests;
