//! Who could help whom, as a town of numbers.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use super::facts::Facts;
use super::{MOST_REQUESTS, Scope};
use crate::actions::Ctx;
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, RequestId, VolunteerId};
use crate::domain::need::{Renews, Urgency};
use crate::matching::card::{OfferCard, RequestCard};
use crate::matching::eligible::Fit;
use crate::matching::index::PostIndex;
use crate::matching::judge::{Asking, Choice};
use crate::matching::plan::{Link, Need, Supply, Town};

/// Requests for which the index is held at a time: whoever keeps it up to date waits meanwhile.
const AT_ONCE: usize = 50;

/// A town, and who is who in it.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub town: Town,
    /// The requests with their versions, by the number of the need.
    pub requests: Vec<(RequestId, i32)>,
    /// The offers, by the number of the supply.
    pub offers: Vec<OfferId>,
    /// Requests that nobody can serve.
    pub stranded: usize,
    /// Whether some take a place in several periods, or could take one in a later period: the town knows of one
    /// alone.
    pub spans_periods: bool,
}

/// The requests of the scope, one more than a plan may hold at the most; and how many candidates.
pub(super) fn requests(ctx: &Ctx, scope: &Scope) -> (Vec<RequestCard>, usize) {
    let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
    let cards = index.request_ids().into_iter();
    let cards = cards
        .filter_map(|id| index.request(id))
        .filter(|card| scope.holds(card))
        .take(MOST_REQUESTS + 1);
    (cards.cloned().collect(), scope.candidates)
}

/// Looks for candidates, in the order in which requests are claimed.
pub(super) fn gather(
    ctx: &Ctx,
    mut cards: Vec<RequestCard>,
    facts: &Facts,
    candidates: usize,
    now: Ts,
) -> Gathered {
    cards.retain(|card| facts.requests.contains_key(&card.id));
    for card in &mut cards {
        card.urgency = card.urgency_at(now, ctx.settings.matching.deadlines);
    }
    cards.sort_by_cached_key(|card| (rank(card.urgency), card.since, card.id));
    let mut numbers = Numbers::default();
    let mut gathered = Gathered::default();
    for some in cards.chunks(AT_ONCE) {
        let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
        for card in some {
            let found = near(ctx, &index, facts, card, candidates, now);
            gathered.add(&mut numbers, card, facts, &found, ctx, now);
        }
    }
    gathered
}

/// The nearest offers that a round could ask for it now, each with what it could do and how far it is.
fn near<'a>(
    ctx: &Ctx,
    index: &'a PostIndex,
    facts: &Facts,
    card: &'a RequestCard,
    most: usize,
    now: Ts,
) -> Vec<(&'a OfferCard, Choice)> {
    let category = ctx.catalog.get(card.category.as_str());
    let (Some((_, round)), Some(category)) = (facts.requests.get(&card.id), category) else {
        return Vec::new();
    };
    if facts.frozen.holds(card.at) {
        return Vec::new();
    }
    let asking = Asking {
        settings: &ctx.settings.matching,
        category,
        request: card,
        round,
        series: None,
        frozen: &facts.frozen,
        now,
    };
    let judge = |(offer, distance_m): (&'a OfferCard, f64)| {
        let fit = asking.fits(offer, distance_m).ok()?;
        let person = facts.person(ctx, card.neighbor, offer.volunteer)?;
        let choice = asking.may_ask(offer, fit, &person).ok()?;
        Some((offer, choice))
    };
    let in_reach = index.in_reach(&ctx.catalog, card);
    in_reach.filter_map(judge).take(most).collect()
}

impl Gathered {
    /// Adds a request with those who could serve it.
    fn add(
        &mut self,
        numbers: &mut Numbers,
        card: &RequestCard,
        facts: &Facts,
        found: &[(&OfferCard, Choice)],
        ctx: &Ctx,
        now: Ts,
    ) {
        let Some((row, _)) = facts.requests.get(&card.id) else {
            return;
        };
        self.stranded += usize::from(found.is_empty());
        let need = self.requests.len();
        self.requests.push((card.id, row.version));
        self.town.needs.push(Need {
            quantity: card.needed,
            helpers: if card.splittable {
                card.helpers_left.max(1)
            } else {
                1
            },
            weight: weight(card.urgency, row.created_at, now),
        });
        for (offer, choice) in found {
            let room = |volunteer| facts.room(ctx, volunteer);
            let supply = numbers.supply(self, offer, &choice.fit, room);
            self.spans_periods = self.spans_periods || spans_periods(card, offer, &choice.fit);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "at most half around the earth"
            )]
            self.town.links.push(Link {
                need,
                supply,
                distance_m: choice.fit.distance_m.round() as i64,
                score: choice.score,
            });
        }
    }
}

/// Whether the town, which knows of one period alone, does not know all that the pair takes, or could take.
fn spans_periods(card: &RequestCard, offer: &OfferCard, fit: &Fit) -> bool {
    let last = card.window.until().before(Duration::from_micros(1));
    let may_be_later = || offer.renews != Renews::None && offer.period(last) != fit.period;
    !fit.further_periods.is_empty() || (!card.throughout && may_be_later())
}

/// The order in which rounds claim requests.
fn rank(urgency: Urgency) -> u8 {
    match urgency {
        Urgency::Now => 0,
        Urgency::Today => 1,
        Urgency::Soon => 2,
    }
}

/// What a unit counts: the urgency, and up to a day of waiting, which lifts what is needed soon to what
/// is needed today.
pub(super) fn weight(urgency: Urgency, since: Ts, now: Ts) -> i64 {
    const DAY_H: u64 = 24;
    let urgency = match urgency {
        Urgency::Now => 4,
        Urgency::Today => 2,
        Urgency::Soon => 1,
    };
    let waited = (now.since(since).as_secs() / 3600).min(DAY_H);
    24 * urgency + i64::try_from(waited).unwrap_or(0)
}

/// The numbers of those who were met already.
#[derive(Default)]
struct Numbers {
    supplies: HashMap<(OfferId, Ts), usize>,
    volunteers: HashMap<VolunteerId, usize>,
}

impl Numbers {
    fn supply(
        &mut self,
        gathered: &mut Gathered,
        offer: &OfferCard,
        fit: &Fit,
        room: impl Fn(VolunteerId) -> i32,
    ) -> usize {
        let volunteer = *self.volunteers.entry(offer.volunteer).or_insert_with(|| {
            gathered.town.rooms.push(room(offer.volunteer));
            gathered.town.rooms.len() - 1
        });
        *self
            .supplies
            .entry((offer.id, fit.period))
            .or_insert_with(|| {
                gathered.offers.push(offer.id);
                gathered.town.supplies.push(Supply {
                    free: fit.free,
                    volunteer,
                });
                gathered.offers.len() - 1
            })
    }
}
