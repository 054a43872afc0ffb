//! Whether single rows are of a part of what there is: what a coordinator who is limited to it may reach.

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::connection::{Conn, with};
use super::part::in_part;
use super::schema::{matches, offers, reports, requests};
use super::{neighbors, tasks};
use crate::domain::ids::{MatchId, NeighborId, OfferId, ReportId, RequestId, TaskId, VolunteerId};
use crate::domain::part::Part;
use crate::domain::task::TaskKind;

/// The request.
///
/// # Errors
/// A failed query.
pub fn request(conn: &mut Conn, part: &Part, id: RequestId) -> QueryResult<bool> {
    with!(conn, c => diesel::select(exists(requests::table
            .filter(requests::id.eq(id))
            .filter(in_part(requests::category, requests::cell, part))))
        .get_result(c))
}

/// The offer.
///
/// # Errors
/// A failed query.
pub fn offer(conn: &mut Conn, part: &Part, id: OfferId) -> QueryResult<bool> {
    with!(conn, c => diesel::select(exists(offers::table
            .filter(offers::id.eq(id))
            .filter(in_part(offers::category, offers::cell, part))))
        .get_result(c))
}

/// The match: its request is what counts.
///
/// # Errors
/// A failed query.
pub fn matched(conn: &mut Conn, part: &Part, id: MatchId) -> QueryResult<bool> {
    with!(conn, c => diesel::select(exists(matches::table
            .inner_join(requests::table)
            .filter(matches::id.eq(id))
            .filter(in_part(requests::category, requests::cell, part))))
        .get_result(c))
}

/// The report: its request is what counts.
///
/// # Errors
/// A failed query.
pub fn report(conn: &mut Conn, part: &Part, id: ReportId) -> QueryResult<bool> {
    let of: Option<RequestId> = with!(conn, c => reports::table
        .find(id)
        .select(reports::request_id)
        .first(c)
        .optional())?;
    of.map_or(Ok(false), |of| request(conn, part, of))
}

/// The neighbor: something that she asks is in it.
///
/// # Errors
/// A failed query.
pub fn neighbor(conn: &mut Conn, part: &Part, id: NeighborId) -> QueryResult<bool> {
    with!(conn, c => diesel::select(exists(requests::table
            .filter(requests::neighbor_id.eq(id))
            .filter(in_part(requests::category, requests::cell, part))))
        .get_result(c))
}

/// Whether nothing that the neighbor asks is outside.
///
/// # Errors
/// A failed query.
pub fn all_of_neighbor(conn: &mut Conn, part: &Part, id: NeighborId) -> QueryResult<bool> {
    with!(conn, c => diesel::select(not(exists(requests::table
            .filter(requests::neighbor_id.eq(id))
            .filter(not(in_part(requests::category, requests::cell, part))))))
        .get_result(c))
}

/// Whether nothing is outside that this neighbor asks, under whatever record she has the same address or number.
///
/// # Errors
/// A failed query.
pub fn all_of_person(conn: &mut Conn, part: &Part, id: NeighborId) -> QueryResult<bool> {
    let Some(her) = neighbors::find(conn, id)? else {
        return Ok(false);
    };
    let records = neighbors::of_contacts(conn, &her.contact_hashes())?;
    for id in records.iter().map(|record| record.id).chain([id]) {
        if !all_of_neighbor(conn, part, id)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a task is no call to a neighbor, or one to a neighbor of whom nothing is outside.
///
/// # Errors
/// A failed query.
pub fn all_of_call(conn: &mut Conn, part: &Part, id: TaskId) -> QueryResult<bool> {
    let found = tasks::find(conn, id)?;
    let called = found.filter(|task| task.kind == TaskKind::Call);
    called
        .and_then(|task| task.neighbor_id)
        .map_or(Ok(true), |id| all_of_neighbor(conn, part, id))
}

/// The volunteer: something that they offer is in it, or was.
///
/// # Errors
/// A failed query.
pub fn volunteer(conn: &mut Conn, part: &Part, id: VolunteerId) -> QueryResult<bool> {
    with!(conn, c => diesel::select(exists(offers::table
            .filter(offers::volunteer_id.eq(id))
            .filter(in_part(offers::category, offers::cell, part))))
        .get_result(c))
}

/// Whether nothing that the volunteer offers is outside.
///
/// # Errors
/// A failed query.
pub fn all_of_volunteer(conn: &mut Conn, part: &Part, id: VolunteerId) -> QueryResult<bool> {
    with!(conn, c => diesel::select(not(exists(offers::table
            .filter(offers::volunteer_id.eq(id))
            .filter(not(in_part(offers::category, offers::cell, part))))))
        .get_result(c))
}

/// The task: by the request it is about, else the offer, else the neighbor, else the volunteer, as the list has it.
/// What is about none of them is in no part.
///
/// # Errors
/// A failed query.
pub fn task(conn: &mut Conn, part: &Part, id: TaskId) -> QueryResult<bool> {
    let Some(found) = tasks::find(conn, id)? else {
        return Ok(false);
    };
    if let Some(id) = found.request_id {
        return request(conn, part, id);
    }
    if let Some(id) = found.offer_id {
        return offer(conn, part, id);
    }
    if let Some(id) = found.neighbor_id {
        return neighbor(conn, part, id);
    }
    found
        .volunteer_id
        .map_or(Ok(false), |id| volunteer(conn, part, id))
}
