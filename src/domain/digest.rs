//! How it stands in the morning, in numbers and nothing else: nothing of anybody.

use std::collections::BTreeMap;
use std::time::Duration;

use super::task::TaskKind;

/// How it stands when the morning's letter leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// Tasks to be done, by kind; a kind of which there is none is left out.
    pub tasks: BTreeMap<TaskKind, i64>,
    /// Of these, those whose time has gone by.
    pub overdue: i64,
    /// Requests that are open and not wholly covered.
    pub open: i64,
    /// For how long the oldest of them has waited.
    pub longest: Option<Duration>,
    /// Of the open ones, those that a person must look at.
    pub attention: i64,
    /// Of the open ones, those whose time ends before midnight.
    pub ends_today: i64,
    /// What became of requests on the day before.
    pub yesterday: Yesterday,
}

/// What became of requests on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Yesterday {
    /// Posted.
    pub posted: i64,
    /// Wholly promised for the first time.
    pub covered: i64,
    /// Closed because help was given here.
    pub helped: i64,
    /// Closed because their time went by without help.
    pub unmet: i64,
}

impl Digest {
    /// How many tasks of a kind are to be done.
    #[must_use]
    pub fn of_kind(&self, kind: TaskKind) -> i64 {
        self.tasks.get(&kind).copied().unwrap_or_default()
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.tasks.is_empty() && self.open == 0 && self.yesterday == Yesterday::default()
    }
}
