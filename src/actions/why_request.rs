//! Why nobody comes, or why just these are asked: what the next round would make of every offer near a
//! request. Reads only, and judges as the round itself does.

use std::sync::PoisonError;

use super::Ctx;
use super::cards::offer_cards;
use super::match_request::candidates::{Facts, Known, read_facts, read_known};
use super::match_request::choose::{Chosen, rank};
use crate::domain::category::Category;
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, RequestId, VolunteerId};
use crate::domain::place::DistanceBand;
use crate::domain::round::RoundSeen;
use crate::matching::card::OfferCard;
use crate::matching::index::PostIndex;
use crate::matching::judge::{Asking, Choice};
pub use crate::matching::passed::{Passed, PassedOver};
use crate::storage::facts::{self, Span, Which};
use crate::storage::matches::Match;
use crate::storage::requests::Request;
use crate::storage::{Conn, StorageError, matches, offers, requests, rounds};

/// Offers in reach that are told of, the nearest.
const NEAREST: usize = 50;
/// Offers just out of reach that are told of, the nearest.
const BEYOND: usize = 20;
/// Offers that are looked at for those just out of reach.
const LOOKED_AT: usize = 500;
/// Offers that are read at a time, and how often, where this process keeps no index.
const PAGE: i64 = 1000;
const PAGES: usize = 50;

/// Everything about it.
#[derive(Debug)]
pub struct Why {
    /// The request.
    pub request: Request,
    /// What the last round saw.
    pub seen: Option<RoundSeen>,
    /// All its matches with their volunteers, oldest first.
    pub matches: Vec<(Match, VolunteerId)>,
    /// Whether it lies where nobody is asked for now.
    pub is_frozen: bool,
    /// Offers near it, near first; none of a request that looks for nothing now.
    pub near: Vec<Considered>,
}

/// What the next round would make of an offer.
#[derive(Debug)]
pub struct Considered {
    /// Which offer.
    pub offer: OfferId,
    /// Whose.
    pub volunteer: VolunteerId,
    /// How far away.
    pub band: DistanceBand,
    /// What is free of it when it is needed.
    pub free: i32,
    /// How much is needed.
    pub needed: i32,
    /// Its place among those who may be asked, from 1, and how good it is.
    pub line: Option<(usize, Choice)>,
    /// Why it is passed over; `None`: it is among those who are asked next.
    pub passed: Option<PassedOver>,
}

/// Why the request stands as it does; `None` if there is none.
///
/// # Errors
/// A failed query.
pub fn why_request(
    ctx: &Ctx,
    conn: &mut Conn,
    id: RequestId,
    now: Ts,
) -> Result<Option<Why>, StorageError> {
    let Some(request) = requests::find(conn, id)? else {
        return Ok(None);
    };
    let all = matches::of_request(conn, id)?;
    let mut why = Why {
        seen: rounds::seen(conn, id)?,
        matches: with_volunteers(conn, all)?,
        is_frozen: false,
        near: Vec::new(),
        request,
    };
    let category = ctx.catalog.get(why.request.category.as_str());
    let known = read_known(ctx, conn, &why.request, now)?;
    if let (Some(category), Some(known)) = (category, known) {
        why.is_frozen = known.frozen.holds(known.card.at);
        why.near = consider(ctx, conn, category, &known, now)?;
    }
    Ok(Some(why))
}

fn with_volunteers(
    conn: &mut Conn,
    all: Vec<Match>,
) -> Result<Vec<(Match, VolunteerId)>, StorageError> {
    let ids: Vec<OfferId> = all.iter().map(|m| m.offer_id).collect();
    let owners = offers::find_all(conn, &ids)?;
    let owner = |m: &Match| owners.iter().find(|o| o.id == m.offer_id);
    Ok(all
        .into_iter()
        .filter_map(|m| Some((owner(&m)?.volunteer_id, m)))
        .map(|(volunteer, m)| (m, volunteer))
        .collect())
}

fn consider(
    ctx: &Ctx,
    conn: &mut Conn,
    category: &Category,
    known: &Known,
    now: Ts,
) -> Result<Vec<Considered>, StorageError> {
    let near = near(ctx, conn, category, known, now)?;
    let ids: Vec<VolunteerId> = near.iter().map(|(offer, _)| offer.volunteer).collect();
    let facts = read_facts(ctx, conn, &known.neighbor, &ids, now)?;
    let asking = known.asking(ctx, category, now);
    let mut considered: Vec<Considered> = near
        .iter()
        .map(|(offer, distance_m)| judged(&asking, offer, *distance_m, &facts))
        .collect();
    put_in_line(&mut considered, known.round.ask);
    Ok(considered)
}

/// The nearest offers, with their distances in meters.
fn near(
    ctx: &Ctx,
    conn: &mut Conn,
    category: &Category,
    known: &Known,
    now: Ts,
) -> Result<Vec<(OfferCard, f64)>, StorageError> {
    let of = |index: &PostIndex| {
        let in_reach = index.in_reach(&ctx.catalog, &known.card).take(NEAREST);
        let beyond = index.just_too_far(&ctx.catalog, &known.card, LOOKED_AT);
        in_reach
            .chain(beyond.into_iter().take(BEYOND))
            .map(|(offer, distance_m)| (offer.clone(), distance_m))
            .collect::<Vec<_>>()
    };
    {
        let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
        if !index.is_empty() {
            return Ok(of(&index));
        }
    }
    // A process that only answers keeps no index, and one that has just begun has not loaded it yet.
    let mut all = Vec::new();
    let mut span = Span::all();
    for _ in 0..PAGES {
        let mut rows = facts::offers(conn, Which::ByAge(span, PAGE))?;
        let Some((last, ..)) = rows.last() else {
            break;
        };
        span = span.after((last.created_at, last.id));
        rows.retain(|(o, ..)| o.category == category.key);
        all.extend(offer_cards(ctx, conn, rows, now)?);
    }
    Ok(of(&PostIndex::load(&ctx.catalog, all, Vec::new())))
}

fn judged(asking: &Asking<'_>, offer: &OfferCard, distance_m: f64, facts: &Facts) -> Considered {
    let judged = match facts.person(offer.volunteer) {
        Some(person) => asking.judge(offer, distance_m, &person),
        None => Err(PassedOver::new(Passed::NotAskable)),
    };
    let when = asking.request.window.from().max(asking.now);
    Considered {
        offer: offer.id,
        volunteer: offer.volunteer,
        band: DistanceBand::of(distance_m),
        free: judged
            .as_ref()
            .map_or_else(|_| offer.free(offer.period(when)), |choice| choice.fit.free),
        needed: asking.request.needed,
        line: judged.as_ref().ok().map(|choice| (0, choice.clone())),
        passed: judged.err(),
    }
}

/// Gives those who may be asked their places; `ask` of them are asked next.
fn put_in_line(considered: &mut [Considered], ask: usize) {
    let may = considered.iter().filter_map(|c| {
        c.line.clone().map(|(_, choice)| Chosen {
            offer: c.offer,
            volunteer: c.volunteer,
            choice,
        })
    });
    let line = rank(may.collect());
    for one in considered {
        let Some((place, _)) = &mut one.line else {
            continue;
        };
        if let Some(nth) = line.iter().position(|c| c.offer == one.offer) {
            *place = nth + 1;
            one.passed = (nth >= ask).then(|| PassedOver::new(Passed::LowerScore));
        } else {
            one.line = None;
            one.passed = Some(PassedOver::new(Passed::OtherOffer));
        }
    }
}
