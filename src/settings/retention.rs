//! The section `retention`: when what is no longer needed is erased.

use std::time::Duration;

use serde::Deserialize;

use super::fault::{Checks, Fault};

/// The section `retention`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionSettings {
    /// An offer whose address was never confirmed, from its post.
    #[serde(with = "humantime_serde")]
    pub unconfirmed: Duration,
    /// An offer from a spreadsheet whose address was never confirmed, from its import.
    #[serde(with = "humantime_serde")]
    pub imported: Duration,
    /// The memory of a row of a spreadsheet, from its import.
    #[serde(with = "humantime_serde")]
    pub imported_rows: Duration,
    /// The sealed part of a record, from its closing.
    #[serde(with = "humantime_serde")]
    pub sealed_after_close: Duration,
    /// A request, from its closing.
    #[serde(with = "humantime_serde")]
    pub requests: Duration,
    /// An offer, from its last renewal.
    #[serde(with = "humantime_serde")]
    pub offers: Duration,
    /// The evidence of a report that nobody closes, from its making.
    #[serde(with = "humantime_serde")]
    pub reports: Duration,
    /// The memory of an idempotency key, from its first use.
    #[serde(with = "humantime_serde")]
    pub idempotency: Duration,
    /// A row of the change feed, from its writing.
    #[serde(with = "humantime_serde")]
    pub changes: Duration,
}

impl RetentionSettings {
    /// Nothing is kept for ever, and the personal part never longer than the rest.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        const HOUR: Duration = Duration::from_hours(1);
        const DAY: Duration = Duration::from_hours(24);
        let mut checks = Checks::of("retention");
        checks.time("unconfirmed", self.unconfirmed, HOUR..=DAY * 30);
        checks.time("imported", self.imported, HOUR..=DAY * 60);
        checks.time("imported_rows", self.imported_rows, DAY..=DAY * 3650);
        checks.time(
            "sealed_after_close",
            self.sealed_after_close,
            Duration::ZERO..=DAY * 30,
        );
        checks.time("requests", self.requests, DAY..=DAY * 3650);
        checks.time("offers", self.offers, DAY..=DAY * 3650);
        checks.time("reports", self.reports, DAY..=DAY * 30);
        checks.time("idempotency", self.idempotency, HOUR..=DAY * 30);
        checks.time("changes", self.changes, HOUR..=DAY * 30);
        checks.require(
            self.sealed_after_close <= self.requests.min(self.offers),
            "sealed_after_close",
            "must not be more than retention.requests or retention.offers",
        );
        checks.done()
    }
}
