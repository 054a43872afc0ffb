//! The key ring in use: seals and opens the secrets of records, hashes, hides cursors.

use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::keyring::KeyRing;
use super::lookup::Hasher;
use super::opaque::OpaqueKey;
use super::seal::{self, Binding, SealError, Sealed};
use crate::domain::entropy::Entropy;
use crate::domain::secret::Secret;

/// Everything that needs the key ring, loaded once at start.
#[derive(Debug)]
pub struct Vault {
    ring: KeyRing,
    /// Keyed hashes.
    pub hasher: Hasher,
    /// Page cursors.
    pub opaque: OpaqueKey,
}

impl Vault {
    /// A vault over a loaded ring.
    #[must_use]
    pub fn new(ring: KeyRing) -> Self {
        Self {
            hasher: Hasher::new(&ring),
            opaque: OpaqueKey::new(&ring),
            ring,
        }
    }

    /// The ring.
    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        &self.ring
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
        seal::seal(
            &self.ring,
            entropy,
            binding::<S>(id.into(), version),
            secret,
        )
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
        seal::open(&self.ring, binding::<S>(id.into(), version), sealed)
    }
}

fn binding<S: Secret>(id: Uuid, version: i32) -> Binding {
    Binding {
        table: S::TABLE,
        column: "sealed",
        id,
        version,
    }
}
