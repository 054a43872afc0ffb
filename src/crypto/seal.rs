//! Sealing: one encrypted value per record, bound to the place it stands in.
//!
//! XChaCha20-Poly1305 twice: a random key per record encrypts the value, and the active master key
//! wraps the record key. Both are bound (as associated data) to table, column, record and version,
//! so that a value copied to another row, or an older value put back, does not open.
//!
//! Layout: `1 | epoch (4, big-endian) | nonce (24) | wrapped record key (32 + 16) | nonce (24) |
//! value (JSON) + tag (16)`.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::keyring::{Epoch, SecretKey};
use super::keys::Keys;
use crate::domain::entropy::Entropy;

const FORMAT: u8 = 1;
const NONCE: usize = 24;
const WRAPPED: usize = 32 + 16;
const HEAD: usize = 1 + 4 + NONCE + WRAPPED;

/// The place a sealed value is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The record.
    pub id: Uuid,
    /// The record's count of sealings, so that an older value does not pass for the newest.
    pub version: i32,
}

impl Binding {
    fn associated_data(&self) -> Vec<u8> {
        format!(
            "{}|{}|{}|{}",
            self.table, self.column, self.id, self.version
        )
        .into_bytes()
    }
}

/// An encrypted value as it stands in the database.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// The bytes, for the database.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bytes from the database; whether they open is found out by [`open`].
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The epoch of the master key that wraps the record key.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        let head = self.0.get(1..5)?;
        Some(Epoch::from_be_bytes(head.try_into().ok()?))
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// Why a value could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The master key of the value's epoch is not in the ring.
    #[error("no master key of epoch {0} in the key ring")]
    NoKey(Epoch),
    /// The bytes are damaged, stand in another place than they were sealed for, or are of another ring.
    #[error("a sealed value does not open")]
    DoesNotOpen,
    /// The value could not be written as JSON, or what opened is not the value expected.
    #[error("a sealed value is not of the expected form")]
    Form,
    /// An operator has locked the keys away.
    #[error("the keys are locked away")]
    Locked,
}

fn cipher(key: &SecretKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

fn encrypt(
    key: &SecretKey,
    nonce: &[u8; NONCE],
    aad: &[u8],
    msg: &[u8],
) -> Result<Vec<u8>, SealError> {
    cipher(key)
        .encrypt(&XNonce::from(*nonce), Payload { msg, aad })
        .map_err(|_| SealError::Form)
}

fn decrypt(
    key: &SecretKey,
    nonce: &[u8],
    aad: &[u8],
    msg: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| SealError::DoesNotOpen)?;
    cipher(key)
        .decrypt(&XNonce::from(nonce), Payload { msg, aad })
        .map(Zeroizing::new)
        .map_err(|_| SealError::DoesNotOpen)
}

/// Seals `value` for `binding` under the active master key.
///
/// # Errors
/// [`SealError::Form`] if the value cannot be written as JSON.
pub fn seal<T: Serialize>(
    keys: &Keys,
    entropy: &dyn Entropy,
    binding: Binding,
    value: &T,
) -> Result<Sealed, SealError> {
    let aad = binding.associated_data();
    let record_key = SecretKey::random(entropy);
    let plain = Zeroizing::new(serde_json::to_vec(value).map_err(|_| SealError::Form)?);
    let nonce = entropy.bytes::<NONCE>();
    let mut out = wrap(keys, entropy, &aad, &record_key)?;
    out.extend(nonce);
    out.extend(encrypt(&record_key, &nonce, &aad, &plain)?);
    Ok(Sealed(out))
}

/// Opens what [`seal`] made, in the same place.
///
/// # Errors
/// A destroyed master key, damaged or misplaced bytes, or a value of another form.
pub fn open<T: DeserializeOwned>(
    keys: &Keys,
    binding: Binding,
    sealed: &Sealed,
) -> Result<T, SealError> {
    let aad = binding.associated_data();
    let (record_key, rest) = unwrap(keys, &aad, sealed)?;
    let (nonce, value) = rest.split_at_checked(NONCE).ok_or(SealError::DoesNotOpen)?;
    let plain = decrypt(&record_key, nonce, &aad, value)?;
    serde_json::from_slice(&plain).map_err(|_| SealError::Form)
}

/// The same value in the same place, its record key wrapped by the master key that is active now. The
/// value itself is not opened.
///
/// # Errors
/// A destroyed master key, or damaged or misplaced bytes.
pub fn rewrap(
    keys: &Keys,
    entropy: &dyn Entropy,
    binding: Binding,
    sealed: &Sealed,
) -> Result<Sealed, SealError> {
    let aad = binding.associated_data();
    let (record_key, rest) = unwrap(keys, &aad, sealed)?;
    let mut out = wrap(keys, entropy, &aad, &record_key)?;
    out.extend(rest);
    Ok(Sealed(out))
}

/// The head of a sealed value: format, epoch, nonce, wrapped record key.
fn wrap(
    keys: &Keys,
    entropy: &dyn Entropy,
    aad: &[u8],
    record_key: &SecretKey,
) -> Result<Vec<u8>, SealError> {
    let epoch = keys.active();
    let master = keys.ring().master(epoch).ok_or(SealError::NoKey(epoch))?;
    let nonce = entropy.bytes::<NONCE>();
    let mut head = vec![FORMAT];
    head.extend(epoch.to_be_bytes());
    head.extend(nonce);
    head.extend(encrypt(master, &nonce, aad, record_key.bytes())?);
    Ok(head)
}

/// The record key, and what follows the head.
fn unwrap<'a>(
    keys: &Keys,
    aad: &[u8],
    sealed: &'a Sealed,
) -> Result<(SecretKey, &'a [u8]), SealError> {
    let (head, rest) = sealed
        .0
        .split_at_checked(HEAD)
        .filter(|(head, _)| head[0] == FORMAT)
        .ok_or(SealError::DoesNotOpen)?;
    let epoch = sealed.epoch().ok_or(SealError::DoesNotOpen)?;
    let master = keys.ring().master(epoch).ok_or(SealError::NoKey(epoch))?;
    let (nonce, wrapped) = head[5..].split_at(NONCE);
    let record_key = decrypt(master, nonce, aad, wrapped)?;
    let record_key = SecretKey::from_slice(&record_key).ok_or(SealError::DoesNotOpen)?;
    Ok((record_key, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyring::KeyRing;
    use crate::domain::clock::Ts;
    use crate::domain::entropy::OsEntropy;

    #[test]
    fn a_value_opens_only_where_it_was_sealed() {
        let ring = Keys::new(KeyRing::generate(&OsEntropy, Ts::EPOCH), 1);
        let home = Binding {
            table: "neighbors",
            column: "sealed",
            id: Uuid::from_u128(1),
            version: 1,
        };
        let sealed = seal(&ring, &OsEntropy, home, &"12 Elm").unwrap();
        assert_eq!(open::<String>(&ring, home, &sealed).unwrap(), "12 Elm");

        let elsewhere = [
            Binding {
                id: Uuid::from_u128(2),
                ..home
            },
            Binding { version: 2, ..home },
            Binding {
                table: "volunteers",
                ..home
            },
            Binding {
                column: "note",
                ..home
            },
        ];
        for binding in elsewhere {
            assert_eq!(
                open::<String>(&ring, binding, &sealed),
                Err(SealError::DoesNotOpen),
                "{binding:?}"
            );
        }
        let other = Keys::new(KeyRing::generate(&OsEntropy, Ts::EPOCH), 1);
        assert_eq!(
            open::<String>(&other, home, &sealed),
            Err(SealError::DoesNotOpen)
        );
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let ring = Keys::new(KeyRing::generate(&OsEntropy, Ts::EPOCH), 1);
        let home = Binding {
            table: "t",
            column: "c",
            id: Uuid::from_u128(1),
            version: 1,
        };
        let sealed = seal(&ring, &OsEntropy, home, &"x").unwrap();
        for i in 0..sealed.0.len() {
            let mut bytes = sealed.0.clone();
            bytes[i] ^= 1;
            assert!(
                open::<String>(&ring, home, &Sealed(bytes)).is_err(),
                "byte {i}"
            );
        }
        for cut in 0..sealed.0.len() {
            assert!(open::<String>(&ring, home, &Sealed(sealed.0[..cut].to_vec())).is_err());
        }
    }

    #[test]
    fn a_rewrapped_value_opens_with_the_new_key_alone() {
        let home = Binding {
            table: "t",
            column: "c",
            id: Uuid::from_u128(1),
            version: 1,
        };
        let mut ring = KeyRing::generate(&OsEntropy, Ts::EPOCH);
        let sealed = seal(&Keys::new(ring.clone(), 1), &OsEntropy, home, &"x").unwrap();
        ring.add(2, &OsEntropy, Ts::EPOCH);
        let both = Keys::new(ring.clone(), 2);
        let again = rewrap(&both, &OsEntropy, home, &sealed).unwrap();
        assert_eq!((sealed.epoch(), again.epoch()), (Some(1), Some(2)));
        ring.remove_before(2);
        let new = Keys::new(ring, 2);
        assert_eq!(open::<String>(&new, home, &again).unwrap(), "x");
        assert_eq!(
            open::<String>(&new, home, &sealed),
            Err(SealError::NoKey(1))
        );
        let elsewhere = Binding { version: 2, ..home };
        assert!(rewrap(&both, &OsEntropy, elsewhere, &sealed).is_err());
    }
}
