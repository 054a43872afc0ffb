//! Facts about the database itself.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::schema::meta;
use crate::domain::clock::Ts;

const KEY_CHECK: &str = "key_check";
const HOUSEKEPT_AT: &str = "housekept_at";
const LATEST: &str = "latest";
pub(super) const LOCKED_AT: &str = "locked_at";

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

/// When housekeeping last trusted the clock; none before its first time.
///
/// # Errors
/// A failed query.
pub fn housekept_at(conn: &mut Conn) -> QueryResult<Option<Ts>> {
    instant(conn, HOUSEKEPT_AT)
}

/// Remembers that housekeeping trusted the clock at `now`.
///
/// # Errors
/// A failed query.
pub fn set_housekept_at(conn: &mut Conn, now: Ts) -> QueryResult<()> {
    set_instant(conn, HOUSEKEPT_AT, now)
}

/// The latest instant that a clock has shown here, right or wrong, as far as housekeeping has seen.
///
/// # Errors
/// A failed query.
pub fn latest(conn: &mut Conn) -> QueryResult<Option<Ts>> {
    instant(conn, LATEST)
}

/// Remembers `now`, if it is later.
///
/// # Errors
/// A failed query.
pub fn raise_latest(conn: &mut Conn, now: Ts) -> QueryResult<()> {
    if latest(conn)?.is_none_or(|latest| latest < now) {
        set_latest(conn, now)?;
    }
    Ok(())
}

/// Remembers `now`, also if it is earlier.
///
/// # Errors
/// A failed query.
pub fn set_latest(conn: &mut Conn, now: Ts) -> QueryResult<()> {
    set_instant(conn, LATEST, now)
}

fn instant(conn: &mut Conn, key: &str) -> QueryResult<Option<Ts>> {
    let value: Option<Vec<u8>> =
        with!(conn, c => meta::table.find(key).select(meta::value).first(c).optional())?;
    // Bytes that are no instant count as none: the next housekeeping writes good ones.
    let micros = value.and_then(|bytes| Some(i64::from_be_bytes(bytes.try_into().ok()?)));
    Ok(micros.map(Ts::from_micros))
}

fn set_instant(conn: &mut Conn, key: &str, at: Ts) -> QueryResult<()> {
    let bytes = at.as_micros().to_be_bytes().to_vec();
    with!(conn, c => diesel::insert_into(meta::table)
        .values((meta::key.eq(key), meta::value.eq(&bytes)))
        .on_conflict(meta::key)
        .do_update()
        .set(meta::value.eq(&bytes))
        .execute(c))?;
    Ok(())
}

/// Whether an operator has locked the service.
///
/// # Errors
/// A failed query.
pub fn is_locked(conn: &mut Conn) -> QueryResult<bool> {
    with!(conn, c => diesel::select(diesel::dsl::exists(meta::table.find(LOCKED_AT))).get_result(c))
}

/// Locks the service; false if it is locked already.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::insert_into(meta::table)
        .values((meta::key.eq(LOCKED_AT), meta::value.eq(now.as_micros().to_be_bytes().to_vec())))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(done == 1)
}

/// Unlocks the service; false if it is not locked.
///
/// # Errors
/// A failed query.
pub fn unlock(conn: &mut Conn) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::delete(meta::table.find(LOCKED_AT)).execute(c))?;
    Ok(done == 1)
}
