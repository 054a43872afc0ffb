//! A volunteer says yes. The one place where need and capacity are taken, both or neither.

use std::time::Duration;

use super::new_match::fit_by_hand;
use super::tx::To;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::category::Category;
use crate::domain::clock::Ts;
use crate::domain::ids::MatchId;
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{Agreement, MatchState, OfferState, RequestState, Step};
use crate::domain::need::Quantity;
use crate::storage::audit::Actor;
use crate::storage::letters::Letter;
use crate::storage::matches::{Acceptance, Match};
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::sql_types::Json;
use crate::storage::volunteers::Volunteer;
use crate::storage::{capacity, letters, matches, requests};

/// What the volunteer says with the yes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Yes {
    /// Less than was asked for.
    pub quantity: Option<Quantity>,
    /// When the volunteer, or the neighbor, arrives.
    pub arrival_at: Option<Ts>,
}

/// Accepts a match for its volunteer. Accepting what one has accepted already changes nothing but the time of arrival,
/// where another one is given: the neighbor is told.
///
/// # Errors
/// Too late, too little left, too many open matches, a category that wants vetted volunteers, or a time of arrival at
/// which nothing is needed.
pub async fn accept_match(ctx: &Ctx, id: MatchId, yes: Yes, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| accept(tx, id, yes)).await
}

fn accept(tx: &mut Tx<'_>, id: MatchId, yes: Yes) -> Outcome<()> {
    let (mut matched, request, offer, volunteer) = tx.lock_acceptance(id)?;
    match matched.state.accept() {
        Step::AlreadyMade => return move_arrival(tx, &matched, &request, yes.arrival_at),
        Step::Impossible if request.state != RequestState::Open => {
            return refuse(Refusal::AlreadyCovered);
        }
        Step::Impossible => return refuse(Refusal::NotPossible),
        Step::To(_) => {}
    }
    let Some(category) = tx.ctx.catalog.get(request.category.as_str()).cloned() else {
        return refuse(Refusal::NotPossible);
    };
    check_arrival(tx, &request, yes.arrival_at)?;
    may_accept(tx, &category, &request, &offer, &volunteer)?;
    tx.refuse_if_frozen(&request, &offer)?;
    let neighbor = tx.neighbor(request.neighbor_id)?;
    if tx.is_blocked(&neighbor, &volunteer)? {
        return refuse(Refusal::NotPossible);
    }
    replace_newer_ask(tx, &matched, &offer)?;
    bring_up_to_date(tx, &mut matched, &request, &offer)?;

    let taken = amount(tx, &matched, &request, &offer, yes.quantity)?;
    if !capacity::take_all(tx.conn, &offer, matched.periods(), taken)? {
        return refuse(Refusal::NoCapacity);
    }
    if !requests::take_cover(tx.conn, request.id, taken, tx.now)? {
        return refuse(Refusal::AlreadyCovered);
    }
    let pending = category
        .policy
        .agree
        .needs_agreement(volunteer.is_vetted(tx.now), neighbor.agree_first);
    let acceptance = Acceptance {
        taken,
        period_start: matched.period_start,
        further_periods: matched.further_periods.clone(),
        agreement: if pending {
            Agreement::Pending
        } else {
            Agreement::None
        },
        agree_by: pending.then(|| tx.now.after(tx.ctx.wave(&request, tx.now).agree_within)),
        arrival_at: yes.arrival_at,
        released_at: (!pending).then_some(tx.now),
        remind_at: tx.remind_at(yes.arrival_at.unwrap_or(request.needed_from)),
    };
    if !matches::accept(tx.conn, id, &acceptance, tx.now)? {
        return refuse(Refusal::NotPossible);
    }
    tx.audit(
        "match_accepted",
        ("match", id),
        &[
            ("taken", taken.into()),
            ("agreement", acceptance.agreement.into()),
        ],
    )?;
    if !pending {
        tx.audit("contacts_released", ("match", id), &[])?;
    }
    let to_neighbor = if pending {
        LetterKind::Agree
    } else {
        LetterKind::Accepted
    };
    tx.letter(
        to_neighbor,
        To::Neighbor(request.neighbor_id),
        Some(request.id),
        Some(id),
    )?;
    tx.letter(
        LetterKind::Accepted,
        To::Volunteer(offer.volunteer_id),
        Some(request.id),
        Some(id),
    )?;
    tx.supersede_hopeless(request.id, &offer)?;
    tx.requests_changed(&[request.id])?;
    tx.offers_changed(&[offer.id])
}

/// An arrival is within the need, and not in the past. Who names a time names a minute.
fn check_arrival(tx: &Tx<'_>, request: &Request, at: Option<Ts>) -> Outcome<()> {
    const MINUTE: Duration = Duration::from_mins(1);
    let earliest = request.needed_from.max(tx.now).before(MINUTE);
    match at {
        Some(at) if at <= earliest || at > request.needed_until => refuse(Refusal::ArrivalOutside),
        _ => Ok(()),
    }
}

/// The volunteer arrives at another time than she has said first.
fn move_arrival(
    tx: &mut Tx<'_>,
    matched: &Match,
    request: &Request,
    arrival_at: Option<Ts>,
) -> Outcome<()> {
    let Some(at) = arrival_at.filter(|at| matched.is_silent() && matched.arrival_at != Some(*at))
    else {
        return Ok(());
    };
    check_arrival(tx, request, Some(at))?;
    let remind_at = tx.remind_at(at);
    if !matches::set_arrival(tx.conn, matched.id, at, remind_at, tx.now)? {
        return refuse(Refusal::NotPossible);
    }
    tx.audit("arrival_changed", ("match", matched.id), &[])?;
    // A letter that has not left yet tells the newest time.
    let waiting = letters::lock_waiting(tx.conn, request.neighbor_id.into())?;
    let is_told = |l: &Letter| l.kind == LetterKind::Arrival && l.match_id == Some(matched.id);
    if waiting.iter().any(is_told) {
        return Ok(());
    }
    tx.letter(
        LetterKind::Arrival,
        To::Neighbor(request.neighbor_id),
        Some(request.id),
        Some(matched.id),
    )
}

/// A yes that comes late may mean another night than the one that was asked for, and one to an older
/// ask another need: what counts is what fits now. An answer to what was asked for stands even where it
/// is too late to ask for it.
fn bring_up_to_date(
    tx: &mut Tx<'_>,
    matched: &mut Match,
    request: &Request,
    offer: &Offer,
) -> Outcome<()> {
    match fit_by_hand(tx, request, offer.id)? {
        Some(fit) => {
            matched.period_start = fit.period;
            matched.further_periods = Json(fit.further_periods);
            Ok(())
        }
        None if matched.request_version == request.version => Ok(()),
        None => refuse(Refusal::NotPossible),
    }
}

/// Who did not answer may have been asked once more since. A yes to the older ask is the answer to the
/// newer one too; of one pair there is never more than one active match.
fn replace_newer_ask(tx: &mut Tx<'_>, matched: &Match, offer: &Offer) -> Outcome<()> {
    for other in matches::of_request(tx.conn, matched.request_id)? {
        if other.offer_id != offer.id || other.id == matched.id || !other.state.is_active() {
            continue;
        }
        if other.state == MatchState::Accepted {
            return refuse(Refusal::NotPossible);
        }
        tx.supersede(&other, offer, false)?;
    }
    Ok(())
}

fn may_accept(
    tx: &mut Tx<'_>,
    category: &Category,
    request: &Request,
    offer: &Offer,
    volunteer: &Volunteer,
) -> Outcome<()> {
    if request.state == RequestState::Covered {
        return refuse(Refusal::AlreadyCovered);
    }
    if request.state != RequestState::Open
        || request.needed_until <= tx.now
        || !matches!(offer.state, OfferState::Open | OfferState::Paused)
        || volunteer.blocked_at.is_some()
        || volunteer.confirmed_at.is_none()
    {
        return refuse(Refusal::NotPossible);
    }
    if category.policy.vetted_only && !volunteer.is_vetted(tx.now) {
        return refuse(Refusal::NotVetted);
    }
    let load = matches::load_of(tx.conn, &[volunteer.id], tx.now)?;
    let open = load.first().map_or(0, |l| l.open_releases);
    if open >= u32::from(tx.ctx.settings.matching.open_releases) {
        return refuse(Refusal::TooManyOpen);
    }
    Ok(())
}

/// The least of what was asked, what is still needed and what is still free; all of it where the need
/// cannot be shared, or not by one more.
fn amount(
    tx: &mut Tx<'_>,
    matched: &Match,
    request: &Request,
    offer: &Offer,
    offered: Option<Quantity>,
) -> Outcome<i32> {
    let free = capacity::free(tx.conn, offer, matched)?;
    let wanted = offered.map_or(matched.quantity.get(), |q| {
        q.get().min(matched.quantity.get())
    });
    let taken = wanted.min(request.still_needed()).min(free);
    let helpers = matches::of_request(tx.conn, request.id)?
        .iter()
        .filter(|m| matches!(m.state, MatchState::Accepted | MatchState::Fulfilled))
        .count();
    let may_share =
        request.splittable && i32::try_from(helpers).is_ok_and(|h| h + 1 < request.max_helpers);
    if taken < 1 || (!may_share && taken < request.still_needed()) {
        return refuse(if request.still_needed() < 1 {
            Refusal::AlreadyCovered
        } else {
            Refusal::NoCapacity
        });
    }
    Ok(taken)
}
