//! Reports: what went wrong between two people, with the evidence sealed for a while.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::one_of;
use super::page::{Page, page_of};
use super::part::in_part;
use super::schema::{reports, requests};
use crate::crypto::seal::Sealed;
use crate::domain::clock::Ts;
use crate::domain::ids::{
    CoordinatorId, MatchId, NeighborId, RecordId, ReportId, RequestId, VolunteerId,
};
use crate::domain::part::Part;
use crate::domain::report::{Problem, Reporter, Side};

/// A report, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = reports, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Report {
    pub id: ReportId,
    pub match_id: MatchId,
    pub request_id: RequestId,
    pub neighbor_id: NeighborId,
    pub volunteer_id: VolunteerId,
    pub reported_by: Reporter,
    pub about: Side,
    pub problem: Problem,
    pub created_at: Ts,
    pub closed_at: Option<Ts>,
    pub closed_by: Option<CoordinatorId>,
    pub erase_at: Ts,
    pub sealed: Option<Sealed>,
    pub sealed_version: i32,
    pub sealed_epoch: Option<i32>,
}

/// Which reports a coordinator wants to see.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the fact it filters by")]
pub struct ReportFilter {
    pub open: Option<bool>,
    pub neighbor: Option<NeighborId>,
    pub volunteer: Option<VolunteerId>,
    /// By the request.
    pub part: Part,
}

/// Writes a new report.
///
/// # Errors
/// A failed query; a unique violation if this side has reported the match already.
pub fn insert(conn: &mut Conn, new: &Report) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(reports::table).values(new).execute(c))?;
    Ok(())
}

/// The report.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: ReportId) -> QueryResult<Option<Report>> {
    with!(conn, c => reports::table.find(id).select(Report::as_select()).first(c).optional())
}

/// The report that this side has made of the match.
///
/// # Errors
/// A failed query.
pub fn of_match(conn: &mut Conn, id: MatchId, by: Reporter) -> QueryResult<Option<Report>> {
    with!(conn, c => reports::table
        .filter(reports::match_id.eq(id))
        .filter(reports::reported_by.eq(by))
        .select(Report::as_select())
        .first(c)
        .optional())
}

/// Reports that a person has made and whose evidence is still there.
///
/// # Errors
/// A failed query.
pub fn made_by(conn: &mut Conn, by: Side, id: RecordId) -> QueryResult<Vec<Report>> {
    with!(conn, c => {
        let query = reports::table
            .filter(reports::sealed.is_not_null())
            .select(Report::as_select())
            .into_boxed();
        let query = match by {
            Side::Neighbor => query
                .filter(reports::reported_by.eq(Reporter::Neighbor))
                .filter(reports::neighbor_id.eq(NeighborId::from(id))),
            Side::Volunteer => query
                .filter(reports::reported_by.eq(Reporter::Volunteer))
                .filter(reports::volunteer_id.eq(VolunteerId::from(id))),
        };
        query.load(c)
    })
}

/// One page for coordinators.
///
/// # Errors
/// A failed query.
pub fn page(conn: &mut Conn, filter: &ReportFilter, page: Page) -> QueryResult<Vec<Report>> {
    with!(conn, c => {
        let mut query = reports::table.select(Report::as_select()).into_boxed();
        match filter.open {
            Some(true) => query = query.filter(reports::closed_at.is_null()),
            Some(false) => query = query.filter(reports::closed_at.is_not_null()),
            None => {}
        }
        if let Some(neighbor) = filter.neighbor {
            query = query.filter(reports::neighbor_id.eq(neighbor));
        }
        if let Some(volunteer) = filter.volunteer {
            query = query.filter(reports::volunteer_id.eq(volunteer));
        }
        if !filter.part.is_all() {
            query = query.filter(exists(
                requests::table
                    .filter(requests::id.eq(reports::request_id))
                    .filter(in_part(requests::category, requests::cell, &filter.part)),
            ));
        }
        page_of!(query, reports, page).load(c)
    })
}

/// Closes a report that is open; its evidence is due at `erase_at` at the latest.
///
/// # Errors
/// A failed query.
pub fn close(
    conn: &mut Conn,
    id: ReportId,
    by: CoordinatorId,
    erase_at: Ts,
    now: Ts,
) -> QueryResult<bool> {
    let closed = with!(conn, c => diesel::update(reports::table
            .filter(reports::id.eq(id))
            .filter(reports::closed_at.is_null()))
        .set((
            reports::closed_at.eq(now),
            reports::closed_by.eq(by),
            reports::erase_at.eq(erase_at),
        ))
        .execute(c))?;
    Ok(closed == 1)
}

/// Puts other evidence in the place of what was sealed as `read_version`.
///
/// # Errors
/// A failed query.
pub fn reseal(
    conn: &mut Conn,
    id: ReportId,
    read_version: i32,
    sealed: Sealed,
    epoch: i32,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(reports::table
            .filter(reports::id.eq(id))
            .filter(reports::sealed_version.eq(read_version)))
        .set((
            reports::sealed.eq(Some(sealed)),
            reports::sealed_version.eq(read_version + 1),
            reports::sealed_epoch.eq(epoch),
        ))
        .execute(c))?;
    Ok(done == 1)
}

/// Reports whose evidence has had its time.
///
/// # Errors
/// A failed query.
pub fn evidence_due(conn: &mut Conn, now: Ts, limit: i64) -> QueryResult<Vec<ReportId>> {
    with!(conn, c => reports::table
        .filter(reports::sealed.is_not_null())
        .filter(reports::erase_at.le(now))
        .order(reports::erase_at)
        .limit(limit)
        .select(reports::id)
        .load(c))
}

/// Closed reports whose evidence is still there.
///
/// # Errors
/// A failed query.
pub fn closed_with_secrets(conn: &mut Conn, limit: i64) -> QueryResult<Vec<ReportId>> {
    with!(conn, c => reports::table
        .filter(reports::sealed.is_not_null())
        .filter(reports::closed_at.is_not_null())
        .limit(limit)
        .select(reports::id)
        .load(c))
}

/// How many reports are about this volunteer.
///
/// # Errors
/// A failed query.
pub fn count_about(conn: &mut Conn, volunteer: VolunteerId) -> QueryResult<i64> {
    with!(conn, c => reports::table
        .filter(reports::volunteer_id.eq(volunteer))
        .filter(reports::about.eq(Side::Volunteer))
        .count()
        .get_result(c))
}

/// Destroys the evidence of reports.
///
/// # Errors
/// A failed query.
pub fn erase_secrets(conn: &mut Conn, ids: &[ReportId]) -> QueryResult<usize> {
    with!(conn, c => diesel::update(reports::table.filter(one_of(reports::id, ids)))
        .set((reports::sealed.eq(None::<Sealed>), reports::sealed_epoch.eq(None::<i32>)))
        .execute(c))
}

/// Reports without evidence that were made before an instant, some of them.
///
/// # Errors
/// A failed query.
pub fn old(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<Vec<ReportId>> {
    with!(conn, c => reports::table
        .filter(reports::created_at.le(before))
        .filter(reports::sealed.is_null())
        .limit(limit)
        .select(reports::id)
        .load(c))
}

/// Deletes these reports.
///
/// # Errors
/// A failed query.
pub fn delete(conn: &mut Conn, ids: &[ReportId]) -> QueryResult<usize> {
    with!(conn, c => diesel::delete(reports::table.filter(one_of(reports::id, ids))).execute(c))
}
