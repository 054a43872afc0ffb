//! The ring's file: read with suspicion, written so that a crash leaves the old ring or the new one.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Epoch, KeyRing, Master, SecretKey};
use crate::disk;
use crate::domain::clock::Ts;
use crate::domain::entropy::Entropy;

/// Why a ring could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// Reading or writing the file failed.
    #[error("key ring {path}: {cause}")]
    Io {
        /// Where the ring is.
        path: PathBuf,
        /// What failed.
        cause: io::Error,
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
    root: Zeroizing<String>,
    /// Rings of before named the key that seals; the database does now.
    #[serde(default, skip_serializing)]
    #[expect(dead_code, reason = "read so that old rings are still read")]
    active: Option<Epoch>,
    master: Vec<MasterEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MasterEntry {
    epoch: Epoch,
    created: Ts,
    secret: Zeroizing<String>,
}

impl KeyRing {
    /// Reads the ring at `path`.
    ///
    /// # Errors
    /// A missing or malformed file, a mode looser than 0600, or a place inside `data_dir`.
    pub fn load(path: &Path, data_dir: Option<&Path>) -> Result<Self, KeyRingError> {
        refuse_inside(path, data_dir)?;
        let io = |source| KeyRingError::io(path, source);
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
        disk::make_dir(dir_of(path), 0o777).map_err(|source| KeyRingError::io(path, source))?;
        let _turn = turn(path)?;
        if path.exists() {
            return Self::load(path, data_dir);
        }
        let ring = Self::generate(entropy, now);
        ring.write_new(path)
            .map_err(|source| KeyRingError::io(path, source))?;
        Ok(ring)
    }

    /// Changes the ring at `path` and gives it as it is now. Others who change it meanwhile wait; one
    /// who reads it finds it as it was before or as it is after.
    ///
    /// # Errors
    /// As [`KeyRing::load`], and failures to write the file: then it is as it was.
    pub fn update(path: &Path, change: impl FnOnce(&mut Self)) -> Result<Self, KeyRingError> {
        let _turn = turn(path)?;
        let mut ring = Self::load(path, None)?;
        change(&mut ring);
        ring.replace(path)
            .map_err(|source| KeyRingError::io(path, source))?;
        Ok(ring)
    }

    /// Reads a ring on a stick, whose files others may read: sticks know no owners.
    ///
    /// # Errors
    /// A missing or malformed file.
    pub fn read_stick(path: &Path) -> Result<Self, KeyRingError> {
        let text = fs::read_to_string(path).map_err(|source| KeyRingError::io(path, source))?;
        Self::parse(&Zeroizing::new(text)).map_err(|what| KeyRingError::Malformed {
            path: path.to_owned(),
            what,
        })
    }

    /// Writes the ring to `path`, where none may be yet but this one itself, and reads it back.
    ///
    /// # Errors
    /// Another ring that is there, failures to write the file, or a file that does not read back: then
    /// it is removed.
    pub fn put(&self, path: &Path, data_dir: Option<&Path>) -> Result<(), KeyRingError> {
        refuse_inside(path, data_dir)?;
        if Self::read_stick(path).is_ok_and(|there| there.is(self)) {
            return Ok(());
        }
        self.write_new(path)
            .map_err(|source| KeyRingError::io(path, source))?;
        if Self::read_stick(path).is_ok_and(|there| there.is(self)) {
            return Ok(());
        }
        Self::shred(path)?;
        Err(KeyRingError::Malformed {
            path: path.to_owned(),
            what: "does not read back",
        })
    }

    fn is(&self, other: &Self) -> bool {
        let keys = |ring: &Self| -> Vec<_> {
            let epochs: Vec<Epoch> = ring.epochs().map(|(epoch, _)| epoch).collect();
            epochs.iter().map(|e| (*e, ring.key_check(*e))).collect()
        };
        self.check() == other.check() && keys(self) == keys(other)
    }

    /// Overwrites the ring at `path` and removes it. Flash storage may keep what was overwritten until
    /// it needs the place.
    ///
    /// # Errors
    /// A file that cannot be written or removed.
    pub fn shred(path: &Path) -> Result<(), KeyRingError> {
        let _turn = turn(path)?;
        let shred = || {
            // Also what a process that died has left half written.
            for path in [path.with_extension("new"), path.to_owned()] {
                if path.exists() {
                    overwrite(OpenOptions::new().write(true).open(&path)?)?;
                    fs::remove_file(&path)?;
                }
            }
            File::open(dir_of(path))?.sync_all()
        };
        shred().map_err(|source| KeyRingError::io(path, source))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let file: RingFile = toml::from_str(text).map_err(|_| "is not a key ring file")?;
        if file.version != 1 {
            return Err("is of a version this program does not know");
        }
        let root = SecretKey::from_text(&file.root).ok_or("root is not 32 bytes in base64")?;
        let mut masters = BTreeMap::new();
        for entry in file.master {
            let key = SecretKey::from_text(&entry.secret)
                .ok_or("a master secret is not 32 bytes in base64")?;
            let master = Master {
                key,
                created: entry.created,
            };
            if entry.epoch < 1 {
                return Err("has an epoch below 1");
            }
            if masters.insert(entry.epoch, master).is_some() {
                return Err("names one epoch twice");
            }
        }
        if masters.is_empty() {
            return Err("has no master key");
        }
        Ok(Self { root, masters })
    }

    pub(crate) fn to_text(&self) -> Result<Zeroizing<String>, io::Error> {
        let entry = |(epoch, m): (&Epoch, &Master)| MasterEntry {
            epoch: *epoch,
            created: m.created,
            secret: m.key.to_text(),
        };
        let file = RingFile {
            version: 1,
            root: self.root.to_text(),
            active: None,
            master: self.masters.iter().map(entry).collect(),
        };
        let keys = Zeroizing::new(toml::to_string(&file).map_err(io::Error::other)?);
        Ok(Zeroizing::new(format!(
            "# The keys of this Manyhands instance. Without this file the database cannot be read by anyone.\n\
             # Keep a copy in another place than the database and its backups, and replace the copy when a key\n\
             # was added or destroyed (manyhands key status).\n{}",
            *keys
        )))
    }

    /// Writes a ring where none may be yet: synced under another name first, so that a crash leaves
    /// either no ring or a whole one.
    fn write_new(&self, path: &Path) -> io::Result<()> {
        disk::make_dir(dir_of(path), 0o777)?;
        let unfinished = self.write_beside(path)?;
        // A hard link refuses to replace a ring that another process made meanwhile; a rename would not.
        let linked = fs::hard_link(&unfinished, path).or_else(|error| match error.kind() {
            // Sticks are often of a kind that knows no links.
            io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied if !path.exists() => {
                fs::rename(&unfinished, path)
            }
            _ => Err(error),
        });
        if unfinished.exists() {
            fs::remove_file(&unfinished)?;
        }
        linked?;
        File::open(dir_of(path))?.sync_all()
    }

    /// Writes the ring in the place of the one that is there, which is overwritten afterwards.
    fn replace(&self, path: &Path) -> io::Result<()> {
        let old = OpenOptions::new().write(true).open(path)?;
        let unfinished = self.write_beside(path)?;
        fs::rename(&unfinished, path)?;
        File::open(dir_of(path))?.sync_all()?;
        overwrite(old)
    }

    fn write_beside(&self, path: &Path) -> io::Result<PathBuf> {
        let unfinished = path.with_extension("new");
        let _ = fs::remove_file(&unfinished);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(self.to_text()?.as_bytes())?;
        file.sync_all()?;
        Ok(unfinished)
    }
}

impl KeyRingError {
    fn io(path: &Path, cause: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            cause,
        }
    }

    /// Whether there is no ring at all.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { cause, .. } if cause.kind() == io::ErrorKind::NotFound)
    }
}

/// Waits until nobody else changes the ring at `path`; others wait until the file is dropped.
fn turn(path: &Path) -> Result<File, KeyRingError> {
    let take = || {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.with_extension("lock"))?;
        file.lock()?;
        Ok(file)
    };
    take().map_err(|source| KeyRingError::io(path, source))
}

fn overwrite(mut file: File) -> io::Result<()> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    file.rewind()?;
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

fn dir_of(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn refuse_inside(path: &Path, data_dir: Option<&Path>) -> Result<(), KeyRingError> {
    let Some(data) = data_dir else { return Ok(()) };
    let absolute = |p: &Path| {
        fs::canonicalize(p)
            .or_else(|_| std::path::absolute(p))
            .unwrap_or_else(|_| p.to_owned())
    };
    if absolute(dir_of(path)).starts_with(absolute(data)) {
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

    #[test]
    fn a_key_is_added_and_destroyed_in_the_file_and_nothing_of_it_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keyring.toml");
        let made = KeyRing::load_or_create(&path, None, &OsEntropy, Ts::EPOCH).unwrap();
        let old_file = File::open(&path).unwrap();
        let ring = KeyRing::update(&path, |r| r.add(2, &OsEntropy, Ts::EPOCH)).unwrap();
        assert_eq!((ring.newest(), ring.check()), (2, made.check()));
        assert_eq!(ring.key_check(1), made.key_check(1));
        assert_ne!(ring.key_check(1), ring.key_check(2));
        assert!(
            io::read_to_string(&old_file)
                .unwrap()
                .bytes()
                .all(|b| b == 0)
        );

        let first = ring.master(1).unwrap().to_text();
        assert!(fs::read_to_string(&path).unwrap().contains(first.as_str()));
        let left = KeyRing::update(&path, |r| drop(r.remove_before(2))).unwrap();
        assert!(left.master(1).is_none());
        assert!(!fs::read_to_string(&path).unwrap().contains(first.as_str()));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        KeyRing::shred(&path).unwrap();
        assert!(KeyRing::load(&path, None).unwrap_err().is_missing());
    }

    #[test]
    fn rings_that_name_their_active_key_are_still_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keyring.toml");
        KeyRing::load_or_create(&path, None, &OsEntropy, Ts::EPOCH).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(
            &path,
            text.replace("version = 1", "version = 1\nactive = 1"),
        )
        .unwrap();
        assert_eq!(KeyRing::load(&path, None).unwrap().newest(), 1);
    }
}
