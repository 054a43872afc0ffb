//! Plans, and the pairs they are made of.

use std::collections::HashSet;

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::{load_for_update, one_of};
use super::page::{Page, page_of};
use super::schema::{plan_pairs, plans};
use super::sql_types::Json;
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, MatchId, OfferId, PlanId, PlanPairId, RequestId};
use crate::domain::place::Cell;
use crate::domain::plan::{PairState, Reckoning, SkipReason};

/// A plan, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = plans, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Plan {
    pub id: PlanId,
    pub category: Option<CategoryKey>,
    pub area: Option<Cell>,
    pub exact: bool,
    pub bound: i64,
    pub figures: Json<Reckoning>,
    pub created_at: Ts,
    pub created_by: CoordinatorId,
    pub ready_at: Option<Ts>,
}

/// A request with an offer in a plan, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = plan_pairs, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct PlanPair {
    pub id: PlanPairId,
    pub plan_id: PlanId,
    pub request_id: RequestId,
    pub offer_id: OfferId,
    pub position: i32,
    pub request_version: i32,
    pub quantity: i32,
    pub distance_m: i64,
    pub state: PairState,
    pub reason: Option<SkipReason>,
    pub match_id: Option<MatchId>,
    pub created_at: Ts,
}

/// How many pairs of a plan stand where, and why.
pub type Standing = (PlanId, PairState, Option<SkipReason>, i64);

/// Writes a new plan.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, new: &Plan) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(plans::table).values(new).execute(c))?;
    Ok(())
}

/// Writes some of its pairs.
///
/// # Errors
/// A failed query.
pub fn insert_pairs(conn: &mut Conn, new: &[PlanPair]) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(plan_pairs::table).values(new).execute(c))?;
    Ok(())
}

/// All pairs of a plan are written.
///
/// # Errors
/// A failed query.
pub fn set_ready(conn: &mut Conn, id: PlanId, now: Ts) -> QueryResult<()> {
    with!(conn, c => diesel::update(plans::table.find(id)).set(plans::ready_at.eq(now)).execute(c))?;
    Ok(())
}

/// The plan.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: PlanId) -> QueryResult<Option<Plan>> {
    with!(conn, c => plans::table.find(id).select(Plan::as_select()).first(c).optional())
}

/// The plan, which nobody else applies until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn, id: PlanId) -> QueryResult<Option<Plan>> {
    let mut found: Vec<Plan> = load_for_update!(
        conn,
        plans::table
            .filter(plans::id.eq(id))
            .select(Plan::as_select())
    )?;
    Ok(found.pop())
}

/// One page for coordinators.
///
/// # Errors
/// A failed query.
pub fn page(conn: &mut Conn, page: Page) -> QueryResult<Vec<Plan>> {
    with!(conn, c => {
        let query = plans::table.select(Plan::as_select()).into_boxed();
        page_of!(query, plans, page).load(c)
    })
}

/// One page of a plan's pairs; only those that stand there, where that is asked for.
///
/// # Errors
/// A failed query.
pub fn pairs_page(
    conn: &mut Conn,
    id: PlanId,
    state: Option<PairState>,
    page: Page,
) -> QueryResult<Vec<PlanPair>> {
    with!(conn, c => {
        let mut query = plan_pairs::table
            .filter(plan_pairs::plan_id.eq(id))
            .select(PlanPair::as_select())
            .into_boxed();
        if let Some(state) = state {
            query = query.filter(plan_pairs::state.eq(state));
        }
        page_of!(query, plan_pairs, page).load(c)
    })
}

/// How many pairs of these plans stand where.
///
/// # Errors
/// A failed query.
pub fn standing(conn: &mut Conn, ids: &[PlanId]) -> QueryResult<Vec<Standing>> {
    with!(conn, c => plan_pairs::table
        .filter(one_of(plan_pairs::plan_id, ids))
        .group_by((plan_pairs::plan_id, plan_pairs::state, plan_pairs::reason))
        .select((plan_pairs::plan_id, plan_pairs::state, plan_pairs::reason, diesel::dsl::count_star()))
        .load(c))
}

/// The pairs that are to be applied next, none behind that place.
///
/// # Errors
/// A failed query.
pub fn next_pairs(
    conn: &mut Conn,
    id: PlanId,
    until: i32,
    limit: i64,
) -> QueryResult<Vec<PlanPair>> {
    with!(conn, c => plan_pairs::table
        .filter(plan_pairs::plan_id.eq(id))
        .filter(plan_pairs::state.eq(PairState::Planned))
        .filter(plan_pairs::position.le(until))
        .order(plan_pairs::position)
        .limit(limit)
        .select(PlanPair::as_select())
        .load(c))
}

/// The last place of the pairs that are to be applied; none where there are none.
///
/// # Errors
/// A failed query.
pub fn last_position(conn: &mut Conn, id: PlanId) -> QueryResult<Option<i32>> {
    with!(conn, c => plan_pairs::table
        .filter(plan_pairs::plan_id.eq(id))
        .filter(plan_pairs::state.eq(PairState::Planned))
        .select(diesel::dsl::max(plan_pairs::position))
        .first(c))
}

/// Puts a pair that cannot be applied yet behind all others. The plan must be [locked](lock).
///
/// # Errors
/// A failed query.
pub fn put_back(conn: &mut Conn, pair: &PlanPair) -> QueryResult<()> {
    let last = last_position(conn, pair.plan_id)?.unwrap_or(pair.position);
    with!(conn, c => diesel::update(plan_pairs::table
            .filter(plan_pairs::id.eq(pair.id))
            .filter(plan_pairs::state.eq(PairState::Planned)))
        .set(plan_pairs::position.eq(last.saturating_add(1)))
        .execute(c))?;
    Ok(())
}

/// What became of a pair: the match, or why there is none. False if that is known already.
///
/// # Errors
/// A failed query.
pub fn settle(
    conn: &mut Conn,
    id: PlanPairId,
    became: Result<MatchId, SkipReason>,
) -> QueryResult<bool> {
    let (state, matched, reason) = match became {
        Ok(matched) => (PairState::Applied, Some(matched), None),
        Err(reason) => (PairState::Skipped, None, Some(reason)),
    };
    let settled = with!(conn, c => diesel::update(plan_pairs::table
            .filter(plan_pairs::id.eq(id))
            .filter(plan_pairs::state.eq(PairState::Planned)))
        .set((
            plan_pairs::state.eq(state),
            plan_pairs::match_id.eq(matched),
            plan_pairs::reason.eq(reason),
        ))
        .execute(c))?;
    Ok(settled == 1)
}

/// The matches of a request that a plan has chosen, as far as plans are kept.
///
/// # Errors
/// A failed query.
pub fn chosen_for(conn: &mut Conn, request: RequestId) -> QueryResult<HashSet<MatchId>> {
    let chosen: Vec<Option<MatchId>> = with!(conn, c => plan_pairs::table
        .filter(plan_pairs::request_id.eq(request))
        .filter(plan_pairs::match_id.is_not_null())
        .select(plan_pairs::match_id)
        .load(c))?;
    Ok(chosen.into_iter().flatten().collect())
}

/// Deletes pairs of plans that were made before an instant, and then those plans, some at a time; tells
/// how many rows.
///
/// # Errors
/// A failed query.
pub fn delete_old(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<usize> {
    let old: Vec<PlanId> = with!(conn, c => plans::table
        .filter(plans::created_at.le(before))
        .limit(limit)
        .select(plans::id)
        .load(c))?;
    delete_some(conn, &old, limit)
}

/// Deletes a plan that was not finished, some of its pairs at a time; tells how many rows.
///
/// # Errors
/// A failed query.
pub fn discard(conn: &mut Conn, id: PlanId, limit: i64) -> QueryResult<usize> {
    delete_some(conn, &[id], limit)
}

fn delete_some(conn: &mut Conn, ids: &[PlanId], limit: i64) -> QueryResult<usize> {
    let pairs: Vec<PlanPairId> = with!(conn, c => plan_pairs::table
        .filter(one_of(plan_pairs::plan_id, ids))
        .limit(limit)
        .select(plan_pairs::id)
        .load(c))?;
    if !pairs.is_empty() {
        return with!(conn, c => diesel::delete(plan_pairs::table.filter(one_of(plan_pairs::id, &pairs))).execute(c));
    }
    with!(conn, c => diesel::delete(plans::table.filter(one_of(plans::id, ids))).execute(c))
}
