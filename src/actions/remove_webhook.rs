//! An administrator takes a webhook away.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::WebhookId;
use crate::domain::task::TaskOutcome;
use crate::storage::audit::Actor;
use crate::storage::{notices, webhooks};

/// Deletes a webhook and what waits for it. What it was told stays in the list of letters for its time.
///
/// # Errors
/// A webhook that is not there.
pub async fn remove_webhook(ctx: &Ctx, id: WebhookId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        if webhooks::lock(tx.conn, id)?.is_none() || !webhooks::delete(tx.conn, id)? {
            return refuse(Refusal::NotFound);
        }
        notices::drop_all(tx.conn, id, tx.now)?;
        let dead = notices::dead(tx.conn, id)?;
        tx.end_dead_letters(&dead, TaskOutcome::NotNeeded)?;
        tx.audit("webhook_removed", ("webhook", id), &[])
    })
    .await
}
