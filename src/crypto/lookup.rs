//! Keyed hashes: what lets the database find a person, a token or a repeated call without holding
//! anything that can be read, or guessed by trying every phone number.

use std::fmt;

use super::keyring::{KeyRing, SecretKey};
use crate::domain::contact::{EmailAddress, PhoneNumber};

/// A keyed BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyedHash([u8; 32]);

impl KeyedHash {
    /// The bytes, for the database.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for KeyedHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHash(redacted)")
    }
}

/// The hash keys, one for each use, derived from the ring's root.
#[derive(Clone, Debug)]
pub struct Hasher {
    contact: SecretKey,
    pair: SecretKey,
    token: SecretKey,
    idempotency: SecretKey,
    audit: SecretKey,
}

impl Hasher {
    /// The hash keys of a ring.
    #[must_use]
    pub fn new(ring: &KeyRing) -> Self {
        let root = ring.root();
        Self {
            contact: root.derive("manyhands 2026 contact hash"),
            pair: root.derive("manyhands 2026 blocked pair hash"),
            token: root.derive("manyhands 2026 token hash"),
            idempotency: root.derive("manyhands 2026 idempotency hash"),
            audit: root.derive("manyhands 2026 audit chain"),
        }
    }

    /// Finds a person by e-mail address.
    #[must_use]
    pub fn email(&self, address: &EmailAddress) -> KeyedHash {
        keyed(&self.contact, &[b"email", address.canonical().as_bytes()])
    }

    /// Finds a person by phone number.
    #[must_use]
    pub fn phone(&self, number: &PhoneNumber) -> KeyedHash {
        keyed(&self.contact, &[b"phone", number.expose().as_bytes()])
    }

    /// Two people who are never to be proposed to each other again; survives the erasure of both.
    #[must_use]
    pub fn pair(&self, neighbor: &KeyedHash, volunteer: &KeyedHash) -> KeyedHash {
        keyed(&self.pair, &[neighbor.as_bytes(), volunteer.as_bytes()])
    }

    /// Finds a token.
    #[must_use]
    pub fn token(&self, canonical: &str) -> KeyedHash {
        keyed(&self.token, &[canonical.as_bytes()])
    }

    /// Recognizes a repeated call: by its key within a route, or by its body.
    #[must_use]
    pub fn call(&self, parts: &[&[u8]]) -> KeyedHash {
        keyed(&self.idempotency, parts)
    }

    /// Seals an entry of the audit onto the chain of those before it.
    #[must_use]
    pub fn audit(&self, parts: &[&[u8]]) -> KeyedHash {
        keyed(&self.audit, parts)
    }
}

/// Each part is preceded by its length, so that no two lists of parts run together.
fn keyed(key: &SecretKey, parts: &[&[u8]]) -> KeyedHash {
    let mut hasher = blake3::Hasher::new_keyed(key.bytes());
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    KeyedHash(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Ts;
    use crate::domain::entropy::OsEntropy;

    #[test]
    fn hashes_depend_on_ring_use_and_spelling() {
        let hasher = Hasher::new(&KeyRing::generate(&OsEntropy, Ts::EPOCH));
        let other = Hasher::new(&KeyRing::generate(&OsEntropy, Ts::EPOCH));
        let ana = EmailAddress::parse("Ana@Example.org").unwrap();
        let same = EmailAddress::parse("ana@example.org").unwrap();
        assert_eq!(hasher.email(&ana), hasher.email(&same));
        assert_ne!(hasher.email(&ana), other.email(&ana));
        assert_ne!(hasher.call(&[b"ab", b"c"]), hasher.call(&[b"a", b"bc"]));
    }
}
