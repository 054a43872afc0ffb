//! Where the keys of a running process are, or are not: an operator can lock them away and bring them
//! back while it runs, and a new master key comes into use without a restart.

use std::sync::{Arc, PoisonError, RwLock};

use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::keys::Keys;
use super::seal::{SealError, Sealed};
use crate::domain::secret::Secret;

/// Holds the keys. Whoever works with them holds on to them for one piece of work and no longer.
#[derive(Debug)]
pub struct Vault(RwLock<Option<Arc<Keys>>>);

impl Vault {
    /// A vault with keys in it.
    #[must_use]
    pub fn new(keys: Keys) -> Self {
        Self(RwLock::new(Some(Arc::new(keys))))
    }

    /// A vault that waits for its keys.
    #[must_use]
    pub fn locked() -> Self {
        Self(RwLock::new(None))
    }

    /// The keys.
    ///
    /// # Errors
    /// [`SealError::Locked`] while they are locked away.
    pub fn keys(&self) -> Result<Arc<Keys>, SealError> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or(SealError::Locked)
    }

    /// Uses other keys from now on.
    pub fn put(&self, keys: Keys) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(keys));
    }

    /// Drops the keys. They are wiped from memory when the last piece of work with them ends.
    pub fn lock(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Opens the secret part of record `id`.
    ///
    /// # Errors
    /// Keys that are locked away, damaged or misplaced bytes, or a master key that was destroyed.
    pub fn open<S: Secret + DeserializeOwned>(
        &self,
        id: impl Into<Uuid>,
        version: i32,
        sealed: &Sealed,
    ) -> Result<S, SealError> {
        self.keys()?.open(id, version, sealed)
    }
}
