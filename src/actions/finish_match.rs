//! Either side says how an accepted match ended: done, or nobody came.

use super::ending::Tell;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{MatchId, RequestId};
use crate::domain::lifecycle::{CloseReason, FallReason, MatchState, RequestState, Step};
use crate::domain::report::Side;
use crate::storage::audit::Actor;
use crate::storage::matches::DoneBy;
use crate::storage::{matches, requests};

/// The help was given.
///
/// # Errors
/// A match that is not accepted, or whose agreement is still waited for.
pub async fn done(ctx: &Ctx, id: MatchId, actor: Actor) -> Outcome<()> {
    let by = match actor.side() {
        Some(Side::Neighbor) => DoneBy::Neighbor,
        Some(Side::Volunteer) => DoneBy::Volunteer,
        None => DoneBy::Coordinator,
    };
    ctx.write(actor, move |tx| {
        let (matched, request, offer) = tx.lock_match(id)?;
        match matched.state.fulfil() {
            Step::AlreadyMade => return Ok(()),
            Step::To(_) if matched.agreement.releases() => {}
            _ => return refuse(Refusal::NotPossible),
        }
        if !tx.fulfil(&matched, &request, &offer, by)? {
            return refuse(Refusal::NotPossible);
        }
        close_if_helped(tx, request.id)
    })
    .await
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
/// A match that is not accepted, or whose agreement is still waited for.
pub async fn no_show(ctx: &Ctx, id: MatchId, actor: Actor) -> Outcome<()> {
    let tell = match actor.side() {
        Some(Side::Neighbor) => Tell::Volunteer,
        Some(Side::Volunteer) => Tell::Neighbor,
        None => Tell::Both,
    };
    ctx.write(actor, move |tx| {
        let (matched, request, offer) = tx.lock_match(id)?;
        match matched.state.fall_through() {
            Step::AlreadyMade => return Ok(()),
            Step::To(_) if matched.agreement.releases() => {}
            _ => return refuse(Refusal::NotPossible),
        }
        tx.fall_through(&matched, &request, &offer, FallReason::NoShow, tell)?;
        Ok(())
    })
    .await
}
