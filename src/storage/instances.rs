//! The processes that serve this database, and which keys each of them holds.

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::connection::{Conn, with};
use super::schema::instances;
use crate::crypto::keyring::Epoch;
use crate::domain::clock::Ts;
use crate::domain::ids::RecordId;

/// A process, to read and to write.
#[derive(Clone, Copy, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = instances, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct Instance {
    pub id: RecordId,
    pub started_at: Ts,
    pub seen_at: Ts,
    pub newest_epoch: Option<Epoch>,
    pub active_epoch: Option<Epoch>,
}

/// Says that a process lives, and what it holds.
///
/// # Errors
/// A failed query.
pub fn report(conn: &mut Conn, instance: &Instance) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(instances::table)
        .values(instance)
        .on_conflict(instances::id)
        .do_update()
        .set((
            instances::seen_at.eq(excluded(instances::seen_at)),
            instances::newest_epoch.eq(excluded(instances::newest_epoch)),
            instances::active_epoch.eq(excluded(instances::active_epoch)),
        ))
        .execute(c))?;
    Ok(())
}

/// The processes that were there since an instant, the one that started first before the others.
///
/// # Errors
/// A failed query.
pub fn seen_since(conn: &mut Conn, since: Ts) -> QueryResult<Vec<Instance>> {
    with!(conn, c => instances::table
        .filter(instances::seen_at.gt(since))
        .order((instances::started_at, instances::id))
        .select(Instance::as_select())
        .load(c))
}

/// Forgets a process that ends.
///
/// # Errors
/// A failed query.
pub fn remove(conn: &mut Conn, id: RecordId) -> QueryResult<()> {
    with!(conn, c => diesel::delete(instances::table.find(id)).execute(c))?;
    Ok(())
}

/// Forgets processes that were last there before an instant.
///
/// # Errors
/// A failed query.
pub fn trim(conn: &mut Conn, before: Ts) -> QueryResult<usize> {
    with!(conn, c => diesel::delete(instances::table.filter(instances::seen_at.lt(before))).execute(c))
}
