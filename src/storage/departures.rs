//! What went to the mail server lately, for limits. Rows older than an hour say nothing any more and
//! are deleted.

use diesel::prelude::*;

use super::connection::{Conn, insert_rows, with};
use super::dialect::{Turn, one_of, take_turn};
use super::schema::departures;
use crate::crypto::lookup::KeyedHash;
use crate::domain::clock::Ts;
use crate::domain::ids::LetterId;
use crate::domain::letter::Lane;

/// Lets nobody else count departures in order to let letters leave, until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn) -> QueryResult<()> {
    take_turn(conn, Turn::Departures)
}

/// Remembers that letters are on their way, which nobody else can be sending. With each goes the keyed
/// hash of an address whose owner has not used a link of a letter yet. Of several attempts at one letter
/// the last counts.
///
/// # Errors
/// A failed query.
pub fn note(conn: &mut Conn, leaving: &[(LetterId, Option<KeyedHash>)], at: Ts) -> QueryResult<()> {
    let ids: Vec<LetterId> = leaving.iter().map(|(id, _)| *id).collect();
    cancel(conn, &ids)?;
    let rows: Vec<_> = leaving
        .iter()
        .map(|(id, address)| {
            (
                departures::letter_id.eq(*id),
                departures::at.eq(at),
                departures::address_hash.eq(*address),
            )
        })
        .collect();
    insert_rows!(conn, departures::table, &rows[..])?;
    Ok(())
}

/// A letter has left at `at`.
///
/// # Errors
/// A failed query.
pub fn left(conn: &mut Conn, letter: LetterId, at: Ts) -> QueryResult<()> {
    with!(conn, c => diesel::update(departures::table.find(letter))
        .set(departures::at.eq(at))
        .execute(c))?;
    Ok(())
}

/// Letters that nobody has begun to send did not leave.
///
/// # Errors
/// A failed query.
pub fn cancel(conn: &mut Conn, letters: &[LetterId]) -> QueryResult<()> {
    with!(conn, c => diesel::delete(departures::table.filter(one_of(departures::letter_id, letters)))
        .execute(c))?;
    Ok(())
}

/// Those of the letters that count as having left after `since`.
///
/// # Errors
/// A failed query.
pub fn counted(conn: &mut Conn, letters: &[LetterId], since: Ts) -> QueryResult<Vec<LetterId>> {
    with!(conn, c => departures::table
        .filter(one_of(departures::letter_id, letters))
        .filter(departures::at.gt(since))
        .select(departures::letter_id)
        .load(c))
}

/// How many left after `since`: those of the lane of unconfirmed addresses, or of both lanes.
///
/// # Errors
/// A failed query.
pub fn count(conn: &mut Conn, of: Option<Lane>, since: Ts) -> QueryResult<i64> {
    with!(conn, c => {
        let mut query = departures::table.filter(departures::at.gt(since)).into_boxed();
        if of == Some(Lane::Unconfirmed) {
            query = query.filter(departures::address_hash.is_not_null());
        }
        query.count().get_result(c)
    })
}

/// How many of these letters count as [`count`] counts.
///
/// # Errors
/// A failed query.
pub fn count_of(
    conn: &mut Conn,
    letters: &[LetterId],
    of: Option<Lane>,
    since: Ts,
) -> QueryResult<i64> {
    if letters.is_empty() {
        return Ok(0);
    }
    with!(conn, c => {
        let mut query = departures::table
            .filter(one_of(departures::letter_id, letters))
            .filter(departures::at.gt(since))
            .into_boxed();
        if of == Some(Lane::Unconfirmed) {
            query = query.filter(departures::address_hash.is_not_null());
        }
        query.count().get_result(c)
    })
}

/// When the letter left that is followed by `skip` older ones after `since`.
///
/// # Errors
/// A failed query.
pub fn nth(conn: &mut Conn, of: Option<Lane>, since: Ts, skip: i64) -> QueryResult<Option<Ts>> {
    with!(conn, c => {
        let mut query = departures::table.filter(departures::at.gt(since)).into_boxed();
        if of == Some(Lane::Unconfirmed) {
            query = query.filter(departures::address_hash.is_not_null());
        }
        query
            .order(departures::at)
            .offset(skip)
            .limit(1)
            .select(departures::at)
            .first(c)
            .optional()
    })
}

/// Which letters left to one of the addresses after `since`, and when.
///
/// # Errors
/// A failed query.
pub fn to_addresses(
    conn: &mut Conn,
    addresses: &[KeyedHash],
    since: Ts,
) -> QueryResult<Vec<(LetterId, KeyedHash, Ts)>> {
    with!(conn, c => departures::table
        .filter(one_of(departures::address_hash, addresses))
        .filter(departures::at.gt(since))
        .select((
            departures::letter_id,
            departures::address_hash.assume_not_null(),
            departures::at,
        ))
        .load(c))
}

/// Forgets up to `limit` of those that left before.
///
/// # Errors
/// A failed query.
pub fn trim(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<usize> {
    let old: Vec<LetterId> = with!(conn, c => departures::table
        .filter(departures::at.le(before))
        .select(departures::letter_id)
        .limit(limit)
        .load(c))?;
    with!(conn, c => diesel::delete(departures::table.filter(one_of(departures::letter_id, &old))).execute(c))
}
