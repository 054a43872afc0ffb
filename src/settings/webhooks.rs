//! The section `webhooks`: where what changes may be told to other programs.

use std::time::Duration;

use serde::Deserialize;

use super::fault::{Checks, Fault};
use super::outbox::OutboxSettings;

/// The section `webhooks`. How often and for how long a message is tried is the outbox's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// How many there may be.
    pub max: u32,
    /// How many messages may wait for one of them, before a single one takes their place.
    pub waiting: u32,
    /// How long what changes is gathered before it is told.
    #[serde(with = "humantime_serde")]
    pub gather: Duration,
    /// For how long an attempt may last in all.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Whether addresses may be without encryption.
    pub allow_insecure: bool,
    /// Whether they may lead to private networks and to this machine.
    pub allow_private: bool,
}

impl WebhookSettings {
    /// An attempt must end before its lease does: otherwise two workers send one message.
    #[must_use]
    pub fn validate(&self, outbox: &OutboxSettings) -> Vec<Fault> {
        const SECOND: Duration = Duration::from_secs(1);
        let mut checks = Checks::of("webhooks");
        checks.number("max", self.max, 0..=100);
        checks.number("waiting", self.waiting, 10..=10_000);
        checks.time("gather", self.gather, Duration::ZERO..=SECOND * 60);
        checks.time("timeout", self.timeout, SECOND..=SECOND * 30);
        checks.require(
            self.timeout < outbox.lease,
            "timeout",
            "must be less than outbox.lease",
        );
        checks.done()
    }
}
