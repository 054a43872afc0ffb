//! A volunteer pauses, resumes or closes an offer.

use super::ending::{Promises, Tell};
use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::lifecycle::{OfferState, Step};
use crate::domain::task::TaskOutcome;
use crate::domain::word::words;
use crate::storage::audit::Actor;
use crate::storage::{offers, sites};

words! {
    /// What to do with an offer.
    Move {
        /// Do not ask for now; asks are withdrawn, promises stay.
        Pause = "pause",
        /// Ask again.
        Resume = "resume",
        /// It is over; asks are withdrawn, promises fall through.
        Close = "close",
    }
}

/// Moves an offer; moving it where it stands already changes nothing.
///
/// # Errors
/// An offer that cannot go there from where it stands.
pub async fn move_offer(
    ctx: &Ctx,
    id: OfferId,
    of: Option<VolunteerId>,
    to: Move,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let offer = tx.lock_offer_and_matches(id, of)?;
        let step = match to {
            Move::Pause => offer.state.pause(),
            Move::Resume => offer.state.resume(),
            Move::Close => offer.state.close(),
        };
        let next = match step {
            Step::To(next) => next,
            Step::AlreadyMade => return Ok(()),
            Step::Impossible => return refuse(Refusal::NotPossible),
        };
        if next != OfferState::Open {
            let promises = match next {
                OfferState::Closed => Promises::Unfulfilled,
                _ => Promises::Kept,
            };
            tx.end_matches_of_offer(&offer, promises, Tell::Neighbor)?;
        }
        if !offers::set_state(tx.conn, id, offer.state, next, tx.now)? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        if next == OfferState::Closed {
            sites::unlist(tx.conn, id)?;
            tx.end_site_check(id, TaskOutcome::NotNeeded)?;
        }
        tx.audit("offer_moved", ("offer", id), &[("to", next.into())])?;
        tx.offers_changed(&[id])
    })
    .await
}
