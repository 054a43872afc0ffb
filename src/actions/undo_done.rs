//! That the help was given is taken back, for it was a mistake: the match is promised as it was before, the two can
//! reach each other again, and a request that was over by it is not.

use super::aftermath::SILENCE;
use super::tx::To;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::clock::Ts;
use crate::domain::fact::Fact;
use crate::domain::ids::{MatchId, RecordId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{CloseReason, MatchState, OfferState, RequestState, Step};
use crate::settings::Settings;
use crate::storage::audit::Actor;
use crate::storage::matches::Match;
use crate::storage::neighbors::Neighbor;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::volunteers::Volunteer;
use crate::storage::{capacity, matches, neighbors, volunteers};

/// Takes a final *done* back, whoever has said it, and her volunteer's word before it with it: nothing is known of the
/// promise then. One that is promised already stays as it is.
///
/// # Errors
/// A match that is not done; a request that was closed for another reason, or of which a sealed part is destroyed; a
/// side that is gone or blocked, or has been parted from the other; a place that somebody else has; a volunteer with as
/// many promises as one may have, or who is not vetted any more where the category asks for it; a frozen area.
pub async fn undo_done(ctx: &Ctx, id: MatchId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let (_, request, offer) = tx.matched(id)?;
        let neighbor = neighbors::lock(tx.conn, request.neighbor_id)?;
        let volunteer = volunteers::lock(tx.conn, offer.volunteer_id)?;
        // Foreign keys see to it that neither is missing; both may have been erased.
        let (Some(neighbor), Some(volunteer)) = (neighbor, volunteer) else {
            return refuse(Refusal::NotFound);
        };
        if volunteer.erased_at.is_some() {
            return refuse(Refusal::NotPossible);
        }
        let (matched, request, offer, _) = tx.lock_acceptance(id)?;
        match matched.state.undo_done() {
            Step::AlreadyMade => return Ok(()),
            Step::Impossible => return refuse(Refusal::NotPossible),
            Step::To(_) => {}
        }
        let until = undoable_until(&tx.ctx.settings, &request, &offer, &volunteer, &neighbor);
        if until.is_none_or(|until| until <= tx.now) || tx.is_blocked(&neighbor, &volunteer)? {
            return refuse(Refusal::NotPossible);
        }
        may_promise(tx, &request, &offer, &volunteer)?;
        take_again(tx, &matched, &offer)?;
        if request.state == RequestState::Closed {
            tx.open_again(&request, neighbor.verified, tx.now.before(SILENCE * 2))?;
        }
        let remind_at = tx.remind_at(matched.arrival_at.unwrap_or(request.needed_from));
        if !matches::undo_done(tx.conn, id, remind_at, tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tell(tx, &matched, &request, &offer)?;
        tx.supersede_hopeless(request.id, &offer)?;
        tx.requests_changed(&[request.id])?;
        tx.offers_changed(&[offer.id])
    })
    .await
}

/// Until when that the help was given can be taken back: while what is sealed of both is there, and while the two would
/// have time to say how it went. `None` where a side is gone or blocked, or the request is over for another reason.
#[must_use]
pub fn undoable_until(
    settings: &Settings,
    request: &Request,
    offer: &Offer,
    volunteer: &Volunteer,
    neighbor: &Neighbor,
) -> Option<Ts> {
    let is_there = matches!(offer.state, OfferState::Open | OfferState::Paused)
        && offer.sealed.is_some()
        && volunteer.erased_at.is_none()
        && volunteer.blocked_at.is_none()
        && neighbor.erased_at.is_none()
        && neighbor.blocked_at.is_none();
    if !is_there || request.sealed.is_none() {
        return None;
    }
    let counts = request.needed_until.after(SILENCE * 2);
    match (request.state, request.close_reason, request.closed_at) {
        (RequestState::Closed, Some(CloseReason::HelpedHere), Some(at)) => {
            Some(at.after(settings.retention.sealed_after_close).min(counts))
        }
        (RequestState::Closed, ..) => None,
        _ => Some(counts),
    }
}

/// As for every promise that releases a contact.
fn may_promise(
    tx: &mut Tx<'_>,
    request: &Request,
    offer: &Offer,
    volunteer: &Volunteer,
) -> Outcome<()> {
    tx.refuse_if_frozen(request, offer)?;
    let category = tx.ctx.catalog.get(request.category.as_str());
    if category.is_none_or(|c| c.policy.vetted_only) && !volunteer.is_vetted(tx.now) {
        return refuse(Refusal::NotVetted);
    }
    let load = matches::load_of(tx.conn, &[volunteer.id], tx.now)?;
    let open = load.first().map_or(0, |l| l.open_releases);
    if open >= u32::from(tx.ctx.settings.matching.open_releases) {
        return refuse(Refusal::TooManyOpen);
    }
    Ok(())
}

/// The place, where it was given back; and of this pair there is one active match at most.
fn take_again(tx: &mut Tx<'_>, matched: &Match, offer: &Offer) -> Outcome<()> {
    for other in matches::of_request(tx.conn, matched.request_id)? {
        match other.state {
            _ if other.offer_id != offer.id => {}
            MatchState::Accepted => return refuse(Refusal::PairTaken),
            _ => tx.supersede(&other, offer, false)?,
        }
    }
    if matched.returned_at.is_some()
        && !capacity::take_all(tx.conn, offer, matched.periods(), matched.taken)?
    {
        return refuse(Refusal::NoCapacity);
    }
    Ok(())
}

/// The release is one more; and both learn where to find each other, unless the time is over: then somebody is calling
/// them anyway.
fn tell(tx: &mut Tx<'_>, matched: &Match, request: &Request, offer: &Offer) -> Outcome<()> {
    let said = Fact::Flag(matched.done_at.is_some());
    tx.audit(
        "match_done_undone",
        ("match", matched.id),
        &[("said", said)],
    )?;
    let again = [("again", Fact::Flag(true))];
    tx.audit(
        "contacts_released",
        ("match", RecordId::from(matched.id)),
        &again,
    )?;
    if request.needed_until <= tx.now {
        return Ok(());
    }
    let (of, about) = (Some(request.id), Some(matched.id));
    let sides = [
        To::Neighbor(request.neighbor_id),
        To::Volunteer(offer.volunteer_id),
    ];
    for to in sides {
        tx.letter(LetterKind::Contact, to, of, about)?;
    }
    Ok(())
}
