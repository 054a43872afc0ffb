//! How it stands in one part of what there is, in numbers: for the morning's letter.

use std::time::Duration;

use diesel::dsl::{count_star, min};
use diesel::prelude::*;

use super::connection::{Conn, with};
use super::part::in_part;
use super::schema::{requests, rounds};
use super::tasks::{self, TaskFilter};
use crate::domain::clock::Ts;
use crate::domain::digest::{Digest, Yesterday};
use crate::domain::lifecycle::{CloseReason, RequestState};
use crate::domain::part::Part;

/// A local day.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    /// When the day before began.
    pub before: Ts,
    /// When it began.
    pub began: Ts,
    /// When it ends.
    pub ends: Ts,
}

/// How it stands in that part.
///
/// # Errors
/// A failed query.
pub fn digest(conn: &mut Conn, part: &Part, day: Day, now: Ts) -> QueryResult<Digest> {
    let todo = TaskFilter {
        done: Some(false),
        part: part.clone(),
        ..TaskFilter::default()
    };
    // It does not say who has them.
    let tasks = tasks::counts(conn, &todo, Ts::EPOCH, now)?;
    let (open, oldest) = open(conn, part, now)?;
    Ok(Digest {
        tasks: tasks.by_kind,
        overdue: tasks.overdue,
        open,
        longest: oldest.map(|at: Ts| -> Duration { now.since(at) }),
        attention: needing_attention(conn, part, now)?,
        ends_today: ending(conn, part, now, day.ends)?,
        yesterday: Yesterday {
            posted: posted(conn, part, day.before, day.began)?,
            covered: covered(conn, part, day.before, day.began)?,
            helped: closed(conn, part, CloseReason::HelpedHere, day.before, day.began)?,
            unmet: closed(conn, part, CloseReason::Unmet, day.before, day.began)?,
        },
    })
}

/// How many requests are open, and since when the oldest.
///
/// # Errors
/// A failed query.
fn open(conn: &mut Conn, part: &Part, now: Ts) -> QueryResult<(i64, Option<Ts>)> {
    with!(conn, c => requests::table
        .filter(requests::closed_at.is_null())
        .filter(requests::needed_until.gt(now))
        .filter(requests::state.eq(RequestState::Open))
        .filter(in_part(requests::category, requests::cell, part))
        .select((count_star(), min(requests::created_at)))
        .first(c))
}

/// How many of the open ones a person must look at.
///
/// # Errors
/// A failed query.
fn needing_attention(conn: &mut Conn, part: &Part, now: Ts) -> QueryResult<i64> {
    with!(conn, c => requests::table
        .filter(requests::closed_at.is_null())
        .filter(requests::needed_until.gt(now))
        .filter(requests::state.eq(RequestState::Open))
        .filter(requests::attention.is_not_null())
        .filter(in_part(requests::category, requests::cell, part))
        .select(count_star())
        .first(c))
}

/// How many of the open ones have no time left after `until`.
///
/// # Errors
/// A failed query.
fn ending(conn: &mut Conn, part: &Part, now: Ts, until: Ts) -> QueryResult<i64> {
    with!(conn, c => requests::table
        .filter(requests::closed_at.is_null())
        .filter(requests::needed_until.gt(now))
        .filter(requests::needed_until.le(until))
        .filter(requests::state.eq(RequestState::Open))
        .filter(in_part(requests::category, requests::cell, part))
        .select(count_star())
        .first(c))
}

/// How many requests were posted then.
///
/// # Errors
/// A failed query.
fn posted(conn: &mut Conn, part: &Part, from: Ts, until: Ts) -> QueryResult<i64> {
    with!(conn, c => requests::table
        .filter(requests::created_at.ge(from))
        .filter(requests::created_at.lt(until))
        .filter(in_part(requests::category, requests::cell, part))
        .select(count_star())
        .first(c))
}

/// How many requests were wholly promised then for the first time.
///
/// # Errors
/// A failed query.
fn covered(conn: &mut Conn, part: &Part, from: Ts, until: Ts) -> QueryResult<i64> {
    with!(conn, c => rounds::table
        .inner_join(requests::table)
        .filter(rounds::covered_at.ge(from))
        .filter(rounds::covered_at.lt(until))
        .filter(in_part(requests::category, requests::cell, part))
        .select(count_star())
        .first(c))
}

/// How many requests were closed then for that reason.
///
/// # Errors
/// A failed query.
fn closed(
    conn: &mut Conn,
    part: &Part,
    reason: CloseReason,
    from: Ts,
    until: Ts,
) -> QueryResult<i64> {
    with!(conn, c => requests::table
        .filter(requests::close_reason.eq(reason))
        .filter(requests::closed_at.ge(from))
        .filter(requests::closed_at.lt(until))
        .filter(in_part(requests::category, requests::cell, part))
        .select(count_star())
        .first(c))
}
