//! An administrator changes what a webhook is told, or whether it is told anything.

use super::{Ctx, Outcome, Tx};
use crate::domain::event::EventType;
use crate::domain::ids::WebhookId;
use crate::domain::note::PrivateNote;
use crate::domain::webhook::{DisabledBecause, Notice};
use crate::storage::audit::Actor;
use crate::storage::changes::Place;
use crate::storage::{letters, webhooks};

/// What is changed of a webhook; the rest stays as it is.
#[derive(Clone, Debug, Default)]
pub struct WebhookEdit {
    /// Which events it is told.
    pub types: Option<Vec<EventType>>,
    /// Whether it is told any.
    pub enabled: Option<bool>,
    /// Another description, or none.
    pub description: Option<Option<PrivateNote>>,
}

/// Changes a webhook. One that is enabled again is told by one message that much may have changed meanwhile.
///
/// # Errors
/// A webhook that is not there.
pub async fn update_webhook(
    ctx: &Ctx,
    id: WebhookId,
    edit: WebhookEdit,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let (webhook, mut secret) = tx.lock_webhook(id)?;
        if let Some(types) = &edit.types {
            webhooks::set_types(tx.conn, id, types.clone())?;
        }
        if let Some(description) = &edit.description {
            secret.description.clone_from(description);
            tx.reseal_webhook(&webhook, &secret)?;
        }
        match edit.enabled {
            Some(true) => enable(tx, id)?,
            Some(false) => {
                tx.disable_webhook(id, DisabledBecause::ByHand)?;
            }
            None => {}
        }
        let detail = [
            ("types", edit.types.is_some().into()),
            ("described", edit.description.is_some().into()),
            (
                "enabled",
                edit.enabled.unwrap_or(webhook.disabled_at.is_none()).into(),
            ),
        ];
        tx.audit("webhook_updated", ("webhook", id), &detail)
    })
    .await
}

fn enable(tx: &mut Tx<'_>, id: WebhookId) -> Outcome<()> {
    let place = Place::now(tx.conn)?;
    if webhooks::enable(tx.conn, id, place, tx.now)? {
        let many = tx.new_notice(id, Notice::Many, None, tx.now, tx.now);
        letters::insert(tx.conn, &[many])?;
    }
    Ok(())
}
