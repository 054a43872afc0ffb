//! A neighbor agrees to a volunteer, or refuses, before any contact is released.

use super::ending::Tell;
use super::speaker::Speaker;
use super::tx::To;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::MatchId;
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{FallReason, MatchState, Step};
use crate::domain::task::TaskOutcome;
use crate::storage::matches;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;

/// Agrees: contacts are released to both, and her address where the help is brought there. Where no
/// agreement was waited for, this shares the address with a volunteer who is not vetted.
///
/// # Errors
/// A match outside the remit, or that is not accepted, or was refused; a frozen area; a volunteer who is not vetted any more
/// where the category asks for it.
pub async fn agree_match(ctx: &Ctx, id: MatchId, by: impl Into<Speaker>) -> Outcome<()> {
    let by = by.into();
    ctx.write(by.actor, move |tx| {
        let (matched, request, offer) = tx.lock_match(id)?;
        tx.refuse_unheard(by, id)?;
        match matched.agreement.agree() {
            Step::AlreadyMade if matched.state == MatchState::Accepted => return Ok(()),
            Step::To(_) if matched.state == MatchState::Accepted => {}
            _ => return refuse(Refusal::NotPossible),
        }
        tx.refuse_if_frozen(&request, &offer)?;
        may_be_told(tx, &request, &offer)?;
        let first = matched.released_at.is_none();
        if !matches::agree(tx.conn, id, matched.released_at.unwrap_or(tx.now), tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.end_ask(id, TaskOutcome::Done)?;
        tx.audit("match_agreed", ("match", id), &[])?;
        let released = if first {
            "contacts_released"
        } else {
            "address_released"
        };
        tx.audit(released, ("match", id), &[])?;
        tx.letter(
            LetterKind::Contact,
            To::Volunteer(offer.volunteer_id),
            Some(request.id),
            Some(id),
        )?;
        if first {
            tx.letter(
                LetterKind::Contact,
                To::Neighbor(request.neighbor_id),
                Some(request.id),
                Some(id),
            )?;
        }
        Ok(())
    })
    .await
}

/// The volunteer may have lost the trust that the category asks for since the yes.
fn may_be_told(tx: &mut Tx<'_>, request: &Request, offer: &Offer) -> Outcome<()> {
    let vetted_only = tx
        .ctx
        .catalog
        .get(request.category.as_str())
        .is_none_or(|c| c.policy.vetted_only);
    if vetted_only && !tx.volunteer(offer.volunteer_id)?.is_vetted(tx.now) {
        return refuse(Refusal::NotVetted);
    }
    Ok(())
}

/// Refuses: the match falls through, nothing is released, the pair is not proposed again.
///
/// # Errors
/// A match outside the remit, or that does not wait for it.
pub async fn refuse_match(ctx: &Ctx, id: MatchId, by: impl Into<Speaker>) -> Outcome<()> {
    let by = by.into();
    ctx.write(by.actor, move |tx| {
        let (matched, request, offer) = tx.lock_match(id)?;
        tx.refuse_unheard(by, id)?;
        match matched.agreement.refuse() {
            Step::AlreadyMade => return Ok(()),
            Step::To(_) if matched.state == MatchState::Accepted => {}
            _ => return refuse(Refusal::NotPossible),
        }
        tx.fall_through(
            &matched,
            &request,
            &offer,
            FallReason::Refused,
            Tell::Volunteer,
        )?;
        Ok(())
    })
    .await
}
