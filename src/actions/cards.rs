//! Rows as matching knows them: without secrets, at cells and sites.

use std::collections::HashMap;

use super::Ctx;
use super::call_first::needs_call;
use crate::domain::availability::{Window, Windows};
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, RequestId};
use crate::domain::lifecycle::{OfferState, RequestState};
use crate::domain::place::GeoPoint;
use crate::matching::card::{OfferCard, RequestCard};
use crate::storage::facts::{self, Asker, OfferRow, RequestFacts, RequestRow, Which};
use crate::storage::{Conn, StorageError, capacity, matches};

/// The cards of those offers that may be asked now.
///
/// # Errors
/// A failed query.
pub fn offer_cards(
    ctx: &Ctx,
    conn: &mut Conn,
    rows: Vec<OfferRow>,
    now: Ts,
) -> Result<Vec<OfferCard>, StorageError> {
    let mut cards = offer_facts(ctx, conn, rows)?;
    if let Some(horizon) = horizon(ctx, now) {
        for card in &mut cards {
            card.windows = ctx.timetables.windows(&card.availability, horizon);
        }
    }
    Ok(cards)
}

/// The card of an offer that may be asked now, with its intervals only as far as they matter for a request
/// with this window: they take longest to make.
///
/// # Errors
/// A failed query.
pub(super) fn offer_card_within(
    ctx: &Ctx,
    conn: &mut Conn,
    id: OfferId,
    window: Window,
    now: Ts,
) -> Result<Option<OfferCard>, StorageError> {
    let rows = facts::offers(conn, Which::Ids(&[id]))?;
    let card = offer_facts(ctx, conn, rows)?.pop();
    let within = horizon(ctx, now).and_then(|horizon| horizon.intersect(window));
    Ok(card.map(|card| OfferCard {
        windows: within.map_or_else(Windows::default, |within| {
            ctx.timetables.windows(&card.availability, within)
        }),
        ..card
    }))
}

/// As far as intervals are made ahead of time.
#[must_use]
pub fn horizon(ctx: &Ctx, now: Ts) -> Option<Window> {
    Window::parse(now, now.after(ctx.settings.matching.horizon)).ok()
}

/// As [`offer_cards`], without the intervals.
///
/// # Errors
/// A failed query.
pub fn offer_facts(
    ctx: &Ctx,
    conn: &mut Conn,
    rows: Vec<OfferRow>,
) -> Result<Vec<OfferCard>, StorageError> {
    let ids: Vec<OfferId> = rows.iter().map(|(offer, ..)| offer.id).collect();
    let mut taken: HashMap<OfferId, Vec<(Ts, i32)>> = HashMap::new();
    for (offer, period, amount) in capacity::taken_of(conn, &ids)? {
        taken.entry(offer).or_default().push((period, amount));
    }
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let taken = taken.remove(&row.0.id).unwrap_or_default();
            offer_card(ctx, row, taken)
        })
        .collect())
}

/// The cards of offers by id; what is not there, or may not be asked, has none.
///
/// # Errors
/// A failed query.
pub fn offer_cards_by_id(
    ctx: &Ctx,
    conn: &mut Conn,
    ids: &[OfferId],
    now: Ts,
) -> Result<Vec<OfferCard>, StorageError> {
    let rows = facts::offers(conn, Which::Ids(ids))?;
    offer_cards(ctx, conn, rows, now)
}

/// `None` for an offer that may not be asked: not open, its volunteer not askable, or a place where
/// people may just walk in; and for one that holds hours or a zone that do not parse any more.
fn offer_card(
    ctx: &Ctx,
    (offer, owner, spot): OfferRow,
    taken: Vec<(Ts, i32)>,
) -> Option<OfferCard> {
    let may_walk_in = spot.is_some_and(|spot| spot.walk_in);
    if offer.state != OfferState::Open || !owner.is_askable() || may_walk_in {
        return None;
    }
    let at = match spot {
        Some(spot) => GeoPoint::parse(spot.lat, spot.lon).ok()?,
        None => offer.cell.center(),
    };
    Some(OfferCard {
        id: offer.id,
        volunteer: offer.volunteer_id,
        at,
        reach: offer.reach_m,
        capacity: offer.capacity.get(),
        renews: offer.renews,
        lead: offer.lead_minutes,
        taken,
        windows: Windows::default(),
        availability: ctx.timetables.read(offer.written())?,
        provides: offer.provides.0,
        vetted_until: owner.vetted_until,
        languages: owner.languages.0.into(),
        category: offer.category,
    })
}

/// The cards of those requests that look for help now.
///
/// # Errors
/// A failed query.
pub fn request_cards(
    ctx: &Ctx,
    conn: &mut Conn,
    rows: Vec<RequestRow>,
    now: Ts,
) -> Result<Vec<RequestCard>, StorageError> {
    let helped = |(request, _): &&RequestRow| request.covered > 0;
    let helped: Vec<_> = rows.iter().filter(helped).map(|(r, _)| r.id).collect();
    let helpers = matches::helpers_of(conn, &helped)?;
    let card = |(request, owner): RequestRow| {
        let helpers = helpers.get(&request.id).copied().unwrap_or(0);
        request_card(ctx, request, owner, helpers, now)
    };
    Ok(rows.into_iter().filter_map(card).collect())
}

/// The cards of requests by id; what is not there, or looks for nothing, has none.
///
/// # Errors
/// A failed query.
pub fn request_cards_by_id(
    ctx: &Ctx,
    conn: &mut Conn,
    ids: &[RequestId],
    now: Ts,
) -> Result<Vec<RequestCard>, StorageError> {
    let rows = facts::requests(conn, Which::Ids(ids))?;
    request_cards(ctx, conn, rows, now)
}

/// `None` for a request that looks for nothing now: not open, past, or waiting for a call.
fn request_card(
    ctx: &Ctx,
    request: RequestFacts,
    owner: Asker,
    helpers: i32,
    now: Ts,
) -> Option<RequestCard> {
    if request.state != RequestState::Open
        || request.needed_until <= now
        || needs_call(ctx, &request.category, request.handover, owner.verified)
    {
        return None;
    }
    Some(RequestCard {
        id: request.id,
        neighbor: request.neighbor_id,
        at: request.cell.center(),
        travel: request.travel_m,
        needed: request.quantity.get() - request.covered,
        splittable: request.splittable,
        helpers_left: request.max_helpers - helpers,
        said: request.urgency,
        urgency: request.urgency,
        since: request.created_at,
        window: Window::parse(request.needed_from, request.needed_until).ok()?,
        throughout: request.throughout,
        requires: request.requires.0,
        languages: owner.languages.0.into(),
        language_must: request.language_must,
        category: request.category,
    })
}
