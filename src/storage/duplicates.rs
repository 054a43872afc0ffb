//! Requests that may be the same need posted twice: of one category, alive, by people with the same e-mail
//! address or phone number; or twice by one neighbor for times that overlap, but for slots of one series.
//! Flagged for coordinators; nothing here merges anything.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::connection::{Conn, with};
use super::dialect::one_of;
use super::neighbors;
use super::requests::Request;
use super::schema::requests;
use crate::domain::ids::{NeighborId, RequestId};

/// That a request has a possible duplicate, as a condition on `requests`. In words, because it looks from a
/// table into the same table; each of its arms finds an index.
pub(super) fn has_one() -> SqlLiteral<Bool> {
    sql::<Bool>(
        "(requests.closed_at IS NULL AND (
            EXISTS (SELECT 1 FROM neighbors AS hers
                JOIN neighbors AS theirs ON theirs.email_hash = hers.email_hash AND theirs.id <> hers.id
                JOIN requests AS other ON other.neighbor_id = theirs.id
                WHERE hers.id = requests.neighbor_id AND other.category = requests.category
                AND other.closed_at IS NULL)
            OR EXISTS (SELECT 1 FROM neighbors AS hers
                JOIN neighbors AS theirs ON theirs.phone_hash = hers.phone_hash AND theirs.id <> hers.id
                JOIN requests AS other ON other.neighbor_id = theirs.id
                WHERE hers.id = requests.neighbor_id AND other.category = requests.category
                AND other.closed_at IS NULL)
            OR EXISTS (SELECT 1 FROM requests AS other
                WHERE other.neighbor_id = requests.neighbor_id AND other.id <> requests.id
                AND other.category = requests.category AND other.closed_at IS NULL
                AND other.needed_from < requests.needed_until AND requests.needed_from < other.needed_until
                AND (other.series_id IS NULL OR requests.series_id IS NULL
                    OR other.series_id <> requests.series_id))))",
    )
}

/// The possible duplicates of a request, oldest first; none of one that is closed.
///
/// # Errors
/// A failed query.
pub fn of(conn: &mut Conn, request: &Request) -> QueryResult<Vec<RequestId>> {
    if !request.state.is_live() {
        return Ok(Vec::new());
    }
    let Some(neighbor) = neighbors::find(conn, request.neighbor_id)? else {
        return Ok(Vec::new());
    };
    let people = neighbors::of_contacts(conn, &neighbor.contact_hashes())?;
    let mut people: Vec<NeighborId> = people.iter().map(|n| n.id).collect();
    people.push(neighbor.id);
    let alike: Vec<Request> = with!(conn, c => requests::table
        .filter(one_of(requests::neighbor_id, &people))
        .filter(requests::category.eq(&request.category))
        .filter(requests::closed_at.is_null())
        .order((requests::created_at, requests::id))
        .select(Request::as_select())
        .load(c))?;
    let is_twin = |other: &Request| {
        let overlaps =
            other.needed_from < request.needed_until && request.needed_from < other.needed_until;
        let is_slot = other.series_id.is_some() && other.series_id == request.series_id;
        other.id != request.id
            && (other.neighbor_id != request.neighbor_id || (overlaps && !is_slot))
    };
    Ok(alike.iter().filter(|r| is_twin(r)).map(|r| r.id).collect())
}
