//! One round of matching for one due request: who is near, who may be asked, who is asked first.
//!
//! The index proposes; the write transaction decides again about every one it chose.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::PoisonError;
use std::time::Duration;

use super::cards::{offer_cards_by_id, request_cards};
use super::pair::pair_hashes;
use super::tx::To;
use super::{Ctx, Outcome, Tx};
use crate::crypto::lookup::KeyedHash;
use crate::domain::area::Frozen;
use crate::domain::category::{Category, Review};
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, MatchId, OfferId, VolunteerId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{Attention, RequestState};
use crate::domain::need::Urgency;
use crate::domain::score::ScoreParts;
use crate::matching::card::RequestCard;
use crate::matching::eligible::{Fit, eligible};
use crate::matching::index::{Candidate, Found};
use crate::matching::score::{Record, score};
use crate::matching::wave::{self, Earlier, Round, Standing};
use crate::storage::audit::Actor;
use crate::storage::matches::{Match, VolunteerLoad};
use crate::storage::neighbors::Neighbor;
use crate::storage::requests::{Request, RoundResult};
use crate::storage::sql_types::Json;
use crate::storage::volunteers::Volunteer;
use crate::storage::{
    StorageError, areas, blocks, letters, matches, neighbors, offers, requests, volunteers,
};

/// What counts as of late.
pub(super) const WEEK: Duration = Duration::from_hours(7 * 24);
/// A neighbor is told at most this often that nobody is found.
const NOT_AGAIN: Duration = Duration::from_hours(6);
/// When hours of rest keep everyone from being asked, the round looks again after this.
const REST: Duration = Duration::from_mins(15);

/// One who is to be asked.
#[derive(Clone, Debug)]
struct Chosen {
    offer: OfferId,
    volunteer: VolunteerId,
    fit: Fit,
    score: f64,
    parts: ScoreParts,
}

/// What is known before the index is asked.
struct Known {
    card: RequestCard,
    round: Round,
    neighbor: Neighbor,
    frozen: Frozen,
}

/// What is known of a volunteer who may be asked.
struct Facts {
    volunteers: HashMap<VolunteerId, Volunteer>,
    loads: HashMap<VolunteerId, VolunteerLoad>,
    blocked: HashSet<VolunteerId>,
}

/// Asks the next volunteers for a request that was claimed under `lease`. Gives how many were asked.
///
/// # Errors
/// A failed query; the lease then runs out and the request is taken again.
pub async fn match_request(ctx: &Ctx, request: Request, lease: LeaseId) -> Outcome<usize> {
    let now = ctx.now();
    let Some(category) = ctx.catalog.get(request.category.as_str()).cloned() else {
        return give_up(ctx, &request, lease).await;
    };
    let Some(known) = read_request(ctx, request.clone(), now).await? else {
        return give_up(ctx, &request, lease).await;
    };
    let found = search(ctx, &known, now);
    let in_reach = found.in_reach;
    let facts = read_facts(ctx, &known, &found).await?;
    let (chosen, is_resting) = choose(ctx, &category, &known, found, &facts, now);
    let rested = is_resting.then(|| now.after(REST));
    write_round(
        ctx, request, lease, category, known, chosen, in_reach, rested,
    )
    .await
}

/// A request that cannot be matched at all leaves the clock; whatever changes it makes it due again.
async fn give_up(ctx: &Ctx, request: &Request, lease: LeaseId) -> Outcome<usize> {
    let (id, wave, attention, read_due) = (
        request.id,
        request.wave,
        request.attention,
        request.match_due_at.unwrap_or(Ts::EPOCH),
    );
    ctx.write(Actor::SYSTEM, move |tx| {
        let result = RoundResult {
            wave,
            next_wave_at: None,
            match_due_at: None,
            attention,
        };
        requests::finish_round(tx.conn, id, lease, read_due, &result)?;
        Ok(0)
    })
    .await
}

async fn read_request(ctx: &Ctx, request: Request, now: Ts) -> Result<Option<Known>, StorageError> {
    let ctx = ctx.clone();
    let db = ctx.db.clone();
    db.read(move |conn| {
        let frozen = areas::frozen(conn)?;
        let Some(neighbor) = neighbors::find(conn, request.neighbor_id)?
            .filter(|_| !frozen.holds(request.cell.center()))
        else {
            return Ok(None);
        };
        let standing = Standing {
            wave: request.wave,
            next_wave_at: request.next_wave_at,
            version: request.version,
        };
        let past = matches::of_request(conn, request.id)?;
        let offer_ids: Vec<OfferId> = past.iter().map(|m| m.offer_id).collect();
        let owner: HashMap<OfferId, VolunteerId> = offers::find_all(conn, &offer_ids)?
            .into_iter()
            .map(|o| (o.id, o.volunteer_id))
            .collect();
        let earlier: Vec<Earlier> = past
            .iter()
            .filter_map(|m| Some(earlier(m, *owner.get(&m.offer_id)?)))
            .collect();
        let policy = ctx.settings.matching.waves.of(request.urgency);
        let round = wave::round(policy, &ctx.settings.matching, standing, &earlier, now);
        let card = request_cards(&ctx, conn, vec![request], now)?.pop();
        Ok(card.map(|card| Known {
            card,
            round,
            neighbor,
            frozen,
        }))
    })
    .await
}

/// What a round needs to know of it.
pub(super) fn earlier(m: &Match, volunteer: VolunteerId) -> Earlier {
    Earlier {
        offer: m.offer_id,
        volunteer,
        state: m.state,
        fall_reason: m.fall_reason,
        wave: m.wave,
        version: m.request_version,
        ended_at: m.ended_at,
    }
}

fn search(ctx: &Ctx, known: &Known, now: Ts) -> Found {
    let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
    let limit = usize::try_from(ctx.settings.matching.candidates).unwrap_or(usize::MAX);
    index.offers_for(&ctx.catalog, &known.card, now, limit, |offer| {
        known.round.not_again.contains(&offer.volunteer) || known.frozen.holds(offer.at)
    })
}

async fn read_facts(ctx: &Ctx, known: &Known, found: &Found) -> Result<Facts, StorageError> {
    let ids: Vec<VolunteerId> = found.candidates.iter().map(|c| c.offer.volunteer).collect();
    let week_ago = ctx.now().before(WEEK);
    let (keys, neighbor) = (ctx.vault.keys()?, known.neighbor.clone());
    ctx.db
        .read(move |conn| {
            let volunteers: HashMap<_, _> = volunteers::find_all(conn, &ids)?
                .into_iter()
                .map(|v| (v.id, v))
                .collect();
            let pairs: HashMap<KeyedHash, VolunteerId> = volunteers
                .values()
                .flat_map(|v| {
                    let of_pair = pair_hashes(&keys.hasher, &neighbor, v);
                    of_pair.into_iter().map(|pair| (pair, v.id))
                })
                .collect();
            let hashes: Vec<KeyedHash> = pairs.keys().copied().collect();
            Ok(Facts {
                blocked: blocks::among(conn, &hashes)?
                    .iter()
                    .filter_map(|pair| pairs.get(pair).copied())
                    .collect(),
                loads: matches::load_of(conn, &ids, week_ago)?
                    .into_iter()
                    .map(|l| (l.volunteer, l))
                    .collect(),
                volunteers,
            })
        })
        .await
}

/// The best of the candidates, one offer a volunteer; and whether some are left only because of the hour.
fn choose(
    ctx: &Ctx,
    category: &Category,
    known: &Known,
    found: Found,
    facts: &Facts,
    now: Ts,
) -> (Vec<Chosen>, bool) {
    let mut is_resting = false;
    let mut ranked: Vec<(VolunteerId, Chosen)> = Vec::new();
    for Candidate { offer, fit } in found.candidates {
        let (Some(volunteer), Some(load)) = (
            facts.volunteers.get(&offer.volunteer),
            facts.loads.get(&offer.volunteer),
        ) else {
            continue;
        };
        if facts.blocked.contains(&volunteer.id)
            || !volunteer.is_askable()
            || !has_room(ctx, volunteer, load, known.card.urgency)
        {
            continue;
        }
        let policy = ctx.settings.matching.waves.of(known.card.urgency);
        let zone = &offer.availability.timezone;
        if category.policy.review == Review::None
            && !wave::is_asking_time(policy, known.card.urgency, &volunteer.limits.0, zone, now)
        {
            is_resting = true;
            continue;
        }
        let record = Record {
            asked: load.weekly_asks,
            answered: load.answered,
            last_asked: volunteer.last_asked_at,
        };
        let weights = &ctx.settings.matching.weights;
        let (score, parts) = score(weights, &known.card, &offer, &fit, record, now);
        ranked.push((
            offer.volunteer,
            Chosen {
                offer: offer.id,
                volunteer: offer.volunteer,
                fit,
                score,
                parts,
            },
        ));
    }
    ranked.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score).then(a.offer.cmp(&b.offer)));
    let mut seen = HashSet::new();
    let chosen = ranked
        .into_iter()
        .filter(|(volunteer, _)| seen.insert(*volunteer))
        .map(|(_, chosen)| chosen)
        .take(known.round.ask)
        .collect();
    (chosen, is_resting)
}

/// Whether the volunteer's limits leave room for one more ask.
pub(super) fn has_room(
    ctx: &Ctx,
    volunteer: &Volunteer,
    load: &VolunteerLoad,
    urgency: Urgency,
) -> bool {
    let limits = &volunteer.limits.0;
    let settings = &ctx.settings.matching;
    let own = u32::from(limits.open_asks);
    let open = if urgency == Urgency::Now {
        own
    } else {
        own.min(u32::from(settings.open_asks))
    };
    load.open_asks < open
        && (urgency != Urgency::Soon || load.weekly_asks < u32::from(limits.weekly_asks))
        && load.open_releases < u32::from(settings.open_releases)
}

#[expect(
    clippy::too_many_arguments,
    reason = "the whole of what a round has found out"
)]
async fn write_round(
    ctx: &Ctx,
    request: Request,
    lease: LeaseId,
    category: Category,
    known: Known,
    chosen: Vec<Chosen>,
    in_reach: usize,
    rested: Option<Ts>,
) -> Outcome<usize> {
    let Known {
        card,
        round,
        neighbor,
        ..
    } = known;
    let read_due = request.match_due_at.unwrap_or(Ts::EPOCH);
    let write = move |tx: &mut Tx<'_>| {
        let free = lock_free(tx, &neighbor, &request, &chosen)?;
        let Some(current) = requests::find(tx.conn, request.id)?.filter(|r| {
            r.state == RequestState::Open
                && r.version == request.version
                && r.lease_id == Some(lease)
        }) else {
            return Ok(0);
        };
        let frozen = areas::frozen_until_end(tx.conn)?;
        if frozen.holds(current.cell.center()) {
            return Ok(0);
        }
        let mut asked = Vec::new();
        for chosen in chosen.iter().filter(|c| free.contains(&c.volunteer)) {
            if let Some(volunteer) =
                still_right(tx, &category, (&card, &neighbor), &frozen, chosen)?
            {
                asked.push((volunteer, propose(tx, &current, &category, &round, chosen)?));
            }
        }
        let (mut due, mut attention) = wave::after(&round, asked.len(), in_reach, rested);
        if asked.is_empty() && free.len() < chosen.len() {
            // Others have asked them just now: that does not tell that nobody is left.
            (due, attention) = (Some(tx.now), current.attention);
        }
        let result = RoundResult {
            wave: if asked.is_empty() {
                current.wave
            } else {
                round.wave
            },
            next_wave_at: if asked.is_empty() {
                current.next_wave_at
            } else {
                Some(round.next_wave_at)
            },
            match_due_at: due,
            attention,
        };
        requests::finish_round(tx.conn, request.id, lease, read_due, &result)?;
        tell(tx, &current, &category, &asked, attention)?;
        Ok(asked.len())
    };
    let asked = ctx.write(Actor::SYSTEM, write).await?;
    if asked > 0 {
        metrics::counter!("manyhands_matches_total", "event" => "proposed").increment(asked as u64);
    }
    Ok(asked)
}

/// Locks everybody whom the round may bring together, and gives those of the chosen who may still be
/// asked: others may have asked them since, or brought them to this request.
fn lock_free(
    tx: &mut Tx<'_>,
    neighbor: &Neighbor,
    request: &Request,
    chosen: &[Chosen],
) -> Outcome<HashSet<VolunteerId>> {
    neighbors::lock(tx.conn, neighbor.id)?;
    let ids = chosen
        .iter()
        .map(|c| c.volunteer)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>();
    let people = volunteers::lock_all(tx.conn, &ids)?;
    requests::lock(tx.conn, request.id)?;
    let ids: Vec<OfferId> = chosen.iter().map(|c| c.offer).collect();
    offers::lock_all(tx.conn, &ids)?;
    let here: Vec<OfferId> = matches::active_of_requests(tx.conn, &[request.id])?
        .iter()
        .map(|m| m.offer)
        .collect();
    let here: HashSet<VolunteerId> = offers::find_all(tx.conn, &here)?
        .iter()
        .map(|o| o.volunteer_id)
        .collect();
    let ids: Vec<VolunteerId> = people.iter().map(|v| v.id).collect();
    let loads = matches::load_of(tx.conn, &ids, tx.now.before(WEEK))?;
    let has_room = |v: &&Volunteer| {
        loads
            .iter()
            .find(|l| l.volunteer == v.id)
            .is_some_and(|load| has_room(tx.ctx, v, load, request.urgency))
    };
    Ok(people
        .iter()
        .filter(|v| !here.contains(&v.id))
        .filter(has_room)
        .map(|v| v.id)
        .collect())
}

/// Whether the chosen offer still fits, as the database knows it now.
fn still_right(
    tx: &mut Tx<'_>,
    category: &Category,
    (request, neighbor): (&RequestCard, &Neighbor),
    frozen: &Frozen,
    chosen: &Chosen,
) -> Outcome<Option<VolunteerId>> {
    let card = offer_cards_by_id(tx.ctx, tx.conn, &[chosen.offer], tx.now)?.pop();
    let Some(card) = card.filter(|card| {
        !frozen.holds(card.at)
            && eligible(category, request, card, chosen.fit.distance_m, tx.now).is_ok()
    }) else {
        return Ok(None);
    };
    // The two may have been parted since the round began.
    let volunteer = tx.volunteer(card.volunteer)?;
    let is_blocked = tx.is_blocked(neighbor, &volunteer)?;
    Ok((!is_blocked).then_some(card.volunteer))
}

fn propose(
    tx: &mut Tx<'_>,
    request: &Request,
    category: &Category,
    round: &Round,
    chosen: &Chosen,
) -> Outcome<MatchId> {
    let needs_review = category.policy.review == Review::Required;
    let row = tx.new_match(request, chosen.offer, &chosen.fit, needs_review);
    let row = Match {
        score: chosen.score,
        parts: Json(chosen.parts),
        wave: round.wave,
        ..row
    };
    matches::insert(tx.conn, std::slice::from_ref(&row))?;
    Ok(row.id)
}

/// Letters to those who are asked, or to those who review; and an honest word to the neighbor when
/// nobody is left to ask.
fn tell(
    tx: &mut Tx<'_>,
    request: &Request,
    category: &Category,
    asked: &[(VolunteerId, MatchId)],
    attention: Option<Attention>,
) -> Outcome<()> {
    if category.policy.review == Review::Required {
        if let Some((_, first)) = asked.first() {
            tx.letter_to_reviewers(LetterKind::ReviewDue, request.id, Some(*first))?;
        }
    } else {
        for (volunteer, id) in asked {
            tx.letter(
                LetterKind::Asked,
                To::Volunteer(*volunteer),
                Some(request.id),
                Some(*id),
            )?;
        }
        let ids: Vec<VolunteerId> = asked.iter().map(|(v, _)| *v).collect();
        volunteers::set_asked(tx.conn, &ids, tx.now)?;
    }
    if attention.is_some() && attention != request.attention {
        // One letter tells of everything she needs: its link shows all of it.
        let to = request.neighbor_id;
        let lately = tx.now.before(NOT_AGAIN);
        if letters::count_since(tx.conn, to.into(), LetterKind::NobodyYet, lately)? == 0 {
            tx.letter(
                LetterKind::NobodyYet,
                To::Neighbor(to),
                Some(request.id),
                None,
            )?;
        }
        tx.audit(
            "attention_needed",
            ("request", request.id),
            &[("why", attention.into())],
        )?;
    }
    if !asked.is_empty() {
        tx.audit(
            "volunteers_asked",
            ("request", request.id),
            &[("asked", asked.len().into())],
        )?;
    }
    Ok(())
}
