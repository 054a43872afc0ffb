//! A neighbor or a volunteer says, or has somebody say: it still stands.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, RequestId, VolunteerId};
use crate::domain::remit::Remit;
use crate::storage::audit::Actor;
use crate::storage::{matches, offers, requests};

/// The request is needed until later than it said; `None` adds as long as it stood open at first.
///
/// # Errors
/// A request outside the remit, a closed one, or an end that has gone by.
pub async fn renew_request(
    ctx: &Ctx,
    id: RequestId,
    remit: Remit,
    until: Option<Ts>,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let request = tx.lock_request_and_matches(id, None)?;
        tx.refuse_outside(remit, request.neighbor_id)?;
        let until = until.unwrap_or_else(|| {
            tx.now
                .max(request.needed_until)
                .after(request.needed_until.since(request.needed_from))
        });
        if until <= tx.now.max(request.needed_from) || !requests::renew(tx.conn, id, until, tx.now)?
        {
            return refuse(Refusal::NotPossible);
        }
        matches::ask_again(tx.conn, id)?;
        tx.end_follow_up(id)?;
        requests::make_due(tx.conn, &[id], tx.now)?;
        tx.audit("request_renewed", ("request", id), &[])?;
        tx.requests_changed(&[id])
    })
    .await
}

/// The offer stands for another full term.
///
/// # Errors
/// A closed offer.
pub async fn renew_offer(
    ctx: &Ctx,
    id: OfferId,
    of: Option<VolunteerId>,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        tx.offer(id, of)?;
        let until = tx.now.after(tx.ctx.settings.retention.offers);
        if !offers::renew(tx.conn, id, until, tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.audit("offer_renewed", ("offer", id), &[])?;
        tx.offers_changed(&[id])
    })
    .await
}
