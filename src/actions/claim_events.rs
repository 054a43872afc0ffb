//! Takes due messages for one webhook out of the outbox, by a lease that is committed before anything is said to its
//! receiver.

use super::{Ctx, Outcome, Tx};
use crate::crypto::seal::SealError;
use crate::domain::ids::{LeaseId, WebhookId};
use crate::domain::webhook::{DisabledBecause, SigningKey, WebhookSecret, WebhookUrl};
use crate::storage::audit::Actor;
use crate::storage::letters::Letter;
use crate::storage::{StorageError, notices, webhooks};

/// Messages that were taken together, and where they go.
#[derive(Debug)]
pub struct ClaimedEvents {
    /// Where.
    pub url: WebhookUrl,
    /// What signs them.
    pub keys: Vec<SigningKey>,
    /// What they say.
    pub letters: Vec<Letter>,
}

/// Takes up to `limit` due messages of a webhook under `lease`; none if it is told nothing, or rests.
///
/// # Errors
/// A failed query.
pub async fn claim_events(
    ctx: &Ctx,
    id: WebhookId,
    lease: LeaseId,
    limit: i64,
) -> Outcome<Option<ClaimedEvents>> {
    ctx.write(Actor::SYSTEM, move |tx| {
        let Some(webhook) = webhooks::lock(tx.conn, id)? else {
            return Ok(None);
        };
        if webhook.disabled_at.is_some() || webhook.rest_until.is_some_and(|at| at > tx.now) {
            return Ok(None);
        }
        let opened = tx
            .keys
            .open::<WebhookSecret>(id, webhook.sealed_version, &webhook.sealed);
        let secret = match opened {
            Ok(secret) => secret,
            Err(SealError::Locked) => return Err(StorageError::from(SealError::Locked).into()),
            Err(_) => return give_up(tx, id),
        };
        let until = tx.now.after(tx.ctx.settings.outbox.lease);
        let letters = notices::claim_due(tx.conn, id, tx.now, lease, until, limit)?;
        Ok(Some(ClaimedEvents {
            keys: secret.keys_at(tx.now).into_iter().cloned().collect(),
            url: secret.url,
            letters,
        }))
    })
    .await
}

/// What it is opens for nobody. The other webhooks must not wait for that.
fn give_up(tx: &mut Tx<'_>, id: WebhookId) -> Outcome<Option<ClaimedEvents>> {
    tracing::error!(webhook.id = %id, "a webhook's record does not open");
    tx.disable_webhook(id, DisabledBecause::Failing)?;
    Ok(None)
}
