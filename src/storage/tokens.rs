//! Tokens, known only by their keyed hash.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::schema::tokens;
use crate::crypto::lookup::KeyedHash;
use crate::crypto::token::Purpose;
use crate::domain::clock::Ts;
use crate::domain::ids::RecordId;

/// A token's record, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = tokens, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct TokenRow {
    pub hash: KeyedHash,
    pub purpose: Purpose,
    pub subject_id: RecordId,
    pub created_at: Ts,
    pub expires_at: Option<Ts>,
}

/// Lets a token work from now on.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, token: &TokenRow) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(tokens::table).values(token).execute(c))?;
    Ok(())
}

/// As [`insert`], for a token that goes out in a letter to an address, known by its keyed hash.
///
/// # Errors
/// A failed query.
pub fn insert_mailed(conn: &mut Conn, token: &TokenRow, address: KeyedHash) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(tokens::table)
        .values((token, tokens::address_hash.eq(address)))
        .execute(c))?;
    Ok(())
}

/// Whose token it is and which address it was sent to, if it was.
///
/// # Errors
/// A failed query.
pub fn mailed(conn: &mut Conn, hash: KeyedHash) -> QueryResult<Option<(RecordId, KeyedHash)>> {
    with!(conn, c => tokens::table
        .filter(tokens::hash.eq(hash))
        .filter(tokens::address_hash.is_not_null())
        .select((tokens::subject_id, tokens::address_hash.assume_not_null()))
        .first(c)
        .optional())
}

/// What a token opens, if it works now.
///
/// # Errors
/// A failed query.
pub fn find(
    conn: &mut Conn,
    hash: KeyedHash,
    purpose: Purpose,
    now: Ts,
) -> QueryResult<Option<RecordId>> {
    with!(conn, c => tokens::table
        .filter(tokens::hash.eq(hash))
        .filter(tokens::purpose.eq(purpose))
        .filter(tokens::expires_at.is_null().or(tokens::expires_at.gt(now)))
        .select(tokens::subject_id)
        .first(c)
        .optional())
}

/// Ends all tokens of a purpose for a subject.
///
/// # Errors
/// A failed query.
pub fn revoke(conn: &mut Conn, subject: RecordId, purpose: Purpose) -> QueryResult<usize> {
    with!(conn, c => diesel::delete(tokens::table
            .filter(tokens::subject_id.eq(subject))
            .filter(tokens::purpose.eq(purpose)))
        .execute(c))
}

/// Ends every token of a subject.
///
/// # Errors
/// A failed query.
pub fn revoke_all(conn: &mut Conn, subject: RecordId) -> QueryResult<usize> {
    with!(conn, c => diesel::delete(tokens::table.filter(tokens::subject_id.eq(subject))).execute(c))
}

/// Deletes tokens whose time is over.
///
/// # Errors
/// A failed query.
pub fn delete_expired(conn: &mut Conn, now: Ts) -> QueryResult<usize> {
    with!(conn, c => diesel::delete(tokens::table.filter(tokens::expires_at.le(now))).execute(c))
}

/// Lets the tokens of one subject open another, into which it was merged.
///
/// # Errors
/// A failed query.
pub fn transfer(conn: &mut Conn, from: RecordId, to: RecordId) -> QueryResult<usize> {
    with!(conn, c => diesel::update(tokens::table.filter(tokens::subject_id.eq(from)))
        .set(tokens::subject_id.eq(to))
        .execute(c))
}
