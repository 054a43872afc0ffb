//! A volunteer whose address is confirmed offers something more.

use serde_json::json;

use super::post_offers::{MAX_OPEN, NewOffer, insert_offers};
use super::{Call, Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::{OfferId, RecordId, VolunteerId};
use crate::domain::lifecycle::OfferState;
use crate::domain::place::GeoPoint;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::offers;
use crate::storage::offers::Offer;

/// Adds offers to a volunteer's; they are open at once. A repeated call shows what the first made.
///
/// # Errors
/// A key used for another call, or more open offers than one volunteer may have.
pub async fn add_offers(
    ctx: &Ctx,
    volunteer: VolunteerId,
    place: GeoPoint,
    new: Vec<NewOffer>,
    call: Option<Call>,
) -> Outcome<Vec<Offer>> {
    ctx.write(
        Actor::person(ActorKind::Volunteer, RecordId::from(volunteer)),
        move |tx| {
            tx.volunteer(volunteer)?;
            let all = offers::of_volunteer(tx.conn, volunteer)?;
            let first_id = OfferId::new(tx.ctx.entropy.as_ref());
            if let Some(made) = tx.repeated(call, first_id)? {
                // The offers of one call share their instant with the first of them.
                let made_at = all
                    .iter()
                    .find(|o| RecordId::from(o.id) == made)
                    .map(|o| o.created_at);
                return Ok(all
                    .into_iter()
                    .filter(|o| Some(o.created_at) == made_at)
                    .collect());
            }
            let open = all.iter().filter(|o| o.state != OfferState::Closed).count();
            if open + new.len() > MAX_OPEN {
                return refuse(Refusal::TooManyPosts);
            }
            let rows = insert_offers(tx, volunteer, place, &new, OfferState::Open, first_id)?;
            tx.audit(
                "offers_posted",
                ("volunteer", volunteer),
                json!({ "offers": rows.len() }),
            )?;
            Ok(rows)
        },
    )
    .await
}
