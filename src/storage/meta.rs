//! Facts about the database itself.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::schema::meta;

const KEY_CHECK: &str = "key_check";

/// The key check of the ring this database was made with.
///
/// # Errors
/// A failed query.
pub fn key_check(conn: &mut Conn) -> QueryResult<Option<Vec<u8>>> {
    with!(conn, c => meta::table.find(KEY_CHECK).select(meta::value).first(c).optional())
}

/// Remembers the ring's key check, once.
///
/// # Errors
/// A failed query.
pub fn set_key_check(conn: &mut Conn, check: &[u8]) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(meta::table)
        .values((meta::key.eq(KEY_CHECK), meta::value.eq(check)))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}
