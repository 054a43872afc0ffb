//! Requests that look alike and that a coordinator knows to be two. Each pair stands both ways round, and goes
//! with the first of its requests.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::schema::distinct_requests;
use crate::domain::clock::Ts;
use crate::domain::ids::RequestId;

/// Remembers that two requests, which are there, are not the same need. Whether that was new.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, one: RequestId, other: RequestId, now: Ts) -> QueryResult<bool> {
    let mut added = 0;
    for (request, other) in [(one, other), (other, one)] {
        added += with!(conn, c => diesel::insert_into(distinct_requests::table)
            .values((
                distinct_requests::request_id.eq(request),
                distinct_requests::other_id.eq(other),
                distinct_requests::created_at.eq(now),
            ))
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    Ok(added > 0)
}

/// Forgets it again. Whether it was known.
///
/// # Errors
/// A failed query.
pub fn delete(conn: &mut Conn, one: RequestId, other: RequestId) -> QueryResult<bool> {
    let mut gone = 0;
    for pair in [(one, other), (other, one)] {
        gone += with!(conn, c => diesel::delete(distinct_requests::table.find(pair)).execute(c))?;
    }
    Ok(gone > 0)
}

/// What a request was told apart from, by id.
///
/// # Errors
/// A failed query.
pub fn of(conn: &mut Conn, id: RequestId) -> QueryResult<Vec<RequestId>> {
    with!(conn, c => distinct_requests::table
        .filter(distinct_requests::request_id.eq(id))
        .order(distinct_requests::other_id)
        .select(distinct_requests::other_id)
        .load(c))
}

/// Every pair, both ways round: as many as coordinators have looked at.
///
/// # Errors
/// A failed query.
pub fn all(conn: &mut Conn) -> QueryResult<Vec<(RequestId, RequestId)>> {
    with!(conn, c => distinct_requests::table
        .select((distinct_requests::request_id, distinct_requests::other_id))
        .load(c))
}
