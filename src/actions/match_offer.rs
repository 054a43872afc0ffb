//! A new, changed or freed offer meets the requests that waited for one like it: they become due.

use std::sync::PoisonError;

use super::match_request::candidates::load;
use super::{Ctx, Outcome};
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, RequestId};
use crate::domain::need::Urgency;
use crate::matching::judge::{WEEK, open_asks};
use crate::storage::audit::Actor;
use crate::storage::offers::Offer;
use crate::storage::{StorageError, matches, offers, requests, volunteers};

/// Requests that one offer makes due at a time: few enough for one write.
const AT_ONCE: usize = 100;
/// Requests that are made due for each ask that the volunteer has room for. More than one, because another
/// offer may suit some of them better.
const FOR_EACH_ASK: usize = 16;

/// Makes those requests due that the offer could serve: the most pressing, and of them those that wait
/// longest. They are worked in that order too, so that the few asks of a scarce offer go to them. Gives
/// how many.
///
/// # Errors
/// A failed query; the lease then runs out and the offer is taken again.
pub async fn match_offer(ctx: &Ctx, offer: Offer, lease: LeaseId) -> Outcome<usize> {
    let now = ctx.now();
    let room = room(ctx, &offer, now).await?;
    let mut waiting = waiting(ctx, &offer, room, now);
    // They are locked in the order of their ids.
    waiting.sort_unstable();
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

/// How many asks the volunteer has room for, for what is most pressing.
async fn room(ctx: &Ctx, offer: &Offer, now: Ts) -> Result<usize, StorageError> {
    let (settings, id) = (ctx.settings.matching.clone(), offer.volunteer_id);
    ctx.db
        .read(move |conn| {
            let Some(volunteer) = volunteers::find(conn, id)? else {
                return Ok(0);
            };
            let loads = matches::load_of(conn, &[id], now.before(WEEK))?;
            let open = loads.into_iter().next().map_or(0, |l| load(l).open_asks);
            let may = open_asks(&settings, &volunteer.limits.0, Urgency::Now);
            Ok(usize::try_from(may.saturating_sub(open)).unwrap_or(0))
        })
        .await
}

fn waiting(ctx: &Ctx, offer: &Offer, room: usize, now: Ts) -> Vec<RequestId> {
    // Without room too: whoever had nobody in reach has somebody now who rests.
    let limit = room.max(1).saturating_mul(FOR_EACH_ASK).min(AT_ONCE);
    let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
    index.offer(offer.id).map_or_else(Vec::new, |card| {
        index.pressing_for(
            &ctx.catalog,
            card,
            now,
            ctx.settings.matching.deadlines,
            limit,
        )
    })
}
