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

use super::keyring::{Epoch, KeyRing, SecretKey};
use crate::domain::entropy::Entropy;

const FORMAT: u8 = 1;
const NONCE: usize = 24;
const WRAPPED: usize = 32 + 16;
const HEAD: usize = 1 + 4 + NONCE + WRAPPED + NONCE;

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

/// Seals `value` for `binding` under the ring's active master key.
///
/// # Errors
/// [`SealError::Form`] if the value cannot be written as JSON.
pub fn seal<T: Serialize>(
    ring: &KeyRing,
    entropy: &dyn Entropy,
    binding: Binding,
    value: &T,
) -> Result<Sealed, SealError> {
    let aad = binding.associated_data();
    let epoch = ring.active();
    let master = ring.master(epoch).ok_or(SealError::NoKey(epoch))?;
    let record_key = SecretKey::random(entropy);
    let plain = Zeroizing::new(serde_json::to_vec(value).map_err(|_| SealError::Form)?);
    let (wrap_nonce, nonce) = (entropy.bytes::<NONCE>(), entropy.bytes::<NONCE>());

    let mut out = Vec::with_capacity(HEAD + plain.len() + 16);
    out.push(FORMAT);
    out.extend(epoch.to_be_bytes());
    out.extend(wrap_nonce);
    out.extend(encrypt(master, &wrap_nonce, &aad, record_key.bytes())?);
    out.extend(nonce);
    out.extend(encrypt(&record_key, &nonce, &aad, &plain)?);
    Ok(Sealed(out))
}

/// Opens what [`seal`] made, in the same place.
///
/// # Errors
/// A destroyed master key, damaged or misplaced bytes, or a value of another form.
pub fn open<T: DeserializeOwned>(
    ring: &KeyRing,
    binding: Binding,
    sealed: &Sealed,
) -> Result<T, SealError> {
    let aad = binding.associated_data();
    let bytes = &sealed.0;
    if bytes.len() < HEAD || bytes[0] != FORMAT {
        return Err(SealError::DoesNotOpen);
    }
    let (head, value) = bytes.split_at(HEAD);
    let epoch = sealed.epoch().ok_or(SealError::DoesNotOpen)?;
    let master = ring.master(epoch).ok_or(SealError::NoKey(epoch))?;
    let (wrap_nonce, rest) = head[5..].split_at(NONCE);
    let (wrapped, nonce) = rest.split_at(WRAPPED);
    let record_key = decrypt(master, wrap_nonce, &aad, wrapped)?;
    let record_key = SecretKey::from_bytes(
        record_key
            .as_slice()
            .try_into()
            .map_err(|_| SealError::DoesNotOpen)?,
    );
    let plain = decrypt(&record_key, nonce, &aad, value)?;
    serde_json::from_slice(&plain).map_err(|_| SealError::Form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Ts;
    use crate::domain::entropy::OsEntropy;

    #[test]
    fn a_value_opens_only_where_it_was_sealed() {
        let ring = KeyRing::generate(&OsEntropy, Ts::EPOCH);
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
        let other = KeyRing::generate(&OsEntropy, Ts::EPOCH);
        assert_eq!(
            open::<String>(&other, home, &sealed),
            Err(SealError::DoesNotOpen)
        );
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let ring = KeyRing::generate(&OsEntropy, Ts::EPOCH);
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
}
