//! Coordinators: people with an API token.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::load_for_update;
use super::page::{Page, page_of};
use super::schema::coordinators;
use super::sql_types::Json;
use crate::crypto::seal::Sealed;
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, RecordId};
use crate::domain::part::Part;
use crate::domain::word::words;

words! {
    /// What a coordinator may do; each scope includes those before it.
    Scope {
        /// Enter posts for callers.
        Intake = "intake",
        /// Review matches and manage posts and people.
        Coordinator = "coordinator",
        /// Everything.
        Admin = "admin",
    }
}

/// A coordinator, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = coordinators, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Coordinator {
    pub id: CoordinatorId,
    pub scope: Scope,
    pub created_at: Ts,
    pub revoked_at: Option<Ts>,
    pub group_id: Option<RecordId>,
    pub sealed: Sealed,
    pub sealed_version: i32,
    pub sealed_epoch: Option<i32>,
    pub digest: bool,
    /// As in `2026-12-07`.
    pub digest_on: Option<String>,
    pub part: Option<Json<Part>>,
}

impl Coordinator {
    /// Whether the morning's letter is for them.
    #[must_use]
    pub fn gets_digest(&self) -> bool {
        self.digest && self.revoked_at.is_none() && self.scope != Scope::Intake
    }
}

/// Writes a new coordinator.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, coordinator: &Coordinator) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(coordinators::table).values(coordinator).execute(c))?;
    Ok(())
}

/// The coordinator, revoked or not.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: CoordinatorId) -> QueryResult<Option<Coordinator>> {
    with!(conn, c => coordinators::table.find(id).select(Coordinator::as_select()).first(c).optional())
}

/// The coordinator, which nobody else changes until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn, id: CoordinatorId) -> QueryResult<Option<Coordinator>> {
    let mut found: Vec<Coordinator> = load_for_update!(
        conn,
        coordinators::table
            .filter(coordinators::id.eq(id))
            .select(Coordinator::as_select())
    )?;
    Ok(found.pop())
}

/// Every coordinator, oldest first.
///
/// # Errors
/// A failed query.
pub fn all(conn: &mut Conn) -> QueryResult<Vec<Coordinator>> {
    with!(conn, c => coordinators::table.order(coordinators::created_at).select(Coordinator::as_select()).load(c))
}

/// One page, newest first: of those who coordinate, or else of those whose access was revoked.
///
/// # Errors
/// A failed query.
pub fn page(conn: &mut Conn, revoked: bool, page: Page) -> QueryResult<Vec<Coordinator>> {
    with!(conn, c => {
        let mut query = coordinators::table.select(Coordinator::as_select()).into_boxed();
        query = match revoked {
            true => query.filter(coordinators::revoked_at.is_not_null()),
            false => query.filter(coordinators::revoked_at.is_null()),
        };
        page_of!(query, coordinators, page).load(c)
    })
}

/// Those who review: not revoked, and of more scope than intake.
///
/// # Errors
/// A failed query.
pub fn reviewers(conn: &mut Conn) -> QueryResult<Vec<Coordinator>> {
    with!(conn, c => coordinators::table
        .filter(coordinators::revoked_at.is_null())
        .filter(coordinators::scope.ne(Scope::Intake))
        .select(Coordinator::as_select())
        .load(c))
}

/// Those of the scope `admin` who are not revoked, in the order of their ids, locked.
///
/// # Errors
/// A failed query.
pub fn lock_admins(conn: &mut Conn) -> QueryResult<Vec<CoordinatorId>> {
    load_for_update!(
        conn,
        coordinators::table
            .filter(coordinators::revoked_at.is_null())
            .filter(coordinators::scope.eq(Scope::Admin))
            .order(coordinators::id)
            .select(coordinators::id)
    )
}

/// Ends a coordinator's access.
///
/// # Errors
/// A failed query.
pub fn revoke(conn: &mut Conn, id: CoordinatorId, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(coordinators::table.find(id).filter(coordinators::revoked_at.is_null()))
        .set(coordinators::revoked_at.eq(now))
        .execute(c))?;
    Ok(done == 1)
}

/// Those who have not had the morning's letter of that day, which began at `began_at`, in the order of their ids,
/// locked. Who came later has the next day's.
///
/// # Errors
/// A failed query.
pub fn lock_without_digest(
    conn: &mut Conn,
    day: &str,
    began_at: Ts,
) -> QueryResult<Vec<CoordinatorId>> {
    load_for_update!(
        conn,
        coordinators::table
            .filter(coordinators::revoked_at.is_null())
            .filter(coordinators::scope.ne(Scope::Intake))
            .filter(coordinators::digest.eq(true))
            .filter(coordinators::created_at.le(began_at))
            .filter(
                coordinators::digest_on
                    .is_null()
                    .or(coordinators::digest_on.lt(day))
            )
            .order(coordinators::id)
            .select(coordinators::id)
    )
}

/// Notes that a coordinator has the morning's letter of that day, unless it was noted.
///
/// # Errors
/// A failed query.
pub fn mark_digest(conn: &mut Conn, id: CoordinatorId, day: &str) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(coordinators::table.find(id)
            .filter(coordinators::digest.eq(true))
            .filter(coordinators::digest_on.is_null().or(coordinators::digest_on.lt(day))))
        .set(coordinators::digest_on.eq(day))
        .execute(c))?;
    Ok(done == 1)
}

/// Sets whether a coordinator gets the morning's letter.
///
/// # Errors
/// A failed query.
pub fn set_digest(conn: &mut Conn, id: CoordinatorId, wanted: bool) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(coordinators::table.find(id)
            .filter(coordinators::revoked_at.is_null()))
        .set(coordinators::digest.eq(wanted))
        .execute(c))?;
    Ok(done == 1)
}

/// Sets what a coordinator is limited to.
///
/// # Errors
/// A failed query.
pub fn set_part(conn: &mut Conn, id: CoordinatorId, part: Option<Part>) -> QueryResult<()> {
    with!(conn, c => diesel::update(coordinators::table.find(id))
        .set(coordinators::part.eq(part.map(Json)))
        .execute(c))?;
    Ok(())
}
