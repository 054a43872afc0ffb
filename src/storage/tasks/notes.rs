//! The sealed notes of tasks.

use diesel::prelude::*;

use crate::crypto::seal::Sealed;
use crate::domain::clock::Ts;
use crate::domain::ids::{NeighborId, ReportId, RequestId, TaskId, VolunteerId};
use crate::domain::task::TaskKind;
use crate::storage::connection::{Conn, with};
use crate::storage::dialect::one_of;
use crate::storage::schema::tasks;

/// Puts a note, or none, in the place of what was sealed as `read_version`.
///
/// # Errors
/// A failed query.
pub fn set_note(
    conn: &mut Conn,
    id: TaskId,
    read_version: i32,
    sealed: Option<Sealed>,
    epoch: i32,
) -> QueryResult<bool> {
    let epoch = sealed.is_some().then_some(epoch);
    let done = with!(conn, c => diesel::update(tasks::table
            .filter(tasks::id.eq(id))
            .filter(tasks::sealed_version.eq(read_version)))
        .set((
            tasks::sealed.eq(sealed),
            tasks::sealed_version.eq(read_version + 1),
            tasks::sealed_epoch.eq(epoch),
        ))
        .execute(c))?;
    Ok(done == 1)
}

/// What destroys a note.
macro_rules! no_note {
    () => {
        (
            tasks::sealed.eq(None::<Sealed>),
            tasks::sealed_epoch.eq(None::<i32>),
        )
    };
}

/// Destroys the notes of all tasks about a neighbor, but of reports: those go with the evidence.
///
/// # Errors
/// A failed query.
pub fn erase_notes_of_neighbor(conn: &mut Conn, id: NeighborId) -> QueryResult<usize> {
    with!(conn, c => diesel::update(tasks::table
            .filter(tasks::neighbor_id.eq(id))
            .filter(tasks::kind.ne(TaskKind::Report))
            .filter(tasks::sealed.is_not_null()))
        .set(no_note!())
        .execute(c))
}

/// As [`erase_notes_of_neighbor`], of a volunteer.
///
/// # Errors
/// A failed query.
pub fn erase_notes_of_volunteer(conn: &mut Conn, id: VolunteerId) -> QueryResult<usize> {
    with!(conn, c => diesel::update(tasks::table
            .filter(tasks::volunteer_id.eq(id))
            .filter(tasks::kind.ne(TaskKind::Report))
            .filter(tasks::sealed.is_not_null()))
        .set(no_note!())
        .execute(c))
}

/// As [`erase_notes_of_neighbor`], of requests.
///
/// # Errors
/// A failed query.
pub fn erase_notes_of_requests(conn: &mut Conn, ids: &[RequestId]) -> QueryResult<usize> {
    with!(conn, c => diesel::update(tasks::table
            .filter(one_of(tasks::request_id, ids))
            .filter(tasks::kind.ne(TaskKind::Report))
            .filter(tasks::sealed.is_not_null()))
        .set(no_note!())
        .execute(c))
}

/// Destroys the notes of tasks about these reports, as their evidence is.
///
/// # Errors
/// A failed query.
pub fn erase_notes_of_reports(conn: &mut Conn, ids: &[ReportId]) -> QueryResult<usize> {
    with!(conn, c => diesel::update(tasks::table
            .filter(one_of(tasks::report_id, ids))
            .filter(tasks::sealed.is_not_null()))
        .set(no_note!())
        .execute(c))
}

/// Destroys the notes of tasks that were done before an instant, some at a time. Gives how many.
///
/// # Errors
/// A failed query.
pub fn erase_notes_done_before(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<usize> {
    let old: Vec<TaskId> = with!(conn, c => tasks::table
        .filter(tasks::sealed.is_not_null())
        .filter(tasks::done_at.le(before))
        .order(tasks::done_at)
        .limit(limit)
        .select(tasks::id)
        .load(c))?;
    with!(conn, c => diesel::update(tasks::table.filter(one_of(tasks::id, &old)))
        .set(no_note!())
        .execute(c))
}
