//! A master key that was added begins to seal, as soon as every process that serves has it.

use std::time::Duration;

use super::add_key::key_subject;
use super::{Ctx, Outcome};
use crate::crypto::keyring::Epoch;
use crate::storage::audit::Actor;
use crate::storage::{instances, key_epochs};

/// A process that said nothing for so long is not there any more.
pub const ALIVE: Duration = Duration::from_secs(90);

/// Whether a key seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// It does.
    Active,
    /// So many processes do not have it yet.
    Waiting(usize),
}

/// Lets the key of `epoch` seal, unless a process does not have it yet.
///
/// # Errors
/// A failed query.
pub async fn activate_key(ctx: &Ctx, epoch: Epoch, actor: Actor) -> Outcome<Activation> {
    ctx.write(actor, move |tx| {
        key_epochs::lock(tx.conn)?;
        let lacking = instances::seen_since(tx.conn, tx.now.before(ALIVE))?
            .iter()
            .filter(|instance| instance.newest_epoch < Some(epoch))
            .count();
        if lacking > 0 {
            return Ok(Activation::Waiting(lacking));
        }
        if key_epochs::activate(tx.conn, epoch, tx.now)? {
            tx.audit("key_activated", ("key", key_subject(epoch)), &[])?;
        }
        Ok(Activation::Active)
    })
    .await
}
