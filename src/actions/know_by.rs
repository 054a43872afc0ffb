//! By when a neighbor knows more: what her page and her letters promise, from what is planned and from
//! nothing else.

use std::time::Duration;

use super::{Ctx, Outcome, Tx};
use crate::domain::clock::Ts;
use crate::domain::ids::NeighborId;
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{Attention, MatchState, RequestState};
use crate::domain::round::RoundSeen;
use crate::storage::letters::{Letter, RecipientKind};
use crate::storage::matches::Match;
use crate::storage::requests::Request;
use crate::storage::{Conn, StorageError, areas, matches, requests, rounds};

/// To what the ends of rests are told.
const QUARTER: Duration = Duration::from_mins(15);

/// When the next are asked for the request, if that is planned and nobody says yes before.
#[must_use]
pub fn next_ask_at(request: &Request, seen: Option<&RoundSeen>, now: Ts) -> Option<Ts> {
    if request.state != RequestState::Open {
        return None;
    }
    // Whatever makes it due at once comes before what was planned.
    let is_due = request.match_due_at.is_some_and(|at| at <= now);
    let planned = match seen {
        // The end of somebody's rest is theirs: only about when is told.
        Some(seen) if seen.resting > 0 => seen.next_at.map(|at| at.rounded_up(QUARTER)),
        Some(seen) => seen.next_at,
        None => request.next_wave_at.or(request.match_due_at),
    };
    if is_due {
        Some(now)
    } else {
        planned.filter(|at| *at > now)
    }
}

/// By when she knows whether somebody helps: when the last of those who are asked now has answered or let
/// the time go by; where nobody is asked, when those have who are asked next. `None` where nothing is
/// planned: then a person looks at it.
#[must_use]
pub fn know_by(
    ctx: &Ctx,
    request: &Request,
    matches: &[Match],
    seen: Option<&RoundSeen>,
    now: Ts,
) -> Option<Ts> {
    let waits_for_call = matches!(
        request.attention,
        Some(Attention::CallBack | Attention::Unreachable)
    );
    if request.state != RequestState::Open || waits_for_call {
        return None;
    }
    let within = ctx.wave(request, now).respond_within;
    let open = matches.iter().filter(|m| m.state == MatchState::Notified);
    let answered = open.filter_map(|m| answer_by(m, within)).max();
    answered.or_else(|| Some(next_ask_at(request, seen, now)?.after(within)))
}

/// When the answer is there, or is waited for no more. An ask whose letter has not left yet has its time
/// from when it leaves, which it does by an instant or not at all.
fn answer_by(ask: &Match, within: Duration) -> Option<Ts> {
    ask.respond_by
        .or_else(|| ask.max_wait_at.map(|at| at.after(within)))
}

/// As [`know_by`], from what is stored.
///
/// # Errors
/// A failed query.
pub fn read_know_by(
    ctx: &Ctx,
    conn: &mut Conn,
    request: &Request,
    now: Ts,
) -> Result<Option<Ts>, StorageError> {
    if areas::frozen(conn)?.holds(request.cell.center()) {
        // Nobody is asked there, whatever was planned.
        return Ok(None);
    }
    let all = matches::of_request(conn, request.id)?;
    let seen = rounds::seen(conn, request.id)?;
    Ok(know_by(ctx, request, &all, seen.as_ref(), now))
}

/// By when a neighbor knows more of what the letter is about, or of everything she needs.
pub(super) fn knows_by(
    tx: &mut Tx<'_>,
    letter: &Letter,
    about: Option<&Request>,
) -> Outcome<Option<jiff::Zoned>> {
    let all = match (letter.kind, letter.to_kind, about) {
        (LetterKind::Received, RecipientKind::Neighbor, _) => {
            requests::of_neighbor(tx.conn, NeighborId::from(letter.to_id))?
        }
        (LetterKind::NobodyYet, _, Some(request)) => vec![request.clone()],
        _ => return Ok(None),
    };
    let mut latest = None;
    for request in &all {
        latest = latest.max(read_know_by(tx.ctx, tx.conn, request, tx.now)?);
    }
    let zone = &tx.ctx.settings.area.timezone;
    Ok(latest.map(|at| zone.to_local(at)))
}
