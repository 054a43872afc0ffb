//! A neighbor or a volunteer says: it still stands.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::clock::Ts;
use crate::domain::ids::{NeighborId, OfferId, RecordId, RequestId, VolunteerId};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::{offers, requests};

/// The request is needed until later than it said; `None` adds as long as it stood open at first.
///
/// # Errors
/// A closed request, or an end that has gone by.
pub async fn renew_request(
    ctx: &Ctx,
    id: RequestId,
    of: NeighborId,
    until: Option<Ts>,
) -> Outcome<()> {
    ctx.write(
        Actor::person(ActorKind::Neighbor, RecordId::from(of)),
        move |tx| {
            let request = tx.lock_request(id, Some(of))?;
            let until = until.unwrap_or_else(|| {
                tx.now
                    .max(request.needed_until)
                    .after(request.needed_until.since(request.needed_from))
            });
            if until <= tx.now.max(request.needed_from)
                || !requests::renew(tx.conn, id, until, tx.now)?
            {
                return refuse(Refusal::NotPossible);
            }
            requests::make_due(tx.conn, &[id], tx.now)?;
            tx.audit("request_renewed", ("request", id), &[])?;
            tx.requests_changed(&[id])
        },
    )
    .await
}

/// The offer stands for another full term.
///
/// # Errors
/// A closed offer.
pub async fn renew_offer(ctx: &Ctx, id: OfferId, of: VolunteerId) -> Outcome<()> {
    ctx.write(
        Actor::person(ActorKind::Volunteer, RecordId::from(of)),
        move |tx| {
            tx.offer(id, Some(of))?;
            let until = tx.now.after(tx.ctx.settings.retention.offers);
            if !offers::renew(tx.conn, id, until, tx.now)? {
                return refuse(Refusal::NotPossible);
            }
            tx.audit("offer_renewed", ("offer", id), &[])?;
            tx.offers_changed(&[id])
        },
    )
    .await
}
