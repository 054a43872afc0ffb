//! A volunteer takes everything back, herself or by phone: offers are closed, neighbors are told, and the sealed parts and
//! hashes are destroyed.

use super::ending::{Promises, Tell};
use super::{Ctx, Outcome, Tx};
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::lifecycle::OfferState;
use crate::domain::report::Side;
use crate::storage::audit::Actor;
use crate::storage::{matches, offers, sites, tokens, volunteers};

/// Erases a volunteer at her own wish.
///
/// # Errors
/// A volunteer who is not there.
pub async fn erase_volunteer(ctx: &Ctx, id: VolunteerId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        tx.lock_volunteer(id)?;
        tx.lock_volunteers_and_offers(&[id])?;
        tx.forget_statements(Side::Volunteer, id)?;
        tx.erase_volunteer(id)
    })
    .await
}

impl Tx<'_> {
    /// Closes what is open and destroys what is sealed; numbers without a person remain. She and all
    /// of hers are locked.
    pub(super) fn erase_volunteer(&mut self, id: VolunteerId) -> Outcome<()> {
        let all = offers::of_volunteer(self.conn, id)?;
        let ids: Vec<OfferId> = all.iter().map(|o| o.id).collect();
        for offer in &all {
            self.end_matches_of_offer(offer, Promises::Unfulfilled, Tell::Neighbor)?;
            if offer.state != OfferState::Closed {
                offers::set_state(
                    self.conn,
                    offer.id,
                    offer.state,
                    OfferState::Closed,
                    self.now,
                )?;
            }
            sites::unlist(self.conn, offer.id)?;
            let asked = matches::of_offer(self.conn, offer.id)?;
            self.end_answers(&asked)?;
        }
        offers::erase_secrets(self.conn, &ids)?;
        volunteers::erase(self.conn, id, self.now)?;
        self.forget_tasks_of_volunteer(id)?;
        tokens::revoke_all(self.conn, id.into())?;
        self.offers_changed(&ids)?;
        self.audit(
            "volunteer_erased",
            ("volunteer", id),
            &[("offers", ids.len().into())],
        )
    }
}
