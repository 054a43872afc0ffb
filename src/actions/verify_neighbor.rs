//! A coordinator has spoken with a neighbor or knows her, or takes that back.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::NeighborId;
use crate::domain::need::Verified;
use crate::storage::audit::Actor;
use crate::storage::neighbors;

/// Says how far a neighbor's contact was checked; saying it again changes nothing. What waited for a call
/// is matched now, and what needs one from now on waits for it.
///
/// # Errors
/// A neighbor who is not there.
pub async fn verify_neighbor(
    ctx: &Ctx,
    id: NeighborId,
    how: Verified,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let neighbor = tx.lock_neighbor_and_requests(id)?;
        if neighbor.verified == how {
            return Ok(());
        }
        if !neighbors::set_verified(tx.conn, id, neighbor.verified, how, tx.now)? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        let what = if how == Verified::None {
            "neighbor_unverified"
        } else {
            "neighbor_verified"
        };
        tx.audit(what, ("neighbor", id), &[("how", how.into())])?;
        tx.follow_verification(&neighbor)
    })
    .await
}
