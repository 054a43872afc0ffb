//! A volunteer says no; another is asked at once.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::MatchId;
use crate::domain::lifecycle::{DeclineReason, MatchState, Step};
use crate::storage::audit::Actor;
use crate::storage::{matches, requests};

/// Declines a match for its volunteer. Declining what one has declined already changes nothing.
///
/// # Errors
/// A match that was accepted, or is over.
pub async fn decline_match(
    ctx: &Ctx,
    id: MatchId,
    reason: Option<DeclineReason>,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let parts = reason == Some(DeclineReason::NotThisPerson);
        let (matched, request, offer) = if parts {
            tx.lock_pair(id)?
        } else {
            tx.lock_match(id)?
        };
        match matched.state.decline() {
            Step::AlreadyMade => return Ok(()),
            Step::Impossible => return refuse(Refusal::NotPossible),
            Step::To(_) => {}
        }
        if !matches::decline(tx.conn, id, reason, tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.make_room(&offer)?;
        if parts {
            let neighbor = tx.neighbor(request.neighbor_id)?;
            let volunteer = tx.volunteer(offer.volunteer_id)?;
            tx.block_pair(&neighbor, &volunteer)?;
            for other in matches::active_between(tx.conn, neighbor.id, volunteer.id)? {
                if other.state != MatchState::Accepted {
                    let offer = tx.offer(other.offer_id, None)?;
                    tx.supersede(&other, &offer, false)?;
                    requests::make_due(tx.conn, &[other.request_id], tx.now)?;
                }
            }
        }
        requests::make_due(tx.conn, &[request.id], tx.now)?;
        tx.audit(
            "match_declined",
            ("match", id),
            &[("reason", reason.into())],
        )
    })
    .await
}
