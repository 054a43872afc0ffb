//! A request is over: asks are superseded, promises are kept or called off at once.

use super::ending::Tell;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::{CloseReason, MatchState};
use crate::domain::remit::Remit;
use crate::domain::report::Side;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::matches::DoneBy;
use crate::storage::requests::Request;
use crate::storage::{matches, requests};

/// Closes a request; closing it again changes nothing.
///
/// # Errors
/// A request that is not there, or outside the remit.
pub async fn close_request(
    ctx: &Ctx,
    id: RequestId,
    remit: Remit,
    reason: CloseReason,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let request = tx.lock_request_and_matches(id, None)?;
        tx.refuse_outside(remit, request.neighbor_id)?;
        tx.close_request(&request, reason)
    })
    .await
}

impl Tx<'_> {
    /// Closes a request and ends everything that depends on it, all of which is locked. Accepted matches are fulfilled where
    /// the help was given here, and called off where it was not.
    pub(super) fn close_request(&mut self, request: &Request, reason: CloseReason) -> Outcome<()> {
        if !request.state.is_live() {
            return Ok(());
        }
        self.supersede_asks_of(request.id)?;
        for matched in matches::of_request(self.conn, request.id)? {
            if matched.state != MatchState::Accepted {
                continue;
            }
            let offer = self.offer(matched.offer_id, None)?;
            let by = match (self.actor.side(), self.actor.kind) {
                (Some(Side::Neighbor), _) => Some(DoneBy::Neighbor),
                _ if matched.done_at.is_some() => Some(DoneBy::Volunteer),
                (_, ActorKind::Coordinator) => Some(DoneBy::Coordinator),
                _ => None,
            };
            let helped =
                reason == CloseReason::HelpedHere && self.fulfil(&matched, request, &offer, by)?;
            if !helped {
                self.call_off(&matched, request, &offer, Tell::Volunteer)?;
            }
        }
        if !requests::close(self.conn, request.id, reason, self.now)? {
            return refuse(Refusal::NotPossible);
        }
        self.let_answers_end(request.id)?;
        self.drop_needless_call(request.neighbor_id)?;
        self.end_tasks_of_closed(request)?;
        self.audit(
            "request_closed",
            ("request", request.id),
            &[("reason", reason.into())],
        )?;
        self.requests_changed(&[request.id])
    }
}
