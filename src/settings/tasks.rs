//! The section `tasks`: by when coordinators should have done what waits for them, and who hears if they have not.

use std::time::Duration;

use serde::Deserialize;

use super::fault::{Checks, Fault};

/// The section `tasks`. Tasks that are not named here are due when the people they are for expect it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSettings {
    /// For how long nobody else can take a task that one has taken.
    #[serde(with = "humantime_serde")]
    pub claim_for: Duration,
    /// News for a neighbor whom no letter reaches.
    #[serde(with = "humantime_serde")]
    pub tell_within: Duration,
    /// When a neighbor is called again who did not answer.
    #[serde(with = "humantime_serde")]
    pub call_again: Duration,
    /// A public place that waits to be checked.
    #[serde(with = "humantime_serde")]
    pub site_check_within: Duration,
    /// A report that nobody has looked into.
    #[serde(with = "humantime_serde")]
    pub report_within: Duration,
    /// A letter that cannot be delivered.
    #[serde(with = "humantime_serde")]
    pub dead_letter_within: Duration,
    /// What became of a promise: nobody has said how it went, the two tell it differently, or somebody did not come
    /// again.
    #[serde(with = "humantime_serde")]
    pub follow_up_within: Duration,
    /// How long after its time a task that nobody is at is told of.
    #[serde(with = "humantime_serde")]
    pub escalate_after: Duration,
    /// How often administrators are written to of tasks that are late.
    #[serde(with = "humantime_serde")]
    pub escalate_every: Duration,
}

impl TaskSettings {
    /// Every time within reason.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        const MINUTE: Duration = Duration::from_mins(1);
        const DAY: Duration = Duration::from_hours(24);
        let mut checks = Checks::of("tasks");
        checks.time("claim_for", self.claim_for, MINUTE * 5..=DAY);
        checks.time("tell_within", self.tell_within, MINUTE..=DAY * 7);
        checks.time("call_again", self.call_again, MINUTE * 5..=DAY);
        checks.time(
            "site_check_within",
            self.site_check_within,
            MINUTE..=DAY * 30,
        );
        checks.time("report_within", self.report_within, MINUTE..=DAY * 7);
        checks.time(
            "dead_letter_within",
            self.dead_letter_within,
            MINUTE..=DAY * 7,
        );
        checks.time("follow_up_within", self.follow_up_within, MINUTE..=DAY * 7);
        checks.time(
            "escalate_after",
            self.escalate_after,
            Duration::ZERO..=DAY * 7,
        );
        checks.time("escalate_every", self.escalate_every, MINUTE * 10..=DAY);
        checks.done()
    }
}
