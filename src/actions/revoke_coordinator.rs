//! The operator ends somebody's access, and that of the programs they had told. What they did stays in the audit.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::CoordinatorId;
use crate::domain::webhook::DisabledBecause;
use crate::storage::audit::Actor;
use crate::storage::{coordinators, tokens, webhooks};

/// Revokes a coordinator and every token of theirs. Revoking again changes nothing.
///
/// # Errors
/// [`Refusal::NotFound`] for an id that is nobody's.
pub async fn revoke_coordinator(ctx: &Ctx, id: CoordinatorId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        if coordinators::lock(tx.conn, id)?.is_none() {
            return refuse(Refusal::NotFound);
        }
        if coordinators::revoke(tx.conn, id, tx.now)? {
            tokens::revoke_all(tx.conn, id.into())?;
            for webhook in webhooks::lock_of(tx.conn, id)? {
                tx.disable_webhook(webhook, DisabledBecause::ByHand)?;
            }
            tx.audit("coordinator_revoked", ("coordinator", id), &[])?;
        }
        Ok(())
    })
    .await
}
