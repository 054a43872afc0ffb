//! A coordinator blocks a volunteer: asks are withdrawn, promises fall through, also those of which they have said
//! that they were kept; nobody is asked to trust them any more. Or lets them in again.

use super::ending::{Promises, Tell};
use super::{Ctx, Outcome};
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::task::TaskOutcome;
use crate::storage::audit::Actor;
use crate::storage::{offers, sites, volunteers};

/// Blocks (`true`) or unblocks a volunteer.
///
/// # Errors
/// A volunteer who is not there.
pub async fn block_volunteer(
    ctx: &Ctx,
    id: VolunteerId,
    blocked: bool,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let volunteer = tx.lock_volunteer(id)?;
        tx.lock_volunteers_and_offers(&[id])?;
        if volunteer.blocked_at.is_some() == blocked {
            return Ok(());
        }
        volunteers::set_blocked(tx.conn, id, blocked.then_some(tx.now), tx.now)?;
        let all = offers::of_volunteer(tx.conn, id)?;
        let ids: Vec<OfferId> = all.iter().map(|o| o.id).collect();
        if blocked {
            for offer in &all {
                tx.end_matches_of_offer(offer, Promises::All, Tell::Both)?;
                sites::unlist(tx.conn, offer.id)?;
                tx.end_site_check(offer.id, TaskOutcome::NotNeeded)?;
            }
        } else {
            if let Some(email) = volunteer.email_hash {
                volunteers::unblock_erased(tx.conn, email)?;
            }
            offers::make_due(tx.conn, &ids, tx.now)?;
            for offer in &all {
                tx.ask_for_site_check(offer)?;
            }
        }
        tx.audit(
            "volunteer_blocked",
            ("volunteer", id),
            &[("blocked", blocked.into())],
        )?;
        tx.offers_changed(&ids)
    })
    .await
}
