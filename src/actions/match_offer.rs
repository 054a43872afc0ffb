//! A new or changed offer meets the requests that waited for one like it: they become due.

use std::sync::PoisonError;

use super::{Ctx, Outcome};
use crate::domain::clock::Ts;
use crate::domain::ids::LeaseId;
use crate::storage::audit::Actor;
use crate::storage::offers::Offer;
use crate::storage::{offers, requests};

/// Requests that one offer makes due at a time. More than it could serve, few enough for one write.
const AT_ONCE: usize = 100;

/// Makes the nearest requests due that the offer could serve. Gives how many.
///
/// # Errors
/// A failed query; the lease then runs out and the offer is taken again.
pub async fn match_offer(ctx: &Ctx, offer: Offer, lease: LeaseId) -> Outcome<usize> {
    let now = ctx.now();
    let waiting = {
        let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
        match index.offer(offer.id) {
            Some(card) => index.requests_for(&ctx.catalog, card, now, AT_ONCE),
            None => Vec::new(),
        }
    };
    let read_due = offer.match_due_at.unwrap_or(Ts::EPOCH);
    ctx.write(Actor::SYSTEM, move |tx| {
        let held = offers::find(tx.conn, offer.id)?.is_some_and(|o| o.lease_id == Some(lease));
        if !held {
            // Somebody else matches it, and knows more.
            return Ok(0);
        }
        let due = requests::make_due(tx.conn, &waiting, tx.now)?;
        offers::finish_round(tx.conn, offer.id, lease, read_due)?;
        Ok(due)
    })
    .await
}
