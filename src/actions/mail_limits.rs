//! How much mail may leave: the hourly budget of the instance, and three letters an hour to an address
//! whose owner has not used a link of one yet. Both are counted in the database, so that they hold for
//! all instances together and across restarts.
//!
//! Letters to unconfirmed addresses wait in a lane of their own, which gets a quarter of the budget at
//! the most: however many strangers post, what confirmed people wait for leaves on time.

use std::time::Duration;

use super::{Ctx, Outcome, Tx};
use crate::crypto::lookup::KeyedHash;
use crate::domain::clock::Ts;
use crate::domain::ids::LetterId;
use crate::domain::letter::Lane;
use crate::settings::limits::LimitsMode;
use crate::storage::{Conn, StorageError, departures};

/// The time within which letters are counted.
pub const WITHIN: Duration = Duration::from_hours(1);
/// Letters within that time to an address whose owner has not used a link of one yet.
pub const TO_UNCONFIRMED: i64 = 3;
/// The part of the budget for such letters: one in so many.
const SHARE: i64 = 4;

/// How many letters may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// So many at the most.
    For(i64),
    /// None before that instant.
    From(Ts),
}

/// As [`room`], for whoever takes letters by it: nobody else does until the transaction ends.
///
/// # Errors
/// A failed query.
pub(super) fn room_to_take(
    ctx: &Ctx,
    conn: &mut Conn,
    lane: Lane,
    now: Ts,
) -> Result<Room, StorageError> {
    let is_counted = ctx.settings.mail.hourly_budget > 0 || lane == Lane::Unconfirmed;
    if is_counted && ctx.settings.limits.mode == LimitsMode::On {
        departures::lock(conn)?;
    }
    room(ctx, conn, lane, now)
}

/// How many letters of the lane the budget lets go now.
///
/// # Errors
/// A failed query.
pub fn room(ctx: &Ctx, conn: &mut Conn, lane: Lane, now: Ts) -> Result<Room, StorageError> {
    let budget = i64::from(ctx.settings.mail.hourly_budget);
    if budget == 0 || ctx.settings.limits.mode == LimitsMode::Off {
        return Ok(Room::For(i64::MAX));
    }
    let all = room_in(conn, None, budget, now)?;
    if lane == Lane::Confirmed {
        return Ok(all);
    }
    let share = room_in(conn, Some(lane), budget / SHARE, now)?;
    Ok(match (all, share) {
        (Room::For(all), Room::For(share)) => Room::For(all.min(share)),
        (Room::From(all), Room::From(share)) => Room::From(all.max(share)),
        (from @ Room::From(_), Room::For(_)) | (Room::For(_), from @ Room::From(_)) => from,
    })
}

fn room_in(conn: &mut Conn, of: Option<Lane>, budget: i64, now: Ts) -> Result<Room, StorageError> {
    let since = now.before(WITHIN);
    let over = departures::count(conn, of, since)? - budget;
    if over < 0 {
        return Ok(Room::For(-over));
    }
    // When that many of the oldest, and one more, have been gone for an hour.
    let frees = departures::nth(conn, of, since, over)?;
    Ok(Room::From(frees.map_or(now, |at| at.after(WITHIN))))
}

impl Tx<'_> {
    /// When a letter may leave to an unconfirmed address, if not now.
    pub(super) fn wait_of_address(
        &mut self,
        letter: LetterId,
        address: KeyedHash,
    ) -> Outcome<Option<Ts>> {
        if self.ctx.settings.limits.mode == LimitsMode::Off {
            return Ok(None);
        }
        let since = self.now.before(WITHIN);
        let lately = departures::to_address(self.conn, address, letter, since, TO_UNCONFIRMED)?;
        let is_full = i64::try_from(lately.len()).is_ok_and(|n| n >= TO_UNCONFIRMED);
        Ok(lately.last().filter(|_| is_full).map(|at| at.after(WITHIN)))
    }
}
