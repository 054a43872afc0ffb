//! A volunteer posts what she offers. Nothing is shown or matched until the address is confirmed, and
//! nothing in the answer tells whether the address is known.

use std::time::Duration;

use super::tx::To;
use super::{Call, Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::attribute::Attributes;
use crate::domain::availability::Availability;
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::contact::Contact;
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::OfferState;
use crate::domain::limits::AskLimits;
use crate::domain::need::{LeadTime, Quantity, Reach, Renews};
use crate::domain::note::{Note, PrivateNote};
use crate::domain::place::{Cell, CellSize, GeoPoint};
use crate::domain::secret::{OfferSecret, SiteDetails, VolunteerSecret};
use crate::storage::audit::Actor;
use crate::storage::offers::Offer;
use crate::storage::sql_types::Json;
use crate::storage::volunteers::Volunteer;
use crate::storage::{offers, volunteers};

/// What is posted.
#[derive(Clone, Debug)]
pub struct PostOffers {
    /// How to reach the volunteer; the e-mail address is a must.
    pub contact: Contact,
    /// Where the help stands.
    pub place: GeoPoint,
    /// What the volunteer speaks, best first.
    pub languages: Vec<String>,
    /// The language of the letters.
    pub locale: String,
    /// How often and when the volunteer may be asked.
    pub limits: AskLimits,
    /// What is offered.
    pub offers: Vec<NewOffer>,
}

/// One kind of help.
#[derive(Clone, Debug)]
pub struct NewOffer {
    /// Of which category.
    pub category: CategoryKey,
    /// How much, in each period.
    pub capacity: Quantity,
    /// When it comes back.
    pub renews: Renews,
    /// How far it reaches.
    pub reach: Reach,
    /// How long before helping the volunteer must know.
    pub lead: LeadTime,
    /// When it stands.
    pub availability: Availability,
    /// What it provides.
    pub provides: Attributes,
    /// May be shown before acceptance.
    pub note: Option<Note>,
    /// Released with the contact.
    pub private_note: Option<PrivateNote>,
    /// What will be public of it, once a coordinator has checked it.
    pub site: Option<SiteDetails>,
}

/// Offers that one volunteer may have open at a time.
pub const MAX_OPEN: usize = 100;

/// Posts offers under an address that must be confirmed; `actor` is whoever enters them.
///
/// # Errors
/// A key used for another call, or the post of an erased volunteer repeated.
pub async fn post_offers(
    ctx: &Ctx,
    post: PostOffers,
    call: Option<Call>,
    actor: Actor,
) -> Outcome<Vec<Offer>> {
    ctx.write(actor, move |tx| {
        let id = VolunteerId::new(tx.ctx.entropy.as_ref());
        if let Some(made) = tx.repeated(call, id)? {
            let all = offers::of_volunteer(tx.conn, made.into())?;
            return if all.is_empty() {
                refuse(Refusal::Gone)
            } else {
                Ok(all)
            };
        }
        let volunteer = new_volunteer(tx, id, &post)?;
        volunteers::insert(tx.conn, &volunteer)?;
        let first = OfferId::new(tx.ctx.entropy.as_ref());
        let rows = insert_offers(
            tx,
            id,
            post.place,
            &post.offers,
            OfferState::Unconfirmed,
            first,
            tx.now,
        )?;
        tx.letter(LetterKind::Confirm, To::Volunteer(id), None, None)?;
        tx.audit(
            "offers_posted",
            ("volunteer", id),
            &[("offers", rows.len().into())],
        )?;
        Ok(rows)
    })
    .await
}

pub(super) fn new_volunteer(tx: &Tx<'_>, id: VolunteerId, post: &PostOffers) -> Outcome<Volunteer> {
    let hasher = &tx.keys.hasher;
    let secret = VolunteerSecret {
        contact: post.contact.clone(),
    };
    Ok(Volunteer {
        id,
        email_hash: post.contact.email.as_ref().map(|e| hasher.email(e)),
        phone_hash: post.contact.phone.as_ref().map(|p| hasher.phone(p)),
        confirmed_at: None,
        vetted_until: None,
        blocked_at: None,
        paused_at: None,
        mail_stopped_at: None,
        erased_at: None,
        last_asked_at: None,
        languages: Json(post.languages.clone()),
        locale: post.locale.clone(),
        limits: Json(post.limits.clone()),
        created_at: tx.now,
        updated_at: tx.now,
        group_id: None,
        sealed: Some(tx.seal(id, 1, &secret)?),
        sealed_version: 1,
        sealed_epoch: Some(tx.epoch()),
    })
}

/// Writes offers, the first under the id and the instant given; open ones are due for matching at once.
pub(super) fn insert_offers(
    tx: &mut Tx<'_>,
    volunteer_id: VolunteerId,
    place: GeoPoint,
    new: &[NewOffer],
    state: OfferState,
    first: OfferId,
    from: Ts,
) -> Outcome<Vec<Offer>> {
    let size = tx.ctx.settings.area.cell_resolution;
    let known = offers::of_volunteer(tx.conn, volunteer_id)?;
    let cell = sticky_cell(&known, place, size);
    let mut rows = Vec::with_capacity(new.len());
    let mut id = first;
    for offer in new {
        // A microsecond apart, so that every list keeps the order in which they were posted.
        let created_at = from.after(Duration::from_micros(rows.len() as u64));
        let row = new_offer(tx, id, volunteer_id, place, offer, state)?;
        rows.push(Offer {
            cell,
            created_at,
            ..row
        });
        id = OfferId::new(tx.ctx.entropy.as_ref());
    }
    offers::insert(tx.conn, &rows)?;
    let ids: Vec<OfferId> = rows.iter().map(|o| o.id).collect();
    tx.offers_changed(&ids)?;
    Ok(rows)
}

/// The cell of a place: that of an earlier offer, if the place is in it or next to it. Somebody who posts
/// from home again and again must not draw a line between two cells by it.
pub(super) fn sticky_cell(known: &[Offer], place: GeoPoint, size: CellSize) -> Cell {
    known
        .iter()
        .map(|o| o.cell)
        .find(|cell| cell.moved_to(place, size) == *cell)
        .unwrap_or_else(|| Cell::of(place, size))
}

pub(super) fn new_offer(
    tx: &Tx<'_>,
    id: OfferId,
    volunteer_id: VolunteerId,
    place: GeoPoint,
    new: &NewOffer,
    state: OfferState,
) -> Outcome<Offer> {
    let secret = OfferSecret {
        place,
        note: new.note.clone(),
        private_note: new.private_note.clone(),
        site: new.site.clone(),
    };
    Ok(Offer {
        id,
        volunteer_id,
        category: new.category.clone(),
        capacity: new.capacity,
        renews: new.renews,
        reach_m: new.reach,
        available_from: new.availability.from,
        available_until: new.availability.until,
        opening_hours: new
            .availability
            .opening_hours
            .as_ref()
            .map(ToString::to_string),
        timezone: new.availability.timezone.to_string(),
        provides: Json(new.provides.clone()),
        is_site: new.site.is_some(),
        cell: Cell::of(place, tx.ctx.settings.area.cell_resolution),
        state,
        closed_at: None,
        expires_at: tx.now.after(tx.ctx.settings.retention.offers),
        match_due_at: (state == OfferState::Open).then_some(tx.now),
        lease_id: None,
        lease_until: None,
        created_at: tx.now,
        updated_at: tx.now,
        sealed: Some(tx.seal(id, 1, &secret)?),
        sealed_version: 1,
        sealed_epoch: Some(tx.epoch()),
        lead_minutes: new.lead,
        import_id: None,
    })
}
