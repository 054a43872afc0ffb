//! Tasks: what a person must do by a time.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::{load_for_update, one_of};
use super::page::{Page, page_of};
use super::schema::tasks;
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, NeighborId, RequestId, TaskId};
use crate::domain::task::{TaskKind, TaskOutcome};

/// A task, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = tasks, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Task {
    pub id: TaskId,
    pub kind: TaskKind,
    pub request_id: Option<RequestId>,
    pub neighbor_id: Option<NeighborId>,
    pub created_at: Ts,
    pub due_at: Ts,
    pub claimed_by: Option<CoordinatorId>,
    pub claimed_at: Option<Ts>,
    pub done_at: Option<Ts>,
    pub done_by: Option<CoordinatorId>,
    pub outcome: Option<TaskOutcome>,
}

/// Which tasks a coordinator wants to see.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the fact it filters by")]
pub struct TaskFilter {
    pub done: Option<bool>,
    pub kind: Option<TaskKind>,
    pub overdue: Option<Ts>,
}

/// Writes a new task.
///
/// # Errors
/// A failed query; a unique violation if the neighbor is to be called already.
pub fn insert(conn: &mut Conn, new: &Task) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(tasks::table).values(new).execute(c))?;
    Ok(())
}

/// The task.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: TaskId) -> QueryResult<Option<Task>> {
    with!(conn, c => tasks::table.find(id).select(Task::as_select()).first(c).optional())
}

/// The task, which nobody else changes until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn, id: TaskId) -> QueryResult<Option<Task>> {
    let mut found: Vec<Task> = load_for_update!(
        conn,
        tasks::table
            .filter(tasks::id.eq(id))
            .select(Task::as_select())
    )?;
    Ok(found.pop())
}

/// The call that a neighbor waits for.
///
/// # Errors
/// A failed query.
pub fn open_call(conn: &mut Conn, neighbor: NeighborId) -> QueryResult<Option<Task>> {
    with!(conn, c => tasks::table
        .filter(tasks::neighbor_id.eq(neighbor))
        .filter(tasks::kind.eq(TaskKind::Call))
        .filter(tasks::done_at.is_null())
        .select(Task::as_select())
        .first(c)
        .optional())
}

/// The newest look that a request was to get, done or not.
///
/// # Errors
/// A failed query.
pub fn last_look(conn: &mut Conn, request: RequestId) -> QueryResult<Option<Task>> {
    with!(conn, c => tasks::table
        .filter(tasks::request_id.eq(request))
        .filter(tasks::kind.eq(TaskKind::Look))
        .order((tasks::created_at.desc(), tasks::id.desc()))
        .select(Task::as_select())
        .first(c)
        .optional())
}

/// Ends the look that a request waits for, if it waits for one.
///
/// # Errors
/// A failed query.
pub fn drop_look(conn: &mut Conn, request: RequestId, now: Ts) -> QueryResult<usize> {
    with!(conn, c => diesel::update(tasks::table
            .filter(tasks::request_id.eq(request))
            .filter(tasks::kind.eq(TaskKind::Look))
            .filter(tasks::done_at.is_null()))
        .set((tasks::done_at.eq(now), tasks::outcome.eq(TaskOutcome::NotNeeded)))
        .execute(c))
}

/// One page for coordinators.
///
/// # Errors
/// A failed query.
pub fn page(conn: &mut Conn, filter: &TaskFilter, page: Page) -> QueryResult<Vec<Task>> {
    with!(conn, c => {
        let mut query = tasks::table.select(Task::as_select()).into_boxed();
        match filter.done {
            Some(true) => query = query.filter(tasks::done_at.is_not_null()),
            Some(false) => query = query.filter(tasks::done_at.is_null()),
            None => {}
        }
        if let Some(kind) = filter.kind {
            query = query.filter(tasks::kind.eq(kind));
        }
        if let Some(now) = filter.overdue {
            query = query.filter(tasks::done_at.is_null()).filter(tasks::due_at.le(now));
        }
        page_of!(query, tasks, page).load(c)
    })
}

/// Makes an open task due no later than `due`.
///
/// # Errors
/// A failed query.
pub fn hurry(conn: &mut Conn, id: TaskId, due: Ts) -> QueryResult<()> {
    with!(conn, c => diesel::update(tasks::table.filter(tasks::id.eq(id)).filter(tasks::due_at.gt(due)))
        .set(tasks::due_at.eq(due))
        .execute(c))?;
    Ok(())
}

/// Takes an open task that nobody has, or that another took before `stale`.
///
/// # Errors
/// A failed query.
pub fn claim(
    conn: &mut Conn,
    id: TaskId,
    by: CoordinatorId,
    stale: Ts,
    now: Ts,
) -> QueryResult<bool> {
    let claimed = with!(conn, c => diesel::update(tasks::table
            .filter(tasks::id.eq(id))
            .filter(tasks::done_at.is_null())
            .filter(tasks::claimed_at.is_null().or(tasks::claimed_at.le(stale))))
        .set((tasks::claimed_by.eq(by), tasks::claimed_at.eq(now)))
        .execute(c))?;
    Ok(claimed == 1)
}

/// Ends a task that is open, or in which nobody was reached before.
///
/// # Errors
/// A failed query.
pub fn finish(
    conn: &mut Conn,
    id: TaskId,
    outcome: TaskOutcome,
    by: Option<CoordinatorId>,
    now: Ts,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(tasks::table
            .filter(tasks::id.eq(id))
            .filter(tasks::done_at.is_null().or(tasks::outcome.eq(TaskOutcome::Unreachable))))
        .set((tasks::done_at.eq(now), tasks::done_by.eq(by), tasks::outcome.eq(outcome)))
        .execute(c))?;
    Ok(done == 1)
}

/// Deletes tasks that were done before an instant, some at a time.
///
/// # Errors
/// A failed query.
pub fn delete_old(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<usize> {
    let old: Vec<TaskId> = with!(conn, c => tasks::table
        .filter(tasks::done_at.le(before))
        .limit(limit)
        .select(tasks::id)
        .load(c))?;
    with!(conn, c => diesel::delete(tasks::table.filter(one_of(tasks::id, &old))).execute(c))
}
