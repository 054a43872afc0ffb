//! A new, changed or freed offer meets the requests that waited for one like it: they become due.

use std::collections::HashSet;
use std::sync::PoisonError;

use super::match_request::candidates::{earlier, load};
use super::{Ctx, Outcome};
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, OfferId, RequestId};
use crate::domain::need::Urgency;
use crate::matching::judge::{Load, no_room, room};
use crate::matching::wave;
use crate::storage::audit::Actor;
use crate::storage::offers::Offer;
use crate::storage::volunteers::Volunteer;
use crate::storage::{Conn, StorageError, matches, offers, requests, volunteers};

/// Requests that one offer makes due at a time: few enough for one write.
const AT_ONCE: usize = 100;
/// Requests that are made due for each ask that the volunteer has room for. More than one, because another
/// offer may suit some of them better.
const FOR_EACH_ASK: usize = 2;

/// Whoever offers, as far as it matters for whom to wake.
struct Giver {
    volunteer: Volunteer,
    load: Load,
    /// All that is offered: the room is the volunteer's, whichever offer it came from.
    offers: Vec<OfferId>,
    /// Requests for which the volunteer is asked, or may not be asked again by now.
    spent: HashSet<RequestId>,
}

/// Makes those requests due that the volunteer of the offer could serve, by any of their offers: the most pressing,
/// and of them those that wait longest. They are worked in that order too, so that the few asks of a scarce volunteer
/// go to them. Gives how many.
///
/// # Errors
/// A failed query; the lease then runs out and the offer is taken again.
pub async fn match_offer(ctx: &Ctx, offer: Offer, lease: LeaseId) -> Outcome<usize> {
    let now = ctx.now();
    let (inner, of) = (ctx.clone(), offer.clone());
    let giver = ctx
        .db
        .read(move |conn| read(&inner, conn, &of, now))
        .await?;
    let mut waiting = giver.map_or_else(Vec::new, |giver| waiting(ctx, &giver, now));
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

fn read(ctx: &Ctx, conn: &mut Conn, offer: &Offer, now: Ts) -> Result<Option<Giver>, StorageError> {
    let Some(volunteer) = volunteers::find(conn, offer.volunteer_id)? else {
        return Ok(None);
    };
    let loads = matches::load_of(conn, &[volunteer.id], now)?;
    let is_spent = |m: &matches::Match, version| {
        wave::rest(
            &earlier(m, volunteer.id),
            version,
            &ctx.settings.matching,
            now,
        )
        .is_some()
    };
    let spent = matches::with_open_requests(conn, volunteer.id)?
        .iter()
        .filter(|(m, version)| is_spent(m, *version))
        .map(|(m, _)| m.request_id)
        .collect();
    Ok(Some(Giver {
        load: loads.into_iter().next().map(load).unwrap_or_default(),
        offers: offers::ids_of(conn, &[volunteer.id])?,
        spent,
        volunteer,
    }))
}

fn waiting(ctx: &Ctx, giver: &Giver, now: Ts) -> Vec<RequestId> {
    let (settings, limits) = (&ctx.settings.matching, &giver.volunteer.limits.0);
    let room = room(settings, limits, &giver.load, Urgency::Now);
    let limit = room.saturating_mul(FOR_EACH_ASK).min(AT_ONCE);
    if limit == 0 {
        return Vec::new();
    }
    let is_full = |urgency| no_room(settings, limits, &giver.load, urgency).is_some();
    let [today, soon] = [Urgency::Today, Urgency::Soon].map(is_full);
    let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
    index.pressing_for(
        &ctx.catalog,
        &giver.offers,
        now,
        settings.deadlines,
        limit,
        |r, urgency| {
            let is_full = match urgency {
                Urgency::Now => false,
                Urgency::Today => today,
                Urgency::Soon => soon,
            };
            !is_full && !giver.spent.contains(&r.id)
        },
    )
}
