//! The section `matching`: whom to ask, how many, how often.

mod wave;

use std::time::Duration;

use serde::Deserialize;

pub use self::wave::{AskingHours, Wave, Waves};
use super::fault::{Checks, Fault};
use crate::domain::category::Category;
use crate::domain::need::{Deadlines, Urgency};

/// The section `matching`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchingSettings {
    /// Asks a volunteer may have open at a time, unless she chose otherwise.
    pub open_asks: u8,
    /// Asks a week that are not urgent, unless the volunteer chose otherwise.
    pub weekly_asks: u8,
    /// Asks a day, however urgent, unless the volunteer chose otherwise.
    pub daily_asks: u8,
    /// Released contacts a volunteer may hold before one of the matches is done.
    pub open_releases: u8,
    /// How long after a round those who did not answer may be asked again.
    #[serde(with = "humantime_serde")]
    pub second_round_after: Duration,
    /// How long a neighbor has to say otherwise once her volunteer has said that the help was given.
    #[serde(with = "humantime_serde")]
    pub done_wait: Duration,
    /// How long before the help is due both sides are reminded.
    #[serde(with = "humantime_serde")]
    pub remind_before: Duration,
    /// How many of the nearest eligible offers are scored.
    pub candidates: u32,
    /// How often what is uncovered is due again by itself.
    #[serde(with = "humantime_serde")]
    pub sweep_every: Duration,
    /// How often the index is compared with the database as a whole.
    #[serde(with = "humantime_serde")]
    pub index_check_every: Duration,
    /// How long a worker holds what it is matching.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// How far ahead opening hours are turned into intervals.
    #[serde(with = "humantime_serde")]
    pub horizon: Duration,
    /// When a deadline makes a request more urgent than its neighbor has said.
    #[serde(with = "Near")]
    pub deadlines: Deadlines,
    /// What makes one offer better than another.
    pub weights: Weights,
    /// Who is asked together, for each urgency.
    pub waves: Waves,
}

/// How much each part of a score counts; only their relation does.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Nearness.
    pub proximity: f64,
    /// Time covered.
    pub time: f64,
    /// Fit of the free capacity.
    pub capacity: f64,
    /// A language in common.
    pub language: f64,
    /// How often the volunteer answers.
    pub responsiveness: f64,
    /// How long the volunteer was not asked.
    pub rotation: f64,
    /// The same helper as for another slot of a series.
    pub same_helper: f64,
}

/// The section `matching.deadlines`: how [`Deadlines`] are written.
#[derive(Deserialize)]
#[serde(remote = "Deadlines", deny_unknown_fields)]
struct Near {
    #[serde(with = "humantime_serde")]
    today: Duration,
    #[serde(with = "humantime_serde")]
    now: Duration,
}

impl MatchingSettings {
    /// The waves of that urgency, as the category has them.
    #[must_use]
    pub fn wave(&self, category: Option<&Category>, urgency: Urgency) -> Wave {
        let wave = self.waves.of(urgency).clone();
        match category {
            Some(category) => wave.with(category.policy.waves.of(urgency)),
            None => wave,
        }
    }

    /// Every number within reason, and some weight that counts.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        const MINUTE: Duration = Duration::from_mins(1);
        const DAY: Duration = Duration::from_hours(24);
        let mut checks = Checks::of("matching");
        checks.number("open_asks", self.open_asks, 1..=20);
        checks.number("weekly_asks", self.weekly_asks, 1..=50);
        checks.number("daily_asks", self.daily_asks, 1..=100);
        checks.number("open_releases", self.open_releases, 1..=20);
        checks.time(
            "second_round_after",
            self.second_round_after,
            MINUTE * 10..=DAY * 7,
        );
        checks.time("done_wait", self.done_wait, MINUTE..=DAY * 7);
        checks.time("remind_before", self.remind_before, MINUTE..=DAY);
        checks.number("candidates", self.candidates, 1..=1000);
        checks.time("sweep_every", self.sweep_every, MINUTE..=DAY);
        checks.time(
            "index_check_every",
            self.index_check_every,
            Duration::from_secs(1)..=DAY,
        );
        checks.time("lease", self.lease, Duration::from_secs(5)..=MINUTE * 10);
        checks.time("horizon", self.horizon, DAY..=DAY * 90);
        checks.time(
            "deadlines.today",
            self.deadlines.today,
            Duration::ZERO..=DAY * 7,
        );
        checks.time("deadlines.now", self.deadlines.now, Duration::ZERO..=DAY);
        checks.require(
            self.deadlines.now <= self.deadlines.today,
            "deadlines.now",
            "must not be longer than matching.deadlines.today",
        );
        self.weights.check(&mut checks);
        self.waves.check(&mut checks);
        checks.done()
    }
}

impl Weights {
    fn check(&self, checks: &mut Checks) {
        let weights = [
            ("weights.proximity", self.proximity),
            ("weights.time", self.time),
            ("weights.capacity", self.capacity),
            ("weights.language", self.language),
            ("weights.responsiveness", self.responsiveness),
            ("weights.rotation", self.rotation),
            ("weights.same_helper", self.same_helper),
        ];
        for (key, weight) in weights {
            checks.number(key, weight, 0.0..=100.0);
        }
        let counts = weights.iter().any(|(_, weight)| *weight != 0.0);
        checks.require(
            counts,
            "weights.proximity",
            "must not be 0 where all other weights are",
        );
    }
}
