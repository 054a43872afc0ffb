//! Requests that may be the same need posted twice: of one category, alive, by people with the same e-mail
//! address or phone number; near each other, by people for whom the same person has called; or twice by one neighbor
//! for times that overlap, but for slots of one series. But for those that a coordinator has told apart.
//! Flagged for coordinators; nothing here merges anything.

use std::collections::{HashMap, HashSet};

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::connection::{Conn, with};
use super::dialect::one_of;
use super::requests::Request;
use super::schema::{neighbors as people, requests};
use super::{distinct, neighbors};
use crate::crypto::lookup::KeyedHash;
use crate::domain::category::CategoryKey;
use crate::domain::ids::{NeighborId, RequestId};
use crate::domain::place::Cell;

/// How many requests are flagged because of who has called, the newest first: a statement holds only so many ids.
const THROUGH_CALLERS: usize = 10_000;

/// That a request has a possible duplicate by what is known of its neighbor, as a condition on `requests`. In words,
/// because it looks from a table into the same table; each of its arms finds an index.
pub(super) fn has_one() -> SqlLiteral<Bool> {
    sql::<Bool>(
        "(requests.closed_at IS NULL AND (
            EXISTS (SELECT 1 FROM neighbors AS hers
                JOIN neighbors AS theirs ON theirs.email_hash = hers.email_hash AND theirs.id <> hers.id
                JOIN requests AS other ON other.neighbor_id = theirs.id
                WHERE hers.id = requests.neighbor_id AND other.category = requests.category
                AND other.closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM distinct_requests AS apart
                    WHERE apart.request_id = requests.id AND apart.other_id = other.id))
            OR EXISTS (SELECT 1 FROM neighbors AS hers
                JOIN neighbors AS theirs ON theirs.phone_hash = hers.phone_hash AND theirs.id <> hers.id
                JOIN requests AS other ON other.neighbor_id = theirs.id
                WHERE hers.id = requests.neighbor_id AND other.category = requests.category
                AND other.closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM distinct_requests AS apart
                    WHERE apart.request_id = requests.id AND apart.other_id = other.id))
            OR EXISTS (SELECT 1 FROM requests AS other
                WHERE other.neighbor_id = requests.neighbor_id AND other.id <> requests.id
                AND other.category = requests.category AND other.closed_at IS NULL
                AND other.needed_from < requests.needed_until AND requests.needed_from < other.needed_until
                AND (other.series_id IS NULL OR requests.series_id IS NULL
                    OR other.series_id <> requests.series_id)
                AND NOT EXISTS (SELECT 1 FROM distinct_requests AS apart
                    WHERE apart.request_id = requests.id AND apart.other_id = other.id))))",
    )
}

/// A live request for which somebody has called.
#[derive(Queryable)]
struct CalledFor {
    id: RequestId,
    neighbor_id: NeighborId,
    category: CategoryKey,
    cell: Cell,
    caller_email_hash: Option<KeyedHash>,
    caller_phone_hash: Option<KeyedHash>,
}

impl CalledFor {
    /// By what it may be alike, apart from where it is.
    fn keys(&self) -> impl Iterator<Item = (&str, KeyedHash)> {
        self.caller_email_hash
            .into_iter()
            .chain(self.caller_phone_hash)
            .map(|hash| (self.category.as_str(), hash))
    }
}

/// The live requests that have a possible duplicate because the same person has called for both, near each other:
/// what no database can tell from cells alone. The newest 10 000, newest first.
///
/// # Errors
/// A failed query.
pub(super) fn through_callers(conn: &mut Conn) -> QueryResult<Vec<RequestId>> {
    let all: Vec<CalledFor> = with!(conn, c => requests::table
        .inner_join(people::table)
        .filter(requests::closed_at.is_null())
        .filter(people::caller_email_hash.is_not_null().or(people::caller_phone_hash.is_not_null()))
        .order((requests::created_at.desc(), requests::id.desc()))
        .select((
            requests::id,
            requests::neighbor_id,
            requests::category,
            requests::cell,
            people::caller_email_hash,
            people::caller_phone_hash,
        ))
        .load(c))?;
    let apart: HashSet<(RequestId, RequestId)> = distinct::all(conn)?.into_iter().collect();
    let mut alike: HashMap<_, HashMap<Cell, Vec<&CalledFor>>> = HashMap::new();
    for one in &all {
        for key in one.keys() {
            let there = alike.entry(key).or_default();
            there.entry(one.cell).or_default().push(one);
        }
    }
    let is_twin = |one: &CalledFor, other: &CalledFor| {
        other.neighbor_id != one.neighbor_id && !apart.contains(&(one.id, other.id))
    };
    let has_twin = |one: &&CalledFor| {
        one.keys().filter_map(|key| alike.get(&key)).any(|there| {
            let mut near = one
                .cell
                .ring()
                .into_iter()
                .filter_map(|cell| there.get(&cell));
            near.any(|near| near.iter().any(|other| is_twin(one, other)))
        })
    };
    let flagged = all.iter().filter(has_twin).map(|one| one.id);
    Ok(flagged.take(THROUGH_CALLERS).collect())
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
    let same = neighbors::of_contacts(conn, &neighbor.contact_hashes())?;
    let same: Vec<NeighborId> = same.iter().map(|n| n.id).chain([neighbor.id]).collect();
    let mut owners = same.clone();
    owners.extend(neighbors::called_for_by(conn, &neighbor.caller_hashes())?);
    let alike: Vec<Request> = with!(conn, c => requests::table
        .filter(one_of(requests::neighbor_id, &owners))
        .filter(requests::category.eq(&request.category))
        .filter(requests::closed_at.is_null())
        .order((requests::created_at, requests::id))
        .select(Request::as_select())
        .load(c))?;
    let apart = distinct::of(conn, request.id)?;
    let is_twin = |other: &Request| {
        if other.neighbor_id != request.neighbor_id {
            return same.contains(&other.neighbor_id) || other.cell.is_near(request.cell);
        }
        let overlaps =
            other.needed_from < request.needed_until && request.needed_from < other.needed_until;
        let is_slot = other.series_id.is_some() && other.series_id == request.series_id;
        other.id != request.id && overlaps && !is_slot
    };
    Ok(alike
        .iter()
        .filter(|r| is_twin(r) && !apart.contains(&r.id))
        .map(|r| r.id)
        .collect())
}
