//! An administrator tries whether messages arrive at a webhook.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::{LetterId, WebhookId};
use crate::domain::webhook::Notice;
use crate::storage::audit::Actor;
use crate::storage::{letters, notices, webhooks};

/// Leaves a message that says nothing, due at once. While one waits that nobody has tried to send, there is no other.
///
/// # Errors
/// A webhook that is not there, or is told nothing.
pub async fn try_webhook(ctx: &Ctx, id: WebhookId, actor: Actor) -> Outcome<LetterId> {
    ctx.write(actor, move |tx| {
        let Some(webhook) = webhooks::lock(tx.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        if webhook.disabled_at.is_some() {
            return refuse(Refusal::NotPossible);
        }
        if let Some(waiting) = notices::untried_test(tx.conn, id)? {
            return Ok(waiting);
        }
        let test = tx.new_notice(id, Notice::Test, None, tx.now, tx.now);
        letters::insert(tx.conn, std::slice::from_ref(&test))?;
        tx.audit("webhook_tried", ("webhook", id), &[])?;
        Ok(test.id)
    })
    .await
}
