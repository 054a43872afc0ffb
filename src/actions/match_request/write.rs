//! The write transaction of a round: everybody whom it may bring together is locked and looked at again.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::Findings;
use super::candidates::{Known, load};
use super::choose::Chosen;
use crate::actions::cards::offer_card_within;
use crate::actions::tx::To;
use crate::actions::{Ctx, Outcome, Tx};
use crate::domain::area::Frozen;
use crate::domain::category::{Category, Review};
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, MatchId, NeighborId, OfferId, RequestId, VolunteerId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{Attention, MatchState, RequestState};
use crate::domain::round::RoundSeen;
use crate::matching::card::RequestCard;
use crate::matching::eligible::eligible;
use crate::matching::judge::no_room;
use crate::matching::wave::{self, Next, Round, Sight};
use crate::storage::audit::Actor;
use crate::storage::matches::Match;
use crate::storage::neighbors::Neighbor;
use crate::storage::requests::{Request, RoundResult};
use crate::storage::sql_types::Json;
use crate::storage::volunteers::Volunteer;
use crate::storage::{
    areas, letters, matches, neighbors, offers, requests, rounds, tasks, volunteers,
};

/// A neighbor is told at most this often that nobody is found.
const NOT_AGAIN: Duration = Duration::from_hours(6);

/// When a round looks again that saw less in the database than in the index.
const MOMENT: Duration = Duration::from_secs(5);

/// Those who are asked, and by which match.
type Asked = Vec<(VolunteerId, MatchId)>;

/// Asks those of the chosen who may still be asked.
pub(super) async fn write_round(ctx: &Ctx, lease: LeaseId, findings: Box<Findings>) -> Outcome<()> {
    let write = move |tx: &mut Tx<'_>| {
        let (current, free) = lock_free(tx, &findings)?;
        let frozen = areas::frozen_until_end(tx.conn)?;
        let Some(current) = current.filter(|r| goes_on(r, &findings, lease, &frozen)) else {
            return Ok(0);
        };
        let asked = ask(tx, &current, &findings, (&free, &frozen))?;
        finish(tx, &current, &findings, lease, (&asked, free.len()))?;
        Ok(asked.len())
    };
    let asked = ctx.write(Actor::SYSTEM, write).await?;
    if asked > 0 {
        metrics::counter!("manyhands_matches_total", "event" => "proposed").increment(asked as u64);
    }
    Ok(())
}

/// Finishes rounds that chose nobody.
pub(super) async fn write_idle(
    ctx: &Ctx,
    lease: LeaseId,
    rounds: Vec<Arc<Findings>>,
) -> Outcome<()> {
    let write = move |tx: &mut Tx<'_>| {
        let people: Vec<NeighborId> = rounds.iter().map(|f| f.known.card.neighbor).collect();
        neighbors::lock_all(tx.conn, &people)?;
        let ids: Vec<RequestId> = rounds.iter().map(|f| f.request.id).collect();
        let current: HashMap<RequestId, Request> = requests::lock_all(tx.conn, &ids)?
            .into_iter()
            .map(|r| (r.id, r))
            .collect();
        let frozen = areas::frozen_until_end(tx.conn)?;
        for findings in &rounds {
            let current = current.get(&findings.request.id);
            if let Some(current) = current.filter(|r| goes_on(r, findings, lease, &frozen)) {
                finish(tx, current, findings, lease, (&Vec::new(), 0))?;
            }
        }
        Ok(())
    };
    ctx.write(Actor::SYSTEM, write).await
}

/// Whether the round is still about the request as it is by now.
fn goes_on(current: &Request, findings: &Findings, lease: LeaseId, frozen: &Frozen) -> bool {
    current.state == RequestState::Open
        && current.version == findings.request.version
        && current.lease_id == Some(lease)
        && !frozen.holds(current.cell.center())
}

/// Keeps when the request is looked at next, and tells whom it concerns.
fn finish(
    tx: &mut Tx<'_>,
    current: &Request,
    findings: &Findings,
    lease: LeaseId,
    (asked, free): (&Asked, usize),
) -> Outcome<()> {
    let next = next(tx, current, findings, (asked.len(), free));
    let seen = seen(tx, findings, asked, &next);
    settle(tx, current, findings, lease, (asked, &next, &seen))?;
    tell(tx, current, &findings.category, asked, (&next, &seen))
}

/// Locks everybody whom the round may bring together, and gives the request as it is by now and those of
/// the chosen who may still be asked: others may have asked them since, or brought them to this request.
fn lock_free(
    tx: &mut Tx<'_>,
    findings: &Findings,
) -> Outcome<(Option<Request>, HashSet<VolunteerId>)> {
    let Findings { known, chosen, .. } = findings;
    let request = &known.card;
    neighbors::lock(tx.conn, request.neighbor)?;
    let ids = chosen
        .iter()
        .map(|c| c.volunteer)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>();
    let people = volunteers::lock_all(tx.conn, &ids)?;
    let current = requests::lock(tx.conn, request.id)?;
    if chosen.is_empty() {
        return Ok((current, HashSet::new()));
    }
    let ids: Vec<OfferId> = chosen.iter().map(|c| c.offer).collect();
    offers::lock_all(tx.conn, &ids)?;
    let here: Vec<OfferId> = matches::active_of_requests(tx.conn, &[request.id])?
        .iter()
        .map(|m| m.offer)
        .collect();
    let here: HashSet<VolunteerId> = offers::owners(tx.conn, &here)?
        .into_iter()
        .map(|(_, volunteer)| volunteer)
        .collect();
    let ids: Vec<VolunteerId> = people.iter().map(|v| v.id).collect();
    let mut loads = matches::load_of(tx.conn, &ids, tx.now)?;
    let settings = &tx.ctx.settings.matching;
    let mut has_room = |v: &&Volunteer| {
        let at = loads.iter().position(|l| l.volunteer == v.id);
        at.map(|at| load(loads.swap_remove(at)))
            .is_some_and(|load| no_room(settings, &v.limits.0, &load, request.urgency).is_none())
    };
    let free = people
        .iter()
        .filter(|v| !here.contains(&v.id))
        .filter(|v| has_room(v))
        .map(|v| v.id)
        .collect();
    Ok((current, free))
}

/// Makes the matches with those of the chosen who are still right.
fn ask(
    tx: &mut Tx<'_>,
    request: &Request,
    findings: &Findings,
    (free, frozen): (&HashSet<VolunteerId>, &Frozen),
) -> Outcome<Asked> {
    let Findings {
        category, known, ..
    } = findings;
    let Known { card, neighbor, .. } = known;
    let round = &findings.known.round;
    let mut asked = Vec::new();
    for chosen in findings
        .chosen
        .iter()
        .filter(|c| free.contains(&c.volunteer))
    {
        if let Some(volunteer) = still_right(tx, category, (card, neighbor), frozen, chosen)? {
            let row = propose(tx, request, category, round, chosen)?;
            if row.state == MatchState::Proposed {
                tx.ask_for_review(&row, request, volunteer)?;
            }
            asked.push((volunteer, row.id));
        }
    }
    Ok(asked)
}

/// Whether the chosen offer still fits, as the database knows it now.
fn still_right(
    tx: &mut Tx<'_>,
    category: &Category,
    (request, neighbor): (&RequestCard, &Neighbor),
    frozen: &Frozen,
    chosen: &Chosen,
) -> Outcome<Option<VolunteerId>> {
    let card = offer_card_within(tx.ctx, tx.conn, chosen.offer, request.window, tx.now)?;
    let distance_m = chosen.choice.fit.distance_m;
    let Some(card) = card.filter(|card| {
        !frozen.holds(card.at) && eligible(category, request, card, distance_m, tx.now).is_ok()
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
) -> Outcome<Match> {
    let needs_review = category.policy.review == Review::Required;
    let row = tx.new_match(request, chosen.offer, &chosen.choice.fit, needs_review);
    let row = Match {
        score: chosen.choice.score,
        parts: Json(chosen.choice.parts),
        wave: round.wave,
        ..row
    };
    matches::insert(tx.conn, std::slice::from_ref(&row))?;
    Ok(row)
}

/// What comes next, after `asked` were asked and `free` of the chosen were still free.
fn next(
    tx: &Tx<'_>,
    current: &Request,
    findings: &Findings,
    (asked, free): (usize, usize),
) -> Next {
    let Findings {
        known,
        rises_at,
        sight,
        chosen,
        ..
    } = findings;
    let settings = &tx.ctx.settings.matching;
    let mut next = wave::after(&known.round, settings, asked, sight, &known.card, tx.now);
    // Where nothing is planned, the sweep looks again soon enough.
    next.due = next.due.map(|at| rises_at.map_or(at, |line| line.min(at)));
    if asked == 0 && !chosen.is_empty() {
        // Others have asked them just now, or taken their last place, and the index does not know it yet:
        // that does not tell that nobody is left.
        let at_once = free < chosen.len();
        return Next {
            due: Some(if at_once {
                tx.now
            } else {
                tx.now.after(MOMENT)
            }),
            attention: current.attention,
            ..next
        };
    }
    next
}

fn seen(tx: &Tx<'_>, findings: &Findings, asked: &Asked, next: &Next) -> RoundSeen {
    let Sight {
        in_reach,
        resting,
        unfit,
        left,
        ..
    } = findings.sight;
    let known = &findings.known;
    let new = asked.iter().filter(|(v, _)| !known.asked.contains(v));
    let lapsed = known.round.not_again.values().filter(|p| p.why.is_rest());
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    RoundSeen {
        at: tx.now,
        in_reach,
        asked: count(known.asked.len() + new.count()),
        declined: known.declined,
        resting: resting.saturating_add(count(lapsed.count())),
        unfit,
        left,
        next_at: next.asks_at,
    }
}

fn settle(
    tx: &mut Tx<'_>,
    current: &Request,
    findings: &Findings,
    lease: LeaseId,
    (asked, next, seen): (&Asked, &Next, &RoundSeen),
) -> Outcome<()> {
    let (read, round) = (&findings.request, &findings.known.round);
    let is_wave = !asked.is_empty();
    let result = RoundResult {
        wave: if is_wave { round.wave } else { current.wave },
        next_wave_at: if is_wave {
            Some(round.next_wave_at)
        } else {
            current.next_wave_at
        },
        match_due_at: next.due,
        attention: next.attention,
    };
    let read_due = read.match_due_at.unwrap_or(Ts::EPOCH);
    if requests::finish_round(tx.conn, read.id, lease, read_due, &result)? {
        rounds::set_seen(tx.conn, read.id, seen)?;
    }
    Ok(())
}

/// Letters to those who are asked, or to those who review; an honest word to the neighbor when nobody is
/// left to ask, and a task for a person.
fn tell(
    tx: &mut Tx<'_>,
    request: &Request,
    category: &Category,
    asked: &Asked,
    (next, seen): (&Next, &RoundSeen),
) -> Outcome<()> {
    if category.policy.review == Review::Required {
        if let Some((_, first)) = asked.first() {
            tx.letter_to_reviewers(LetterKind::ReviewDue, request.id, Some(*first))?;
        }
    } else {
        for (volunteer, id) in asked {
            let to = To::Volunteer(*volunteer);
            tx.letter(LetterKind::Asked, to, Some(request.id), Some(*id))?;
        }
        let ids: Vec<VolunteerId> = asked.iter().map(|(v, _)| *v).collect();
        volunteers::set_asked(tx.conn, &ids, tx.now)?;
    }
    let is_new = next.attention != request.attention;
    match next.attention {
        Some(_) => tx.ask_for_look(request, is_new)?,
        None => tx.drop_needless_look(request.id)?,
    }
    if is_new {
        match next.attention {
            Some(Attention::ReviewLate) => {
                tx.letter_to_reviewers(LetterKind::ReviewDue, request.id, None)?;
            }
            Some(_) => nobody_left(tx, request, next, seen)?,
            None => {}
        }
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

fn nobody_left(tx: &mut Tx<'_>, request: &Request, next: &Next, seen: &RoundSeen) -> Outcome<()> {
    // One letter tells of everything she needs: its link shows all of it.
    let to = request.neighbor_id;
    let lately = tx.now.before(NOT_AGAIN);
    let kind = LetterKind::NobodyYet;
    if letters::count_since(tx.conn, to.into(), kind, lately)? == 0
        && !tasks::told_since(tx.conn, to, kind, lately)?
    {
        let to = To::Neighbor(to);
        tx.letter(kind, to, Some(request.id), None)?;
    }
    let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX).into();
    tx.audit(
        "attention_needed",
        ("request", request.id),
        &[
            ("why", next.attention.into()),
            ("in_reach", count(seen.in_reach)),
            ("asked", count(seen.asked)),
            ("declined", count(seen.declined)),
            ("resting", count(seen.resting)),
            ("unfit", count(seen.unfit)),
        ],
    )
}
