//! What is changed of a task: who has it, by when, and how it ends.

use diesel::prelude::*;

use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, MatchId, RequestId, TaskId};
use crate::domain::letter::LetterKind;
use crate::domain::task::TaskOutcome;
use crate::storage::changes;
use crate::storage::connection::{Conn, with};
use crate::storage::dialect::load_for_update;
use crate::storage::schema::tasks;

/// Announces a change, if it was made.
fn announced(conn: &mut Conn, id: TaskId, changed: usize, now: Ts) -> QueryResult<bool> {
    if changed == 1 {
        changes::tasks(conn, &[id], now)?;
    }
    Ok(changed == 1)
}

/// Makes an open task due no later than `due`.
///
/// # Errors
/// A failed query.
pub fn hurry(conn: &mut Conn, id: TaskId, due: Ts, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(tasks::table.filter(tasks::id.eq(id)).filter(tasks::due_at.gt(due)))
        .set(tasks::due_at.eq(due))
        .execute(c))?;
    announced(conn, id, done, now)
}

/// Puts newer news in the place of what a neighbor was to be told.
///
/// # Errors
/// A failed query.
pub fn tell_newer(
    conn: &mut Conn,
    id: TaskId,
    about: Option<LetterKind>,
    request: Option<RequestId>,
    matched: Option<MatchId>,
    now: Ts,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(tasks::table
            .filter(tasks::id.eq(id))
            .filter(tasks::done_at.is_null()))
        .set((
            tasks::about.eq(about),
            tasks::request_id.eq(request),
            tasks::match_id.eq(matched),
        ))
        .execute(c))?;
    announced(conn, id, done, now)
}

/// Puts an open task off, or forward. If it gets late again, that is told again.
///
/// # Errors
/// A failed query.
pub fn set_due(conn: &mut Conn, id: TaskId, due: Ts, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(tasks::table
            .filter(tasks::id.eq(id))
            .filter(tasks::done_at.is_null()))
        .set((tasks::due_at.eq(due), tasks::escalated_at.eq(None::<Ts>)))
        .execute(c))?;
    announced(conn, id, done, now)
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
        .set((
            tasks::claimed_by.eq(by),
            tasks::claimed_at.eq(now),
            tasks::assigned_by.eq(None::<CoordinatorId>),
        ))
        .execute(c))?;
    announced(conn, id, claimed, now)
}

/// Gives an open task to somebody, whoever had it; to nobody where `to` is none.
///
/// # Errors
/// A failed query.
pub fn give(
    conn: &mut Conn,
    id: TaskId,
    to: Option<CoordinatorId>,
    by: Option<CoordinatorId>,
    now: Ts,
) -> QueryResult<bool> {
    let given = with!(conn, c => diesel::update(tasks::table
            .filter(tasks::id.eq(id))
            .filter(tasks::done_at.is_null()))
        .set((
            tasks::claimed_by.eq(to),
            tasks::claimed_at.eq(to.map(|_| now)),
            tasks::assigned_by.eq(by),
        ))
        .execute(c))?;
    announced(conn, id, given, now)
}

/// Counts a call that nobody answered: nobody has the task any more, and it is due then. If it gets late again,
/// that is told again.
///
/// # Errors
/// A failed query.
pub fn call_again(conn: &mut Conn, id: TaskId, due: Ts, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(tasks::table
            .filter(tasks::id.eq(id))
            .filter(tasks::done_at.is_null()))
        .set((
            tasks::attempts.eq(tasks::attempts + 1),
            tasks::tried_at.eq(now),
            tasks::due_at.eq(due),
            tasks::escalated_at.eq(None::<Ts>),
            tasks::claimed_by.eq(None::<CoordinatorId>),
            tasks::claimed_at.eq(None::<Ts>),
            tasks::assigned_by.eq(None::<CoordinatorId>),
        ))
        .execute(c))?;
    announced(conn, id, done, now)
}

/// The open tasks that somebody has, by id, which nobody else changes until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock_held(conn: &mut Conn, by: CoordinatorId) -> QueryResult<Vec<TaskId>> {
    load_for_update!(
        conn,
        tasks::table
            .filter(tasks::claimed_by.eq(by))
            .filter(tasks::done_at.is_null())
            .order(tasks::id)
            .select(tasks::id)
    )
}

/// Puts all open tasks back that somebody has. Gives how many.
///
/// # Errors
/// A failed query.
pub fn give_back_all(conn: &mut Conn, by: CoordinatorId, now: Ts) -> QueryResult<usize> {
    let free: Vec<TaskId> = with!(conn, c => diesel::update(tasks::table
            .filter(tasks::claimed_by.eq(by))
            .filter(tasks::done_at.is_null()))
        .set((
            tasks::claimed_by.eq(None::<CoordinatorId>),
            tasks::claimed_at.eq(None::<Ts>),
            tasks::assigned_by.eq(None::<CoordinatorId>),
        ))
        .returning(tasks::id)
        .get_results(c))?;
    changes::tasks(conn, &free, now)?;
    Ok(free.len())
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
    announced(conn, id, done, now)
}

/// Opens a task again that a person had ended. If it is late, that is told again.
///
/// # Errors
/// A failed query; a unique violation if its cause has another open one.
pub fn reopen(conn: &mut Conn, id: TaskId, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(tasks::table
            .filter(tasks::id.eq(id))
            .filter(tasks::done_by.is_not_null()))
        .set((
            tasks::done_at.eq(None::<Ts>),
            tasks::done_by.eq(None::<CoordinatorId>),
            tasks::outcome.eq(None::<TaskOutcome>),
            tasks::escalated_at.eq(None::<Ts>),
        ))
        .execute(c))?;
    announced(conn, id, done, now)
}
