//! A coordinator approves a proposed match, or vetoes it, or takes the veto back.

use super::tx::To;
use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::MatchId;
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{MatchState, RequestState, Step};
use crate::domain::task::TaskOutcome;
use crate::storage::audit::Actor;
use crate::storage::{matches, requests, volunteers};

/// Approves: the volunteer is asked now.
///
/// # Errors
/// A match that is over, or a request that is covered or closed.
pub async fn approve_match(ctx: &Ctx, id: MatchId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let (matched, request, offer, volunteer) = tx.lock_ask(id)?;
        match matched.state.approve() {
            Step::AlreadyMade => return Ok(()),
            Step::To(_) if request.state == RequestState::Open => {}
            _ => return refuse(Refusal::NotPossible),
        }
        let neighbor = tx.neighbor(request.neighbor_id)?;
        if tx.is_blocked(&neighbor, &volunteer)? {
            return refuse(Refusal::NotPossible);
        }
        tx.refuse_if_frozen(&request, &offer)?;
        let max_wait = tx.ctx.wave(&request, tx.now).max_wait;
        if !matches::approve(tx.conn, id, tx.now.after(max_wait), tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        volunteers::set_asked(tx.conn, &[offer.volunteer_id], tx.now)?;
        tx.letter(
            LetterKind::Asked,
            To::Volunteer(offer.volunteer_id),
            Some(request.id),
            Some(id),
        )?;
        tx.end_review(id, TaskOutcome::Done)?;
        // The review is late no more, and another may be.
        requests::make_due(tx.conn, &[request.id], tx.now)?;
        tx.audit("match_approved", ("match", id), &[])
    })
    .await
}

/// Vetoes: this pair is never proposed again, another is looked for at once.
///
/// # Errors
/// A match that was accepted, or is over.
pub async fn veto_match(ctx: &Ctx, id: MatchId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let (matched, request, offer) = tx.lock_match(id)?;
        match matched.state.veto() {
            Step::AlreadyMade if matched.is_vetoed() => return Ok(()),
            Step::AlreadyMade => {
                // It had been taken back.
                matches::set_veto_undone(tx.conn, id, None, tx.now)?;
                return tx.audit("match_vetoed", ("match", id), &[]);
            }
            Step::To(_) => {}
            Step::Impossible => return refuse(Refusal::NotPossible),
        }
        if !matches::veto(tx.conn, id, tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.end_review(id, TaskOutcome::Done)?;
        tx.make_room(&offer)?;
        requests::make_due(tx.conn, &[request.id], tx.now)?;
        tx.audit("match_vetoed", ("match", id), &[])
    })
    .await
}

/// Takes a veto back: the match stays ended, and the pair may be proposed again, by the next round too.
/// Doing so again changes nothing.
///
/// # Errors
/// A match that was not vetoed.
pub async fn unveto_match(ctx: &Ctx, id: MatchId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let (matched, request, _) = tx.lock_match(id)?;
        if matched.state != MatchState::Vetoed {
            return refuse(Refusal::NotPossible);
        }
        if !matched.is_vetoed() {
            return Ok(());
        }
        if !matches::set_veto_undone(tx.conn, id, Some(tx.now), tx.now)? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        requests::make_due(tx.conn, &[request.id], tx.now)?;
        tx.audit("match_veto_undone", ("match", id), &[])
    })
    .await
}
