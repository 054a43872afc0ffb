//! Makes a key ring and the database known to each other when a process starts, or refuses: a service
//! over data that it cannot read must not come up looking empty.

use crate::crypto::keyring::{Epoch, KeyRing};
use crate::crypto::keys::Keys;
use crate::domain::clock::Ts;
use crate::storage::key_epochs::KeyEpoch;
use crate::storage::{Conn, Db, TxError, key_epochs, meta, sealed};

/// Why a ring cannot be used with a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongRing {
    /// The database was made with another one.
    #[error("does not belong to this database")]
    Other,
    /// Records are sealed under a key that is not on it.
    #[error("has no key {0}, under which this database is sealed")]
    Lacks(Epoch),
    /// It has another key of that number.
    #[error("has another key {0} than the one under which this database is sealed")]
    OtherKey(Epoch),
}

/// The keys to work with: those of the ring, sealing with the one that the database names.
///
/// # Errors
/// A ring that is not the database's, or a failed query.
pub async fn register_keys(db: &Db, ring: KeyRing, now: Ts) -> Result<Keys, TxError<WrongRing>> {
    let known = ring.clone();
    let active = db.write(move |conn| register(conn, &known, now)).await?;
    Ok(Keys::new(ring, active))
}

/// Whether the ring opens everything in a database of which this is known.
///
/// # Errors
/// Why it does not.
pub fn fits(ring: &KeyRing, key_check: Option<&[u8]>, known: &[KeyEpoch]) -> Result<(), WrongRing> {
    if key_check.is_some_and(|check| check != ring.check()) {
        return Err(WrongRing::Other);
    }
    for key in known {
        match (ring.key_check(key.epoch), &key.key_check) {
            // A key that does not seal yet may still be on its way to this machine.
            (None, _) if key.activated_at.is_none() => {}
            (None, _) => return Err(WrongRing::Lacks(key.epoch)),
            (Some(here), Some(there)) if here.as_slice() != there => {
                return Err(WrongRing::OtherKey(key.epoch));
            }
            (Some(_), _) => {}
        }
    }
    Ok(())
}

fn register(conn: &mut Conn, ring: &KeyRing, now: Ts) -> Result<Epoch, TxError<WrongRing>> {
    // Of two processes that start with rings of their own, the second sees what the first has begun.
    key_epochs::lock(conn)?;
    let key_check = meta::key_check(conn)?;
    let mut known = key_epochs::all(conn)?;
    // A retired key that wraps nothing was destroyed since the backup that knows of it was made.
    let lacking: Vec<KeyEpoch> = known
        .iter()
        .filter(|key| ring.master(key.epoch).is_none())
        .cloned()
        .collect();
    for key in sealed::needless(conn, &lacking)? {
        key_epochs::delete(conn, key)?;
        known.retain(|k| k.epoch != key);
    }
    fits(ring, key_check.as_deref(), &known).map_err(TxError::Refused)?;
    if key_check.is_none() {
        meta::set_key_check(conn, &ring.check())?;
    }
    for key in known.iter().filter(|key| key.key_check.is_none()) {
        if let Some(check) = ring.key_check(key.epoch) {
            key_epochs::set_check(conn, key.epoch, &check)?;
        }
    }
    match known.iter().find(|key| key.is_active()) {
        Some(active) => Ok(active.epoch),
        None => begin(conn, ring, now),
    }
}

/// A database without records: its first key is the newest of the ring.
fn begin(conn: &mut Conn, ring: &KeyRing, now: Ts) -> Result<Epoch, TxError<WrongRing>> {
    let newest = ring.newest();
    let rows: Vec<KeyEpoch> = ring
        .epochs()
        .map(|(epoch, _)| KeyEpoch {
            epoch,
            key_check: ring.key_check(epoch).map(Vec::from),
            added_at: now,
            activated_at: Some(now),
            retired_at: (epoch < newest).then_some(now),
        })
        .collect();
    key_epochs::insert(conn, &rows)?;
    Ok(newest)
}
