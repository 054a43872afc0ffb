//! A coordinator applies a plan: its pairs become matches, as far as they are still true.
//!
//! In pieces of one transaction each, and each pair in the transaction that makes its match, so that one who
//! was interrupted, or two at once, just go on. A pair that only has to wait, because its volunteer is busy or
//! asleep, goes behind the others and stays for a later call. Nobody is asked whom a round of matching would not ask.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::cards::offer_card_within;
use super::match_request::candidates::{read_facts, read_known};
use super::tx::To;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::area::Frozen;
use crate::domain::category::Review;
use crate::domain::ids::{
    CoordinatorId, MatchId, OfferId, PlanId, RecordId, RequestId, VolunteerId,
};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::RequestState;
use crate::domain::plan::SkipReason;
use crate::matching::eligible::Fit;
use crate::matching::judge::Choice;
use crate::matching::passed::Passed;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::matches::Match;
use crate::storage::plans::{self, PlanPair};
use crate::storage::requests::Request;
use crate::storage::sql_types::Json;
use crate::storage::{Conn, StorageError, areas, matches, offers, requests, volunteers};

/// Pairs that one transaction applies.
pub const AT_ONCE: i64 = 25;
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
    /// Those that stay planned, because they may be applied later, by why.
    pub waiting: BTreeMap<SkipReason, usize>,
}

impl Applied {
    /// Pairs that were tried.
    fn count(&self) -> usize {
        self.settled() + self.waiting.values().sum::<usize>()
    }

    /// Those of them that are not tried again.
    fn settled(&self) -> usize {
        self.applied + self.skipped.values().sum::<usize>()
    }

    /// Whether what stopped the pair may be over soon.
    fn may_pass(reason: SkipReason) -> bool {
        matches!(reason, SkipReason::VolunteerBusy | SkipReason::NotNow)
    }

    fn add(&mut self, other: &Self) {
        self.applied += other.applied;
        for (reason, count) in &other.skipped {
            *self.skipped.entry(*reason).or_default() += count;
        }
        for (reason, count) in &other.waiting {
            *self.waiting.entry(*reason).or_default() += count;
        }
    }
}

/// Applies what is left of a plan, or as much of it as some seconds allow: called again, it goes on. Each pair
/// is tried once.
///
/// # Errors
/// A plan that is not there, not ready, or too old.
pub async fn apply_plan(ctx: &Ctx, id: PlanId, by: CoordinatorId) -> Outcome<Applied> {
    let until = ctx.now().after(LONGEST);
    let last = move |conn: &mut Conn| Ok::<_, StorageError>(plans::last_position(conn, id)?);
    let last = ctx.db.read(last).await?.unwrap_or(i32::MAX);
    let mut all = Applied::default();
    loop {
        let some = apply_piece(ctx, id, by, last, AT_ONCE).await?;
        all.add(&some);
        if some.count() == 0 || ctx.now() >= until {
            return Ok(all);
        }
    }
}

/// Applies the next pairs of a plan, in one transaction.
///
/// # Errors
/// A plan that is not there, not ready, or too old.
pub async fn apply_some(ctx: &Ctx, id: PlanId, by: CoordinatorId, most: i64) -> Outcome<Applied> {
    apply_piece(ctx, id, by, i32::MAX, most.min(AT_ONCE)).await
}

async fn apply_piece(
    ctx: &Ctx,
    id: PlanId,
    by: CoordinatorId,
    until: i32,
    most: i64,
) -> Outcome<Applied> {
    let actor = Actor::person(ActorKind::Coordinator, RecordId::from(by));
    let applied = ctx
        .write(actor, move |tx| {
            let Some(plan) = plans::lock(tx.conn, id)? else {
                return refuse(Refusal::NotFound);
            };
            if plan.ready_at.is_none() {
                return refuse(Refusal::NotPossible);
            }
            let pairs = plans::next_pairs(tx.conn, id, until, most)?;
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
    owners: HashMap<OfferId, VolunteerId>,
    frozen: Frozen,
    /// In which wave a request is, of those of which some were asked.
    waves: BTreeMap<RequestId, (i32, Vec<(VolunteerId, MatchId)>)>,
}

/// A pair that is still true.
struct Right {
    choice: Choice,
    volunteer: VolunteerId,
    needs_review: bool,
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
        volunteers::lock_all(tx.conn, &Vec::from_iter(owners))?;
        let requests = requests::lock_all(tx.conn, &of_requests)?;
        // One that has joined another volunteer's since has none here.
        let offers = offers::lock_all(tx.conn, &of_offers)?;
        Ok(Self {
            requests: requests.into_iter().map(|r| (r.id, r)).collect(),
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
            if let Err(reason) = became
                && Applied::may_pass(reason)
            {
                plans::put_back(tx.conn, pair)?;
                *applied.waiting.entry(reason).or_default() += 1;
                continue;
            }
            plans::settle(tx.conn, pair.id, became)?;
            match became {
                Ok(_) => applied.applied += 1,
                Err(reason) => *applied.skipped.entry(reason).or_default() += 1,
            }
        }
        for (request, (wave, asked)) in &self.waves {
            self.tell(tx, *request, *wave, asked)?;
        }
        let skipped = applied.settled() - applied.applied;
        if applied.settled() == 0 {
            return Ok(applied);
        }
        let detail = [
            ("applied", applied.applied.into()),
            ("skipped", skipped.into()),
        ];
        tx.audit("plan_applied", ("plan", id), &detail)?;
        Ok(applied)
    }

    /// Whether the pair may be brought together, as the database knows it now: judged as in a round.
    fn still_right(&self, tx: &mut Tx<'_>, pair: &PlanPair) -> Outcome<Result<Right, SkipReason>> {
        let open = |r: &&Request| r.state == RequestState::Open;
        let Some(row) = self.requests.get(&pair.request_id).filter(open) else {
            return Ok(Err(SkipReason::RequestNotOpen));
        };
        if row.version != pair.request_version {
            return Ok(Err(SkipReason::RequestChanged));
        }
        let category = tx.ctx.catalog.get(row.category.as_str()).cloned();
        let known = read_known(tx.ctx, tx.conn, row, tx.now)?;
        let (Some(known), Some(category)) = (known, category) else {
            return Ok(Err(SkipReason::RequestNotOpen));
        };
        let within = known.card.window;
        let offer = offer_card_within(tx.ctx, tx.conn, pair.offer_id, within, tx.now)?;
        // One that has joined another volunteer's since is not locked.
        let is_locked = |v| self.owners.get(&pair.offer_id) == Some(&v);
        let offer = offer.filter(|o| o.category == row.category && is_locked(o.volunteer));
        let Some(offer) = offer else {
            return Ok(Err(SkipReason::OfferNotOpen));
        };
        if self.frozen.holds(known.card.at) {
            return Ok(Err(SkipReason::AreaFrozen));
        }
        let ids = [offer.volunteer];
        let facts = read_facts(tx.ctx, tx.conn, &known.neighbor, &ids, tx.now)?;
        let Some(person) = facts.person(offer.volunteer) else {
            return Ok(Err(SkipReason::OfferNotOpen));
        };
        let distance_m = offer.at.distance_m(known.card.at);
        let asking = known.asking(tx.ctx, &category, tx.now);
        let choice = match asking.judge(&offer, distance_m, &person) {
            Ok(choice) => choice,
            Err(passed) => return Ok(Err(skipped(passed.why))),
        };
        let is_shared = known.card.splittable && known.card.helpers_left > 1;
        let most = if is_shared { pair.quantity } else { i32::MAX };
        Ok(Ok(Right {
            choice: Choice {
                fit: Fit {
                    quantity: choice.fit.quantity.min(most),
                    ..choice.fit
                },
                ..choice
            },
            needs_review: category.policy.review == Review::Required,
            volunteer: offer.volunteer,
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
        let matched = Match {
            score: right.choice.score,
            parts: Json(right.choice.parts),
            wave: asked.0,
            ..tx.new_match(row, pair.offer_id, &right.choice.fit, right.needs_review)
        };
        matches::insert(tx.conn, std::slice::from_ref(&matched))?;
        asked.1.push((right.volunteer, matched.id));
        if right.needs_review {
            tx.ask_for_review(&matched, row, right.volunteer)?;
        } else {
            volunteers::set_asked(tx.conn, &[right.volunteer], tx.now)?;
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
        let next = tx.now.after(tx.ctx.wave(request, tx.now).next_wave_after);
        requests::set_wave(tx.conn, id, wave, next)?;
        tx.drop_needless_look(id)?;
        tx.audit(
            "volunteers_asked",
            ("request", id),
            &[("asked", asked.len().into())],
        )
    }
}

/// As a plan tells it.
fn skipped(why: Passed) -> SkipReason {
    match why {
        Passed::OutOfReach
        | Passed::NotVetted
        | Passed::NoCommonLanguage
        | Passed::AttributeUnmet
        | Passed::NoCommonTime
        | Passed::NoCapacity
        | Passed::OtherOffer
        | Passed::LowerScore => SkipReason::DoesNotFit,
        Passed::Frozen => SkipReason::AreaFrozen,
        Passed::Asked
        | Passed::Declined
        | Passed::Vetoed
        | Passed::CameToNothing
        | Passed::Lapsed
        | Passed::Parted => SkipReason::PairTaken,
        Passed::NotAskable => SkipReason::OfferNotOpen,
        Passed::OpenAsks | Passed::WeeklyAsks | Passed::DailyAsks | Passed::OpenReleases => {
            SkipReason::VolunteerBusy
        }
        Passed::Hours => SkipReason::NotNow,
    }
}
