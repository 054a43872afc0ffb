//! How long somebody may hold what they have taken, and when that leaves no time for what they want to do with it.

use std::time::Duration;

use super::clock::Ts;

/// Whether there is time for an attempt that takes up to `attempt`, by whoever holds something `until` that is given out
/// for `lease` at a time. What is held for longer than that from now was taken by a clock that was ahead: it counts for
/// nobody, and may be somebody else's by the time the attempt ends.
#[must_use]
pub fn leaves_time(until: Option<Ts>, now: Ts, lease: Duration, attempt: Duration) -> bool {
    until.is_some_and(|until| now < until.before(attempt) && until <= now.after(lease))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_begins_only_if_it_ends_within_a_lease_that_can_be_real() {
        let (lease, attempt) = (Duration::from_mins(2), Duration::from_mins(1));
        let now = Ts::EPOCH.after(Duration::from_hours(1));
        let until = now.after(lease);
        let at = |now| leaves_time(Some(until), now, lease, attempt);
        assert!(at(now));
        assert!(at(now.after(Duration::from_secs(59))));
        assert!(!at(now.after(attempt)), "it might end too late");
        assert!(!at(until.after(lease)), "it is over");
        assert!(
            !at(now.before(Duration::from_millis(1))),
            "nobody gets as long"
        );
        assert!(!at(Ts::EPOCH), "the clock was ahead");
        assert!(!leaves_time(None, now, lease, attempt));
    }
}
