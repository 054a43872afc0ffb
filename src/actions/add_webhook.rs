//! An administrator has what changes told to another program.

use super::{Call, Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::event::EventType;
use crate::domain::ids::{CoordinatorId, RecordId, WebhookId};
use crate::domain::note::PrivateNote;
use crate::domain::webhook::{SigningKey, WebhookSecret, WebhookUrl};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::changes::Place;
use crate::storage::sql_types::Json;
use crate::storage::webhooks::Webhook;
use crate::storage::{coordinators, webhooks};

/// What is told, and where.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Where.
    pub url: WebhookUrl,
    /// Which events.
    pub types: Vec<EventType>,
    /// For whoever looks after it.
    pub description: Option<PrivateNote>,
}

/// Adds a webhook, which is told what changes from now on. Gives its key, which is shown this once; to a repeated
/// call the key that it has now.
///
/// # Errors
/// As many webhooks as the settings allow; a key of the call that was used for another.
pub async fn add_webhook(
    ctx: &Ctx,
    new: NewWebhook,
    by: CoordinatorId,
    call: Option<Call>,
) -> Outcome<(WebhookId, SigningKey)> {
    let actor = Actor::person(ActorKind::Coordinator, RecordId::from(by));
    ctx.write(actor, move |tx| {
        let id = WebhookId::new(tx.ctx.entropy.as_ref());
        if let Some(made) = tx.repeated(call, id)? {
            let (webhook, secret) = tx.lock_webhook(made.into())?;
            return Ok((webhook.id, secret.key));
        }
        // One after the other, or two at once would be one too many.
        coordinators::lock_admins(tx.conn)?;
        if webhooks::count(tx.conn)? >= i64::from(tx.ctx.settings.webhooks.max) {
            return refuse(Refusal::TooManyWebhooks);
        }
        let secret = WebhookSecret {
            url: new.url.clone(),
            key: SigningKey::new(tx.ctx.entropy.as_ref()),
            old_key: None,
            description: new.description.clone(),
        };
        let row = Webhook {
            id,
            types: Json(new.types.clone()),
            disabled_at: None,
            disabled_because: None,
            place: Json(Place::now(tx.conn)?),
            placed_at: tx.now,
            failures: 0,
            failing_since: None,
            last_failure: None,
            last_failure_at: None,
            last_success_at: None,
            rest_until: None,
            created_at: tx.now,
            created_by: by,
            sealed: tx.seal(id, 1, &secret)?,
            sealed_version: 1,
            sealed_epoch: Some(tx.epoch()),
        };
        webhooks::insert(tx.conn, &row)?;
        tx.audit("webhook_added", ("webhook", id), &[])?;
        Ok((id, secret.key))
    })
    .await
}

impl Tx<'_> {
    /// The webhook, locked, and what is sealed of it.
    pub(super) fn lock_webhook(&mut self, id: WebhookId) -> Outcome<(Webhook, WebhookSecret)> {
        let Some(webhook) = webhooks::lock(self.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        let secret = self
            .keys
            .open(id, webhook.sealed_version, &webhook.sealed)?;
        Ok((webhook, secret))
    }

    /// Seals another secret part of a webhook, which is locked, in the place of the one before.
    pub(super) fn reseal_webhook(
        &mut self,
        webhook: &Webhook,
        secret: &WebhookSecret,
    ) -> Outcome<()> {
        let sealed = self.seal(webhook.id, webhook.sealed_version + 1, secret)?;
        let (epoch, version) = (self.epoch(), webhook.sealed_version);
        if !webhooks::set_sealed(self.conn, webhook.id, version, sealed, epoch)? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        Ok(())
    }
}
