//! A volunteer gives back what she has accepted; others are asked at once.

use super::ending::Tell;
use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::MatchId;
use crate::domain::lifecycle::{FallReason, Step};
use crate::storage::audit::Actor;

/// Releases an accepted match.
///
/// # Errors
/// A match that is not accepted.
pub async fn release_match(ctx: &Ctx, id: MatchId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let (matched, request, offer) = tx.lock_match(id)?;
        match matched.state.fall_through() {
            Step::AlreadyMade => return Ok(()),
            Step::Impossible => return refuse(Refusal::NotPossible),
            Step::To(_) => {}
        }
        tx.fall_through(
            &matched,
            &request,
            &offer,
            FallReason::Released,
            Tell::Neighbor,
        )?;
        Ok(())
    })
    .await
}
