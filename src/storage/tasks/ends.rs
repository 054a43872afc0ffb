//! The ends of tasks that acts bring about: of all open ones of some kinds about some records.

use diesel::prelude::*;

use crate::domain::clock::Ts;
use crate::domain::ids::{
    CoordinatorId, LetterId, MatchId, NeighborId, OfferId, ReportId, RequestId, TaskId, VolunteerId,
};
use crate::domain::task::{TaskKind, TaskOutcome};
use crate::storage::changes;
use crate::storage::connection::{Conn, with};
use crate::storage::dialect::one_of;
use crate::storage::schema::tasks;

/// How tasks end.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// What came of them.
    pub outcome: TaskOutcome,
    /// Who did it, if a coordinator did.
    pub by: Option<CoordinatorId>,
    /// When.
    pub at: Ts,
}

macro_rules! ends {
    ($($(#[$doc:meta])* $name:ident($column:ident: $id:ty);)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// A failed query.
        pub fn $name(
            conn: &mut Conn,
            ids: &[$id],
            kinds: &[TaskKind],
            ending: &Ending,
        ) -> QueryResult<usize> {
            if ids.is_empty() {
                return Ok(0);
            }
            let ended: Vec<TaskId> = with!(conn, c => diesel::update(tasks::table
                    .filter(one_of(tasks::$column, ids))
                    .filter(one_of(tasks::kind, kinds))
                    .filter(tasks::done_at.is_null()))
                .set((
                    tasks::done_at.eq(ending.at),
                    tasks::done_by.eq(ending.by),
                    tasks::outcome.eq(ending.outcome),
                ))
                .returning(tasks::id)
                .get_results(c))?;
            changes::tasks(conn, &ended, ending.at)?;
            Ok(ended.len())
        }
    )*};
}

ends! {
    /// Ends open tasks of these kinds about matches.
    end_of_matches(match_id: MatchId);
    /// Ends open tasks of these kinds about offers.
    end_of_offers(offer_id: OfferId);
    /// Ends open tasks of these kinds about reports.
    end_of_reports(report_id: ReportId);
    /// Ends open tasks of these kinds about letters.
    end_of_letters(letter_id: LetterId);
    /// Ends open tasks of these kinds about requests.
    end_of_requests(request_id: RequestId);
    /// Ends open tasks of these kinds about neighbors.
    end_of_neighbors(neighbor_id: NeighborId);
    /// Ends open tasks of these kinds about volunteers.
    end_of_volunteers(volunteer_id: VolunteerId);
}

/// The letters about a request that cannot be delivered and that somebody is to see to.
///
/// # Errors
/// A failed query.
pub fn dead_letters_of(conn: &mut Conn, request: RequestId) -> QueryResult<Vec<LetterId>> {
    with!(conn, c => tasks::table
        .filter(tasks::request_id.eq(request))
        .filter(tasks::kind.eq(TaskKind::DeadLetter))
        .filter(tasks::done_at.is_null())
        .filter(tasks::letter_id.is_not_null())
        .select(tasks::letter_id.assume_not_null())
        .load(c))
}

/// Whether an open task of that kind is about the offer.
///
/// # Errors
/// A failed query.
pub fn has_open_of_offer(conn: &mut Conn, offer: OfferId, kind: TaskKind) -> QueryResult<bool> {
    with!(conn, c => diesel::select(diesel::dsl::exists(tasks::table
            .filter(tasks::offer_id.eq(offer))
            .filter(tasks::kind.eq(kind))
            .filter(tasks::done_at.is_null())))
        .get_result(c))
}

/// Whether an open task of that kind is about the volunteer.
///
/// # Errors
/// A failed query.
pub fn has_open_of_volunteer(
    conn: &mut Conn,
    volunteer: VolunteerId,
    kind: TaskKind,
) -> QueryResult<bool> {
    with!(conn, c => diesel::select(diesel::dsl::exists(tasks::table
            .filter(tasks::volunteer_id.eq(volunteer))
            .filter(tasks::kind.eq(kind))
            .filter(tasks::done_at.is_null())))
        .get_result(c))
}
