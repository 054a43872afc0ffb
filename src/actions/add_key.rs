//! A new master key, on the ring of this machine and known to the database. It seals nothing yet:
//! first every process has to have it.

use tokio::task::spawn_blocking;

use super::{Ctx, Outcome, Refusal, refuse};
use crate::crypto::keyring::{Epoch, KeyRing, KeyRingError};
use crate::domain::ids::RecordId;
use crate::storage::audit::Actor;
use crate::storage::key_epochs::KeyEpoch;
use crate::storage::{StorageError, TxError, key_epochs};

/// Why no key could be added.
#[derive(Debug, thiserror::Error)]
pub enum AddKeyError {
    /// The ring's file cannot be changed.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    /// Another machine has added a key, which this one does not have.
    #[error("key {0} was added on another machine; copy the key ring from there to here")]
    Elsewhere(Epoch),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Work on another thread was cut off.
    #[error("it was cut off")]
    CutOff,
}

/// Adds a key, or gives the number of the one that was added before and does not seal yet.
///
/// # Errors
/// A ring that cannot be changed, or a key that only another machine has.
pub async fn add_key(ctx: &Ctx, actor: Actor) -> Result<Epoch, AddKeyError> {
    let read = |conn: &mut _| Ok::<_, StorageError>(key_epochs::all(conn)?);
    let known = ctx.db.read(read).await?;
    let newest = known.last();
    if let Some(waiting) = newest.filter(|key| key.activated_at.is_none()) {
        let epoch = waiting.epoch;
        let ring = change_ring(ctx, |_| {}).await?;
        return match ring.key_check(epoch) {
            Some(check) if waiting.key_check.as_deref() == Some(&check) => Ok(epoch),
            _ => Err(AddKeyError::Elsewhere(epoch)),
        };
    }
    let epoch = newest.map_or(0, |key| key.epoch) + 1;
    let (entropy, now) = (ctx.entropy.clone(), ctx.now());
    // A key of that number that is on the ring already was left by an attempt that died here.
    let ring = change_ring(ctx, move |ring| {
        if ring.master(epoch).is_none() {
            ring.add(epoch, entropy.as_ref(), now);
        }
    })
    .await?;
    match make_known(ctx, epoch, &ring, actor).await {
        Ok(()) => Ok(epoch),
        Err(TxError::Refused(Refusal::ChangedMeanwhile)) => {
            // Somebody was quicker: with this key, on a ring that is shared, or with another on another
            // machine. One number must not mean two keys.
            let known = ctx.db.read(read).await?;
            let theirs = known.into_iter().find(|key| key.epoch == epoch);
            if theirs.and_then(|key| key.key_check) == ring.key_check(epoch).map(Vec::from) {
                return Ok(epoch);
            }
            change_ring(ctx, move |ring| ring.remove(epoch)).await?;
            Err(AddKeyError::Elsewhere(epoch))
        }
        Err(TxError::Storage(error)) => Err(error.into()),
        Err(TxError::Refused(_)) => Err(AddKeyError::Elsewhere(epoch)),
    }
}

async fn make_known(ctx: &Ctx, epoch: Epoch, ring: &KeyRing, actor: Actor) -> Outcome<()> {
    let key_check = ring.key_check(epoch).map(Vec::from);
    ctx.write(actor, move |tx| {
        key_epochs::lock(tx.conn)?;
        if key_epochs::all(tx.conn)?
            .iter()
            .any(|key| key.epoch >= epoch)
        {
            return refuse(Refusal::ChangedMeanwhile);
        }
        let key = KeyEpoch {
            epoch,
            key_check: key_check.clone(),
            added_at: tx.now,
            activated_at: None,
            retired_at: None,
        };
        key_epochs::insert(tx.conn, &[key])?;
        tx.audit("key_added", ("key", key_subject(epoch)), &[])
    })
    .await
}

/// How the audit names a key.
pub(super) fn key_subject(epoch: Epoch) -> RecordId {
    uuid::Uuid::from_u128(u128::from(epoch.unsigned_abs())).into()
}

async fn change_ring(
    ctx: &Ctx,
    change: impl FnOnce(&mut KeyRing) + Send + 'static,
) -> Result<KeyRing, AddKeyError> {
    let path = ctx.settings.keys.path.clone();
    spawn_blocking(move || KeyRing::update(&path, change))
        .await
        .map_err(|_| AddKeyError::CutOff)?
        .map_err(Into::into)
}

impl From<TxError<Refusal>> for AddKeyError {
    fn from(error: TxError<Refusal>) -> Self {
        match error {
            TxError::Storage(error) => Self::Storage(error),
            TxError::Refused(_) => Self::CutOff,
        }
    }
}
