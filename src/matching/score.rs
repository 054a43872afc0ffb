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
    use std::time::Duration;

    use super::*;
    use crate::domain::attribute::Attributes;
    use crate::domain::availability::Window;
    use crate::domain::category::{Catalog, CategoryKey};
    use crate::domain::entropy::SeededEntropy;
    use crate::domain::ids::{NeighborId, RequestId};
    use crate::domain::need::{Reach, Urgency};
    use crate::domain::place::{DistanceBand, GeoPoint};
    use crate::matching::eligible::eligible;
    use crate::matching::eligible::tests::{noon, offer, request};

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

    #[test]
    fn the_first_language_counts_most_and_who_names_none_takes_any() {
        let words = |all: &[&str]| -> Vec<String> { all.iter().map(|&l| l.to_owned()).collect() };
        let wanted = words(&["so", "en", "es"]);
        for (spoken, part) in [
            (&["en", "so"][..], 1.0),
            (&["en", "es"], 0.5),
            (&["es"], 1.0 / 3.0),
            (&["de"], 0.0),
            (&[], 0.0),
        ] {
            let found = language(&wanted, &words(spoken));
            assert!((found - part).abs() < 1e-12, "{spoken:?}: {found}");
        }
        for spoken in [&["en"][..], &[]] {
            assert!((language(&[], &words(spoken)) - 1.0).abs() < 1e-12);
        }
    }

    /// The score by one part alone.
    fn scored(weights: Weights, record: Record) -> f64 {
        let (request, offer, now) = (request(), offer(), noon());
        let category = Catalog::shipped().unwrap();
        let category = category.get("food").unwrap();
        let fit = eligible(category, &request, &offer, 1000.0, now).unwrap();
        score(&weights, &request, &offer, &fit, record, now).0
    }

    const NONE: Weights = Weights {
        proximity: 0.0,
        time: 0.0,
        capacity: 0.0,
        language: 0.0,
        responsiveness: 0.0,
        rotation: 0.0,
        same_helper: 0.0,
    };

    #[test]
    fn who_answers_comes_first_and_who_was_never_asked_is_in_the_middle() {
        let responsiveness = |asked, answered| {
            let weights = Weights {
                responsiveness: 2.0,
                ..NONE
            };
            let record = Record {
                asked,
                answered,
                ..Record::default()
            };
            scored(weights, record)
        };
        for (asked, answered, part) in [(0, 0, 0.5), (1, 1, 2.0 / 3.0), (3, 1, 0.4), (8, 0, 0.1)] {
            let found = responsiveness(asked, answered);
            assert!((found - part).abs() < 1e-12, "{asked} {answered}: {found}");
        }
    }

    #[test]
    fn a_week_without_an_ask_is_rested() {
        let rotation = |hours: u32| {
            let weights = Weights {
                rotation: 1.0,
                ..NONE
            };
            let record = Record {
                last_asked: Some(noon().before(Duration::from_secs(3600) * hours)),
                ..Record::default()
            };
            scored(weights, record)
        };
        for (hours, part) in [(0, 0.0), (84, 0.5), (168, 1.0), (400, 1.0)] {
            let found = rotation(hours);
            assert!((found - part).abs() < 1e-12, "{hours}: {found}");
        }
    }

    #[test]
    fn where_nothing_has_a_weight_all_are_alike() {
        let record = Record::default();
        assert!(scored(NONE, record).abs() < 1e-12);
        // There is nothing to be covered of what is over.
        assert!((share(0.0, 0.0) - 1.0).abs() < 1e-12);
    }
}
