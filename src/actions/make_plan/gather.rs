//! Who could help whom, as a town of numbers.

use std::collections::HashMap;
use std::sync::PoisonError;

use super::facts::Facts;
use super::{MOST_REQUESTS, Scope};
use crate::actions::Ctx;
use crate::domain::category::Review;
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, RequestId, VolunteerId};
use crate::domain::need::Urgency;
use crate::matching::card::{OfferCard, RequestCard};
use crate::matching::index::Candidate;
use crate::matching::plan::{Link, Need, Supply, Town};
use crate::matching::score::score;
use crate::matching::wave;

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
    cards.sort_by_cached_key(|card| {
        let since = facts.requests.get(&card.id).map(|(row, _)| row.created_at);
        (rank(card.urgency), since, card.id)
    });
    let mut numbers = Numbers::default();
    let mut gathered = Gathered::default();
    for some in cards.chunks(AT_ONCE) {
        let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
        for card in some {
            let Some((row, not_again)) = facts.requests.get(&card.id) else {
                continue;
            };
            let review = ctx
                .catalog
                .get(card.category.as_str())
                .map(|c| c.policy.review);
            let asks_now = review == Some(Review::None);
            let skip = |offer: &OfferCard| {
                not_again.contains(&offer.volunteer)
                    || facts.frozen.holds(offer.at)
                    || facts.room(ctx, offer.volunteer) < 1
                    || may_not_ask(ctx, facts, card, offer, asks_now, now)
            };
            let found = match facts.frozen.holds(card.at) {
                true => Vec::new(),
                false => {
                    index
                        .offers_for(&ctx.catalog, card, now, candidates, skip)
                        .candidates
                }
            };
            gathered.stranded += usize::from(found.is_empty());
            let need = gathered.requests.len();
            gathered.requests.push((card.id, row.version));
            gathered.town.needs.push(Need {
                quantity: card.needed,
                helpers: if card.splittable {
                    card.helpers_left.max(1)
                } else {
                    1
                },
                weight: weight(card.urgency, row.created_at, now),
            });
            for candidate in &found {
                let supply = numbers.supply(&mut gathered, candidate, |volunteer| {
                    facts.room(ctx, volunteer)
                });
                let record = facts.record(candidate.offer.volunteer);
                let weights = &ctx.settings.matching.weights;
                let (fit, offer) = (&candidate.fit, &candidate.offer);
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "at most half around the earth"
                )]
                gathered.town.links.push(Link {
                    need,
                    supply,
                    distance_m: fit.distance_m.round() as i64,
                    score: score(weights, card, offer, fit, record, now).0,
                });
            }
        }
    }
    gathered
}

fn may_not_ask(
    ctx: &Ctx,
    facts: &Facts,
    card: &RequestCard,
    offer: &OfferCard,
    asks_now: bool,
    now: Ts,
) -> bool {
    let Some(volunteer) = facts.askable(ctx, offer.volunteer, card.urgency) else {
        return true;
    };
    let policy = ctx.settings.matching.waves.of(card.urgency);
    let zone = &offer.availability.timezone;
    (asks_now && !wave::is_asking_time(policy, card.urgency, &volunteer.limits.0, zone, now))
        || facts.is_blocked(ctx, card.neighbor, volunteer)
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
        candidate: &Candidate,
        room: impl Fn(VolunteerId) -> i32,
    ) -> usize {
        let Candidate { offer, fit } = candidate;
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
