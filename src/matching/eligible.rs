//! Who may be asked at all: the hard conditions, cheapest first.

use std::time::Duration;

use super::card::{OfferCard, RequestCard};
use crate::domain::availability::Window;
use crate::domain::category::Category;
use crate::domain::clock::Ts;
use crate::domain::need::Renews;
use crate::domain::place::DistanceBand;

/// What an offer could do for a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// How much of the need it covers.
    pub quantity: i32,
    /// When the two meet: the first time at which there is room.
    pub meets: Window,
    /// How long they overlap from then on, in seconds.
    pub overlap_s: f64,
    /// The period of the offer that the meeting falls into.
    pub period: Ts,
    /// The periods after it in which the place is kept as well: a place for three nights is taken in
    /// each of them.
    pub further_periods: Vec<Ts>,
    /// What is free in the fullest of those periods.
    pub free: i32,
    /// How far apart their cells or sites are, in meters.
    pub distance_m: f64,
    /// The same as people are told it.
    pub band: DistanceBand,
}

/// Why an offer cannot serve a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ineligible {
    /// Too far for whoever would have to travel.
    OutOfReach,
    /// The category asks for a vetted volunteer.
    NotVetted,
    /// No common language, and one is a must.
    NoCommonLanguage,
    /// An attribute is not met.
    AttributeUnmet,
    /// They are never there at the same time.
    NoCommonTime,
    /// Too little is free.
    NoCapacity,
}

/// Whether the offer may serve the request, and how, at `now`.
///
/// # Errors
/// The first condition that is not met.
pub fn eligible(
    category: &Category,
    request: &RequestCard,
    offer: &OfferCard,
    distance_m: f64,
    now: Ts,
) -> Result<Fit, Ineligible> {
    let policy = &category.policy;
    if !policy
        .travels
        .in_reach(distance_m, offer.reach, request.travel)
    {
        return Err(Ineligible::OutOfReach);
    }
    if policy.vetted_only && offer.vetted_until.is_none_or(|until| until <= now) {
        return Err(Ineligible::NotVetted);
    }
    if request.language_must
        && !request
            .languages
            .iter()
            .any(|l| offer.languages.contains(l))
    {
        return Err(Ineligible::NoCommonLanguage);
    }
    if category.unmet(&request.requires, &offer.provides).is_some() {
        return Err(Ineligible::AttributeUnmet);
    }
    let first = first_time(request, offer, now).ok_or(Ineligible::NoCommonTime)?;
    let stay = |meets| stay(request, offer, policy.place_returns, meets);
    let stay = stay(first).or_else(|| later_times(request, offer, first).find_map(stay));
    let Stay {
        meets,
        period,
        further_periods,
        free,
        quantity,
    } = stay.ok_or(Ineligible::NoCapacity)?;
    Ok(Fit {
        quantity,
        meets,
        overlap_s: overlap(request, offer, meets).as_secs_f64(),
        period,
        further_periods,
        free,
        distance_m,
        band: DistanceBand::of(distance_m),
    })
}

/// A time at which the offer has room.
struct Stay {
    meets: Window,
    period: Ts,
    further_periods: Vec<Ts>,
    free: i32,
    quantity: i32,
}

/// What the offer could do at that time, if it has room then.
fn stay(
    request: &RequestCard,
    offer: &OfferCard,
    place_returns: bool,
    meets: Window,
) -> Option<Stay> {
    let period = offer.period(meets.from());
    // A meal is given once, however long one may come for it; a bed is taken each night.
    let further_periods = if request.throughout && place_returns {
        offer.availability.periods_after(offer.renews, meets)
    } else {
        Vec::new()
    };
    let free = further_periods
        .iter()
        .map(|period| offer.free(*period))
        .fold(offer.free(period), i32::min);
    let quantity = if request.splittable && request.helpers_left > 1 {
        free.min(request.needed)
    } else {
        request.needed
    };
    let has_room = quantity >= 1 && free >= quantity;
    has_room.then_some(Stay {
        meets,
        period,
        further_periods,
        free,
        quantity,
    })
}

/// The first time that both have in common.
fn first_time(request: &RequestCard, offer: &OfferCard, now: Ts) -> Option<Window> {
    let earliest = now.after(offer.lead.length());
    let (from, until) = (request.window.from(), request.window.until());
    if request.throughout {
        let rest = Window::parse(from.max(now), until).ok()?;
        let is_covered = rest.from() >= earliest && covers(offer, rest);
        return is_covered.then_some(rest);
    }
    let wanted = Window::parse(from.max(earliest), until).ok()?;
    offer.windows.first_overlap(wanted)
}

/// At how many later times an offer that is full at first is looked at: a month of nights.
const LATER: usize = 32;

/// The times after the first, in order, at which both are there and the capacity has come back: whoever finds
/// tonight full may have tomorrow.
fn later_times(
    request: &RequestCard,
    offer: &OfferCard,
    first: Window,
) -> impl Iterator<Item = Window> {
    let returns = offer.renews != Renews::None && !request.throughout;
    let rest = Window::parse(first.from(), request.window.until());
    let common = rest
        .ok()
        .filter(|_| returns)
        .map(|rest| offer.windows.within(rest));
    let by_period = |window: Window| {
        let periods = offer.availability.periods_after(offer.renews, window);
        let parts = periods.into_iter().filter_map(move |period| {
            Window::parse(period.max(window.from()), window.until()).ok()
        });
        std::iter::once(window).chain(parts)
    };
    let all = common.into_iter().flatten().flat_map(by_period);
    all.skip(1).take(LATER)
}

/// How long both are there, from that meeting on.
fn overlap(request: &RequestCard, offer: &OfferCard, meets: Window) -> Duration {
    if request.throughout {
        return meets.length();
    }
    Window::parse(meets.from(), request.window.until())
        .map_or(meets.length(), |rest| offer.windows.overlap(rest))
}

/// Whether the offer stands for the whole of it.
fn covers(offer: &OfferCard, whole: Window) -> bool {
    let Some(meets) = offer.windows.first_overlap(whole) else {
        return false;
    };
    if Some(meets.until()) == offer.windows.end() && meets.until() < whole.until() {
        // It may go on behind the horizon, up to which the intervals were made.
        return offer.availability.windows(whole) == whole.into();
    }
    meets == whole
}

#[cfg(test)]
pub(in crate::matching) mod tests;
