//! The key ring: one small file, outside the data directory, mode 0600.
//!
//! It holds a root key, from which every keyed hash is derived and which never changes, and the
//! master keys, numbered by epoch, of which one wraps the keys of new records. Which one that is says
//! the database, so that every process changes over together.

mod file;

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::domain::clock::Ts;
use crate::domain::entropy::Entropy;
pub use file::KeyRingError;

/// 32 secret bytes, wiped when dropped and hidden from `Debug`. They stand on the heap, so that moving
/// a key about leaves no copies behind.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(Box<[u8; 32]>);

impl SecretKey {
    /// A new random key.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut key = Self(Box::new([0; 32]));
        entropy.fill(key.0.as_mut_slice());
        key
    }

    /// A key from its bytes; `None` if they are not 32.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == 32).then(|| {
            let mut key = Self(Box::new([0; 32]));
            key.0.copy_from_slice(bytes);
            key
        })
    }

    /// The bytes, for a cipher.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Another key, for the use that `context` names (BLAKE3's key derivation).
    #[must_use]
    pub fn derive(&self, context: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(self.0.as_slice());
        let mut key = Self(Box::new([0; 32]));
        let mut output = hasher.finalize_xof();
        output.fill(key.0.as_mut_slice());
        // Both hold what they have read.
        output.zeroize();
        hasher.zeroize();
        key
    }

    fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64.encode(self.0.as_slice()))
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::from_slice(&Zeroizing::new(BASE64.decode(text).ok()?))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

/// The number of a master key: 1 for the first.
pub type Epoch = i32;

#[derive(Clone, Debug)]
struct Master {
    key: SecretKey,
    created: Ts,
}

/// The loaded ring.
#[derive(Clone, Debug)]
pub struct KeyRing {
    root: SecretKey,
    /// Never empty.
    masters: BTreeMap<Epoch, Master>,
}

impl KeyRing {
    /// A new ring with one master key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy, now: Ts) -> Self {
        let mut ring = Self {
            root: SecretKey::random(entropy),
            masters: BTreeMap::new(),
        };
        ring.add(1, entropy, now);
        ring
    }

    /// The root key, from which hash keys are derived.
    #[must_use]
    pub fn root(&self) -> &SecretKey {
        &self.root
    }

    /// The master key of an epoch; `None` if it was destroyed or never was.
    #[must_use]
    pub fn master(&self, epoch: Epoch) -> Option<&SecretKey> {
        self.masters.get(&epoch).map(|m| &m.key)
    }

    /// Every epoch that has a key, oldest first, with when the key was made.
    pub fn epochs(&self) -> impl Iterator<Item = (Epoch, Ts)> {
        self.masters.iter().map(|(epoch, m)| (*epoch, m.created))
    }

    /// The newest epoch that has a key.
    #[must_use]
    pub fn newest(&self) -> Epoch {
        self.masters.keys().next_back().copied().unwrap_or(0)
    }

    /// A value that only this ring computes, kept in the database so that another ring is noticed.
    #[must_use]
    pub fn check(&self) -> [u8; 32] {
        *self
            .root
            .derive("manyhands 2026 database key check")
            .bytes()
    }

    /// A value that only the master key of `epoch` computes, kept in the database so that another key
    /// of the same number is noticed.
    #[must_use]
    pub fn key_check(&self, epoch: Epoch) -> Option<[u8; 32]> {
        let key = self.master(epoch)?;
        Some(*key.derive("manyhands 2026 master key check").bytes())
    }

    /// Puts a new random key on the ring.
    pub fn add(&mut self, epoch: Epoch, entropy: &dyn Entropy, now: Ts) {
        let key = SecretKey::random(entropy);
        self.masters.insert(epoch, Master { key, created: now });
    }

    /// Takes one key off the ring.
    pub fn remove(&mut self, epoch: Epoch) {
        self.masters.remove(&epoch);
    }

    /// Takes every key older than `oldest` off the ring; gives their epochs.
    pub fn remove_before(&mut self, oldest: Epoch) -> Vec<Epoch> {
        let kept = self.masters.split_off(&oldest);
        let gone = std::mem::replace(&mut self.masters, kept);
        gone.into_keys().collect()
    }
}
