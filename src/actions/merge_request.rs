//! A coordinator has seen that the same need was posted twice: one of the two is closed, and remembers the
//! other. Nothing merges by itself, however alike two posts are.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::{CloseReason, MatchState};
use crate::storage::audit::Actor;
use crate::storage::{matches, requests};

/// Closes a request as a duplicate of another, which is not changed. Doing so again changes nothing.
///
/// # Errors
/// Requests that are closed or of different categories, or one that somebody has promised to help with.
pub async fn merge_request(ctx: &Ctx, id: RequestId, into: RequestId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let both = [tx.request(id, None)?, tx.request(into, None)?];
        let both = tx.lock_requests_and_matches(&both)?;
        let find = |id: RequestId| both.iter().find(|r| r.id == id);
        let (Some(request), Some(other)) = (find(id), find(into)) else {
            return refuse(Refusal::NotFound);
        };
        if !request.state.is_live() && request.merged_into == Some(into) {
            return Ok(());
        }
        if id == into || !request.state.is_live() || !other.state.is_live() {
            return refuse(Refusal::NotPossible);
        }
        if request.category != other.category {
            return refuse(Refusal::DoesNotFit);
        }
        let all = matches::of_request(tx.conn, id)?;
        if all.iter().any(|m| m.state == MatchState::Accepted) {
            return refuse(Refusal::HasAcceptedMatch);
        }
        tx.close_request(request, CloseReason::Duplicate)?;
        if !requests::set_merged(tx.conn, id, into)? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        tx.audit("request_merged", ("request", id), &[])
    })
    .await
}
