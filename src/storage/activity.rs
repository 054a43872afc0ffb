//! What has happened since an instant, and what stands open: counts, instants and ids, for the statistics
//! that coordinators see. Nothing sealed, and no more rows than [`MOST`] at a time.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::connection::{Conn, with};
use super::schema::{matches, offers, requests, rounds, volunteers};
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::ids::VolunteerId;
use crate::domain::lifecycle::{CloseReason, MatchState, OfferState, RequestState};
use crate::domain::place::{Cell, DistanceBand};

/// Rows that one of these queries gives, at the most.
pub const MOST: i64 = 100_000;

/// How many requests of each category were posted in each cell.
///
/// # Errors
/// A failed query.
pub fn posted(conn: &mut Conn, since: Ts) -> QueryResult<Vec<(CategoryKey, Cell, i64)>> {
    with!(conn, c => requests::table
        .filter(requests::created_at.ge(since))
        .group_by((requests::category, requests::cell))
        .select((requests::category, requests::cell, count_star()))
        .load(c))
}

/// How many requests of each category were closed for that reason in each cell.
///
/// # Errors
/// A failed query.
pub fn closed(
    conn: &mut Conn,
    reason: CloseReason,
    since: Ts,
) -> QueryResult<Vec<(CategoryKey, Cell, i64)>> {
    with!(conn, c => requests::table
        .filter(requests::close_reason.eq(reason))
        .filter(requests::closed_at.ge(since))
        .group_by((requests::category, requests::cell))
        .select((requests::category, requests::cell, count_star()))
        .load(c))
}

/// A request that is open now.
#[derive(Clone, Debug, Queryable)]
#[expect(missing_docs, reason = "as in `Request`")]
pub struct Open {
    pub category: CategoryKey,
    pub cell: Cell,
    pub created_at: Ts,
    pub covered: i32,
}

/// The requests that are open now.
///
/// # Errors
/// A failed query.
pub fn open(conn: &mut Conn, now: Ts) -> QueryResult<Vec<Open>> {
    with!(conn, c => requests::table
        .filter(requests::closed_at.is_null())
        .filter(requests::needed_until.gt(now))
        .filter(requests::state.eq(RequestState::Open))
        .limit(MOST)
        .select((requests::category, requests::cell, requests::created_at, requests::covered))
        .load(c))
}

/// When requests were posted, and when all of each was first promised.
///
/// # Errors
/// A failed query.
pub fn covered(conn: &mut Conn, since: Ts) -> QueryResult<Vec<(CategoryKey, Cell, Ts, Ts)>> {
    with!(conn, c => rounds::table
        .inner_join(requests::table)
        .filter(rounds::covered_at.ge(since))
        .limit(MOST)
        .select((
            requests::category,
            requests::cell,
            requests::created_at,
            rounds::covered_at.assume_not_null(),
        ))
        .load(c))
}

/// An ask whose letter has left.
#[derive(Clone, Debug, Queryable)]
#[expect(missing_docs, reason = "as in `Match`")]
pub struct Ask {
    pub category: CategoryKey,
    pub cell: Cell,
    pub volunteer: VolunteerId,
    pub state: MatchState,
    pub band: DistanceBand,
    pub asked_at: Ts,
    pub answered_at: Option<Ts>,
}

/// The asks whose letters have left.
///
/// # Errors
/// A failed query.
pub fn asks(conn: &mut Conn, since: Ts) -> QueryResult<Vec<Ask>> {
    with!(conn, c => matches::table
        .inner_join(requests::table)
        .inner_join(offers::table)
        .filter(matches::asked_at.ge(since))
        .limit(MOST)
        .select((
            requests::category,
            requests::cell,
            offers::volunteer_id,
            matches::state,
            matches::band,
            matches::asked_at.assume_not_null(),
            matches::answered_at,
        ))
        .load(c))
}

/// Who could be asked now, for each category, and in which cell their offer stands.
///
/// # Errors
/// A failed query.
pub fn askable(conn: &mut Conn, now: Ts) -> QueryResult<Vec<(CategoryKey, Cell, VolunteerId)>> {
    with!(conn, c => offers::table
        .inner_join(volunteers::table)
        .filter(offers::closed_at.is_null())
        .filter(offers::expires_at.gt(now))
        .filter(offers::state.eq(OfferState::Open))
        .filter(volunteers::confirmed_at.is_not_null())
        .filter(volunteers::blocked_at.is_null())
        .filter(volunteers::paused_at.is_null())
        .filter(volunteers::mail_stopped_at.is_null())
        .filter(volunteers::erased_at.is_null())
        .select((offers::category, offers::cell, offers::volunteer_id))
        .distinct()
        .limit(MOST)
        .load(c))
}
