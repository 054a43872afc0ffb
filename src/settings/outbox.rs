//! The section `outbox`: how letters that wait are sent.

use std::time::Duration;

use serde::Deserialize;

use super::fault::{Checks, Fault};
use super::mail::MailSettings;

/// The section `outbox`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxSettings {
    /// How long a worker holds a letter that it is sending.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// Letters taken at a time.
    pub batch: u32,
    /// Letters being sent at the same time.
    pub parallel: u32,
    /// Of them, those to one mail domain.
    pub per_domain: u32,
    /// Wait before the second attempt; doubled with every attempt.
    #[serde(with = "humantime_serde")]
    pub retry_first: Duration,
    /// Longest wait between attempts.
    #[serde(with = "humantime_serde")]
    pub retry_max: Duration,
    /// Age of a letter at which no more attempts are made.
    #[serde(with = "humantime_serde")]
    pub give_up_after: Duration,
}

impl OutboxSettings {
    /// Times must be in order, and a lease must outlast an attempt: otherwise two workers send one letter.
    #[must_use]
    pub fn validate(&self, mail: &MailSettings) -> Vec<Fault> {
        const SECOND: Duration = Duration::from_secs(1);
        const HOUR: Duration = Duration::from_hours(1);
        let mut checks = Checks::of("outbox");
        checks.time("lease", self.lease, SECOND * 10..=HOUR);
        // The server's time-out runs twice: until it asks for the body, and until it has taken it.
        let attempt = mail.smtp.timeout.saturating_mul(2);
        checks.require(
            self.lease > attempt,
            "lease",
            "must be more than twice mail.smtp.timeout",
        );
        checks.number("batch", self.batch, 1..=200);
        checks.number("parallel", self.parallel, 1..=64);
        checks.number("per_domain", self.per_domain, 1..=64);
        checks.time("retry_first", self.retry_first, SECOND..=HOUR);
        checks.time("retry_max", self.retry_max, SECOND * 60..=HOUR * 24);
        checks.time("give_up_after", self.give_up_after, HOUR..=HOUR * 24 * 14);
        checks.require(
            self.retry_first <= self.retry_max,
            "retry_max",
            "must not be less than outbox.retry_first",
        );
        checks.require(
            self.retry_max < self.give_up_after,
            "give_up_after",
            "must be more than outbox.retry_max",
        );
        checks.done()
    }
}
