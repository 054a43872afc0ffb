//! A volunteer pauses, resumes or closes an offer.

use super::ending::{Promises, Tell};
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::lifecycle::{OfferState, Step};
use crate::domain::task::TaskOutcome;
use crate::domain::word::words;
use crate::storage::audit::Actor;
use crate::storage::offers::Offer;
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
        tx.offer_moved(id, next)
    })
    .await
}

impl Tx<'_> {
    /// Closes an offer and ends everything that depends on it, all of which is locked.
    pub(super) fn close_offer(&mut self, offer: &Offer) -> Outcome<()> {
        let closed = OfferState::Closed;
        self.end_matches_of_offer(offer, Promises::Unfulfilled, Tell::Neighbor)?;
        if !offers::set_state(self.conn, offer.id, offer.state, closed, self.now)? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        self.offer_moved(offer.id, closed)
    }

    fn offer_moved(&mut self, id: OfferId, to: OfferState) -> Outcome<()> {
        if to == OfferState::Closed {
            sites::unlist(self.conn, id)?;
            self.end_site_check(id, TaskOutcome::NotNeeded)?;
        }
        self.audit("offer_moved", ("offer", id), &[("to", to.into())])?;
        self.offers_changed(&[id])
    }
}
