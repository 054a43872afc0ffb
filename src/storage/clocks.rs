//! Which clock is right. Leases, and who lives, are judged by instants that several machines write; where
//! they share a server, its clock is the judge, and a machine that disagrees with it must not judge.
//!
//! An embedded database has one machine, and with it one clock.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::prelude::*;

use super::connection::Conn;
use super::db::Db;
use super::dialect;
use super::error::StorageError;
use crate::domain::clock::{Clock, Ts};

/// How far two clocks may be apart: well below the shortest lease, and below the time after which a process
/// counts as gone.
pub const LIMIT: Duration = Duration::from_secs(5);
/// An answer that took no longer leaves no doubt.
const QUICK: Duration = Duration::from_secs(1);
/// How often the server is asked until one comes so quickly.
const TRIES: u32 = 3;

/// This machine's clock beside the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// By how many microseconds this machine's is ahead.
    ahead: i64,
    round_trip: Duration,
}

/// This machine's clock is not the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClocksDiffer(Comparison);

impl Comparison {
    /// Of an answer that came after `round_trip`, when this machine's clock showed `own`.
    fn new(server: Ts, own: Ts, round_trip: Duration) -> Self {
        let asked = own.before(round_trip / 2);
        Self {
            ahead: asked.as_micros().saturating_sub(server.as_micros()),
            round_trip,
        }
    }

    /// By how many seconds this machine's clock is ahead of the server's; less than 0 if it is behind.
    #[must_use]
    pub fn seconds_ahead(self) -> f64 {
        let apart = Duration::from_micros(self.ahead.unsigned_abs()).as_secs_f64();
        if self.ahead < 0 { -apart } else { apart }
    }

    /// What the server's clock shows when this machine's shows `own`.
    #[must_use]
    pub fn by_server(self, own: Ts) -> Ts {
        Ts::from_micros(own.as_micros().saturating_sub(self.ahead))
    }

    /// Whether this machine may judge by its own clock. What the round trip leaves in doubt counts as apart.
    ///
    /// # Errors
    /// The two are too far apart.
    pub fn verdict(self) -> Result<(), ClocksDiffer> {
        let apart = Duration::from_micros(self.ahead.unsigned_abs()) + self.round_trip / 2;
        if apart > LIMIT {
            return Err(ClocksDiffer(self));
        }
        Ok(())
    }
}

impl fmt::Display for ClocksDiffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Comparison { ahead, round_trip } = self.0;
        let apart = Duration::from_micros(ahead.unsigned_abs()).as_secs_f64();
        let side = if ahead < 0 { "behind" } else { "ahead of" };
        let doubt = (round_trip / 2).as_secs_f64();
        let limit = LIMIT.as_secs();
        write!(
            f,
            "this machine's clock is {apart:.1} s {side} the database server's, give or take {doubt:.1} s, and {limit} s \
             are the most: let both follow the network's time"
        )
    }
}

impl std::error::Error for ClocksDiffer {}

/// Compares `clock` with the server's; none where there is no server.
///
/// # Errors
/// A failed query.
pub fn compare(conn: &mut Conn, clock: &dyn Clock) -> QueryResult<Option<Comparison>> {
    let mut tries = 1;
    loop {
        let asked = Instant::now();
        let Some(server) = dialect::clock(conn)? else {
            return Ok(None);
        };
        let compared = Comparison::new(server, clock.now(), asked.elapsed());
        // A process may have been paused in between; that is no fault of its clock.
        if compared.round_trip <= QUICK || tries == TRIES {
            return Ok(Some(compared));
        }
        tries += 1;
    }
}

/// As [`compare`], on a connection of the database's own.
///
/// # Errors
/// A failed query.
pub async fn compare_with(
    db: &Db,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Comparison>, StorageError> {
    let clock = Arc::clone(clock);
    db.read(move |conn| Ok(compare(conn, clock.as_ref())?))
        .await
}

/// The present instant by the clock that judges who lives: the server's, or `own` where there is none.
///
/// # Errors
/// A failed query.
pub fn judge(conn: &mut Conn, own: Ts) -> QueryResult<Ts> {
    Ok(dialect::clock(conn)?.unwrap_or(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Duration = Duration::from_hours(12);
    const SECOND: Duration = Duration::from_secs(1);

    fn compared(own: Duration, round_trip: Duration) -> Comparison {
        let at = |since| Ts::EPOCH.after(since);
        Comparison::new(at(NOON), at(own), round_trip)
    }

    #[test]
    fn clocks_agree_up_to_the_limit_and_the_round_trip_counts_against_it() {
        let none = Duration::ZERO;
        let early = |by| NOON.saturating_sub(by);
        assert!(compared(NOON + LIMIT, none).verdict().is_ok());
        assert!(compared(early(LIMIT), none).verdict().is_ok());
        assert!(compared(NOON + LIMIT + SECOND, none).verdict().is_err());
        assert!(compared(early(LIMIT + SECOND), none).verdict().is_err());
        // The server answered in the middle, or up to a second earlier or later.
        assert!(compared(NOON + LIMIT, SECOND * 2).verdict().is_ok());
        assert!(
            compared(NOON + LIMIT + SECOND, SECOND * 2)
                .verdict()
                .is_err()
        );
        assert!(compared(NOON, LIMIT * 3).verdict().is_err());
    }

    #[test]
    fn what_the_server_shows_is_known_from_the_difference() {
        let behind = compared(NOON.saturating_sub(Duration::from_mins(10)), Duration::ZERO);
        assert!((behind.seconds_ahead() + 600.0).abs() < f64::EPSILON);
        assert_eq!(
            behind.by_server(Ts::EPOCH),
            Ts::EPOCH.after(Duration::from_mins(10))
        );
        assert!(
            behind
                .verdict()
                .unwrap_err()
                .to_string()
                .contains("600.0 s behind")
        );
    }
}
