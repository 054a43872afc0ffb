//! What the last round of matching for a request saw, and when all of the request was first promised.
//!
//! Beside `requests` and not in it: nothing decides by it.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::one_of;
use super::schema::rounds;
use super::sql_types::Json;
use crate::domain::clock::Ts;
use crate::domain::ids::RequestId;
use crate::domain::round::RoundSeen;

/// What is kept beside a request.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = rounds)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct Rounds {
    pub request_id: RequestId,
    pub seen: Option<Json<RoundSeen>>,
    pub covered_at: Option<Ts>,
}

/// Of those of the requests that had a round or were covered.
///
/// # Errors
/// A failed query.
pub fn find_all(conn: &mut Conn, ids: &[RequestId]) -> QueryResult<Vec<Rounds>> {
    with!(conn, c => rounds::table
        .filter(one_of(rounds::request_id, ids))
        .select(Rounds::as_select())
        .load(c))
}

/// What the last round for the request saw.
///
/// # Errors
/// A failed query.
pub fn seen(conn: &mut Conn, id: RequestId) -> QueryResult<Option<RoundSeen>> {
    let found = find_all(conn, &[id])?.pop();
    Ok(found.and_then(|row| row.seen).map(|seen| seen.0))
}

/// Keeps what a round saw in place of what the one before it saw. The request is locked.
///
/// # Errors
/// A failed query.
pub fn set_seen(conn: &mut Conn, id: RequestId, seen: &RoundSeen) -> QueryResult<()> {
    let seen = Some(Json(seen.clone()));
    with!(conn, c => diesel::insert_into(rounds::table)
        .values((rounds::request_id.eq(id), rounds::seen.eq(&seen)))
        .on_conflict(rounds::request_id)
        .do_update()
        .set(rounds::seen.eq(&seen))
        .execute(c))?;
    Ok(())
}

/// Remembers when all of the request was promised, if it never was before. The request is locked.
///
/// # Errors
/// A failed query.
pub fn set_covered(conn: &mut Conn, id: RequestId, at: Ts) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(rounds::table)
        .values((rounds::request_id.eq(id), rounds::seen.eq(None::<Json<RoundSeen>>)))
        .on_conflict_do_nothing()
        .execute(c))?;
    with!(conn, c => diesel::update(rounds::table
            .filter(rounds::request_id.eq(id))
            .filter(rounds::covered_at.is_null()))
        .set(rounds::covered_at.eq(at))
        .execute(c))?;
    Ok(())
}

/// Forgets what was kept beside requests that are deleted.
///
/// # Errors
/// A failed query.
pub fn delete(conn: &mut Conn, ids: &[RequestId]) -> QueryResult<usize> {
    with!(conn, c => diesel::delete(rounds::table.filter(one_of(rounds::request_id, ids))).execute(c))
}
