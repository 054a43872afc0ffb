//! The master keys that the database knows of, by number. The keys themselves are in the key ring.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::{Turn, take_turn};
use super::schema::key_epochs;
use crate::crypto::keyring::Epoch;
use crate::domain::clock::Ts;

/// A master key, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = key_epochs, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct KeyEpoch {
    pub epoch: Epoch,
    pub key_check: Option<Vec<u8>>,
    pub added_at: Ts,
    pub activated_at: Option<Ts>,
    pub retired_at: Option<Ts>,
}

impl KeyEpoch {
    /// Whether it seals.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.activated_at.is_some() && self.retired_at.is_none()
    }
}

/// Lets nobody else add, activate or destroy keys until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn) -> QueryResult<()> {
    take_turn(conn, Turn::Keys)
}

/// Every key, oldest first.
///
/// # Errors
/// A failed query.
pub fn all(conn: &mut Conn) -> QueryResult<Vec<KeyEpoch>> {
    with!(conn, c => key_epochs::table.order(key_epochs::epoch).select(KeyEpoch::as_select()).load(c))
}

/// Makes keys known.
///
/// # Errors
/// A failed query, or a key of a number that is known already.
pub fn insert(conn: &mut Conn, keys: &[KeyEpoch]) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(key_epochs::table).values(keys).execute(c))?;
    Ok(())
}

/// Remembers what recognizes a key, once.
///
/// # Errors
/// A failed query.
pub fn set_check(conn: &mut Conn, epoch: Epoch, check: &[u8]) -> QueryResult<()> {
    with!(conn, c => diesel::update(key_epochs::table.find(epoch).filter(key_epochs::key_check.is_null()))
        .set(key_epochs::key_check.eq(check))
        .execute(c))?;
    Ok(())
}

/// Lets the key of `epoch` seal in the place of the one that does. False if it does already.
///
/// # Errors
/// A failed query.
pub fn activate(conn: &mut Conn, epoch: Epoch, now: Ts) -> QueryResult<bool> {
    with!(conn, c => diesel::update(key_epochs::table
            .filter(key_epochs::activated_at.is_not_null())
            .filter(key_epochs::retired_at.is_null())
            .filter(key_epochs::epoch.lt(epoch)))
        .set(key_epochs::retired_at.eq(now))
        .execute(c))?;
    let done = with!(conn, c => diesel::update(key_epochs::table.find(epoch).filter(key_epochs::activated_at.is_null()))
        .set(key_epochs::activated_at.eq(now))
        .execute(c))?;
    Ok(done == 1)
}

/// Forgets a key for good. A record that it still wraps stops this.
///
/// # Errors
/// A failed query.
pub fn delete(conn: &mut Conn, epoch: Epoch) -> QueryResult<()> {
    with!(conn, c => diesel::delete(key_epochs::table.find(epoch)).execute(c))?;
    Ok(())
}
