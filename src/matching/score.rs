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
    /// Whether the volunteer helps with another slot of the same series; `None` where there is none.
    pub same_helper: Option<bool>,
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
        capacity: capacity(request, fit),
        language: language(&request.languages, &offer.languages),
        // Laplace's rule of succession: who was never asked stands in the middle.
        responsiveness: f64::from(record.answered + 1)
            / f64::from(record.asked.max(record.answered) + 2),
        rotation: record
            .last_asked
            .map_or(1.0, |at| share(now.since(at).as_secs_f64(), RESTED_S)),
        // Where nobody can be the same, all are alike, and the order is that of the other parts.
        same_helper: record
            .same_helper
            .map_or(1.0, |is_same| f64::from(u8::from(is_same))),
    };
    let weighted = [
        (weights.proximity, parts.proximity),
        (weights.time, parts.time),
        (weights.capacity, parts.capacity),
        (weights.language, parts.language),
        (weights.responsiveness, parts.responsiveness),
        (weights.rotation, parts.rotation),
        (weights.same_helper, parts.same_helper),
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

/// Any whole cover beats any part of it, so that few share a need; of whole covers the one is best that
/// leaves least unused, of parts the largest.
fn capacity(request: &RequestCard, fit: &Fit) -> f64 {
    let given = f64::from(fit.quantity);
    if fit.quantity >= request.needed {
        0.5 + 0.5 * share(given, f64::from(fit.free))
    } else {
        0.5 * share(given, f64::from(request.needed))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attribute::Attributes;
    use crate::domain::availability::Window;
    use crate::domain::category::CategoryKey;
    use crate::domain::entropy::SeededEntropy;
    use crate::domain::ids::{NeighborId, RequestId};
    use crate::domain::need::{Reach, Urgency};
    use crate::domain::place::{DistanceBand, GeoPoint};

    /// The capacity part of an offer with so much free, for ten that may be shared.
    fn part(free: i32) -> f64 {
        let entropy = SeededEntropy::new(1);
        let window = Window::parse(Ts::EPOCH, Ts::from_micros(1)).unwrap();
        let request = RequestCard {
            id: RequestId::new(&entropy),
            neighbor: NeighborId::new(&entropy),
            category: CategoryKey::parse("food").unwrap(),
            at: GeoPoint::parse(44.95, -93.26).unwrap(),
            travel: Reach::ZERO,
            needed: 10,
            splittable: true,
            helpers_left: 3,
            said: Urgency::Now,
            urgency: Urgency::Now,
            since: Ts::EPOCH,
            window,
            throughout: false,
            requires: Attributes::default(),
            languages: [].into(),
            language_must: false,
        };
        let fit = Fit {
            quantity: free.min(10),
            meets: window,
            overlap_s: 1.0,
            period: Ts::EPOCH,
            further_periods: Vec::new(),
            free,
            distance_m: 0.0,
            band: DistanceBand::of(0.0),
        };
        capacity(&request, &fit)
    }

    #[test]
    fn few_share_a_need_rather_than_many() {
        let best_first = [10, 12, 40, 20_000, 9, 5, 4, 1].map(part);
        assert!(
            best_first.is_sorted_by(|better, worse| better > worse),
            "{best_first:?}"
        );
        assert!(best_first.iter().all(|p| (0.0..=1.0).contains(p)));
    }
}
