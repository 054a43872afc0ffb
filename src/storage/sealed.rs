//! The sealed columns of all tables alike: which master key wraps what, and the wrapping anew.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::key_epochs::KeyEpoch;
use super::schema::{
    coordinators, neighbors, offers, reports, requests, tasks, volunteers, webhooks,
};
use crate::crypto::keyring::Epoch;
use crate::crypto::seal::Sealed;
use crate::domain::ids::RecordId;
use crate::domain::word::words;

words! {
    /// A table with a sealed column.
    SealedTable {
        /// Who coordinates.
        Coordinators = "coordinators",
        /// Who asks.
        Neighbors = "neighbors",
        /// What is asked.
        Requests = "requests",
        /// Who offers.
        Volunteers = "volunteers",
        /// What is offered.
        Offers = "offers",
        /// What was reported.
        Reports = "reports",
        /// What coordinators note of a task.
        Tasks = "tasks",
        /// Where what changes is told.
        Webhooks = "webhooks",
    }
}

/// The sealed part of one record.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct SealedRow {
    pub id: RecordId,
    pub version: i32,
    pub sealed: Sealed,
}

/// Runs one body with the table's columns under the names `id`, `sealed`, `version`, `epoch`.
macro_rules! in_table {
    ($which:expr, $module:ident => $body:expr) => {
        match $which {
            SealedTable::Coordinators => {
                use coordinators as $module;
                $body
            }
            SealedTable::Neighbors => {
                use neighbors as $module;
                $body
            }
            SealedTable::Requests => {
                use requests as $module;
                $body
            }
            SealedTable::Volunteers => {
                use volunteers as $module;
                $body
            }
            SealedTable::Offers => {
                use offers as $module;
                $body
            }
            SealedTable::Reports => {
                use reports as $module;
                $body
            }
            SealedTable::Tasks => {
                use tasks as $module;
                $body
            }
            SealedTable::Webhooks => {
                use webhooks as $module;
                $body
            }
        }
    };
}

/// Records wrapped by keys older than that of `epoch`, in the order of their ids, from `after` on.
///
/// # Errors
/// A failed query.
pub fn wrapped_before(
    conn: &mut Conn,
    table: SealedTable,
    epoch: Epoch,
    after: Option<RecordId>,
    limit: i64,
) -> QueryResult<Vec<SealedRow>> {
    let rows: Vec<(RecordId, i32, Option<Sealed>)> = in_table!(table, t => with!(conn, c => {
        let mut query = t::table
            .filter(t::sealed_epoch.lt(epoch))
            .order(t::id)
            .limit(limit)
            .select((t::id, t::sealed_version, t::sealed.nullable()))
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(t::id.gt(after));
        }
        query.load(c)
    }))?;
    let whole = |(id, version, sealed): (_, _, Option<Sealed>)| {
        let sealed = sealed?;
        Some(SealedRow {
            id,
            version,
            sealed,
        })
    };
    Ok(rows.into_iter().filter_map(whole).collect())
}

/// Writes a record's sealed part wrapped by the key of `epoch`, unless it was sealed anew or erased
/// since it was read.
///
/// # Errors
/// A failed query.
pub fn rewrap(
    conn: &mut Conn,
    table: SealedTable,
    read: &SealedRow,
    new: &Sealed,
    epoch: Epoch,
) -> QueryResult<bool> {
    let done = in_table!(table, t => with!(conn, c => diesel::update(t::table
            .find(read.id)
            .filter(t::sealed_version.eq(read.version))
            .filter(t::sealed_epoch.lt(epoch)))
        .set((t::sealed.eq(new), t::sealed_epoch.eq(epoch)))
        .execute(c)))?;
    Ok(done == 1)
}

/// How many records the key of `epoch` wraps.
///
/// # Errors
/// A failed query.
pub fn count(conn: &mut Conn, epoch: Epoch) -> QueryResult<i64> {
    let mut all = 0;
    for table in SealedTable::ALL.iter().copied() {
        let of_table: i64 = in_table!(table, t => with!(conn, c => t::table
            .filter(t::sealed_epoch.eq(epoch))
            .count()
            .get_result(c)))?;
        all += of_table;
    }
    Ok(all)
}

/// Those of the keys that are retired and wrap nothing any more. Looks through every table for each.
///
/// # Errors
/// A failed query.
pub fn needless(conn: &mut Conn, known: &[KeyEpoch]) -> QueryResult<Vec<Epoch>> {
    let mut needless = Vec::new();
    for key in known.iter().filter(|key| key.retired_at.is_some()) {
        if count(conn, key.epoch)? == 0 {
            needless.push(key.epoch);
        }
    }
    Ok(needless)
}
