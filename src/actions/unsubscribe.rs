//! Stops mail, and nothing else: what was asked may still be answered, what was promised stands.

use super::{Ctx, Outcome};
use crate::domain::ids::{NeighborId, RecordId, VolunteerId};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::{neighbors, volunteers};

/// Stops all mail to the person that an unsubscribe token belongs to. A volunteer without mail is not
/// asked anew. Stopping again changes nothing.
///
/// # Errors
/// Why the database could not do it.
pub async fn unsubscribe(ctx: &Ctx, subject: RecordId) -> Outcome<()> {
    ctx.write(Actor::person(ActorKind::Anyone, subject), move |tx| {
        neighbors::stop_mail(tx.conn, NeighborId::from(subject), tx.now)?;
        volunteers::stop_mail(tx.conn, VolunteerId::from(subject), tx.now)?;
        tx.audit("mail_stopped", ("person", subject), &[])
    })
    .await
}
