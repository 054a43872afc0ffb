//! A volunteer needs a rest from everything, or is back.

use super::ending::{Promises, Tell};
use super::{Ctx, Outcome};
use crate::domain::ids::{OfferId, VolunteerId};
use crate::storage::audit::Actor;
use crate::storage::{offers, volunteers};

/// Pauses all offers (`true`) or resumes them. Asks are withdrawn; what was promised stays.
///
/// # Errors
/// A volunteer who is not there.
pub async fn pause_volunteer(
    ctx: &Ctx,
    id: VolunteerId,
    paused: bool,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let volunteer = tx.lock_volunteer(id)?;
        tx.lock_volunteers_and_offers(&[id])?;
        if volunteer.paused_at.is_some() == paused {
            return Ok(());
        }
        volunteers::set_paused(tx.conn, id, paused.then_some(tx.now), tx.now)?;
        let all = offers::of_volunteer(tx.conn, id)?;
        let ids: Vec<OfferId> = all.iter().map(|o| o.id).collect();
        if paused {
            for offer in &all {
                tx.end_matches_of_offer(offer, Promises::Kept, Tell::Neighbor)?;
            }
        } else {
            offers::make_due(tx.conn, &ids, tx.now)?;
        }
        tx.audit(
            "volunteer_paused",
            ("volunteer", id),
            &[("paused", paused.into())],
        )?;
        tx.offers_changed(&ids)
    })
    .await
}
