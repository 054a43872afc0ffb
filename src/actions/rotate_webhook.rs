//! An administrator gives a webhook another key: the old one may have become known.

use std::time::Duration;

use super::{Ctx, Outcome};
use crate::domain::ids::WebhookId;
use crate::domain::webhook::{OldKey, SigningKey};
use crate::storage::audit::Actor;

/// For how long the old key signs beside the new one, so that its receiver can change over.
const OLD_KEY_SIGNS_FOR: Duration = Duration::from_hours(24);

/// Gives the webhook a new key, which is shown this once. Where it was changed a short while ago, only the last of the
/// keys before goes on signing.
///
/// # Errors
/// A webhook that is not there.
pub async fn rotate_webhook(ctx: &Ctx, id: WebhookId, actor: Actor) -> Outcome<SigningKey> {
    ctx.write(actor, move |tx| {
        let (webhook, mut secret) = tx.lock_webhook(id)?;
        let key = SigningKey::new(tx.ctx.entropy.as_ref());
        let old = std::mem::replace(&mut secret.key, key.clone());
        secret.old_key = Some(OldKey {
            key: old,
            until: tx.now.after(OLD_KEY_SIGNS_FOR),
        });
        tx.reseal_webhook(&webhook, &secret)?;
        tx.audit("webhook_key_rotated", ("webhook", id), &[])?;
        Ok(key)
    })
    .await
}
