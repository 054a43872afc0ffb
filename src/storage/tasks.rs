//! Tasks: what a person must do by a time. Their lists are in `lists`, and how acts end them in `ends`.

mod ends;
mod late;
mod lists;
mod moves;
mod news;
mod notes;

use diesel::prelude::*;

pub use self::ends::{
    Ending, dead_letters_of, end_of_letters, end_of_matches, end_of_neighbors, end_of_offers,
    end_of_reports, end_of_requests, end_of_volunteers, has_open_of_offer, has_open_of_volunteer,
};
pub use self::late::{escalate, escalated};
pub use self::lists::{Claimed, Counts, TaskFilter, counts, page};
pub use self::moves::{
    call_again, claim, finish, give, give_back_all, hurry, lock_held, reopen, set_due, tell_newer,
};
pub use self::news::{end_needless_news, end_news_of_closing, end_past_reminders};
pub use self::notes::{
    erase_notes_done_before, erase_notes_of_neighbor, erase_notes_of_reports,
    erase_notes_of_requests, erase_notes_of_volunteer, set_note,
};
use super::changes;
use super::connection::{Conn, with};
use super::dialect::{load_for_update, one_of};
use super::schema::tasks;
use crate::crypto::seal::Sealed;
use crate::domain::clock::Ts;
use crate::domain::ids::{
    CoordinatorId, LetterId, MatchId, NeighborId, OfferId, ReportId, RequestId, TaskId, VolunteerId,
};
use crate::domain::letter::LetterKind;
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
    pub match_id: Option<MatchId>,
    pub offer_id: Option<OfferId>,
    pub volunteer_id: Option<VolunteerId>,
    pub report_id: Option<ReportId>,
    pub letter_id: Option<LetterId>,
    pub about: Option<LetterKind>,
    pub assigned_by: Option<CoordinatorId>,
    pub escalated_at: Option<Ts>,
    pub sealed: Option<Sealed>,
    pub sealed_version: i32,
    pub sealed_epoch: Option<i32>,
    pub attempts: i32,
    pub tried_at: Option<Ts>,
}

impl Task {
    /// One that is about nothing yet, and that nobody has.
    #[must_use]
    pub fn new(id: TaskId, kind: TaskKind, created_at: Ts, due_at: Ts) -> Self {
        Self {
            id,
            kind,
            request_id: None,
            neighbor_id: None,
            created_at,
            due_at,
            claimed_by: None,
            claimed_at: None,
            done_at: None,
            done_by: None,
            outcome: None,
            match_id: None,
            offer_id: None,
            volunteer_id: None,
            report_id: None,
            letter_id: None,
            about: None,
            assigned_by: None,
            escalated_at: None,
            sealed: None,
            sealed_version: 0,
            sealed_epoch: None,
            attempts: 0,
            tried_at: None,
        }
    }

    /// Whether nobody has it: nobody took it, or whoever did took it at `stale` or before.
    #[must_use]
    pub fn is_free(&self, stale: Ts) -> bool {
        self.claimed_at.is_none_or(|at| at <= stale)
    }
}

/// Writes a new task.
///
/// # Errors
/// A failed query; a unique violation if its cause has an open one already.
pub fn insert(conn: &mut Conn, new: &Task) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(tasks::table).values(new).execute(c))?;
    changes::tasks(conn, &[new.id], new.created_at)
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

/// The open tasks of a kind that are about a neighbor.
///
/// # Errors
/// A failed query.
pub fn open_of(conn: &mut Conn, neighbor: NeighborId, kind: TaskKind) -> QueryResult<Vec<Task>> {
    with!(conn, c => tasks::table
        .filter(tasks::neighbor_id.eq(neighbor))
        .filter(tasks::kind.eq(kind))
        .filter(tasks::done_at.is_null())
        .select(Task::as_select())
        .load(c))
}

/// The call that a neighbor waits for.
///
/// # Errors
/// A failed query.
pub fn open_call(conn: &mut Conn, neighbor: NeighborId) -> QueryResult<Option<Task>> {
    Ok(open_of(conn, neighbor, TaskKind::Call)?.pop())
}

/// Whether a neighbor was, or is, to be told something of that kind by a task since an instant.
///
/// # Errors
/// A failed query.
pub fn told_since(
    conn: &mut Conn,
    neighbor: NeighborId,
    about: LetterKind,
    since: Ts,
) -> QueryResult<bool> {
    with!(conn, c => diesel::select(diesel::dsl::exists(tasks::table
            .filter(tasks::neighbor_id.eq(neighbor))
            .filter(tasks::about.eq(about))
            .filter(tasks::created_at.gt(since))))
        .get_result(c))
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
    let ending = Ending {
        outcome: TaskOutcome::NotNeeded,
        by: None,
        at: now,
    };
    end_of_requests(conn, &[request], &[TaskKind::Look], &ending)
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
