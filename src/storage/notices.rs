//! What is told to webhooks, as it waits among the letters: one row an event. Mail has its own lines there
//! (`letters`), and never waits for these.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::load_for_update;
use super::letters::{Letter, LetterState, take};
use super::schema::letters;
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, LetterId, RecordId, WebhookId};
use crate::domain::webhook::Notice;

/// A message that waits.
#[derive(Clone, Copy, Debug, Queryable)]
pub struct Waiting {
    /// What has happened.
    pub event: Option<Notice>,
    /// To what.
    pub event_id: Option<RecordId>,
    /// How often it was tried.
    pub attempts: i32,
    /// Who is sending it.
    pub lease_id: Option<LeaseId>,
}

impl Waiting {
    /// Whether nobody has tried to send it: what happens now is told by it too.
    #[must_use]
    pub fn is_untried(&self) -> bool {
        self.attempts == 0 && self.lease_id.is_none()
    }
}

/// Everything that waits for a webhook.
///
/// # Errors
/// A failed query.
pub fn waiting(conn: &mut Conn, to: WebhookId) -> QueryResult<Vec<Waiting>> {
    with!(conn, c => letters::table
        .filter(letters::event.is_not_null())
        .filter(letters::to_id.eq(RecordId::from(to)))
        .filter(letters::state.eq(LetterState::Queued))
        .select((letters::event, letters::event_id, letters::attempts, letters::lease_id))
        .load(c))
}

/// The test that waits for a webhook and that nobody has tried to send.
///
/// # Errors
/// A failed query.
pub fn untried_test(conn: &mut Conn, to: WebhookId) -> QueryResult<Option<LetterId>> {
    with!(conn, c => letters::table
        .filter(letters::event.eq(Notice::Test))
        .filter(letters::to_id.eq(RecordId::from(to)))
        .filter(letters::state.eq(LetterState::Queued))
        .filter(letters::attempts.eq(0))
        .filter(letters::lease_id.is_null())
        .select(letters::id)
        .first(c)
        .optional())
}

/// Takes due messages of a webhook, oldest first. Each claim counts as an attempt; they stay taken until
/// `lease_until`. The webhook is locked: nobody else takes them meanwhile.
///
/// # Errors
/// A failed query.
pub fn claim_due(
    conn: &mut Conn,
    to: WebhookId,
    now: Ts,
    lease: LeaseId,
    lease_until: Ts,
    limit: i64,
) -> QueryResult<Vec<Letter>> {
    let ids: Vec<LetterId> = load_for_update!(
        conn,
        letters::table
            .filter(letters::event.is_not_null())
            .filter(letters::to_id.eq(RecordId::from(to)))
            .filter(letters::state.eq(LetterState::Queued))
            .filter(letters::due_at.le(now))
            .filter(
                letters::lease_until
                    .is_null()
                    .or(letters::lease_until.le(now))
            )
            .order((letters::due_at, letters::id))
            .limit(limit)
            .select(letters::id)
    )?;
    let mut claimed = take(conn, &ids, lease, lease_until)?;
    claimed.sort_by_key(|l| (l.due_at, l.id));
    Ok(claimed)
}

/// When the next message to a webhook may be taken: it is due, and nobody holds it any more.
///
/// # Errors
/// A failed query.
pub fn next_due(conn: &mut Conn, to: WebhookId) -> QueryResult<Option<Ts>> {
    let free: Option<Ts> = with!(conn, c => letters::table
        .filter(letters::event.is_not_null())
        .filter(letters::to_id.eq(RecordId::from(to)))
        .filter(letters::state.eq(LetterState::Queued))
        .filter(letters::lease_until.is_null())
        .order(letters::due_at)
        .select(letters::due_at)
        .first(c)
        .optional())?;
    let held: Option<Ts> = with!(conn, c => letters::table
        .filter(letters::event.is_not_null())
        .filter(letters::to_id.eq(RecordId::from(to)))
        .filter(letters::state.eq(LetterState::Queued))
        .filter(letters::lease_until.is_not_null())
        .order(letters::lease_until)
        .select(letters::lease_until.assume_not_null())
        .first(c)
        .optional())?;
    Ok(free.into_iter().chain(held).min())
}

/// What waits longer because its receiver was not there is due now.
///
/// # Errors
/// A failed query.
pub fn hurry(conn: &mut Conn, to: WebhookId, now: Ts) -> QueryResult<usize> {
    with!(conn, c => diesel::update(letters::table
            .filter(letters::event.is_not_null())
            .filter(letters::to_id.eq(RecordId::from(to)))
            .filter(letters::state.eq(LetterState::Queued))
            .filter(letters::lease_id.is_null())
            .filter(letters::due_at.gt(now)))
        .set(letters::due_at.eq(now))
        .execute(c))
}

/// Drops what waits and what nobody is sending, but tests: one message says it all.
///
/// # Errors
/// A failed query.
pub fn drop_waiting(conn: &mut Conn, to: WebhookId, now: Ts) -> QueryResult<usize> {
    with!(conn, c => diesel::update(letters::table
            .filter(letters::event.ne(Notice::Test))
            .filter(letters::to_id.eq(RecordId::from(to)))
            .filter(letters::state.eq(LetterState::Queued))
            .filter(letters::lease_id.is_null()))
        .set((letters::state.eq(LetterState::Dropped), letters::settled_at.eq(now)))
        .execute(c))
}

/// Drops everything that waits, also what somebody is just sending.
///
/// # Errors
/// A failed query.
pub fn drop_all(conn: &mut Conn, to: WebhookId, now: Ts) -> QueryResult<usize> {
    with!(conn, c => diesel::update(letters::table
            .filter(letters::event.is_not_null())
            .filter(letters::to_id.eq(RecordId::from(to)))
            .filter(letters::state.eq(LetterState::Queued)))
        .set((
            letters::state.eq(LetterState::Dropped),
            letters::settled_at.eq(now),
            letters::lease_id.eq(None::<LeaseId>),
            letters::lease_until.eq(None::<Ts>),
        ))
        .execute(c))
}

/// The messages to a webhook that were given up.
///
/// # Errors
/// A failed query.
pub fn dead(conn: &mut Conn, to: WebhookId) -> QueryResult<Vec<LetterId>> {
    with!(conn, c => letters::table
        .filter(letters::event.is_not_null())
        .filter(letters::to_id.eq(RecordId::from(to)))
        .filter(letters::state.eq(LetterState::Dead))
        .select(letters::id)
        .load(c))
}

/// Messages that were settled before an instant, some of them; not those that were given up, which somebody may look at.
///
/// # Errors
/// A failed query.
pub fn settled_before(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<Vec<LetterId>> {
    with!(conn, c => letters::table
        .filter(letters::event.is_not_null())
        .filter(letters::settled_at.le(before))
        .filter(letters::state.ne(LetterState::Dead))
        .order(letters::settled_at)
        .limit(limit)
        .select(letters::id)
        .load(c))
}
