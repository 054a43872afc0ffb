//! What is to be told to neighbors, and is no news any more.

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::Ending;
use crate::domain::clock::Ts;
use crate::domain::ids::{NeighborId, RequestId, TaskId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::MatchState;
use crate::domain::task::TaskKind;
use crate::storage::changes;
use crate::storage::connection::{Conn, with};
use crate::storage::dialect::one_of;
use crate::storage::schema::{matches, requests, tasks};

/// How an open task ends.
macro_rules! ended {
    ($ending:expr) => {
        (
            tasks::done_at.eq($ending.at),
            tasks::done_by.eq($ending.by),
            tasks::outcome.eq($ending.outcome),
        )
    };
}

/// Ends the open news for a neighbor who waits for nothing any more; but not that of what she has waited for ended,
/// which stays news: another group has it, or nobody was found.
///
/// # Errors
/// A failed query.
pub fn end_needless_news(conn: &mut Conn, of: NeighborId, ending: &Ending) -> QueryResult<()> {
    let ended: Vec<TaskId> = with!(conn, c => diesel::update(tasks::table
            .filter(tasks::neighbor_id.eq(of))
            .filter(tasks::kind.eq(TaskKind::Tell))
            .filter(tasks::done_at.is_null())
            .filter(tasks::about.ne(LetterKind::HandedOver)))
        .set(ended!(ending))
        .returning(tasks::id)
        .get_results(c))?;
    changes::tasks(conn, &ended, ending.at)
}

/// Ends the open news that a request has ended: it is open again.
///
/// # Errors
/// A failed query.
pub fn end_news_of_closing(conn: &mut Conn, of: RequestId, ending: &Ending) -> QueryResult<()> {
    let ended: Vec<TaskId> = with!(conn, c => diesel::update(tasks::table
            .filter(tasks::request_id.eq(of))
            .filter(tasks::kind.eq(TaskKind::Tell))
            .filter(tasks::done_at.is_null())
            .filter(tasks::about.is_null().or(tasks::about.eq(LetterKind::HandedOver))))
        .set(ended!(ending))
        .returning(tasks::id)
        .get_results(c))?;
    changes::tasks(conn, &ended, ending.at)
}

/// Ends open reminders of help that has begun by now, or does not come: some at a time. Gives how many.
///
/// # Errors
/// A failed query.
pub fn end_past_reminders(conn: &mut Conn, ending: &Ending, limit: i64) -> QueryResult<usize> {
    let now: Ts = ending.at;
    let past: Vec<TaskId> = with!(conn, c => tasks::table
        .filter(tasks::about.eq(LetterKind::Reminder))
        .filter(tasks::kind.eq(TaskKind::Tell))
        .filter(tasks::done_at.is_null())
        .filter(not(exists(matches::table
            .inner_join(requests::table)
            .filter(matches::id.nullable().eq(tasks::match_id))
            .filter(matches::state.eq(MatchState::Accepted))
            .filter(matches::done_at.is_null())
            .filter(matches::arrival_at.gt(now)
                .or(matches::arrival_at.is_null().and(requests::needed_from.gt(now)))))))
        .limit(limit)
        .select(tasks::id)
        .load(c))?;
    if past.is_empty() {
        return Ok(0);
    }
    // Newer news may have taken the place of the reminder meanwhile.
    let ended: Vec<TaskId> = with!(conn, c => diesel::update(tasks::table
            .filter(one_of(tasks::id, &past))
            .filter(tasks::about.eq(LetterKind::Reminder))
            .filter(tasks::done_at.is_null()))
        .set(ended!(ending))
        .returning(tasks::id)
        .get_results(c))?;
    changes::tasks(conn, &ended, now)?;
    Ok(past.len())
}
