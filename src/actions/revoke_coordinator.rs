//! The operator ends somebody's access, and that of the programs they had told. What they did stays in the audit;
//! what they had to do, others do.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::CoordinatorId;
use crate::domain::webhook::DisabledBecause;
use crate::storage::audit::Actor;
use crate::storage::{coordinators, tasks, tokens, webhooks};

/// Revokes a coordinator and every token of theirs, and gives their open tasks back. Revoking again changes nothing.
///
/// # Errors
/// [`Refusal::NotFound`] for an id that is nobody's.
pub async fn revoke_coordinator(ctx: &Ctx, id: CoordinatorId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        // Before the coordinator, as whoever gives them a task does.
        tasks::lock_held(tx.conn, id)?;
        if coordinators::lock(tx.conn, id)?.is_none() {
            return refuse(Refusal::NotFound);
        }
        if coordinators::revoke(tx.conn, id, tx.now)? {
            tokens::revoke_all(tx.conn, id.into())?;
            for webhook in webhooks::lock_of(tx.conn, id)? {
                tx.disable_webhook(webhook, DisabledBecause::ByHand)?;
            }
            let free = tasks::give_back_all(tx.conn, id, tx.now)?;
            let detail = [("tasks", free.into())];
            tx.audit("coordinator_revoked", ("coordinator", id), &detail)?;
        }
        Ok(())
    })
    .await
}
