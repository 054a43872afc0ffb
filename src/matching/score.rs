//! Who is asked first: soft preferences, each a part from 0 to 1, weighted by the settings.

use super::card::{OfferCard, RequestCard};
use super::eligible::Fit;
use crate::domain::clock::Ts;
use crate::domain::score::ScoreParts;
use crate::settings::matching::Weights;

/// What is known of a volunteer's answers, beside the offer itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record {
    /// Asks of late.
    pub asked: u32,
    /// How many of them were answered, with yes or no.
    pub answered: u32,
    /// The last ask.
    pub last_asked: Option<Ts>,
}

/// How long without an ask counts as fully rested.
const RESTED_S: f64 = 7.0 * 86_400.0;

/// The score and its parts.
#[must_use]
pub fn score(
    weights: &Weights,
    request: &RequestCard,
    offer: &OfferCard,
    fit: &Fit,
    record: Record,
    now: Ts,
) -> (f64, ScoreParts) {
    let parts = ScoreParts {
        proximity: proximity(request, offer, fit.distance_m),
        time: {
            let wanted = request
                .window
                .until()
                .since(request.window.from().max(now))
                .as_secs_f64();
            share(fit.overlap_s, wanted)
        },
        // A whole cover beats a part of it; among whole covers, the one that leaves least unused.
        capacity: 0.5 * share(f64::from(fit.quantity), f64::from(request.needed))
            + 0.5 * share(f64::from(fit.quantity), f64::from(fit.free)),
        language: language(&request.languages, &offer.languages),
        // Laplace's rule of succession: who was never asked stands in the middle.
        responsiveness: f64::from(record.answered + 1)
            / f64::from(record.asked.max(record.answered) + 2),
        rotation: record
            .last_asked
            .map_or(1.0, |at| share(now.since(at).as_secs_f64(), RESTED_S)),
    };
    let weighted = [
        (weights.proximity, parts.proximity),
        (weights.time, parts.time),
        (weights.capacity, parts.capacity),
        (weights.language, parts.language),
        (weights.responsiveness, parts.responsiveness),
        (weights.rotation, parts.rotation),
    ];
    let total: f64 = weighted.iter().map(|(w, _)| w).sum();
    let sum: f64 = weighted.iter().map(|(w, p)| w * p).sum();
    (if total > 0.0 { sum / total } else { 0.0 }, parts)
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole).clamp(0.0, 1.0)
    } else {
        1.0
    }
}

fn proximity(request: &RequestCard, offer: &OfferCard, distance_m: f64) -> f64 {
    let limit = offer.reach.max(request.travel).meters();
    if limit == 0 {
        1.0
    } else {
        1.0 - share(distance_m, f64::from(limit))
    }
}

fn language(wanted: &[String], spoken: &[String]) -> f64 {
    match wanted.iter().position(|l| spoken.contains(l)) {
        Some(place) => 1.0 / (1.0 + place as f64),
        None if wanted.is_empty() => 1.0,
        None => 0.0,
    }
}
