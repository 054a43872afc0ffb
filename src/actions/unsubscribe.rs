//! Stops mail, and nothing else: what was asked may still be answered, what was promised stands. What a neighbor
//! would have been written is told her by phone.

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
        let neighbor = NeighborId::from(subject);
        let her = neighbors::lock(tx.conn, neighbor)?;
        if let Some(her) = her.filter(|n| n.mail_stopped_at.is_none()) {
            if her.erased_at.is_none() {
                // What waits to be told may end at this instant.
                tx.lock_neighbor_and_requests(neighbor)?;
            }
            neighbors::stop_mail(tx.conn, neighbor, tx.now)?;
            tx.follow_mail(neighbor)?;
        }
        volunteers::stop_mail(tx.conn, VolunteerId::from(subject), tx.now)?;
        tx.audit("mail_stopped", ("person", subject), &[])
    })
    .await
}
