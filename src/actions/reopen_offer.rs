//! A close of an offer is undone: it may be asked again. What fell through when it was closed stays so.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::lifecycle::Step;
use crate::storage::audit::Actor;
use crate::storage::offers;

/// Opens a closed offer again; one that is not closed stays as it is. A site must be checked again before it
/// is listed.
///
/// # Errors
/// An offer whose time is over, whose sealed part is destroyed, or whose volunteer was erased or has never
/// confirmed the address.
pub async fn reopen_offer(
    ctx: &Ctx,
    id: OfferId,
    of: Option<VolunteerId>,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let offer = tx.lock_offer_and_matches(id, of)?;
        let next = match offer.state.reopen() {
            Step::To(next) => next,
            Step::AlreadyMade => return Ok(()),
            Step::Impossible => return refuse(Refusal::NotPossible),
        };
        let volunteer = tx.volunteer(offer.volunteer_id)?;
        match offer.reopens_until(tx.ctx.settings.retention.sealed_after_close) {
            None => return refuse(Refusal::Gone),
            Some(until) if until > tx.now && volunteer.confirmed_at.is_some() => {}
            Some(_) => return refuse(Refusal::NotPossible),
        }
        if !offers::set_state(tx.conn, id, offer.state, next, tx.now)? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        tx.audit("offer_reopened", ("offer", id), &[])?;
        tx.offers_changed(&[id])
    })
    .await
}
