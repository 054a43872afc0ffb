//! Keys in use: a ring, and which of its master keys seals.

use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::keyring::{Epoch, KeyRing};
use super::lookup::Hasher;
use super::opaque::OpaqueKey;
use super::seal::{self, Binding, SealError, Sealed};
use crate::domain::entropy::Entropy;
use crate::domain::secret::Secret;

/// A ring in use, with what is derived from it.
#[derive(Debug)]
pub struct Keys {
    ring: KeyRing,
    active: Epoch,
    /// Keyed hashes.
    pub hasher: Hasher,
    /// Page cursors.
    pub opaque: OpaqueKey,
}

impl Keys {
    /// A ring of which the key of epoch `active` seals.
    #[must_use]
    pub fn new(ring: KeyRing, active: Epoch) -> Self {
        Self {
            hasher: Hasher::new(&ring),
            opaque: OpaqueKey::new(&ring),
            ring,
            active,
        }
    }

    /// The ring.
    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// The epoch whose key wraps those of new records.
    #[must_use]
    pub fn active(&self) -> Epoch {
        self.active
    }

    /// Seals the secret part of record `id`, as its `version`-th sealing.
    ///
    /// # Errors
    /// A ring without its active key.
    pub fn seal<S: Secret>(
        &self,
        entropy: &dyn Entropy,
        id: impl Into<Uuid>,
        version: i32,
        secret: &S,
    ) -> Result<Sealed, SealError> {
        seal::seal(self, entropy, binding(S::TABLE, id.into(), version), secret)
    }

    /// Opens the secret part of record `id`.
    ///
    /// # Errors
    /// Damaged or misplaced bytes, or a master key that was destroyed.
    pub fn open<S: Secret + DeserializeOwned>(
        &self,
        id: impl Into<Uuid>,
        version: i32,
        sealed: &Sealed,
    ) -> Result<S, SealError> {
        seal::open(self, binding(S::TABLE, id.into(), version), sealed)
    }

    /// Wraps the secret part of record `id` of `table` under the active key, without opening it.
    ///
    /// # Errors
    /// As [`Keys::open`].
    pub fn rewrap(
        &self,
        entropy: &dyn Entropy,
        table: &'static str,
        id: impl Into<Uuid>,
        version: i32,
        sealed: &Sealed,
    ) -> Result<Sealed, SealError> {
        seal::rewrap(self, entropy, binding(table, id.into(), version), sealed)
    }
}

fn binding(table: &'static str, id: Uuid, version: i32) -> Binding {
    Binding {
        table,
        column: "sealed",
        id,
        version,
    }
}
