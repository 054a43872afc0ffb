//! Claimed letters that nobody has begun to send go back into the outbox as they were.

use super::{Ctx, Outcome};
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
