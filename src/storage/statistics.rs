//! What is left of requests that are forgotten: counts, and nobody.

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::connection::{Conn, with};
use super::schema::statistics;
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::lifecycle::CloseReason;

/// How many requests of a category ended how on one day, to read and to add.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = statistics)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct Ended {
    pub day: Ts,
    pub category: CategoryKey,
    pub close_reason: CloseReason,
    pub requests: i64,
    pub quantity: i64,
    pub covered: i64,
}

/// Counts these as well.
///
/// # Errors
/// A failed query.
pub fn add(conn: &mut Conn, ended: &Ended) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(statistics::table)
        .values(ended)
        .on_conflict((statistics::day, statistics::category, statistics::close_reason))
        .do_update()
        .set((
            statistics::requests.eq(statistics::requests + excluded(statistics::requests)),
            statistics::quantity.eq(statistics::quantity + excluded(statistics::quantity)),
            statistics::covered.eq(statistics::covered + excluded(statistics::covered)),
        ))
        .execute(c))?;
    Ok(())
}

/// All counts since a day, oldest first.
///
/// # Errors
/// A failed query.
pub fn since(conn: &mut Conn, day: Ts) -> QueryResult<Vec<Ended>> {
    with!(conn, c => statistics::table
        .filter(statistics::day.ge(day))
        .order((statistics::day, statistics::category, statistics::close_reason))
        .select(Ended::as_select())
        .load(c))
}
