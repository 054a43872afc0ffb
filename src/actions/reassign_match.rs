//! A coordinator gives a request to another offer: the one match ends and the other begins, or neither.

use std::collections::BTreeSet;

use super::ending::Tell;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{MatchId, OfferId};
use crate::domain::lifecycle::{FallReason, MatchState};
use crate::storage::audit::Actor;
use crate::storage::matches::Match;
use crate::storage::{matches, offers, requests, volunteers};

/// Ends a match and asks the volunteer of another offer instead, by hand. Whoever was asked is thanked, an
/// accepted match is called off and both sides are told. Gives the new match; called again, the same.
///
/// # Errors
/// A match that is over, and whatever stands in the way of the new one; then the old one stays.
pub async fn reassign_match(ctx: &Ctx, id: MatchId, to: OfferId, actor: Actor) -> Outcome<MatchId> {
    ctx.write(actor, move |tx| {
        let (_, request, from) = tx.matched(id)?;
        let owner = tx.offer(to, None)?.volunteer_id;
        let people = BTreeSet::from([from.volunteer_id, owner]);
        volunteers::lock_all(tx.conn, &Vec::from_iter(people))?;
        requests::lock(tx.conn, request.id)?;
        let both = BTreeSet::from([from.id, to]);
        offers::lock_all(tx.conn, &Vec::from_iter(both))?;
        matches::lock(tx.conn, id)?;
        let (matched, request, from) = tx.matched(id)?;
        // It may have joined another volunteer's before she was locked.
        let offer = tx.offer(to, Some(owner))?;
        let volunteer = tx.volunteer(owner)?;
        if to == from.id {
            return refuse(Refusal::PairTaken);
        }
        match matched.state {
            MatchState::Proposed | MatchState::Notified => tx.supersede(&matched, &from, true)?,
            MatchState::Accepted if matched.done_at.is_none() => {
                let why = FallReason::CalledOff;
                tx.fall_through(&matched, &request, &from, why, Tell::Both)?;
            }
            _ => return made_before(tx, &matched, to),
        }
        tx.audit("match_reassigned", ("match", id), &[])?;
        let request = tx.request(request.id, None)?;
        let new = MatchId::new(tx.ctx.entropy.as_ref());
        tx.propose(new, &request, &offer, &volunteer)
    })
    .await
}

/// The match that an earlier call has made.
fn made_before(tx: &mut Tx<'_>, old: &Match, to: OfferId) -> Outcome<MatchId> {
    let is_it = |m: &&Match| {
        m.offer_id == to
            && m.by_hand
            && m.state.is_active()
            && old.ended_at.is_some_and(|ended| ended == m.created_at)
    };
    let all = matches::of_request(tx.conn, old.request_id)?;
    match all.iter().find(is_it) {
        Some(made) => Ok(made.id),
        None => refuse(Refusal::NotPossible),
    }
}
