//! Tokens, known only by their keyed hash: looked up by it, never compared. See `crypto::token` for why
//! that takes the same time whoever asks.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::one_of;
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
        .filter(tokens::uses_left.is_null().or(tokens::uses_left.gt(0)))
        .select(tokens::subject_id)
        .first(c)
        .optional())
}

/// Lets a token work so many times and no more.
///
/// # Errors
/// A failed query.
pub fn limit_uses(conn: &mut Conn, hash: KeyedHash, uses: i32) -> QueryResult<()> {
    with!(conn, c => diesel::update(tokens::table.find(hash)).set(tokens::uses_left.eq(uses)).execute(c))?;
    Ok(())
}

/// Takes one of the uses that a token has left; `false` if it does not work, or not any more.
///
/// # Errors
/// A failed query.
pub fn use_up(conn: &mut Conn, hash: KeyedHash, purpose: Purpose, now: Ts) -> QueryResult<bool> {
    let used = with!(conn, c => diesel::update(tokens::table
            .filter(tokens::hash.eq(hash))
            .filter(tokens::purpose.eq(purpose))
            .filter(tokens::expires_at.is_null().or(tokens::expires_at.gt(now)))
            .filter(tokens::uses_left.gt(0)))
        .set(tokens::uses_left.eq(tokens::uses_left - 1))
        .execute(c))?;
    Ok(used == 1)
}

/// Lets the tokens of these subjects work until `at` at the longest.
///
/// # Errors
/// A failed query.
pub fn expire(
    conn: &mut Conn,
    subjects: &[RecordId],
    purpose: Purpose,
    at: Ts,
) -> QueryResult<usize> {
    with!(conn, c => diesel::update(tokens::table
            .filter(one_of(tokens::subject_id, subjects))
            .filter(tokens::purpose.eq(purpose))
            .filter(tokens::expires_at.is_null().or(tokens::expires_at.gt(at))))
        .set(tokens::expires_at.eq(at))
        .execute(c))
}

/// Lets the tokens of a purpose for several subjects that have not ended yet work without an end again.
///
/// # Errors
/// A failed query.
pub fn keep(
    conn: &mut Conn,
    subjects: &[RecordId],
    purpose: Purpose,
    now: Ts,
) -> QueryResult<usize> {
    with!(conn, c => diesel::update(tokens::table
            .filter(one_of(tokens::subject_id, subjects))
            .filter(tokens::purpose.eq(purpose))
            .filter(tokens::expires_at.gt(now)))
        .set(tokens::expires_at.eq(None::<Ts>))
        .execute(c))
}

/// Of the tokens of a purpose for a subject, ends all but the first, which its owner may have written
/// down, and the newest; `keep` in all. The one just minted stays whatever the clock says.
///
/// # Errors
/// A failed query.
pub fn keep_newest(
    conn: &mut Conn,
    subject: RecordId,
    purpose: Purpose,
    just_minted: KeyedHash,
    keep: usize,
) -> QueryResult<usize> {
    let oldest_first: Vec<KeyedHash> = with!(conn, c => tokens::table
        .filter(tokens::subject_id.eq(subject))
        .filter(tokens::purpose.eq(purpose))
        .filter(tokens::hash.ne(just_minted))
        .order((tokens::created_at, tokens::hash))
        .select(tokens::hash)
        .load(c))?;
    let too_many = (oldest_first.len() + 1).saturating_sub(keep);
    if too_many == 0 {
        return Ok(0);
    }
    let ended: Vec<KeyedHash> = oldest_first.into_iter().skip(1).take(too_many).collect();
    with!(conn, c => diesel::delete(tokens::table.filter(one_of(tokens::hash, &ended))).execute(c))
}

/// Until when the tokens of a purpose work, by subject; `None` is for good. Those without are left out.
///
/// # Errors
/// A failed query.
pub fn ends(
    conn: &mut Conn,
    purpose: Purpose,
    now: Ts,
) -> QueryResult<Vec<(RecordId, Option<Ts>)>> {
    with!(conn, c => tokens::table
        .filter(tokens::purpose.eq(purpose))
        .filter(tokens::expires_at.is_null().or(tokens::expires_at.gt(now)))
        .select((tokens::subject_id, tokens::expires_at))
        .load(c))
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

/// Ends the tokens of a subject that went out in letters, but for one if one is named.
///
/// # Errors
/// A failed query.
pub fn revoke_mailed(
    conn: &mut Conn,
    subject: RecordId,
    except: Option<KeyedHash>,
) -> QueryResult<usize> {
    let except: Vec<KeyedHash> = except.into_iter().collect();
    with!(conn, c => diesel::delete(tokens::table
            .filter(tokens::subject_id.eq(subject))
            .filter(tokens::address_hash.is_not_null())
            .filter(diesel::dsl::not(one_of(tokens::hash, &except))))
        .execute(c))
}

/// Ends every token of a subject.
///
/// # Errors
/// A failed query.
pub fn revoke_all(conn: &mut Conn, subject: RecordId) -> QueryResult<usize> {
    with!(conn, c => diesel::delete(tokens::table.filter(tokens::subject_id.eq(subject))).execute(c))
}

/// Deletes up to `limit` tokens whose time is over.
///
/// # Errors
/// A failed query.
pub fn delete_expired(conn: &mut Conn, now: Ts, limit: i64) -> QueryResult<usize> {
    let over: Vec<KeyedHash> = with!(conn, c => tokens::table
        .filter(tokens::expires_at.le(now))
        .select(tokens::hash)
        .limit(limit)
        .load(c))?;
    with!(conn, c => diesel::delete(tokens::table.filter(one_of(tokens::hash, &over))).execute(c))
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
