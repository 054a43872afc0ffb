//! The operator ends somebody's access. What they did stays in the audit.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::CoordinatorId;
use crate::storage::audit::Actor;
use crate::storage::{coordinators, tokens};

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
            tx.audit("coordinator_revoked", ("coordinator", id), &[])?;
        }
        Ok(())
    })
    .await
}
