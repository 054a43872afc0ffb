//! A volunteer who may be asked again, or for something new, meets the requests that waited for that: they become due.
//!
//! The clock of matching is on an offer, but the room is the volunteer's: whichever of the offers is due, all of them
//! are looked at, also when that one was closed meanwhile.

use std::collections::HashSet;
use std::sync::PoisonError;
use std::time::Duration;

use super::match_request::candidates::{earlier, load, standing};
use super::pair::is_blocked;
use super::{Ctx, Outcome};
use crate::domain::area::Frozen;
use crate::domain::availability::TimeZoneName;
use crate::domain::category::Review;
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, OfferId, RequestId};
use crate::domain::lifecycle::RequestState;
use crate::domain::need::Urgency;
use crate::matching::hours::asking_from;
use crate::matching::judge::{Load, no_room, room};
use crate::matching::wave;
use crate::storage::audit::Actor;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::volunteers::Volunteer;
use crate::storage::{Conn, StorageError, areas, matches, neighbors, offers, requests, volunteers};

/// Requests that are made due for each ask that the volunteer has room for. More than one, because another
/// offer may suit some of them better.
const FOR_EACH_ASK: usize = 2;
/// Requests among which those are looked for, and so the most that are made due by one write.
const LOOKED_AT: usize = 64;
/// A limit that should have ended by now is looked at again after this: what counts against it may end late.
const SOON: Duration = Duration::from_mins(1);

/// Whoever offers, as far as it matters for whom to wake.
struct Giver {
    volunteer: Volunteer,
    load: Load,
    zone: TimeZoneName,
    /// All that is offered.
    offers: Vec<OfferId>,
    /// Requests for which the volunteer is asked, or may not be asked again by now.
    spent: HashSet<RequestId>,
}

/// What comes of a look.
#[derive(Default)]
struct Found {
    wake: Vec<RequestId>,
    /// When the volunteer has room again by the clock alone.
    again_at: Option<Ts>,
}

/// Makes those requests due that the volunteer of the offer could be asked for now, by any of their offers: the most
/// pressing, and of them those that wait longest. They are worked in that order too, so that the few asks of a scarce
/// volunteer go to them. Gives how many.
///
/// # Errors
/// A failed query; the lease then runs out and the offer is taken again.
pub async fn match_offer(ctx: &Ctx, offer: Offer, lease: LeaseId) -> Outcome<usize> {
    let now = ctx.now();
    let (id, read_due) = (offer.id, offer.match_due_at.unwrap_or(Ts::EPOCH));
    let inner = ctx.clone();
    let found = ctx
        .db
        .read(move |conn| look(&inner, conn, &offer, now))
        .await?;
    let Found { mut wake, again_at } = found;
    // They are locked in the order of their ids.
    wake.sort_unstable();
    ctx.write(Actor::SYSTEM, move |tx| {
        let held = offers::find(tx.conn, id)?.is_some_and(|o| o.lease_id == Some(lease));
        if !held {
            // Somebody else matches it, and knows more.
            return Ok(0);
        }
        let due = requests::make_due(tx.conn, &wake, tx.now)?;
        offers::finish_round(tx.conn, id, lease, read_due, again_at)?;
        Ok(due)
    })
    .await
}

fn look(ctx: &Ctx, conn: &mut Conn, offer: &Offer, now: Ts) -> Result<Found, StorageError> {
    let Some(giver) = read(ctx, conn, offer, now)? else {
        return Ok(Found::default());
    };
    let again_at = giver.room_again_at(ctx, now);
    let wanted = giver.room(ctx, Urgency::Now).saturating_mul(FOR_EACH_ASK);
    if wanted == 0 {
        return Ok(Found {
            again_at,
            ..Found::default()
        });
    }
    let frozen = areas::frozen(conn)?;
    let mut wake = Vec::new();
    for id in pressing(ctx, &giver, now) {
        let request = requests::find(conn, id)?;
        if let Some(request) = request
            && giver.could_be_asked(ctx, conn, &request, &frozen, now)?
        {
            wake.push(id);
        }
        if wake.len() == wanted {
            break;
        }
    }
    Ok(Found { wake, again_at })
}

fn read(ctx: &Ctx, conn: &mut Conn, offer: &Offer, now: Ts) -> Result<Option<Giver>, StorageError> {
    let volunteer = volunteers::find(conn, offer.volunteer_id)?;
    let Some(volunteer) = volunteer.filter(Volunteer::is_askable) else {
        return Ok(None);
    };
    let Ok(zone) = offer.timezone.parse() else {
        return Ok(None);
    };
    let loads = matches::load_of(conn, &[volunteer.id], now)?;
    let settings = &ctx.settings.matching;
    let is_spent = |m: &matches::Match, version| {
        wave::rest(&earlier(m, volunteer.id), version, settings, now).is_some()
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
        zone,
        volunteer,
    }))
}

/// Requests that an offer of theirs suits, the most pressing first.
fn pressing(ctx: &Ctx, giver: &Giver, now: Ts) -> Vec<RequestId> {
    let has_room = [Urgency::Today, Urgency::Soon].map(|urgency| giver.room(ctx, urgency) > 0);
    let counts = |id, urgency| {
        let has_room = match urgency {
            Urgency::Now => true,
            Urgency::Today => has_room[0],
            Urgency::Soon => has_room[1],
        };
        has_room && !giver.spent.contains(&id)
    };
    let near = ctx.settings.matching.deadlines;
    let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
    index.pressing_for(&ctx.catalog, &giver.offers, now, near, LOOKED_AT, counts)
}

impl Giver {
    fn room(&self, ctx: &Ctx, urgency: Urgency) -> usize {
        let limits = &self.volunteer.limits.0;
        room(&ctx.settings.matching, limits, &self.load, urgency)
    }

    /// When there is more room than now, though nobody does anything.
    fn room_again_at(&self, ctx: &Ctx, now: Ts) -> Option<Ts> {
        let (settings, limits) = (&ctx.settings.matching, &self.volunteer.limits.0);
        [Urgency::Now, Urgency::Today, Urgency::Soon]
            .into_iter()
            .filter_map(|urgency| no_room(settings, limits, &self.load, urgency))
            .filter(|full| !full.why.ends_by_an_act())
            .filter_map(|full| full.until)
            .map(|until| until.max(now.after(SOON)))
            .min()
    }

    /// Whether a round for the request could ask this volunteer, as far as that can be told without a round.
    fn could_be_asked(
        &self,
        ctx: &Ctx,
        conn: &mut Conn,
        request: &Request,
        frozen: &Frozen,
        now: Ts,
    ) -> Result<bool, StorageError> {
        let is_due = request.lease_id.is_none() && request.match_due_at.is_some_and(|at| at <= now);
        if request.state != RequestState::Open || is_due || frozen.holds(request.cell.center()) {
            return Ok(false);
        }
        let (settings, policy) = (&ctx.settings.matching, ctx.wave(request, now));
        let category = ctx.catalog.get(request.category.as_str());
        let either = [request.urgency, ctx.urgency(request, now)];
        let (limits, zone) = (&self.volunteer.limits.0, &self.zone);
        if category.is_some_and(|c| c.policy.review == Review::None)
            && asking_from(&settings.waves, either, limits, zone, now).is_some()
        {
            return Ok(false);
        }
        let standing = standing(request);
        let past = matches::of_request(conn, request.id)?;
        // Only how many are asked matters, not who.
        let earlier: Vec<_> = past.iter().map(|m| earlier(m, self.volunteer.id)).collect();
        if wave::round(&policy, settings, standing, &earlier, now).ask == 0 {
            return Ok(false);
        }
        let neighbor = neighbors::find(conn, request.neighbor_id)?;
        neighbor.map_or(Ok(false), |neighbor| {
            Ok(!is_blocked(ctx, conn, &neighbor, &self.volunteer)?)
        })
    }
}
