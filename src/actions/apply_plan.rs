//! A coordinator applies a plan: its pairs become matches, as far as they are still true.
//!
//! In pieces of one transaction each, and each pair in the transaction that makes its match, so that one who
//! was interrupted, or two at once, just go on. Nobody is asked whom a round of matching would not ask.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::cards::{offer_cards_by_id, request_cards};
use super::make_plan::not_again;
use super::match_request::{WEEK, has_room};
use super::tx::To;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::area::Frozen;
use crate::domain::category::{Category, Review};
use crate::domain::ids::{
    CoordinatorId, MatchId, OfferId, PlanId, RecordId, RequestId, VolunteerId,
};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::RequestState;
use crate::domain::plan::SkipReason;
use crate::matching::card::{OfferCard, RequestCard};
use crate::matching::eligible::{Fit, eligible};
use crate::matching::score::{Record, score};
use crate::matching::wave;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::matches::Match;
use crate::storage::plans::{self, PlanPair};
use crate::storage::requests::Request;
use crate::storage::sql_types::Json;
use crate::storage::volunteers::Volunteer;
use crate::storage::{areas, matches, neighbors, offers, requests, volunteers};

/// Pairs that one transaction applies.
pub const AT_ONCE: i64 = 50;
/// How long one call goes on.
const LONGEST: Duration = Duration::from_secs(5);
/// How long a plan may be applied.
pub const VALID_FOR: Duration = Duration::from_hours(1);

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Pairs that became matches.
    pub applied: usize,
    /// Those that were not true any more, by why.
    pub skipped: BTreeMap<SkipReason, usize>,
}

impl Applied {
    fn count(&self) -> usize {
        self.applied + self.skipped.values().sum::<usize>()
    }

    fn add(&mut self, other: &Self) {
        self.applied += other.applied;
        for (reason, count) in &other.skipped {
            *self.skipped.entry(*reason).or_default() += count;
        }
    }
}

/// Applies what is left of a plan, or as much of it as some seconds allow: called again, it goes on.
///
/// # Errors
/// A plan that is not there, not ready, or too old.
pub async fn apply_plan(ctx: &Ctx, id: PlanId, by: CoordinatorId) -> Outcome<Applied> {
    let until = ctx.now().after(LONGEST);
    let mut all = Applied::default();
    loop {
        let some = apply_some(ctx, id, by, AT_ONCE).await?;
        all.add(&some);
        if some.count() == 0 || ctx.now() >= until {
            return Ok(all);
        }
    }
}

/// Applies the next pairs of a plan.
///
/// # Errors
/// A plan that is not there, not ready, or too old.
pub async fn apply_some(ctx: &Ctx, id: PlanId, by: CoordinatorId, most: i64) -> Outcome<Applied> {
    let actor = Actor::person(ActorKind::Coordinator, RecordId::from(by));
    let applied = ctx
        .write(actor, move |tx| {
            let Some(plan) = plans::lock(tx.conn, id)? else {
                return refuse(Refusal::NotFound);
            };
            if plan.ready_at.is_none() {
                return refuse(Refusal::NotPossible);
            }
            let pairs = plans::next_pairs(tx.conn, id, most)?;
            if pairs.is_empty() {
                return Ok(Applied::default());
            }
            if plan.created_at.after(VALID_FOR) <= tx.now {
                return refuse(Refusal::PlanTooOld);
            }
            Piece::locked(tx, &pairs)?.apply(tx, id, &pairs)
        })
        .await?;
    if applied.applied > 0 {
        metrics::counter!("manyhands_matches_total", "event" => "proposed")
            .increment(applied.applied as u64);
    }
    Ok(applied)
}

/// The pairs of one transaction: everybody whom they touch, locked.
struct Piece {
    requests: HashMap<RequestId, Request>,
    volunteers: HashMap<VolunteerId, Volunteer>,
    owners: HashMap<OfferId, VolunteerId>,
    frozen: Frozen,
    /// In which wave a request is, of those of which some were asked.
    waves: BTreeMap<RequestId, (i32, Vec<(VolunteerId, MatchId)>)>,
}

/// A pair that is still true.
struct Right {
    category: Category,
    request: RequestCard,
    offer: OfferCard,
    fit: Fit,
    record: Record,
}

impl Piece {
    /// In the order in which everybody locks.
    fn locked(tx: &mut Tx<'_>, pairs: &[PlanPair]) -> Outcome<Self> {
        let ids: BTreeSet<RequestId> = pairs.iter().map(|p| p.request_id).collect();
        let of_requests = Vec::from_iter(ids);
        let ids: BTreeSet<OfferId> = pairs.iter().map(|p| p.offer_id).collect();
        let of_offers = Vec::from_iter(ids);
        let read = requests::find_all(tx.conn, &of_requests)?;
        tx.lock_neighbors(read.iter().map(|r| r.neighbor_id))?;
        let read = offers::find_all(tx.conn, &of_offers)?;
        let owners: BTreeSet<VolunteerId> = read.iter().map(|o| o.volunteer_id).collect();
        let people = volunteers::lock_all(tx.conn, &Vec::from_iter(owners))?;
        let requests = requests::lock_all(tx.conn, &of_requests)?;
        // One that has joined another volunteer's since has none here.
        let offers = offers::lock_all(tx.conn, &of_offers)?;
        Ok(Self {
            requests: requests.into_iter().map(|r| (r.id, r)).collect(),
            volunteers: people.into_iter().map(|v| (v.id, v)).collect(),
            owners: offers.into_iter().map(|o| (o.id, o.volunteer_id)).collect(),
            frozen: areas::frozen_until_end(tx.conn)?,
            waves: BTreeMap::new(),
        })
    }

    fn apply(mut self, tx: &mut Tx<'_>, id: PlanId, pairs: &[PlanPair]) -> Outcome<Applied> {
        let mut applied = Applied::default();
        for pair in pairs {
            let became = match self.still_right(tx, pair)? {
                Ok(right) => Ok(self.ask(tx, pair, &right)?),
                Err(reason) => Err(reason),
            };
            plans::settle(tx.conn, pair.id, became)?;
            match became {
                Ok(_) => applied.applied += 1,
                Err(reason) => *applied.skipped.entry(reason).or_default() += 1,
            }
        }
        for (request, (wave, asked)) in &self.waves {
            self.tell(tx, *request, *wave, asked)?;
        }
        let skipped = applied.count() - applied.applied;
        let detail = [
            ("applied", applied.applied.into()),
            ("skipped", skipped.into()),
        ];
        tx.audit("plan_applied", ("plan", id), &detail)?;
        Ok(applied)
    }

    /// Whether the pair may be brought together, as the database knows it now.
    fn still_right(&self, tx: &mut Tx<'_>, pair: &PlanPair) -> Outcome<Result<Right, SkipReason>> {
        let open = |r: &&Request| r.state == RequestState::Open;
        let Some(row) = self.requests.get(&pair.request_id).filter(open) else {
            return Ok(Err(SkipReason::RequestNotOpen));
        };
        if row.version != pair.request_version {
            return Ok(Err(SkipReason::RequestChanged));
        }
        let cards = request_cards(tx.ctx, tx.conn, vec![row.clone()], tx.now)?.pop();
        let category = tx.ctx.catalog.get(row.category.as_str()).cloned();
        let (Some(request), Some(category)) = (cards, category) else {
            return Ok(Err(SkipReason::RequestNotOpen));
        };
        let offer = offer_cards_by_id(tx.ctx, tx.conn, &[pair.offer_id], tx.now)?.pop();
        let Some(offer) = offer.filter(|o| o.category == request.category) else {
            return Ok(Err(SkipReason::OfferNotOpen));
        };
        let owner = self.owners.get(&pair.offer_id);
        let Some(volunteer) = owner.and_then(|id| self.volunteers.get(id)) else {
            return Ok(Err(SkipReason::OfferNotOpen));
        };
        if self.frozen.holds(request.at) || self.frozen.holds(offer.at) {
            return Ok(Err(SkipReason::AreaFrozen));
        }
        let distance_m = offer.at.distance_m(request.at);
        let Ok(fit) = eligible(&category, &request, &offer, distance_m, tx.now) else {
            return Ok(Err(SkipReason::DoesNotFit));
        };
        if is_taken(tx, row, volunteer)? {
            return Ok(Err(SkipReason::PairTaken));
        }
        if may_be_woken(tx.ctx, &category, row, &offer, volunteer, tx.now) {
            return Ok(Err(SkipReason::NotNow));
        }
        let load = matches::load_of(tx.conn, &[volunteer.id], tx.now.before(WEEK))?.pop();
        let Some(load) = load.filter(|load| has_room(tx.ctx, volunteer, load, row.urgency)) else {
            return Ok(Err(SkipReason::VolunteerBusy));
        };
        let is_shared = request.splittable && request.helpers_left > 1;
        let planned = if is_shared {
            pair.quantity
        } else {
            fit.quantity
        };
        Ok(Ok(Right {
            fit: Fit {
                quantity: fit.quantity.min(planned),
                ..fit
            },
            record: Record {
                asked: load.weekly_asks,
                answered: load.answered,
                last_asked: volunteer.last_asked_at,
            },
            category,
            request,
            offer,
        }))
    }

    /// Makes the match.
    fn ask(&mut self, tx: &mut Tx<'_>, pair: &PlanPair, right: &Right) -> Outcome<MatchId> {
        let Some(row) = self.requests.get(&pair.request_id) else {
            return refuse(Refusal::NotFound);
        };
        let asked = self
            .waves
            .entry(row.id)
            .or_insert((row.wave + 1, Vec::new()));
        let Right {
            category,
            request,
            offer,
            fit,
            record,
        } = right;
        let needs_review = category.policy.review == Review::Required;
        let weights = &tx.ctx.settings.matching.weights;
        let (score, parts) = score(weights, request, offer, fit, *record, tx.now);
        let matched = Match {
            score,
            parts: Json(parts),
            wave: asked.0,
            ..tx.new_match(row, offer.id, fit, needs_review)
        };
        matches::insert(tx.conn, std::slice::from_ref(&matched))?;
        asked.1.push((offer.volunteer, matched.id));
        if !needs_review {
            volunteers::set_asked(tx.conn, &[offer.volunteer], tx.now)?;
        }
        Ok(matched.id)
    }

    /// Letters to those who are asked, or to those who review. The rounds leave the request alone until
    /// these have had their time.
    fn tell(
        &self,
        tx: &mut Tx<'_>,
        id: RequestId,
        wave: i32,
        asked: &[(VolunteerId, MatchId)],
    ) -> Outcome<()> {
        let Some(request) = self.requests.get(&id) else {
            return Ok(());
        };
        let category = tx.ctx.catalog.get(request.category.as_str());
        let needs_review = category.is_some_and(|c| c.policy.review == Review::Required);
        if needs_review {
            // One letter a request, as in a round.
            if let Some((_, first)) = asked.first() {
                tx.letter_to_reviewers(LetterKind::ReviewDue, id, Some(*first))?;
            }
        } else {
            for (volunteer, matched) in asked {
                let to = To::Volunteer(*volunteer);
                tx.letter(LetterKind::Asked, to, Some(id), Some(*matched))?;
            }
        }
        let policy = tx.ctx.settings.matching.waves.of(request.urgency);
        let next = tx.now.after(policy.next_wave_after);
        requests::set_wave(tx.conn, id, wave, next)?;
        tx.audit(
            "volunteers_asked",
            ("request", id),
            &[("asked", asked.len().into())],
        )
    }
}

/// Whether the two have a match, or are not to be brought together again.
fn is_taken(tx: &mut Tx<'_>, request: &Request, volunteer: &Volunteer) -> Outcome<bool> {
    let past = matches::of_request(tx.conn, request.id)?;
    let ids: Vec<OfferId> = past.iter().map(|m| m.offer_id).collect();
    let owner: HashMap<OfferId, VolunteerId> = offers::find_all(tx.conn, &ids)?
        .into_iter()
        .map(|o| (o.id, o.volunteer_id))
        .collect();
    if not_again(tx.ctx, request, &past, &owner, tx.now).contains(&volunteer.id) {
        return Ok(true);
    }
    match neighbors::find(tx.conn, request.neighbor_id)? {
        Some(neighbor) => tx.is_blocked(&neighbor, volunteer),
        None => Ok(true),
    }
}

/// Whether the letter would come at an hour at which the volunteer is not asked.
fn may_be_woken(
    ctx: &Ctx,
    category: &Category,
    request: &Request,
    offer: &OfferCard,
    volunteer: &Volunteer,
    now: crate::domain::clock::Ts,
) -> bool {
    let policy = ctx.settings.matching.waves.of(request.urgency);
    let (limits, zone) = (&volunteer.limits.0, &offer.availability.timezone);
    category.policy.review == Review::None
        && !wave::is_asking_time(policy, request.urgency, limits, zone, now)
}
