//! Master keys that seal nothing any more are destroyed: what was erased, and every backup sealed under
//! them, can then be read by nobody.
//!
//! Here they leave the database; each process then takes them off its ring and out of its memory.

use super::activate_key::ALIVE;
use super::add_key::key_subject;
use super::{Ctx, Outcome};
use crate::crypto::keyring::Epoch;
use crate::domain::clock::Ts;
use crate::storage::audit::Actor;
use crate::storage::{instances, key_epochs, sealed};

/// What became of the keys that were due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// Those that are destroyed.
    pub epochs: Vec<Epoch>,
    /// The first that is not, and why.
    pub kept: Option<(Epoch, StillNeeded)>,
}

/// Why a key is not destroyed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StillNeeded {
    /// So many records are still wrapped by it.
    Records(i64),
    /// So many processes still seal with it, or with an older one.
    Instances(usize),
}

/// Destroys, oldest first, the keys that were retired before `retired_before`.
///
/// # Errors
/// A failed query.
pub async fn destroy_keys(ctx: &Ctx, retired_before: Ts, actor: Actor) -> Outcome<Destroyed> {
    ctx.write(actor, move |tx| {
        key_epochs::lock(tx.conn)?;
        let mut destroyed = Destroyed::default();
        let due = key_epochs::all(tx.conn)?
            .into_iter()
            .take_while(|key| key.retired_at.is_some_and(|at| at <= retired_before));
        let present = instances::seen_since(tx.conn, tx.now.before(ALIVE))?;
        for key in due {
            let lagging = present
                .iter()
                .filter(|i| i.active_epoch.is_some_and(|seals| seals <= key.epoch))
                .count();
            let records = sealed::count(tx.conn, key.epoch)?;
            let kept = match (records, lagging) {
                (0, 0) => None,
                (0, some) => Some(StillNeeded::Instances(some)),
                (some, _) => Some(StillNeeded::Records(some)),
            };
            if let Some(why) = kept {
                destroyed.kept = Some((key.epoch, why));
                break;
            }
            key_epochs::delete(tx.conn, key.epoch)?;
            tx.audit("key_destroyed", ("key", key_subject(key.epoch)), &[])?;
            destroyed.epochs.push(key.epoch);
        }
        Ok(destroyed)
    })
    .await
}
