//! An outage of the database is told in a few lines, however many calls and workers run into it: one when
//! it begins, one a minute while it lasts, one when it is over.
//!
//! The log belongs to the process, and so does this: there is one for all databases that it has open.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::StorageError;

/// How often an outage is told while it lasts.
const REPEAT: Duration = Duration::from_mins(1);
/// A failure after so long without one is another outage.
const APART: Duration = Duration::from_secs(5);
/// So long without a failure, and it is over.
const CALM: Duration = Duration::from_secs(1);

/// What was told and what was not.
#[derive(Debug)]
struct Outages {
    last_failure: Option<Instant>,
    told: Option<Instant>,
    /// Since it was told.
    failures: u64,
    lasts: bool,
}

static NOTED: Mutex<Outages> = Mutex::new(Outages {
    last_failure: None,
    told: None,
    failures: 0,
    lasts: false,
});
/// Whether there is anything to be told to be over: asked after every call.
static LASTS: AtomicBool = AtomicBool::new(false);

impl Outages {
    /// The number of failures to tell, if one more has to be told.
    fn fail(&mut self, now: Instant) -> Option<u64> {
        let since = |at: Option<Instant>| at.map(|at| now.duration_since(at));
        let is_new = since(self.last_failure).is_none_or(|quiet| quiet >= APART);
        let is_late = since(self.told).is_none_or(|told| told >= REPEAT);
        self.last_failure = Some(now);
        self.failures += 1;
        self.lasts = true;
        if !is_new && !is_late {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.failures))
    }

    /// Whether it is to be told that it works again.
    fn work(&mut self, now: Instant) -> bool {
        let is_calm = |at| now.duration_since(at) >= CALM;
        if !self.lasts || !self.last_failure.is_some_and(is_calm) {
            return false;
        }
        self.lasts = false;
        self.failures = 0;
        true
    }
}

/// The database failed somebody.
pub(super) fn failed(why: &str) {
    let told = {
        let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
        LASTS.store(true, Ordering::Relaxed);
        noted.fail(Instant::now())
    };
    metrics::gauge!("manyhands_database_available").set(0.0);
    if let Some(failures) = told {
        tracing::error!(why, failures, "the database is unavailable");
    }
}

/// The database did what somebody wanted.
pub(super) fn works() {
    if !LASTS.load(Ordering::Relaxed) {
        return;
    }
    let is_over = {
        let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = noted.work(Instant::now());
        LASTS.store(noted.lasts, Ordering::Relaxed);
        is_over
    };
    if is_over {
        metrics::gauge!("manyhands_database_available").set(1.0);
        tracing::info!("the database is available again");
    }
}

/// Notes the failure, for whoever is to be told of it.
pub(super) fn unavailable(why: &'static str) -> StorageError {
    failed(why);
    StorageError::Unavailable(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_when_it_begins_and_once_a_minute_and_when_it_is_over() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut outages = Outages {
            last_failure: None,
            told: None,
            failures: 0,
            lasts: false,
        };
        assert!(!outages.work(at(0)));
        assert_eq!(outages.fail(at(0)), Some(1));
        for second in 1..60 {
            assert_eq!(outages.fail(at(second * 1000)), None, "{second}");
        }
        assert_eq!(outages.fail(at(60_000)), Some(60));
        // While some calls still fail, others that succeed are not its end.
        assert!(!outages.work(at(60_500)));
        assert!(outages.work(at(61_000)));
        assert!(!outages.work(at(61_001)));
        // Another one is told at once, unless it comes on the heels of the first.
        assert_eq!(outages.fail(at(62_000)), None);
        assert_eq!(outages.fail(at(67_000)), Some(2));
    }
}
