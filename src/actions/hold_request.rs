//! A coordinator hides a request, or shows it again.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::RequestState;
use crate::storage::audit::Actor;
use crate::storage::requests;
use crate::storage::requests::HeldBy;

/// Hides a request; its asks are withdrawn. What the neighbor has hidden herself is the coordinator's
/// from then on.
///
/// # Errors
/// A request that is covered or closed.
pub async fn hold_request(ctx: &Ctx, id: RequestId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let request = tx.lock_request_and_matches(id, None)?;
        if request.held_by == Some(HeldBy::Coordinator) {
            return Ok(());
        }
        if !requests::hold(tx.conn, id, HeldBy::Coordinator, tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.supersede_asks_of(id)?;
        tx.drop_needless_look(id)?;
        tx.audit("request_held", ("request", id), &[])?;
        tx.requests_changed(&[id])
    })
    .await
}

/// Shows a request again that a coordinator had hidden.
///
/// # Errors
/// A request that the neighbor herself has hidden, or that is covered or closed.
pub async fn unhold_request(ctx: &Ctx, id: RequestId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let request = tx.lock_request(id, None)?;
        if request.state == RequestState::Open {
            return Ok(());
        }
        if !requests::unhold(tx.conn, id, HeldBy::Coordinator, tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.audit("request_shown", ("request", id), &[])?;
        tx.requests_changed(&[id])
    })
    .await
}
