//! Who may be asked at all: the hard conditions, cheapest first.

use super::card::{OfferCard, RequestCard};
use crate::domain::availability::{Window, Windows};
use crate::domain::category::Category;
use crate::domain::clock::Ts;
use crate::domain::place::DistanceBand;

/// What an offer could do for a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// How much of the need it covers.
    pub quantity: i32,
    /// When the two first meet.
    pub meets: Window,
    /// How long they overlap, in seconds.
    pub overlap_s: f64,
    /// The period of the offer that the meeting falls into.
    pub period: Ts,
    /// What is free in that period.
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
    let wanted = Windows::from_iter(
        Window::parse(request.window.from().max(now), request.window.until()).ok(),
    );
    let meets = offer
        .windows
        .first_overlap(&wanted)
        .ok_or(Ineligible::NoCommonTime)?;
    let period = offer.period(meets.from());
    let free = offer.free(period);
    let quantity = if request.splittable && request.helpers_left > 1 {
        free.min(request.needed)
    } else {
        request.needed
    };
    if quantity < 1 || free < quantity {
        return Err(Ineligible::NoCapacity);
    }
    Ok(Fit {
        quantity,
        meets,
        overlap_s: offer.windows.overlap(&wanted).as_secs_f64(),
        period,
        free,
        distance_m,
        band: DistanceBand::of(distance_m),
    })
}
