//! Rows as matching knows them: without secrets, at cells and sites.

use std::collections::HashMap;
use std::sync::PoisonError;

use super::Ctx;
use super::call_first::waits_for_call;
use crate::domain::availability::{Availability, Window, Windows};
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, RequestId, VolunteerId};
use crate::domain::lifecycle::{MatchState, OfferState, RequestState};
use crate::domain::place::GeoPoint;
use crate::matching::card::{OfferCard, RequestCard};
use crate::storage::neighbors::Neighbor;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::sites::Site;
use crate::storage::volunteers::Volunteer;
use crate::storage::{
    Conn, StorageError, capacity, matches, neighbors, offers, requests, sites, volunteers,
};

/// The cards of those offers that may be asked now.
///
/// # Errors
/// A failed query.
pub fn offer_cards(
    ctx: &Ctx,
    conn: &mut Conn,
    rows: Vec<Offer>,
    now: Ts,
) -> Result<Vec<OfferCard>, StorageError> {
    let known = known(ctx, &rows);
    let mut cards = facts(conn, rows, known)?;
    if let Some(horizon) = horizon(ctx, now) {
        for card in &mut cards {
            card.windows = card.availability.windows(horizon);
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
    let rows = offers::find_all(conn, &[id])?;
    let known = known(ctx, &rows);
    let card = facts(conn, rows, known)?.pop();
    let within = horizon(ctx, now).and_then(|horizon| horizon.intersect(window));
    Ok(card.map(|card| OfferCard {
        windows: within.map_or_else(Windows::default, |within| card.availability.windows(within)),
        ..card
    }))
}

fn horizon(ctx: &Ctx, now: Ts) -> Option<Window> {
    Window::parse(now, now.after(ctx.settings.matching.horizon)).ok()
}

/// When offers stand, as far as the index knows it and they have not changed: opening hours take long to
/// parse.
fn known(ctx: &Ctx, rows: &[Offer]) -> HashMap<OfferId, Availability> {
    let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
    rows.iter()
        .filter_map(|row| {
            let known = &index.offer(row.id)?.availability;
            row.stands_as(known).then(|| (row.id, known.clone()))
        })
        .collect()
}

/// As [`offer_cards`], without the intervals, which take longest to make.
///
/// # Errors
/// A failed query.
pub fn offer_facts(conn: &mut Conn, rows: Vec<Offer>) -> Result<Vec<OfferCard>, StorageError> {
    facts(conn, rows, HashMap::new())
}

fn facts(
    conn: &mut Conn,
    rows: Vec<Offer>,
    mut known: HashMap<OfferId, Availability>,
) -> Result<Vec<OfferCard>, StorageError> {
    let ids: Vec<OfferId> = rows.iter().map(|o| o.id).collect();
    let owners: Vec<VolunteerId> = rows.iter().map(|o| o.volunteer_id).collect();
    let owners: HashMap<VolunteerId, Volunteer> = volunteers::find_all(conn, &owners)?
        .into_iter()
        .map(|v| (v.id, v))
        .collect();
    let listed: HashMap<OfferId, Site> = sites::find_all(conn, &ids)?
        .into_iter()
        .map(|s| (s.offer_id, s))
        .collect();
    let mut taken: HashMap<OfferId, Vec<(Ts, i32)>> = HashMap::new();
    for (offer, period, amount) in capacity::taken_of(conn, &ids)? {
        taken.entry(offer).or_default().push((period, amount));
    }
    Ok(rows
        .into_iter()
        .filter_map(|offer| {
            let owner = owners.get(&offer.volunteer_id)?;
            let taken = taken.remove(&offer.id).unwrap_or_default();
            let site = listed.get(&offer.id);
            let known = known.remove(&offer.id);
            offer_card(offer, owner, site, taken, known)
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
    let rows = offers::find_all(conn, ids)?;
    offer_cards(ctx, conn, rows, now)
}

/// `None` for an offer that may not be asked: not open, its volunteer not askable, or a place where
/// people may just walk in.
fn offer_card(
    offer: Offer,
    owner: &Volunteer,
    site: Option<&Site>,
    taken: Vec<(Ts, i32)>,
    known: Option<Availability>,
) -> Option<OfferCard> {
    if offer.state != OfferState::Open || !owner.is_askable() || site.is_some_and(|s| s.walk_in) {
        return None;
    }
    let at = match site {
        Some(site) => GeoPoint::parse(site.lat, site.lon).ok()?,
        None => offer.cell.center(),
    };
    let availability = known.or_else(|| offer.availability())?;
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
        availability,
        provides: offer.provides.0,
        vetted_until: owner.vetted_until,
        languages: owner.languages.0.clone(),
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
    rows: Vec<Request>,
    now: Ts,
) -> Result<Vec<RequestCard>, StorageError> {
    let owners: Vec<_> = rows.iter().map(|r| r.neighbor_id).collect();
    let owners: HashMap<_, Neighbor> = neighbors::find_all(conn, &owners)?
        .into_iter()
        .map(|n| (n.id, n))
        .collect();
    let mut cards = Vec::with_capacity(rows.len());
    for request in rows {
        let Some(owner) = owners.get(&request.neighbor_id) else {
            continue;
        };
        let helpers = if request.covered > 0 {
            matches::of_request(conn, request.id)?
                .iter()
                .filter(|m| matches!(m.state, MatchState::Accepted | MatchState::Fulfilled))
                .count()
        } else {
            0
        };
        cards.extend(request_card(
            ctx,
            request,
            owner,
            i32::try_from(helpers).unwrap_or(i32::MAX),
            now,
        ));
    }
    Ok(cards)
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
    let rows = requests::find_all(conn, ids)?;
    request_cards(ctx, conn, rows, now)
}

/// `None` for a request that looks for nothing now: not open, past, or waiting for a call.
fn request_card(
    ctx: &Ctx,
    request: Request,
    owner: &Neighbor,
    helpers: i32,
    now: Ts,
) -> Option<RequestCard> {
    if request.state != RequestState::Open
        || request.needed_until <= now
        || waits_for_call(ctx, &request, owner.verified)
    {
        return None;
    }
    Some(RequestCard {
        id: request.id,
        neighbor: request.neighbor_id,
        at: request.cell.center(),
        travel: request.travel_m,
        needed: request.still_needed(),
        splittable: request.splittable,
        helpers_left: request.max_helpers - helpers,
        said: request.urgency,
        urgency: request.urgency,
        since: request.created_at,
        window: Window::parse(request.needed_from, request.needed_until).ok()?,
        throughout: request.throughout,
        requires: request.requires.0,
        languages: owner.languages.0.clone(),
        language_must: request.language_must,
        category: request.category,
    })
}
