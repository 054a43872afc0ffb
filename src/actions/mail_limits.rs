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
use crate::storage::{Conn, StorageError, departures, letters};

/// The time within which letters are counted.
pub const WITHIN: Duration = Duration::from_hours(1);
/// Letters within that time to an address whose owner has not used a link of one yet.
pub const TO_UNCONFIRMED: usize = 3;
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

/// A letter that is about to leave, with the keyed hash of its address if its owner has not used a link
/// of one yet.
pub(super) type Departing = (LetterId, Option<KeyedHash>);

/// Whether a letter may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// At once.
    Now,
    /// Its address has had enough until that instant.
    NotBefore(Ts),
    /// The budget is used up by now.
    NoRoom,
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
    // Whoever took those died: they may leave as what they are counted for, if they are counted still.
    let mut abandoned = 0;
    for lane in Lane::ALL {
        if of.is_none_or(|of| of == lane) {
            let ids = letters::abandoned(conn, lane, now)?;
            abandoned += departures::count_of(conn, &ids, of, since)?;
        }
    }
    let over = departures::count(conn, of, since)? - abandoned - budget;
    if over < 0 {
        return Ok(Room::For(-over));
    }
    // When that many of the oldest, and one more, have been gone for an hour.
    let frees = departures::nth(conn, of, since, over)?;
    Ok(Room::From(frees.map_or(now, |at| at.after(WITHIN))))
}

impl Tx<'_> {
    /// Which of the letters of a lane may leave, each after those before it, as far as one can tell
    /// beside others who let letters leave.
    pub(super) fn may_leave(&mut self, lane: Lane, letters: &[Departing]) -> Outcome<Vec<Leave>> {
        // What is counted already is not counted twice.
        let ids: Vec<LetterId> = letters.iter().map(|(id, _)| *id).collect();
        let counted = departures::counted(self.conn, &ids, self.now.before(WITHIN))?;
        let mut room = match room(self.ctx, self.conn, lane, self.now)? {
            Room::For(room) => room,
            Room::From(_) => 0,
        };
        let mut lately = self.left_lately(letters)?;
        let leave = |&(letter, address): &Departing| {
            if let Some(address) = address {
                let wait = wait_of_address(&lately, letter, address);
                if let Some(due) = wait.filter(|_| self.is_limited()) {
                    return Leave::NotBefore(due);
                }
            }
            if !counted.contains(&letter) {
                if room == 0 {
                    return Leave::NoRoom;
                }
                room -= 1;
            }
            if let Some(address) = address {
                lately.retain(|(earlier, ..)| *earlier != letter);
                lately.push((letter, address, self.now));
            }
            Leave::Now
        };
        Ok(letters.iter().map(leave).collect())
    }

    /// As [`Tx::may_leave`], for good: those that may leave count from now on. Who lets letters leave by
    /// a limit waits here for everybody else who does, until their transactions end; so this comes last,
    /// when whoever has the turn waits for nobody any more.
    pub(super) fn let_leave(&mut self, lane: Lane, letters: &[Departing]) -> Outcome<Vec<Leave>> {
        let has_budget = self.ctx.settings.mail.hourly_budget > 0;
        let is_counted = has_budget || letters.iter().any(|(_, address)| address.is_some());
        if is_counted && self.is_limited() {
            departures::lock(self.conn)?;
        }
        let leave = self.may_leave(lane, letters)?;
        let leaving: Vec<Departing> = letters
            .iter()
            .zip(&leave)
            .filter(|(_, leave)| **leave == Leave::Now)
            .map(|(letter, _)| *letter)
            .collect();
        departures::note(self.conn, &leaving, self.now)?;
        Ok(leave)
    }

    fn is_limited(&self) -> bool {
        self.ctx.settings.limits.mode == LimitsMode::On
    }

    /// What left within the time that counts to the addresses of these letters.
    fn left_lately(&mut self, letters: &[Departing]) -> Outcome<Vec<(LetterId, KeyedHash, Ts)>> {
        let addresses: Vec<KeyedHash> = letters.iter().filter_map(|(_, to)| *to).collect();
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let since = self.now.before(WITHIN);
        Ok(departures::to_addresses(self.conn, &addresses, since)?)
    }
}

/// When a letter may leave to an unconfirmed address, if not now, after what left `lately`.
fn wait_of_address(
    lately: &[(LetterId, KeyedHash, Ts)],
    letter: LetterId,
    address: KeyedHash,
) -> Option<Ts> {
    let mut others: Vec<Ts> = lately
        .iter()
        .filter(|(other, to, _)| *other != letter && *to == address)
        .map(|(.., at)| *at)
        .collect();
    others.sort_unstable_by(|a, b| b.cmp(a));
    others
        .get(TO_UNCONFIRMED - 1)
        .map(|third| third.after(WITHIN))
}
