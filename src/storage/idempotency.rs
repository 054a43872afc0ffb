//! Repeated calls: a key names one effect. Only keyed hashes and the effect's subject are kept,
//! never a body.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::one_of;
use super::schema::idempotency;
use crate::crypto::lookup::KeyedHash;
use crate::domain::clock::Ts;
use crate::domain::ids::RecordId;

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: it is remembered from now on.
    First,
    /// The same call was made; this is what it made.
    Again(RecordId),
    /// The key was used for another call.
    OtherBody,
}

/// What is known of a call, without remembering it.
///
/// # Errors
/// A failed query.
pub fn seen(conn: &mut Conn, key: KeyedHash, body: KeyedHash) -> QueryResult<Seen> {
    Ok(known(conn, key, body)?.unwrap_or(Seen::First))
}

/// Remembers a call, or tells that it was made already. The unique key makes the second of two
/// simultaneous calls wait for the first and then see it; or be the first, where that one was undone.
///
/// # Errors
/// A failed query.
pub fn remember(
    conn: &mut Conn,
    key: KeyedHash,
    body: KeyedHash,
    subject: RecordId,
    now: Ts,
) -> QueryResult<Seen> {
    loop {
        let seen = remember_once(conn, key, body, subject, now)?;
        if let Some(seen) = seen {
            return Ok(seen);
        }
        // It was forgotten between the two looks.
    }
}

fn remember_once(
    conn: &mut Conn,
    key: KeyedHash,
    body: KeyedHash,
    subject: RecordId,
    now: Ts,
) -> QueryResult<Option<Seen>> {
    let first = with!(conn, c => diesel::insert_into(idempotency::table)
        .values((
            idempotency::key_hash.eq(key),
            idempotency::body_hash.eq(body),
            idempotency::subject_id.eq(subject),
            idempotency::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    if first == 1 {
        return Ok(Some(Seen::First));
    }
    known(conn, key, body)
}

fn known(conn: &mut Conn, key: KeyedHash, body: KeyedHash) -> QueryResult<Option<Seen>> {
    let known: Option<(KeyedHash, RecordId)> = with!(conn, c => idempotency::table
        .find(key)
        .select((idempotency::body_hash, idempotency::subject_id))
        .first(c)
        .optional())?;
    Ok(known.map(|(known, subject)| {
        if known == body {
            Seen::Again(subject)
        } else {
            Seen::OtherBody
        }
    }))
}

/// Forgets up to `limit` keys older than `before`.
///
/// # Errors
/// A failed query.
pub fn trim(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<usize> {
    let old: Vec<KeyedHash> = with!(conn, c => idempotency::table
        .filter(idempotency::created_at.lt(before))
        .select(idempotency::key_hash)
        .limit(limit)
        .load(c))?;
    with!(conn, c => diesel::delete(idempotency::table.filter(one_of(idempotency::key_hash, &old))).execute(c))
}
