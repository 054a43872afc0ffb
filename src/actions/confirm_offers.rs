//! The owner of an address confirms the offers posted under it. If the address has a confirmed record
//! already, the offers join that record.

use std::collections::BTreeSet;

use super::post_offers::sticky_cell;
use super::tx::To;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::crypto::lookup::KeyedHash;
use crate::crypto::token::{Purpose, Token};
use crate::domain::ids::{OfferId, RecordId, VolunteerId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::OfferState;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::offers::Offer;
use crate::storage::volunteers::Volunteer;
use crate::storage::{offers, tokens, volunteers};

/// What the owner of the address gets.
#[derive(Debug)]
pub struct Confirmed {
    /// Lets the volunteer manage everything; earlier ones stop working.
    pub token: Token,
    /// Who.
    pub volunteer: Volunteer,
    /// Every offer of the volunteer.
    pub offers: Vec<Offer>,
}

/// Confirms the post that a confirm link belongs to. Confirming again opens nothing new and gives
/// another manage token, as often as the link works: whoever holds the letter owns the address.
///
/// # Errors
/// A link that is used up, a post that has expired or was erased.
pub async fn confirm_by_link(ctx: &Ctx, id: VolunteerId, link: Token) -> Outcome<Confirmed> {
    ctx.write(
        Actor::person(ActorKind::Volunteer, RecordId::from(id)),
        move |tx| confirm(tx, id, Some(&link)),
    )
    .await
}

/// Confirms the post of volunteer record `id` for somebody who is known to own the address.
///
/// # Errors
/// A post that has expired or was erased.
pub async fn confirm_offers(ctx: &Ctx, id: VolunteerId) -> Outcome<Confirmed> {
    ctx.write(
        Actor::person(ActorKind::Volunteer, RecordId::from(id)),
        move |tx| confirm(tx, id, None),
    )
    .await
}

fn confirm(tx: &mut Tx<'_>, id: VolunteerId, link: Option<&Token>) -> Outcome<Confirmed> {
    let Some(email) = tx.volunteer(id)?.email_hash else {
        return refuse(Refusal::NotFound);
    };
    let owner = lock_owner(tx, email, id)?;
    if let Some(link) = link {
        tx.use_up(link)?;
    }
    let posted = tx.volunteer(id)?;
    let mut opened = Vec::new();
    for offer in offers::of_volunteer(tx.conn, id)? {
        if offers::set_state(
            tx.conn,
            offer.id,
            OfferState::Unconfirmed,
            OfferState::Open,
            tx.now,
        )? {
            opened.push(offer.id);
        }
    }
    let owner = match owner {
        Some(known) if known.id != id => join(tx, id, &known)?,
        Some(known) => known.id,
        None => {
            volunteers::confirm(tx.conn, id, tx.now)?;
            // Who was blocked and erased herself comes back as she left.
            if volunteers::is_blocked(tx.conn, Some(email), posted.phone_hash)? {
                volunteers::set_blocked(tx.conn, id, Some(tx.now), tx.now)?;
            }
            tx.letter(LetterKind::Received, To::Volunteer(id), None, None)?;
            id
        }
    };
    tx.audit(
        "offers_confirmed",
        ("volunteer", owner),
        &[("offers", opened.len().into())],
    )?;
    tx.offers_changed(&opened)?;
    let token = tx.mint_only(Purpose::Volunteer, owner)?;
    let volunteer = tx.volunteer(owner)?;
    let offers = offers::of_volunteer(tx.conn, owner)?;
    if volunteer.blocked_at.is_none() {
        for offer in offers.iter().filter(|o| opened.contains(&o.id)) {
            tx.ask_for_site_check(offer)?;
        }
    }
    Ok(Confirmed {
        token,
        volunteer,
        offers,
    })
}

/// The confirmed record of the address, locked with the one that is to be confirmed, both by id. Of
/// several that find none, the second to confirm runs again: the address can have one only.
fn lock_owner(tx: &mut Tx<'_>, email: KeyedHash, id: VolunteerId) -> Outcome<Option<Volunteer>> {
    let mut locked = BTreeSet::from([id]);
    locked.extend(volunteers::confirmed_by_email(tx.conn, email)?.map(|v| v.id));
    volunteers::lock_all(tx.conn, &Vec::from_iter(locked.iter().copied()))?;
    loop {
        // Another one may have become the owner while this waited.
        match volunteers::confirmed_by_email(tx.conn, email)? {
            Some(late) if locked.insert(late.id) => {
                volunteers::lock(tx.conn, late.id)?;
            }
            owner => return Ok(owner),
        }
    }
}

/// Moves the offers to the record that the address has already, and erases the new one. The confirm
/// link goes on working, for the record that is left.
fn join(tx: &mut Tx<'_>, from: VolunteerId, known: &Volunteer) -> Outcome<VolunteerId> {
    let size = tx.ctx.settings.area.cell_resolution;
    let earlier = offers::of_volunteer(tx.conn, known.id)?;
    let mut moved: Vec<OfferId> = Vec::new();
    for offer in offers::of_volunteer(tx.conn, from)? {
        let cell = sticky_cell(&earlier, offer.cell.center(), size);
        if cell != offer.cell {
            offers::set_cell(tx.conn, offer.id, cell)?;
        }
        moved.push(offer.id);
    }
    offers::move_to(tx.conn, from, known.id)?;
    tokens::transfer(tx.conn, from.into(), known.id.into())?;
    volunteers::erase(tx.conn, from, tx.now)?;
    tx.forget_tasks_of_volunteer(from)?;
    tx.offers_changed(&moved)?;
    Ok(known.id)
}
