//! The change feed: which posts the indexes must look at again.
//!
//! Every write that changes what an index knows adds rows here in its own transaction; every instance
//! polls for them. Sequence numbers are given by the one writer, so none can be overtaken.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::schema::changes;
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, RecordId, RequestId};
use crate::domain::word::words;

words! {
    /// What changed.
    Entity {
        /// A request.
        Request = "request",
        /// An offer, or something of its volunteer.
        Offer = "offer",
    }
}

/// A change, to read.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = changes)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct Change {
    pub seq: i64,
    pub entity: Entity,
    pub entity_id: RecordId,
}

fn insert(
    conn: &mut Conn,
    entity: Entity,
    ids: impl Iterator<Item = RecordId>,
    now: Ts,
) -> QueryResult<()> {
    let rows: Vec<_> = ids
        .map(|id| {
            (
                changes::entity.eq(entity),
                changes::entity_id.eq(id),
                changes::at.eq(now),
            )
        })
        .collect();
    with!(conn, c => diesel::insert_into(changes::table).values(&rows).execute(c))?;
    Ok(())
}

/// Announces changed requests.
///
/// # Errors
/// A failed query.
pub fn requests(conn: &mut Conn, ids: &[RequestId], now: Ts) -> QueryResult<()> {
    insert(
        conn,
        Entity::Request,
        ids.iter().map(|id| (*id).into()),
        now,
    )
}

/// Announces changed offers.
///
/// # Errors
/// A failed query.
pub fn offers(conn: &mut Conn, ids: &[OfferId], now: Ts) -> QueryResult<()> {
    insert(conn, Entity::Offer, ids.iter().map(|id| (*id).into()), now)
}

/// Changes after `seq`, in their order.
///
/// # Errors
/// A failed query.
pub fn after(conn: &mut Conn, seq: i64, limit: i64) -> QueryResult<Vec<Change>> {
    with!(conn, c => changes::table
        .filter(changes::seq.gt(seq))
        .order(changes::seq)
        .limit(limit)
        .select(Change::as_select())
        .load(c))
}

/// The first and the last sequence number there are; none in an empty feed.
///
/// # Errors
/// A failed query.
pub fn bounds(conn: &mut Conn) -> QueryResult<Option<(i64, i64)>> {
    // Two questions, because SQLite reads the whole table to answer both in one.
    let first: Option<i64> =
        with!(conn, c => changes::table.select(diesel::dsl::min(changes::seq)).first(c))?;
    let last: Option<i64> =
        with!(conn, c => changes::table.select(diesel::dsl::max(changes::seq)).first(c))?;
    Ok(first.zip(last))
}

/// Forgets up to `limit` changes older than `before`, but never the newest: it tells where the feed stands.
///
/// # Errors
/// A failed query.
pub fn trim(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<usize> {
    let Some((_, last)) = bounds(conn)? else {
        return Ok(0);
    };
    let old: Vec<i64> = with!(conn, c => changes::table
        .filter(changes::at.lt(before))
        .filter(changes::seq.lt(last))
        .order(changes::seq)
        .select(changes::seq)
        .limit(limit)
        .load(c))?;
    with!(conn, c => diesel::delete(changes::table.filter(changes::seq.eq_any(&old))).execute(c))
}
