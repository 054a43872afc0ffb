//! The outbox: letters wait here from the transaction that causes them until they are settled.

use diesel::prelude::*;

use super::connection::{Conn, insert_rows, with};
use super::dialect::{load_for_update, load_skip_locked, one_of};
use super::page::{Page, page_of};
use super::schema::letters;
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, LetterId, MatchId, RecordId, RequestId};
use crate::domain::letter::{Lane, LetterKind};
use crate::domain::webhook::Notice;
use crate::domain::word::words;

words! {
    /// Where a letter stands.
    LetterState {
        /// Waits to be sent.
        Queued = "queued",
        /// The mail server took it.
        Sent = "sent",
        /// Its subject no longer allows it, or its recipient wants no mail.
        Dropped = "dropped",
        /// It cannot be delivered.
        Dead = "dead",
    }
    /// Whom a letter goes to.
    RecipientKind {
        /// A neighbor.
        Neighbor = "neighbor",
        /// A volunteer.
        Volunteer = "volunteer",
        /// A coordinator.
        Coordinator = "coordinator",
        /// A webhook: what it gets are events, in `notices`.
        Webhook = "webhook",
    }
}

/// A letter, to read and to write. It holds ids only: who and what it says is looked up when it is sent.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = letters, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Letter {
    pub id: LetterId,
    pub kind: LetterKind,
    pub to_kind: RecipientKind,
    pub to_id: RecordId,
    pub request_id: Option<RequestId>,
    pub match_id: Option<MatchId>,
    pub priority: i32,
    pub state: LetterState,
    pub due_at: Ts,
    pub attempts: i32,
    pub lease_id: Option<LeaseId>,
    pub lease_until: Option<Ts>,
    pub last_error: Option<String>,
    pub settled_at: Option<Ts>,
    pub created_at: Ts,
    pub unconfirmed: bool,
    /// When a coordinator had it sent again after it was given up.
    pub retried_at: Option<Ts>,
    /// Of a webhook's: what has happened.
    pub event: Option<Notice>,
    /// To what.
    pub event_id: Option<RecordId>,
    /// When.
    pub event_at: Option<Ts>,
}

/// Which letters a coordinator wants to see.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the column it filters by")]
pub struct LetterFilter {
    pub state: Option<LetterState>,
    pub kind: Option<LetterKind>,
    pub match_id: Option<MatchId>,
    pub request: Option<RequestId>,
    /// Whom it is for.
    pub to: Option<RecordId>,
}

/// Puts letters into the outbox.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, new: &[Letter]) -> QueryResult<()> {
    insert_rows!(conn, letters::table, new)?;
    Ok(())
}

/// The letter.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: LetterId) -> QueryResult<Option<Letter>> {
    with!(conn, c => letters::table.find(id).select(Letter::as_select()).first(c).optional())
}

/// One page for coordinators.
///
/// # Errors
/// A failed query.
pub fn page(conn: &mut Conn, filter: &LetterFilter, page: Page) -> QueryResult<Vec<Letter>> {
    with!(conn, c => {
        let mut query = letters::table.select(Letter::as_select()).into_boxed();
        if let Some(state) = filter.state {
            query = query.filter(letters::state.eq(state));
        }
        if let Some(kind) = filter.kind {
            query = query.filter(letters::kind.eq(kind));
        }
        if let Some(id) = filter.match_id {
            query = query.filter(letters::match_id.eq(id));
        }
        if let Some(id) = filter.request {
            query = query.filter(letters::request_id.eq(id));
        }
        if let Some(id) = filter.to {
            query = query.filter(letters::to_id.eq(id));
        }
        page_of!(query, letters, page).load(c)
    })
}

/// The letter, which nobody else changes until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn, id: LetterId) -> QueryResult<Option<Letter>> {
    let mut found: Vec<Letter> = load_for_update!(
        conn,
        letters::table
            .filter(letters::id.eq(id))
            .select(Letter::as_select())
    )?;
    Ok(found.pop())
}

/// Letters that wait for somebody and that nobody is sending, oldest first, locked.
///
/// # Errors
/// A failed query.
pub fn lock_waiting(conn: &mut Conn, to: RecordId) -> QueryResult<Vec<Letter>> {
    let mut found: Vec<Letter> = load_for_update!(
        conn,
        letters::table
            .filter(letters::to_id.eq(to))
            .filter(letters::state.eq(LetterState::Queued))
            .filter(letters::lease_id.is_null())
            .order(letters::id)
            .select(Letter::as_select())
    )?;
    found.sort_by_key(|l| (l.created_at, l.id));
    Ok(found)
}

/// Drops a letter that waits and that nobody is sending.
///
/// # Errors
/// A failed query.
pub fn drop_waiting(conn: &mut Conn, id: LetterId, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(letters::table
            .filter(letters::id.eq(id))
            .filter(letters::state.eq(LetterState::Queued))
            .filter(letters::lease_id.is_null()))
        .set((letters::state.eq(LetterState::Dropped), letters::settled_at.eq(now)))
        .execute(c))?;
    Ok(done == 1)
}

/// Puts a letter that was given up back into the outbox, as if it had not been tried.
///
/// # Errors
/// A failed query.
pub fn retry(conn: &mut Conn, id: LetterId, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(letters::table
            .filter(letters::id.eq(id))
            .filter(letters::state.eq(LetterState::Dead)))
        .set((
            letters::state.eq(LetterState::Queued),
            letters::attempts.eq(0),
            letters::due_at.eq(now),
            letters::last_error.eq(None::<String>),
            letters::settled_at.eq(None::<Ts>),
            letters::retried_at.eq(now),
        ))
        .execute(c))?;
    Ok(done == 1)
}

/// When the newest letter of a kind was written to somebody.
///
/// # Errors
/// A failed query.
pub fn newest_to(conn: &mut Conn, to: RecordId, kind: LetterKind) -> QueryResult<Option<Ts>> {
    with!(conn, c => letters::table
        .filter(letters::to_id.eq(to))
        .filter(letters::kind.eq(kind))
        .order(letters::created_at.desc())
        .select(letters::created_at)
        .first(c)
        .optional())
}

/// Takes due letters of a lane, in the order of their priority, then of their time, and passes over those
/// that somebody else is just taking. Each claim counts as an attempt. They stay taken until `lease_until`,
/// after which another worker may take them.
///
/// # Errors
/// A failed query.
pub fn claim_due(
    conn: &mut Conn,
    lane: Lane,
    now: Ts,
    lease: LeaseId,
    lease_until: Ts,
    limit: i64,
) -> QueryResult<Vec<Letter>> {
    let ids: Vec<LetterId> = load_skip_locked!(
        conn,
        letters::table
            .filter(letters::event.is_null())
            .filter(letters::state.eq(LetterState::Queued))
            .filter(letters::unconfirmed.eq(lane.is_unconfirmed()))
            .filter(letters::due_at.le(now))
            .filter(
                letters::lease_until
                    .is_null()
                    .or(letters::lease_until.le(now))
            )
            .order((letters::priority, letters::due_at, letters::id))
            .limit(limit)
            .select(letters::id)
    )?;
    let mut claimed = take(conn, &ids, lease, lease_until)?;
    claimed.sort_by_key(|l| (l.priority, l.due_at, l.id));
    Ok(claimed)
}

/// Takes these letters, which are locked, until `lease_until`. Each claim counts as an attempt. In no order.
///
/// # Errors
/// A failed query.
pub(super) fn take(
    conn: &mut Conn,
    ids: &[LetterId],
    lease: LeaseId,
    lease_until: Ts,
) -> QueryResult<Vec<Letter>> {
    with!(conn, c => diesel::update(letters::table.filter(one_of(letters::id, ids)))
        .set((
            letters::lease_id.eq(lease),
            letters::lease_until.eq(lease_until),
            letters::attempts.eq(letters::attempts + 1),
        ))
        .execute(c))?;
    with!(conn, c => letters::table
        .filter(one_of(letters::id, ids))
        .select(Letter::as_select())
        .load(c))
}

/// Those of the letters that are still held under a lease.
///
/// # Errors
/// A failed query.
pub fn held(conn: &mut Conn, ids: &[LetterId], lease: LeaseId) -> QueryResult<Vec<LetterId>> {
    with!(conn, c => letters::table
        .filter(one_of(letters::id, ids))
        .filter(letters::lease_id.eq(lease))
        .filter(letters::state.eq(LetterState::Queued))
        .select(letters::id)
        .load(c))
}

/// As [`held`], locked.
///
/// # Errors
/// A failed query.
pub fn lock_held(conn: &mut Conn, ids: &[LetterId], lease: LeaseId) -> QueryResult<Vec<LetterId>> {
    load_for_update!(
        conn,
        letters::table
            .filter(one_of(letters::id, ids))
            .filter(letters::lease_id.eq(lease))
            .filter(letters::state.eq(LetterState::Queued))
            .order(letters::id)
            .select(letters::id)
    )
}

/// Gives taken letters back that nobody has begun to send: they are due as before, and the claim does
/// not count as an attempt.
///
/// # Errors
/// A failed query.
pub fn unclaim(conn: &mut Conn, ids: &[LetterId], lease: LeaseId) -> QueryResult<usize> {
    with!(conn, c => diesel::update(letters::table
            .filter(one_of(letters::id, ids))
            .filter(letters::lease_id.eq(lease))
            .filter(letters::state.eq(LetterState::Queued)))
        .set((
            letters::attempts.eq(letters::attempts - 1),
            letters::lease_id.eq(None::<LeaseId>),
            letters::lease_until.eq(None::<Ts>),
        ))
        .execute(c))
}

/// Puts taken letters that may not leave yet back until `due`; the claim does not count as an attempt.
///
/// # Errors
/// A failed query.
pub fn put_off(conn: &mut Conn, ids: &[LetterId], lease: LeaseId, due: Ts) -> QueryResult<usize> {
    with!(conn, c => diesel::update(letters::table
            .filter(one_of(letters::id, ids))
            .filter(letters::lease_id.eq(lease))
            .filter(letters::state.eq(LetterState::Queued)))
        .set((
            letters::due_at.eq(due),
            letters::attempts.eq(letters::attempts - 1),
            letters::lease_id.eq(None::<LeaseId>),
            letters::lease_until.eq(None::<Ts>),
        ))
        .execute(c))
}

/// Somebody's address works: what waits for her changes to the lane of the confirmed.
///
/// # Errors
/// A failed query.
pub fn confirm(conn: &mut Conn, to: RecordId) -> QueryResult<usize> {
    with!(conn, c => diesel::update(letters::table
            .filter(letters::to_id.eq(to))
            .filter(letters::state.eq(LetterState::Queued)))
        .set(letters::unconfirmed.eq(false))
        .execute(c))
}

/// When the next letter of a lane may be taken: it is due, and nobody holds it any more.
///
/// # Errors
/// A failed query.
pub fn next_due(conn: &mut Conn, lane: Lane) -> QueryResult<Option<Ts>> {
    let free: Option<Ts> = with!(conn, c => letters::table
        .filter(letters::event.is_null())
        .filter(letters::state.eq(LetterState::Queued))
        .filter(letters::unconfirmed.eq(lane.is_unconfirmed()))
        .filter(letters::lease_until.is_null())
        .order(letters::due_at)
        .select(letters::due_at)
        .first(c)
        .optional())?;
    let held: Option<Ts> = with!(conn, c => letters::table
        .filter(letters::event.is_null())
        .filter(letters::state.eq(LetterState::Queued))
        .filter(letters::unconfirmed.eq(lane.is_unconfirmed()))
        .filter(letters::lease_until.is_not_null())
        .order(letters::lease_until)
        .select(letters::lease_until.assume_not_null())
        .first(c)
        .optional())?;
    Ok(free.into_iter().chain(held).min())
}

/// The letters of a lane that were taken by somebody whose lease is over.
///
/// # Errors
/// A failed query.
pub fn abandoned(conn: &mut Conn, lane: Lane, now: Ts) -> QueryResult<Vec<LetterId>> {
    with!(conn, c => letters::table
        .filter(letters::event.is_null())
        .filter(letters::state.eq(LetterState::Queued))
        .filter(letters::unconfirmed.eq(lane.is_unconfirmed()))
        .filter(letters::lease_until.le(now))
        .select(letters::id)
        .load(c))
}

/// How many letters are in a state, without what is told to webhooks.
///
/// # Errors
/// A failed query.
pub fn count(conn: &mut Conn, state: LetterState) -> QueryResult<i64> {
    with!(conn, c => letters::table
        .filter(letters::event.is_null())
        .filter(letters::state.eq(state))
        .count()
        .get_result(c))
}

/// How many letters wait, and since when the oldest; without what is told to webhooks.
///
/// # Errors
/// A failed query.
pub fn backlog(conn: &mut Conn) -> QueryResult<(i64, Option<Ts>)> {
    // As the check says: what is settled is not queued.
    let waiting = with!(conn, c => letters::table
        .filter(letters::settled_at.is_null())
        .filter(letters::event.is_null())
        .count()
        .get_result(c))?;
    let oldest = with!(conn, c => letters::table
        .filter(letters::settled_at.is_null())
        .filter(letters::event.is_null())
        .order(letters::created_at)
        .select(letters::created_at)
        .first(c)
        .optional())?;
    Ok((waiting, oldest))
}

/// Settles a letter for good, if the lease is still held.
///
/// # Errors
/// A failed query.
pub fn settle(
    conn: &mut Conn,
    id: LetterId,
    lease: LeaseId,
    state: LetterState,
    error: Option<&str>,
    now: Ts,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(letters::table
            .filter(letters::id.eq(id))
            .filter(letters::lease_id.eq(lease))
            .filter(letters::state.eq(LetterState::Queued)))
        .set((
            letters::state.eq(state),
            letters::last_error.eq(error),
            letters::settled_at.eq(now),
            letters::lease_id.eq(None::<LeaseId>),
            letters::lease_until.eq(None::<Ts>),
        ))
        .execute(c))?;
    Ok(done == 1)
}

/// Puts a letter back until `due`, if the lease is still held.
///
/// # Errors
/// A failed query.
pub fn postpone(
    conn: &mut Conn,
    id: LetterId,
    lease: LeaseId,
    error: &str,
    due: Ts,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(letters::table
            .filter(letters::id.eq(id))
            .filter(letters::lease_id.eq(lease))
            .filter(letters::state.eq(LetterState::Queued)))
        .set((
            letters::due_at.eq(due),
            letters::last_error.eq(error),
            letters::lease_id.eq(None::<LeaseId>),
            letters::lease_until.eq(None::<Ts>),
        ))
        .execute(c))?;
    Ok(done == 1)
}

/// Letters to an address, of one kind, since an instant: for limits on unconfirmed addresses.
///
/// # Errors
/// A failed query.
pub fn count_since(conn: &mut Conn, to: RecordId, kind: LetterKind, since: Ts) -> QueryResult<i64> {
    with!(conn, c => letters::table
        .filter(letters::to_id.eq(to))
        .filter(letters::kind.eq(kind))
        .filter(letters::created_at.gt(since))
        .count()
        .get_result(c))
}

/// Deletes the letters about these requests.
///
/// # Errors
/// A failed query.
pub fn delete_of_requests(conn: &mut Conn, ids: &[RequestId]) -> QueryResult<usize> {
    with!(conn, c => diesel::delete(letters::table.filter(one_of(letters::request_id, ids))).execute(c))
}

/// Letters that were settled before an instant, some of them.
///
/// # Errors
/// A failed query.
pub fn settled_before(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<Vec<LetterId>> {
    with!(conn, c => letters::table
        .filter(letters::settled_at.le(before))
        .order(letters::settled_at)
        .limit(limit)
        .select(letters::id)
        .load(c))
}

/// Deletes these letters.
///
/// # Errors
/// A failed query.
pub fn delete(conn: &mut Conn, ids: &[LetterId]) -> QueryResult<usize> {
    with!(conn, c => diesel::delete(letters::table.filter(one_of(letters::id, ids))).execute(c))
}
