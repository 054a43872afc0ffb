//! A volunteer who is known already offers something more, or a coordinator enters it for her, by phone.

use std::time::Duration;

use super::post_offers::{MAX_OPEN, NewOffer, insert_offers};
use super::{Call, Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::{OfferId, RecordId, VolunteerId};
use crate::domain::lifecycle::OfferState;
use crate::domain::place::GeoPoint;
use crate::storage::audit::Actor;
use crate::storage::offers;
use crate::storage::offers::Offer;

/// Adds offers to a volunteer's; they are open at once, or, while the address is unconfirmed, when it is
/// confirmed. A repeated call shows what the first made.
///
/// # Errors
/// A volunteer who is not there, a key used for another call, or more open offers than one volunteer may have.
pub async fn add_offers(
    ctx: &Ctx,
    volunteer: VolunteerId,
    place: GeoPoint,
    new: Vec<NewOffer>,
    call: Option<Call>,
    actor: Actor,
) -> Outcome<Vec<Offer>> {
    ctx.write(actor, move |tx| {
        let known = tx.lock_volunteer(volunteer)?;
        let state = match known.confirmed_at {
            Some(_) => OfferState::Open,
            None => OfferState::Unconfirmed,
        };
        let all = offers::of_volunteer(tx.conn, volunteer)?;
        let first_id = OfferId::new(tx.ctx.entropy.as_ref());
        if let Some(made) = tx.repeated(call, first_id)? {
            // The offers of one call follow the first of them, a microsecond apart.
            let from = all
                .iter()
                .find(|o| RecordId::from(o.id) == made)
                .map(|o| o.created_at);
            let Some(from) = from else {
                return refuse(Refusal::Gone);
            };
            let until = from.after(Duration::from_micros(new.len() as u64));
            return Ok(all
                .into_iter()
                .filter(|o| from <= o.created_at && o.created_at < until)
                .collect());
        }
        let open = all.iter().filter(|o| o.state != OfferState::Closed).count();
        if open + new.len() > MAX_OPEN {
            return refuse(Refusal::TooManyPosts);
        }
        // After all that is there, so that a repeated call finds its own.
        let from = all.last().map_or(tx.now, |o| {
            o.created_at.after(Duration::from_micros(1)).max(tx.now)
        });
        let rows = insert_offers(tx, volunteer, place, &new, state, first_id, from)?;
        if state == OfferState::Open && known.blocked_at.is_none() {
            for offer in &rows {
                tx.ask_for_site_check(offer)?;
            }
        }
        tx.audit(
            "offers_posted",
            ("volunteer", volunteer),
            &[("offers", rows.len().into())],
        )?;
        Ok(rows)
    })
    .await
}
