//! The coordinators' list of tasks, in two orders, and what it counts.

use std::collections::BTreeMap;

use diesel::dsl::{count, exists};
use diesel::prelude::*;

use super::Task;
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, NeighborId, RequestId};
use crate::domain::part::Part;
use crate::domain::task::{TaskKind, TaskOrder};
use crate::storage::connection::{Conn, with};
use crate::storage::page::{Page, page_of};
use crate::storage::part::in_part;
use crate::storage::schema::{offers, requests, tasks};

/// Who has a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Nobody; whoever took it at this instant, or before, has it no more.
    ByNobody(Ts),
    /// This coordinator.
    By(CoordinatorId),
}

/// Which tasks a coordinator wants to see.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the fact it filters by")]
pub struct TaskFilter {
    pub done: Option<bool>,
    pub kind: Option<TaskKind>,
    pub overdue: Option<Ts>,
    pub escalated: bool,
    pub claimed: Option<Claimed>,
    pub request: Option<RequestId>,
    pub neighbor: Option<NeighborId>,
    /// Of this part: by the request it is about, else the offer, else the neighbor, else the volunteer.
    pub part: Part,
    /// Only this person's, whatever is asked for.
    pub only_of: Option<CoordinatorId>,
}

/// What a filter finds, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub total: i64,
    /// Those to be done.
    pub open: i64,
    /// Of these, those whose time has gone by.
    pub overdue: i64,
    /// Of these, those that administrators were told of.
    pub escalated: i64,
    /// Of those to be done, those that nobody has.
    pub unclaimed: i64,
    /// Those to be done, by kind; a kind of which there is none is left out.
    pub by_kind: BTreeMap<TaskKind, i64>,
}

/// Nobody has the task.
macro_rules! free {
    ($stale:expr) => {
        tasks::claimed_by
            .is_null()
            .or(tasks::done_at.is_null().and(tasks::claimed_at.le($stale)))
    };
}

/// Narrows a boxed query to what a filter finds.
macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let mut query = $query;
        match $filter.done {
            Some(true) => query = query.filter(tasks::done_at.is_not_null()),
            Some(false) => query = query.filter(tasks::done_at.is_null()),
            None => {}
        }
        if let Some(kind) = $filter.kind {
            query = query.filter(tasks::kind.eq(kind));
        }
        if let Some(now) = $filter.overdue {
            query = query
                .filter(tasks::done_at.is_null())
                .filter(tasks::due_at.le(now));
        }
        if $filter.escalated {
            query = query
                .filter(tasks::done_at.is_null())
                .filter(tasks::escalated_at.is_not_null());
        }
        match $filter.claimed {
            Some(Claimed::ByNobody(stale)) => query = query.filter(free!(stale)),
            Some(Claimed::By(id)) => query = query.filter(tasks::claimed_by.eq(id)),
            None => {}
        }
        if let Some(request) = $filter.request {
            query = query.filter(tasks::request_id.eq(request));
        }
        if let Some(neighbor) = $filter.neighbor {
            query = query.filter(tasks::neighbor_id.eq(neighbor));
        }
        if !$filter.part.is_all() {
            let part = &$filter.part;
            let asked = exists(
                requests::table
                    .filter(requests::id.nullable().eq(tasks::request_id))
                    .filter(in_part(requests::category, requests::cell, part)),
            );
            let offered = exists(
                offers::table
                    .filter(offers::id.nullable().eq(tasks::offer_id))
                    .filter(in_part(offers::category, offers::cell, part)),
            );
            let hers = exists(
                requests::table
                    .filter(requests::neighbor_id.nullable().eq(tasks::neighbor_id))
                    .filter(in_part(requests::category, requests::cell, part)),
            );
            let theirs = exists(
                offers::table
                    .filter(offers::volunteer_id.nullable().eq(tasks::volunteer_id))
                    .filter(in_part(offers::category, offers::cell, part)),
            );
            let of_people = hers.or(tasks::neighbor_id.is_null().and(theirs));
            let of_posts = offered.or(tasks::offer_id.is_null().and(of_people));
            query = query.filter(asked.or(tasks::request_id.is_null().and(of_posts)));
        }
        if let Some(id) = $filter.only_of {
            query = query.filter(tasks::claimed_by.eq(id));
        }
        query
    }};
}

/// One page for coordinators. In the order of their dues a page begins behind the row whose due instant its
/// position names.
///
/// # Errors
/// A failed query.
pub fn page(
    conn: &mut Conn,
    filter: &TaskFilter,
    order: TaskOrder,
    page: Page,
) -> QueryResult<Vec<Task>> {
    with!(conn, c => {
        let mut query = filtered!(tasks::table.select(Task::as_select()).into_boxed(), filter);
        match order {
            TaskOrder::Newest => page_of!(query, tasks, page).load(c),
            TaskOrder::Due => {
                if let Some(after) = page.after {
                    let (due, id) = (after.created_at, after.id);
                    query = query.filter(
                        tasks::due_at.gt(due).or(tasks::due_at.eq(due).and(tasks::id.gt(id))),
                    );
                }
                query.order((tasks::due_at, tasks::id)).limit(page.limit + 1).load(c)
            }
        }
    })
}

/// Counts what a filter finds, in one look; whoever took a task at `stale`, or before, has it no more.
///
/// # Errors
/// A failed query.
pub fn counts(conn: &mut Conn, filter: &TaskFilter, stale: Ts, now: Ts) -> QueryResult<Counts> {
    let open = || tasks::done_at.is_null();
    let overdue = open().and(tasks::due_at.le(filter.overdue.unwrap_or(now)));
    let escalated = open().and(tasks::escalated_at.is_not_null());
    let unclaimed = open().and(free!(stale)).assume_not_null();
    let kinds = with!(conn, c => filtered!(
            tasks::table
                .group_by(tasks::kind)
                .select((
                    tasks::kind,
                    count(tasks::id),
                    count(tasks::id).aggregate_filter(open()),
                    count(tasks::id).aggregate_filter(overdue),
                    count(tasks::id).aggregate_filter(escalated),
                    count(tasks::id).aggregate_filter(unclaimed),
                ))
                .into_boxed(),
            filter
        )
        .load::<(TaskKind, i64, i64, i64, i64, i64)>(c))?;
    let mut counts = Counts::default();
    for (kind, total, open, overdue, escalated, unclaimed) in kinds {
        counts.total += total;
        counts.open += open;
        counts.overdue += overdue;
        counts.escalated += escalated;
        counts.unclaimed += unclaimed;
        if open > 0 {
            counts.by_kind.insert(kind, open);
        }
    }
    Ok(counts)
}
