//! Whether a coordinator gets the morning's letter.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::CoordinatorId;
use crate::storage::audit::Actor;
use crate::storage::coordinators;

/// Sets it. Setting it as it is changes nothing.
///
/// # Errors
/// [`Refusal::NotFound`] for an id that is nobody's, [`Refusal::NotPossible`] for one whose access was revoked.
pub async fn set_digest(ctx: &Ctx, id: CoordinatorId, wanted: bool, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let Some(coordinator) = coordinators::lock(tx.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        if coordinator.digest == wanted {
            return Ok(());
        }
        if !coordinators::set_digest(tx.conn, id, wanted)? {
            return refuse(Refusal::NotPossible);
        }
        tx.audit(
            "coordinator_digest_set",
            ("coordinator", id),
            &[("wanted", wanted.into())],
        )
    })
    .await
}
