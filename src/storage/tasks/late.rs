//! Tasks that are late, and that nobody is at.

use diesel::prelude::*;

use crate::domain::clock::Ts;
use crate::domain::ids::TaskId;
use crate::storage::changes;
use crate::storage::connection::{Conn, with};
use crate::storage::dialect::{load_skip_locked, one_of};
use crate::storage::schema::tasks;

/// Notes of open tasks that were due before `due`, and that nobody has taken since `stale`, that they are
/// late: some at a time, each once. Gives how many.
///
/// # Errors
/// A failed query.
pub fn escalate(conn: &mut Conn, due: Ts, stale: Ts, now: Ts, limit: i64) -> QueryResult<usize> {
    let late: Vec<TaskId> = load_skip_locked!(
        conn,
        tasks::table
            .filter(tasks::done_at.is_null())
            .filter(tasks::escalated_at.is_null())
            .filter(tasks::due_at.le(due))
            .filter(tasks::claimed_at.is_null().or(tasks::claimed_at.le(stale)))
            .order(tasks::due_at)
            .limit(limit)
            .select(tasks::id)
    )?;
    let told: Vec<TaskId> = with!(conn, c => diesel::update(tasks::table
            .filter(one_of(tasks::id, &late))
            .filter(tasks::done_at.is_null()))
        .set(tasks::escalated_at.eq(now))
        .returning(tasks::id)
        .get_results(c))?;
    changes::tasks(conn, &told, now)?;
    Ok(told.len())
}

/// How many open tasks are late and told of, and since when the last of them.
///
/// # Errors
/// A failed query.
pub fn escalated(conn: &mut Conn) -> QueryResult<(i64, Option<Ts>)> {
    with!(conn, c => tasks::table
        .filter(tasks::done_at.is_null())
        .filter(tasks::escalated_at.is_not_null())
        .select((diesel::dsl::count_star(), diesel::dsl::max(tasks::escalated_at)))
        .first(c))
}
