//! Who could help whom, as a town of numbers.
//!
//! Piece by piece of the requests, so that neither the index nor the database is held for long: what the
//! database knows of the requests, who fits, what it knows of their volunteers, and who may be asked.

use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::facts::Facts;
use super::failed;
use super::posts::Posts;
use crate::actions::{Ctx, Outcome};
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, RequestId, VolunteerId};
use crate::domain::need::{Renews, Urgency};
use crate::matching::card::{OfferCard, RequestCard};
use crate::matching::eligible::Fit;
use crate::matching::index::PostIndex;
use crate::matching::judge::{Asking, Choice};
use crate::matching::plan::{Link, Need, Supply, Town};

mod room;

use self::room::Room;

/// Requests of a piece.
const PIECE: usize = 200;
/// Requests for which the index is held at a time: whoever keeps it up to date waits meanwhile.
const AT_ONCE: usize = 50;
/// Offers in reach that are looked at for each that is wanted, and for each request at the least.
const LOOKED_AT: (usize, usize) = (10, 500);

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
    /// Whether the town leaves something out that may matter: that a place is taken in several periods, or
    /// could be in a later one, for it knows of one alone; or that some are asked more often for what
    /// cannot wait.
    pub is_simpler: bool,
}

/// A town that is being gathered.
pub(super) struct Gathering {
    ctx: Ctx,
    posts: Posts,
    facts: Facts,
    candidates: usize,
    now: Ts,
    numbers: Numbers,
    gathered: Gathered,
}

/// The offers that fit a request, near first.
type Fitting = (RequestCard, Vec<(OfferId, Fit)>);

impl Gathering {
    pub(super) async fn begin(
        ctx: &Ctx,
        posts: Posts,
        candidates: usize,
        now: Ts,
    ) -> Outcome<Self> {
        Ok(Self {
            ctx: ctx.clone(),
            posts,
            facts: Facts::begin(ctx).await?,
            candidates,
            now,
            numbers: Numbers::default(),
            gathered: Gathered::default(),
        })
    }

    /// Looks for candidates, in the order in which requests are claimed.
    pub(super) async fn run(mut self, mut cards: Vec<RequestCard>) -> Outcome<Gathered> {
        for card in &mut cards {
            card.urgency = card.urgency_at(self.now, self.ctx.settings.matching.deadlines);
        }
        cards.sort_by_cached_key(|card| (rank(card.urgency), card.since, card.id));
        for piece in cards.chunks(PIECE) {
            let ids = piece.iter().map(|card| card.id).collect();
            self.facts.read_requests(&self.ctx, ids, self.now).await?;
            let piece = piece.to_vec();
            let (mut back, found, owners) = spawn_blocking(move || {
                let (found, owners) = self.look(piece);
                (self, found, owners)
            })
            .await
            .map_err(failed)?;
            back.facts
                .read_volunteers(&back.ctx, owners, back.now)
                .await?;
            self = spawn_blocking(move || {
                back.add_all(&found);
                back
            })
            .await
            .map_err(failed)?;
        }
        Ok(self.finish())
    }

    /// The offers that fit, and whose they are.
    fn look(&self, piece: Vec<RequestCard>) -> (Vec<Fitting>, HashSet<VolunteerId>) {
        let (mut all, mut owners) = (Vec::new(), HashSet::new());
        let is_there = |card: &RequestCard| self.facts.requests.contains_key(&card.id);
        let mut piece = piece.into_iter().filter(is_there).peekable();
        while piece.peek().is_some() {
            let index = self.posts.read().unwrap_or_else(PoisonError::into_inner);
            for card in piece.by_ref().take(AT_ONCE) {
                let found = self.fitting(&index, &card);
                owners.extend(found.iter().map(|(offer, _)| offer.volunteer));
                let found = found.into_iter().map(|(offer, fit)| (offer.id, fit));
                let found = found.collect();
                all.push((card, found));
            }
        }
        (all, owners)
    }

    /// The nearest offers that fit; more than are wanted, because not everybody may be asked.
    fn fitting<'a>(
        &self,
        index: &'a PostIndex,
        card: &'a RequestCard,
    ) -> Vec<(&'a OfferCard, Fit)> {
        let Some(asking) = self.asking(card) else {
            return Vec::new();
        };
        let (times, least) = LOOKED_AT;
        let most = self.candidates.saturating_mul(times);
        let in_reach = index.in_reach(&self.ctx.catalog, card);
        in_reach
            .take(most.max(least))
            .filter_map(|(offer, distance_m)| Some((offer, asking.fits(offer, distance_m).ok()?)))
            .take(most)
            .collect()
    }

    /// None where nothing is matched.
    fn asking<'a>(&'a self, card: &'a RequestCard) -> Option<Asking<'a>> {
        let category = self.ctx.catalog.get(card.category.as_str())?;
        let (_, round) = self.facts.requests.get(&card.id)?;
        (!self.facts.frozen.holds(card.at)).then_some(Asking {
            settings: &self.ctx.settings.matching,
            category,
            request: card,
            round,
            series: None,
            frozen: &self.facts.frozen,
            now: self.now,
        })
    }

    fn add_all(&mut self, found: &[Fitting]) {
        let posts = Posts::clone(&self.posts);
        for some in found.chunks(AT_ONCE) {
            let index = posts.read().unwrap_or_else(PoisonError::into_inner);
            for (card, fitting) in some {
                let may = self.may_ask(&index, card, fitting);
                self.add(card, &may);
            }
        }
    }

    /// The nearest of those that a round could ask now, each with what it could do.
    fn may_ask<'a>(
        &self,
        index: &'a PostIndex,
        card: &RequestCard,
        fitting: &[(OfferId, Fit)],
    ) -> Vec<(&'a OfferCard, Choice)> {
        let Some(asking) = self.asking(card) else {
            return Vec::new();
        };
        let judge = |(id, fit): &(OfferId, Fit)| {
            let offer = index.offer(*id)?;
            let person = self.facts.person(offer.volunteer)?;
            let choice = asking.may_ask(offer, fit.clone(), &person).ok()?;
            let (neighbor, volunteer) = (card.neighbor, offer.volunteer);
            let is_blocked = self.facts.is_blocked(&self.ctx, neighbor, volunteer);
            (!is_blocked).then_some((offer, choice))
        };
        let may = fitting.iter().filter_map(judge);
        may.take(self.candidates).collect()
    }

    /// Adds a request with those who could serve it.
    fn add(&mut self, card: &RequestCard, found: &[(&OfferCard, Choice)]) {
        let Some((row, _)) = self.facts.requests.get(&card.id) else {
            return;
        };
        let gathered = &mut self.gathered;
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
            weight: weight(card.urgency, row.created_at, self.now),
        });
        for (offer, choice) in found {
            let supply = self
                .numbers
                .supply(gathered, offer, &choice.fit, card.urgency);
            gathered.is_simpler = gathered.is_simpler || spans_periods(card, offer, &choice.fit);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "at most half around the earth"
            )]
            gathered.town.links.push(Link {
                need,
                supply,
                distance_m: choice.fit.distance_m.round() as i64,
                score: choice.score,
            });
        }
    }

    /// With how often each may be asked.
    fn finish(self) -> Gathered {
        let mut gathered = self.gathered;
        let settings = &self.ctx.settings.matching;
        for (id, wanted) in &self.numbers.wanted {
            let person = self.facts.person(*id);
            let room = person.map_or_else(Room::default, |p| wanted.room(settings, &p));
            gathered.town.rooms.push(room.asks);
            gathered.is_simpler |= room.is_simpler;
        }
        gathered
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
    /// For what each volunteer could be asked, by number.
    wanted: Vec<(VolunteerId, room::Wanted)>,
}

impl Numbers {
    fn supply(
        &mut self,
        gathered: &mut Gathered,
        offer: &OfferCard,
        fit: &Fit,
        urgency: Urgency,
    ) -> usize {
        let volunteer = *self.volunteers.entry(offer.volunteer).or_insert_with(|| {
            self.wanted.push((offer.volunteer, room::Wanted::default()));
            self.wanted.len() - 1
        });
        self.wanted[volunteer].1.add(urgency);
        *self
            .supplies
            .entry((offer.id, fit.period))
            .or_insert_with(|| {
                gathered.offers.push(offer.id);
                gathered.town.supplies.push(Supply {
                    // Of this period: one who stays for several nights finds less, and takes no more.
                    free: offer.free(fit.period),
                    volunteer,
                });
                gathered.offers.len() - 1
            })
    }
}
