//! Claimed letters that nobody has begun to send go back into the outbox as they were, or until later.

use std::collections::BTreeMap;

use super::{Ctx, Outcome};
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, LetterId};
use crate::storage::audit::Actor;
use crate::storage::{departures, letters};

/// Gives letters back before their lease runs out. Gives how many were still held.
///
/// # Errors
/// A failed query; the lease then runs out by itself.
pub async fn return_letters(ctx: &Ctx, ids: Vec<LetterId>, lease: LeaseId) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, move |tx| {
        // What somebody else has taken since is on its way, or was.
        let held = letters::lock_held(tx.conn, &ids, lease)?;
        departures::cancel(tx.conn, &held)?;
        Ok(letters::unclaim(tx.conn, &held, lease)?)
    })
    .await
}

/// The same, until each is due again: who takes them rests meanwhile.
///
/// # Errors
/// A failed query; the lease then runs out by itself.
pub async fn put_off_letters(
    ctx: &Ctx,
    letters_due: Vec<(LetterId, Ts)>,
    lease: LeaseId,
) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, move |tx| {
        let ids: Vec<LetterId> = letters_due.iter().map(|(id, _)| *id).collect();
        let held = letters::lock_held(tx.conn, &ids, lease)?;
        departures::cancel(tx.conn, &held)?;
        let mut together: BTreeMap<Ts, Vec<LetterId>> = BTreeMap::new();
        for (id, due) in letters_due.iter().filter(|(id, _)| held.contains(id)) {
            together.entry(*due).or_default().push(*id);
        }
        for (due, ids) in together {
            letters::put_off(tx.conn, &ids, lease, due)?;
        }
        Ok(held.len())
    })
    .await
}
