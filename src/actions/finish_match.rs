//! Either side says how an accepted match ended: done, or nobody came. A volunteer's *done* waits for the
//! neighbor: she has some time to say otherwise.

use super::ending::Tell;
use super::speaker::Speaker;
use super::tx::To;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{MatchId, RequestId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{CloseReason, FallReason, MatchState, RequestState, Step};
use crate::domain::report::Side;
use crate::storage::matches::{DoneBy, Match};
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::{matches, requests, volunteers};

/// The help was given. From the volunteer it is a word that the neighbor is asked about; from anybody else the end.
///
/// # Errors
/// A match outside the remit, or that is not accepted, or whose agreement is still waited for.
pub async fn done(ctx: &Ctx, id: MatchId, by: impl Into<Speaker>) -> Outcome<()> {
    let by = by.into();
    ctx.write(by.actor, move |tx| {
        let (matched, request, offer) = tx.lock_match(id)?;
        tx.refuse_unheard(by, id)?;
        match matched.state.fulfil() {
            Step::AlreadyMade => return Ok(()),
            Step::To(_) if matched.agreement.releases() => {}
            _ => return refuse(Refusal::NotPossible),
        }
        let by = match by.actor.side() {
            Some(Side::Volunteer) => return say_done(tx, &matched, &request, &offer),
            Some(Side::Neighbor) => DoneBy::Neighbor,
            None => DoneBy::Coordinator,
        };
        if !tx.fulfil(&matched, &request, &offer, Some(by))? {
            return refuse(Refusal::NotPossible);
        }
        close_if_helped(tx, request.id)
    })
    .await
}

/// She is free for others at once, and the contact is gone from her view; the match goes on until the neighbor says
/// the same, or nothing for a while.
fn say_done(tx: &mut Tx<'_>, matched: &Match, request: &Request, offer: &Offer) -> Outcome<()> {
    if matched.done_at.is_some() {
        return Ok(());
    }
    if !matches::say_done(tx.conn, matched.id, tx.now)? {
        return refuse(Refusal::NotPossible);
    }
    tx.let_go(matched, request, offer)?;
    tx.end_needless_follow_up(request.id)?;
    tx.letter(
        LetterKind::DidItWork,
        To::Neighbor(request.neighbor_id),
        Some(request.id),
        Some(matched.id),
    )?;
    tx.audit("match_said_done", ("match", matched.id), &[])
}

/// A request that is covered and has no accepted match left is over.
pub(super) fn close_if_helped(tx: &mut Tx<'_>, id: RequestId) -> Outcome<()> {
    let request = tx.request(id, None)?;
    let waits = matches::of_request(tx.conn, id)?
        .iter()
        .any(|m| m.state == MatchState::Accepted);
    if request.state == RequestState::Covered && !waits {
        requests::close(tx.conn, id, CloseReason::HelpedHere, tx.now)?;
        tx.let_answers_end(id)?;
        tx.end_tasks_of_closed(&request)?;
        tx.requests_changed(&[id])?;
    }
    Ok(())
}

/// The other side did not come: the request is open again, and others are asked.
///
/// # Errors
/// A match outside the remit, or that is not accepted, or whose agreement is still waited for; a volunteer who has said that the help was
/// given.
pub async fn no_show(ctx: &Ctx, id: MatchId, by: impl Into<Speaker>) -> Outcome<()> {
    let by = by.into();
    ctx.write(by.actor, move |tx| {
        let (_, _, offer) = tx.matched(id)?;
        // How often she did not come is counted while nobody else says so.
        volunteers::lock(tx.conn, offer.volunteer_id)?;
        let owner = offer.volunteer_id;
        let (matched, request, offer) = tx.lock_match(id)?;
        tx.refuse_unheard(by, id)?;
        match matched.state.fall_through() {
            Step::AlreadyMade => return Ok(()),
            Step::To(_) if matched.agreement.releases() => {}
            _ => return refuse(Refusal::NotPossible),
        }
        let side = by.actor.side();
        if side == Some(Side::Volunteer) && matched.done_at.is_some() {
            return refuse(Refusal::NotPossible);
        }
        let tell = match side {
            Some(Side::Neighbor) => Tell::Volunteer,
            Some(Side::Volunteer) => Tell::Neighbor,
            None => Tell::Both,
        };
        tx.fall_through(&matched, &request, &offer, FallReason::NoShow, tell)?;
        if let Some(side) = side {
            matches::set_no_show_by(tx.conn, id, side)?;
        }
        if side != Some(Side::Neighbor) {
            return Ok(());
        }
        if matched.done_at.is_some() {
            tx.ask_about_dispute(&matched, &request, &offer)?;
        }
        // The offer may have joined another volunteer's before she was locked.
        if offer.volunteer_id == owner {
            tx.ask_about_no_shows(&matched, owner)?;
        }
        Ok(())
    })
    .await
}
