//! The key ring: one small file, outside the data directory, mode 0600.
//!
//! It holds a root key, from which every keyed hash is derived and which never changes, and the
//! master keys, numbered by epoch, of which the active one wraps the key of every new record.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::domain::clock::Ts;
use crate::domain::entropy::Entropy;

/// 32 secret bytes, wiped when dropped and hidden from `Debug`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// A new random key.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(entropy.bytes())
    }

    /// A key from its bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a cipher.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Another key, for the use that `context` names (BLAKE3's key derivation).
    #[must_use]
    pub fn derive(&self, context: &str) -> Self {
        Self(blake3::derive_key(context, &self.0))
    }

    fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64.encode(self.0))
    }

    fn from_text(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64.decode(text).ok()?);
        Some(Self(bytes.as_slice().try_into().ok()?))
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
    active: Epoch,
    masters: BTreeMap<Epoch, Master>,
}

/// Why a ring could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// Reading or writing the file failed.
    #[error("key ring {path}: {source}")]
    Io {
        /// Where the ring is.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// Others than the owner may read or write the file.
    #[error("key ring {path}: mode {mode:03o} lets others in; run chmod 600 on it")]
    LooseMode {
        /// Where the ring is.
        path: PathBuf,
        /// The permission bits found.
        mode: u32,
    },
    /// The ring lies where the data lies, so that one theft would take both.
    #[error(
        "key ring {path} lies inside the data directory {data}; set keys.path to a place outside of it"
    )]
    InsideData {
        /// Where the ring is.
        path: PathBuf,
        /// The data directory.
        data: PathBuf,
    },
    /// The file is not a ring.
    #[error("key ring {path}: {what}")]
    Malformed {
        /// Where the ring is.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RingFile {
    version: u8,
    root: String,
    active: Epoch,
    master: Vec<MasterEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MasterEntry {
    epoch: Epoch,
    created: Ts,
    secret: String,
}

impl KeyRing {
    /// A new ring with one master key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy, now: Ts) -> Self {
        let first = Master {
            key: SecretKey::random(entropy),
            created: now,
        };
        Self {
            root: SecretKey::random(entropy),
            active: 1,
            masters: BTreeMap::from([(1, first)]),
        }
    }

    /// Reads the ring at `path`.
    ///
    /// # Errors
    /// A missing or malformed file, a mode looser than 0600, or a place inside `data_dir`.
    pub fn load(path: &Path, data_dir: Option<&Path>) -> Result<Self, KeyRingError> {
        refuse_inside(path, data_dir)?;
        let io = |source| KeyRingError::Io {
            path: path.to_owned(),
            source,
        };
        let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyRingError::LooseMode {
                path: path.to_owned(),
                mode,
            });
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(io)?);
        Self::parse(&text).map_err(|what| KeyRingError::Malformed {
            path: path.to_owned(),
            what,
        })
    }

    /// Reads the ring at `path`, or makes one there where none is.
    ///
    /// # Errors
    /// As [`KeyRing::load`], and failures to write the new file.
    pub fn load_or_create(
        path: &Path,
        data_dir: Option<&Path>,
        entropy: &dyn Entropy,
        now: Ts,
    ) -> Result<Self, KeyRingError> {
        refuse_inside(path, data_dir)?;
        if path.exists() {
            return Self::load(path, data_dir);
        }
        let ring = Self::generate(entropy, now);
        ring.write_new(path).map_err(|source| KeyRingError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(ring)
    }

    /// The root key, from which hash keys are derived.
    #[must_use]
    pub fn root(&self) -> &SecretKey {
        &self.root
    }

    /// The epoch whose key wraps new records.
    #[must_use]
    pub fn active(&self) -> Epoch {
        self.active
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

    /// A value that only this ring computes, kept in the database so that another ring is noticed.
    #[must_use]
    pub fn check(&self) -> [u8; 32] {
        *self
            .root
            .derive("manyhands 2026 database key check")
            .bytes()
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let file: RingFile = toml::from_str(text).map_err(|_| "is not a key ring file")?;
        if file.version != 1 {
            return Err("is of a version this program does not know");
        }
        let root = SecretKey::from_text(&file.root).ok_or("root is not 32 bytes in base64")?;
        let mut masters = BTreeMap::new();
        for entry in file.master {
            let key = SecretKey::from_text(&entry.secret)
                .ok_or("a master secret is not 32 bytes in base64")?;
            if masters
                .insert(
                    entry.epoch,
                    Master {
                        key,
                        created: entry.created,
                    },
                )
                .is_some()
            {
                return Err("names one epoch twice");
            }
        }
        if !masters.contains_key(&file.active) {
            return Err("has no master key for its active epoch");
        }
        Ok(Self {
            root,
            active: file.active,
            masters,
        })
    }

    fn to_text(&self) -> Result<Zeroizing<String>, io::Error> {
        let file = RingFile {
            version: 1,
            root: self.root.to_text().to_string(),
            active: self.active,
            master: self
                .masters
                .iter()
                .map(|(epoch, m)| MasterEntry {
                    epoch: *epoch,
                    created: m.created,
                    secret: m.key.to_text().to_string(),
                })
                .collect(),
        };
        let mut text = String::from(
            "# The keys of this Manyhands instance. Without this file the database cannot be read by anyone.\n\
             # Keep a copy in another place than the database and its backups.\n",
        );
        text.push_str(&toml::to_string(&file).map_err(io::Error::other)?);
        Ok(Zeroizing::new(text))
    }

    /// Writes a ring where none may be yet: synced under another name first, so that a crash leaves
    /// either no ring or a whole one.
    fn write_new(&self, path: &Path) -> io::Result<()> {
        let dir = path
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        fs::create_dir_all(dir)?;
        let unfinished = path.with_extension("new");
        let _ = fs::remove_file(&unfinished);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(self.to_text()?.as_bytes())?;
        file.sync_all()?;
        // A hard link refuses to replace a ring that another process made meanwhile; a rename would not.
        let linked = fs::hard_link(&unfinished, path);
        fs::remove_file(&unfinished)?;
        linked?;
        fs::File::open(dir)?.sync_all()
    }
}

fn refuse_inside(path: &Path, data_dir: Option<&Path>) -> Result<(), KeyRingError> {
    let Some(data) = data_dir else { return Ok(()) };
    let absolute = |p: &Path| {
        fs::canonicalize(p)
            .or_else(|_| std::path::absolute(p))
            .unwrap_or_else(|_| p.to_owned())
    };
    let parent = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if absolute(parent).starts_with(absolute(data)) {
        return Err(KeyRingError::InsideData {
            path: path.to_owned(),
            data: data.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::OsEntropy;

    #[test]
    fn a_ring_is_made_once_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/keyring.toml");
        let made = KeyRing::load_or_create(&path, None, &OsEntropy, Ts::EPOCH).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let read = KeyRing::load_or_create(&path, None, &OsEntropy, Ts::EPOCH).unwrap();
        assert_eq!(made.check(), read.check());
        assert_eq!(
            made.master(1).unwrap().bytes(),
            read.master(1).unwrap().bytes()
        );
        assert!(!format!("{made:?}").contains(made.root.to_text().as_str()));
    }

    #[test]
    fn a_careless_ring_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keyring.toml");
        KeyRing::load_or_create(&path, None, &OsEntropy, Ts::EPOCH).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            KeyRing::load(&path, None),
            Err(KeyRingError::LooseMode { mode: 0o640, .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(
            KeyRing::load(&path, Some(dir.path())),
            Err(KeyRingError::InsideData { .. })
        ));
        fs::write(&path, "version = 1").unwrap();
        assert!(matches!(
            KeyRing::load(&path, None),
            Err(KeyRingError::Malformed { .. })
        ));
    }
}
