//! Pairs of people never to be proposed to each other again, and people for whom nobody is asked; known by keyed
//! hashes alone, so that it outlives their records.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::one_of;
use super::schema::blocks;
use crate::crypto::lookup::KeyedHash;
use crate::domain::clock::Ts;

/// Blocks pairs; blocking one again changes nothing.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, pairs: &[KeyedHash], now: Ts) -> QueryResult<()> {
    for pair in pairs {
        with!(conn, c => diesel::insert_into(blocks::table)
            .values((blocks::pair_hash.eq(*pair), blocks::created_at.eq(now)))
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    Ok(())
}

/// Lifts blocks; gives how many there were.
///
/// # Errors
/// A failed query.
pub fn delete(conn: &mut Conn, pairs: &[KeyedHash]) -> QueryResult<usize> {
    if pairs.is_empty() {
        return Ok(0);
    }
    with!(conn, c => diesel::delete(blocks::table.filter(one_of(blocks::pair_hash, pairs))).execute(c))
}

/// All pairs that are blocked.
///
/// # Errors
/// A failed query.
pub fn all(conn: &mut Conn) -> QueryResult<Vec<KeyedHash>> {
    with!(conn, c => blocks::table.select(blocks::pair_hash).load(c))
}

/// Which of the pairs are blocked.
///
/// # Errors
/// A failed query.
pub fn among(conn: &mut Conn, pairs: &[KeyedHash]) -> QueryResult<Vec<KeyedHash>> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => blocks::table.filter(one_of(blocks::pair_hash, pairs)).select(blocks::pair_hash).load(c))
}
