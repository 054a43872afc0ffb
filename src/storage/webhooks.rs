//! Webhooks: where what changes is told, and how that goes.

use diesel::prelude::*;

use super::changes::Place;
use super::connection::{Conn, with};
use super::dialect::load_for_update;
use super::page::{Page, page_of};
use super::schema::webhooks;
use super::sql_types::Json;
use crate::crypto::seal::Sealed;
use crate::domain::clock::Ts;
use crate::domain::event::EventType;
use crate::domain::ids::{CoordinatorId, WebhookId};
use crate::domain::webhook::DisabledBecause;

/// A webhook, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhooks, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Webhook {
    pub id: WebhookId,
    pub types: Json<Vec<EventType>>,
    pub disabled_at: Option<Ts>,
    pub disabled_because: Option<DisabledBecause>,
    pub place: Json<Place>,
    pub placed_at: Ts,
    pub failures: i32,
    pub failing_since: Option<Ts>,
    pub last_failure: Option<String>,
    pub last_failure_at: Option<Ts>,
    pub last_success_at: Option<Ts>,
    pub rest_until: Option<Ts>,
    pub created_at: Ts,
    pub created_by: CoordinatorId,
    pub sealed: Sealed,
    pub sealed_version: i32,
    pub sealed_epoch: Option<i32>,
}

/// Writes a new webhook.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, new: &Webhook) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(webhooks::table).values(new).execute(c))?;
    Ok(())
}

/// The webhook.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: WebhookId) -> QueryResult<Option<Webhook>> {
    with!(conn, c => webhooks::table.find(id).select(Webhook::as_select()).first(c).optional())
}

/// The webhook, which nobody else changes until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn, id: WebhookId) -> QueryResult<Option<Webhook>> {
    let mut found: Vec<Webhook> = load_for_update!(
        conn,
        webhooks::table
            .filter(webhooks::id.eq(id))
            .select(Webhook::as_select())
    )?;
    Ok(found.pop())
}

/// One page, newest first.
///
/// # Errors
/// A failed query.
pub fn page(conn: &mut Conn, page: Page) -> QueryResult<Vec<Webhook>> {
    with!(conn, c => {
        let query = webhooks::table.select(Webhook::as_select()).into_boxed();
        page_of!(query, webhooks, page).load(c)
    })
}

/// How many there are.
///
/// # Errors
/// A failed query.
pub fn count(conn: &mut Conn) -> QueryResult<i64> {
    with!(conn, c => webhooks::table.count().get_result(c))
}

/// Those that are told anything, in the order of their ids, each with the instant before which it rests.
///
/// # Errors
/// A failed query.
pub fn enabled(conn: &mut Conn) -> QueryResult<Vec<(WebhookId, Option<Ts>)>> {
    with!(conn, c => webhooks::table
        .filter(webhooks::disabled_at.is_null())
        .order(webhooks::id)
        .select((webhooks::id, webhooks::rest_until))
        .load(c))
}

/// How far the feed was read for it.
///
/// # Errors
/// A failed query.
pub fn set_place(conn: &mut Conn, id: WebhookId, place: Place, now: Ts) -> QueryResult<usize> {
    with!(conn, c => diesel::update(webhooks::table.find(id))
        .set((webhooks::place.eq(Json(place)), webhooks::placed_at.eq(now)))
        .execute(c))
}

/// What it is told from now on.
///
/// # Errors
/// A failed query.
pub fn set_types(conn: &mut Conn, id: WebhookId, types: Vec<EventType>) -> QueryResult<usize> {
    with!(conn, c => diesel::update(webhooks::table.find(id))
        .set(webhooks::types.eq(Json(types)))
        .execute(c))
}

/// Puts another sealed part in the place of what was sealed as `read_version`.
///
/// # Errors
/// A failed query.
pub fn set_sealed(
    conn: &mut Conn,
    id: WebhookId,
    read_version: i32,
    sealed: Sealed,
    epoch: i32,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(webhooks::table
            .filter(webhooks::id.eq(id))
            .filter(webhooks::sealed_version.eq(read_version)))
        .set((
            webhooks::sealed.eq(sealed),
            webhooks::sealed_version.eq(read_version + 1),
            webhooks::sealed_epoch.eq(Some(epoch)),
        ))
        .execute(c))?;
    Ok(done == 1)
}

/// Nothing is told to it any more. False if that was so before.
///
/// # Errors
/// A failed query.
pub fn disable(
    conn: &mut Conn,
    id: WebhookId,
    because: DisabledBecause,
    now: Ts,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(webhooks::table
            .filter(webhooks::id.eq(id))
            .filter(webhooks::disabled_at.is_null()))
        .set((
            webhooks::disabled_at.eq(Some(now)),
            webhooks::disabled_because.eq(Some(because)),
            webhooks::rest_until.eq(None::<Ts>),
        ))
        .execute(c))?;
    Ok(done == 1)
}

/// Those that somebody has registered and that are told what changes, locked.
///
/// # Errors
/// A failed query.
pub fn lock_of(conn: &mut Conn, by: CoordinatorId) -> QueryResult<Vec<WebhookId>> {
    load_for_update!(
        conn,
        webhooks::table
            .filter(webhooks::created_by.eq(by))
            .filter(webhooks::disabled_at.is_null())
            .order(webhooks::id)
            .select(webhooks::id)
    )
}

/// It is told again what changes, from `place` on, as if it had never failed. False if it was before.
///
/// # Errors
/// A failed query.
pub fn enable(conn: &mut Conn, id: WebhookId, place: Place, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(webhooks::table
            .filter(webhooks::id.eq(id))
            .filter(webhooks::disabled_at.is_not_null()))
        .set((
            webhooks::disabled_at.eq(None::<Ts>),
            webhooks::disabled_because.eq(None::<DisabledBecause>),
            webhooks::place.eq(Json(place)),
            webhooks::placed_at.eq(now),
            webhooks::failures.eq(0),
            webhooks::failing_since.eq(None::<Ts>),
            webhooks::rest_until.eq(None::<Ts>),
        ))
        .execute(c))?;
    Ok(done == 1)
}

/// A message has arrived.
///
/// # Errors
/// A failed query.
pub fn succeeded(conn: &mut Conn, id: WebhookId, now: Ts) -> QueryResult<usize> {
    with!(conn, c => diesel::update(webhooks::table.find(id))
        .set((
            webhooks::last_success_at.eq(Some(now)),
            webhooks::failures.eq(0),
            webhooks::failing_since.eq(None::<Ts>),
            webhooks::rest_until.eq(None::<Ts>),
        ))
        .execute(c))
}

/// A message has not arrived: how often that was so in a row, since when, why (a class of errors), and until
/// when nothing more is tried.
///
/// # Errors
/// A failed query.
pub fn failed(
    conn: &mut Conn,
    webhook: &Webhook,
    why: &str,
    rest_until: Ts,
    now: Ts,
) -> QueryResult<usize> {
    with!(conn, c => diesel::update(webhooks::table.find(webhook.id))
        .set((
            webhooks::failures.eq(webhook.failures.saturating_add(1)),
            webhooks::failing_since.eq(Some(webhook.failing_since.unwrap_or(now))),
            webhooks::last_failure.eq(Some(why)),
            webhooks::last_failure_at.eq(Some(now)),
            webhooks::rest_until.eq(Some(rest_until)),
        ))
        .execute(c))
}

/// Deletes a webhook.
///
/// # Errors
/// A failed query.
pub fn delete(conn: &mut Conn, id: WebhookId) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::delete(webhooks::table.find(id)).execute(c))?;
    Ok(done == 1)
}
