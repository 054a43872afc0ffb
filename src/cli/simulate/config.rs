//! What is simulated: `config/simulate.toml`, or the file that takes its place.
//!
//! To add a key: a field here with its range in `faults`, and the key with a comment in the shipped file.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::delay::Delay;
use super::policy::Policy;
use crate::domain::category::Catalog;
use crate::domain::need::Urgency;
use crate::settings::{Fault, Origin, SettingsError, read_table};

/// The file that comes with the program.
const SHIPPED: &str = include_str!("../../../config/simulate.toml");

/// A day and the policies for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub day: Day,
    pub urgency: Urgencies,
    pub categories: BTreeMap<String, Mix>,
    pub answers: Answers,
    pub volunteers: Volunteers,
    pub help: Help,
    pub neighbors: Neighbors,
    pub coordinators: Coordinators,
    #[serde(rename = "policy")]
    pub policies: Vec<Policy>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Day {
    pub offers: u32,
    pub requests: u32,
    #[serde(with = "humantime_serde")]
    pub length: Duration,
    pub requests_by_hour: Vec<f64>,
    pub offers_by_hour: Vec<f64>,
    pub nights: f64,
    pub withdrawn: f64,
    pub withdrawn_after: Delay,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Urgencies {
    pub now: f64,
    pub today: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mix {
    pub requests: f64,
    pub offers: f64,
    pub now: Option<f64>,
    pub today: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answers {
    pub half_distance_m: f64,
    pub after_another: f64,
    pub pace: Vec<f64>,
    pub now: Answer,
    pub today: Answer,
    pub soon: Answer,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub answered: f64,
    pub yes: f64,
    pub delay: Delay,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Volunteers {
    pub confirm: f64,
    pub confirm_after: Delay,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Help {
    pub no_show: f64,
    pub released: f64,
    pub silent: f64,
    pub now: Delay,
    pub today: Delay,
    pub soon: Delay,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Neighbors {
    pub agree: f64,
    pub refuse: f64,
    pub agree_after: Delay,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Coordinators {
    pub approve: f64,
    pub review_after: Delay,
    pub vet: f64,
    pub vet_after: Delay,
    pub reached: f64,
    pub call_after: Delay,
}

impl Config {
    /// Reads and checks the file, or the one that comes with the program.
    ///
    /// # Errors
    /// A file that cannot be read or is not TOML; an unknown or missing key, or every bad value.
    pub fn read(path: Option<&Path>, catalog: &Catalog) -> Result<Self, SettingsError> {
        let text = match path {
            None => SHIPPED.to_owned(),
            Some(path) => {
                std::fs::read_to_string(path).map_err(|reason| SettingsError::Unreadable {
                    path: path.to_owned(),
                    reason,
                })?
            }
        };
        let path = path.unwrap_or(Path::new("config/simulate.toml"));
        let config: Self = read_table(path, &text)?;
        // With another file of categories, those that the shipped day names need not be there.
        let known = |key: &str| catalog.get(key).is_some() || text == SHIPPED;
        let faults = config.faults(known);
        if faults.is_empty() {
            return Ok(config);
        }
        let told = faults.into_iter().map(|fault| Fault {
            origin: Some(Origin::File(path.to_owned())),
            ..fault
        });
        Err(SettingsError::Faults(told.collect()))
    }

    /// Whatever is out of range.
    fn faults(&self, is_known: impl Fn(&str) -> bool) -> Vec<Fault> {
        let mut checks = Checks::default();
        self.day.check(&mut checks);
        checks.shares(
            "urgency",
            &[("now", self.urgency.now), ("today", self.urgency.today)],
        );
        for (key, mix) in &self.categories {
            let key = format!("categories.{key}");
            checks.require(
                is_known(key.trim_start_matches("categories.")),
                &key,
                "is no category that the settings have",
            );
            for (name, value) in [("requests", mix.requests), ("offers", mix.offers)] {
                checks.number(&format!("{key}.{name}"), value, 0.0, 1000.0);
            }
            let Urgencies { now, today } = self.urgencies(Some(mix));
            checks.shares(&key, &[("now", now), ("today", today)]);
        }
        self.answers.check(&mut checks);
        checks.shares("volunteers", &[("confirm", self.volunteers.confirm)]);
        checks.delay("volunteers.confirm_after", self.volunteers.confirm_after);
        let help = &self.help;
        let bad = [
            ("no_show", help.no_show),
            ("released", help.released),
            ("silent", help.silent),
        ];
        checks.shares("help", &bad);
        for (name, delay) in [
            ("now", help.now),
            ("today", help.today),
            ("soon", help.soon),
        ] {
            checks.delay(&format!("help.{name}"), delay);
        }
        let Neighbors {
            agree,
            refuse,
            agree_after,
        } = self.neighbors;
        checks.shares("neighbors", &[("agree", agree), ("refuse", refuse)]);
        checks.delay("neighbors.agree_after", agree_after);
        self.coordinators.check(&mut checks);
        let mut names = std::collections::BTreeSet::new();
        checks.require(
            !self.policies.is_empty(),
            "policy",
            "must be there at least once",
        );
        for policy in &self.policies {
            let is_new = names.insert(policy.name.as_str());
            checks.require(is_new, &policy.key("name"), "must differ from the others");
        }
        checks.faults
    }

    /// How many of a category's requests are how urgent.
    pub fn urgencies(&self, mix: Option<&Mix>) -> Urgencies {
        Urgencies {
            now: mix.and_then(|m| m.now).unwrap_or(self.urgency.now),
            today: mix.and_then(|m| m.today).unwrap_or(self.urgency.today),
        }
    }
}

impl Day {
    fn check(&self, checks: &mut Checks) {
        const HOUR: Duration = Duration::from_hours(1);
        checks.number("day.offers", f64::from(self.offers), 0.0, 100_000.0);
        checks.number("day.requests", f64::from(self.requests), 1.0, 100_000.0);
        let is_whole = self.length.as_secs().is_multiple_of(60);
        let fits = (HOUR..=HOUR * 24 * 7).contains(&self.length) && is_whole;
        checks.require(
            fits,
            "day.length",
            "must be from 1h to 7d, in whole minutes",
        );
        for (key, hours) in [
            ("day.requests_by_hour", &self.requests_by_hour),
            ("day.offers_by_hour", &self.offers_by_hour),
        ] {
            let most = usize::try_from(self.length.as_secs() / 3600).unwrap_or(usize::MAX);
            let is_right = hours.iter().all(|h| (0.0..=1e6).contains(h))
                && hours.iter().any(|h| *h > 0.0)
                && hours.len() <= most;
            checks.require(
                is_right,
                key,
                "must be numbers from 0 to 1000000, not all 0, and no more of them than day.length has hours",
            );
        }
        checks.shares("day", &[("nights", self.nights)]);
        checks.shares("day", &[("withdrawn", self.withdrawn)]);
        checks.delay("day.withdrawn_after", self.withdrawn_after);
    }
}

impl Answers {
    /// What is usual for an urgency.
    pub fn of(&self, urgency: Urgency) -> Answer {
        match urgency {
            Urgency::Now => self.now,
            Urgency::Today => self.today,
            Urgency::Soon => self.soon,
        }
    }

    fn check(&self, checks: &mut Checks) {
        checks.number("answers.half_distance_m", self.half_distance_m, 100.0, 1e6);
        checks.number("answers.after_another", self.after_another, 0.0, 1.0);
        let is_day = self.pace.len() == 24 && self.pace.iter().all(|p| (0.01..=10.0).contains(p));
        checks.require(is_day, "answers.pace", "must be 24 numbers from 0.01 to 10");
        for (name, answer) in [
            ("now", self.now),
            ("today", self.today),
            ("soon", self.soon),
        ] {
            let key = format!("answers.{name}");
            checks.shares(&key, &[("answered", answer.answered)]);
            checks.shares(&key, &[("yes", answer.yes)]);
            checks.delay(&format!("{key}.delay"), answer.delay);
        }
    }
}

impl Help {
    /// How long it takes at an urgency.
    pub fn after(&self, urgency: Urgency) -> Delay {
        match urgency {
            Urgency::Now => self.now,
            Urgency::Today => self.today,
            Urgency::Soon => self.soon,
        }
    }
}

impl Coordinators {
    fn check(&self, checks: &mut Checks) {
        for (name, share) in [
            ("approve", self.approve),
            ("vet", self.vet),
            ("reached", self.reached),
        ] {
            checks.shares("coordinators", &[(name, share)]);
        }
        for (name, delay) in [
            ("review_after", self.review_after),
            ("vet_after", self.vet_after),
            ("call_after", self.call_after),
        ] {
            checks.delay(&format!("coordinators.{name}"), delay);
        }
    }
}

/// Collects what does not hold.
#[derive(Default)]
struct Checks {
    faults: Vec<Fault>,
}

impl Checks {
    fn require(&mut self, holds: bool, key: &str, expected: &str) {
        if !holds {
            self.faults.push(Fault::new(key, expected));
        }
    }

    fn number(&mut self, key: &str, value: f64, low: f64, high: f64) {
        let expected = format!("must be from {low} to {high}");
        self.require((low..=high).contains(&value), key, &expected);
    }

    /// Shares of one whole.
    fn shares(&mut self, table: &str, shares: &[(&str, f64)]) {
        for (name, share) in shares {
            self.number(&format!("{table}.{name}"), *share, 0.0, 1.0);
        }
        let all: f64 = shares.iter().map(|(_, share)| share).sum();
        let names: Vec<&str> = shares.iter().map(|(name, _)| *name).collect();
        let expected = format!("must be at most 1 together: {}", names.join(", "));
        // Three times a tenth is a little more than three tenths.
        let is_within = all <= 1.0 + 1e-9 || shares.len() == 1;
        self.require(is_within, table, &expected);
    }

    fn delay(&mut self, key: &str, delay: Delay) {
        self.require(
            delay.is_possible(),
            key,
            "must have a median from 1s on, and slow no less than that and at most 14d",
        );
    }
}
