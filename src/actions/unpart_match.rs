//! A coordinator lets two people be brought together again who had been parted: by a report, or because a
//! volunteer had said "not for this person".

use super::pair::pair_hashes;
use super::{Ctx, Outcome};
use crate::domain::ids::MatchId;
use crate::storage::audit::Actor;
use crate::storage::{blocks, requests};

/// Lifts the block between the two people of a match, as they are known now. Doing so again changes nothing.
///
/// # Errors
/// A match that is not there, or one of whose people was erased.
pub async fn unpart_match(ctx: &Ctx, id: MatchId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let (_, request, offer) = tx.lock_pair(id)?;
        let neighbor = tx.neighbor(request.neighbor_id)?;
        let volunteer = tx.volunteer(offer.volunteer_id)?;
        let pair = pair_hashes(&tx.keys.hasher, &neighbor, &volunteer);
        if blocks::delete(tx.conn, &pair)? == 0 {
            return Ok(());
        }
        requests::make_due(tx.conn, &[request.id], tx.now)?;
        tx.audit("pair_allowed", ("match", id), &[])
    })
    .await
}
