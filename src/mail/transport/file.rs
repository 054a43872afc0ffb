//! Letters as files, for trying things out: `<time>-<letter id>.eml`, so that a listing is in the
//! order of sending and every mail program opens one.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::disk;
use crate::domain::clock::Ts;
use crate::domain::ids::LetterId;

use super::{SendError, Trouble};

/// Longest wait for the disk: less than the shortest `outbox.lease` that the settings allow, for no
/// letter is begun whose lease might end before the attempt does.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

/// Letters are shorter, but for a rare one.
const LETTER: usize = 32 * 1024;

/// A directory that letters are written to, readable for this user only.
#[derive(Clone, Debug)]
pub struct FileDrop {
    dir: PathBuf,
    /// Which file holds which letter; read from the directory at the first letter.
    known: Arc<Mutex<Option<HashMap<LetterId, PathBuf>>>>,
}

impl FileDrop {
    /// Letters will be written to `dir`, which is made when the first one comes.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            known: Arc::default(),
        }
    }

    /// Writes the letter, in place of an earlier attempt of the same one. It is on disk when this
    /// returns, and no reader ever sees half of it.
    pub(super) async fn write(&self, id: LetterId, now: Ts, eml: Vec<u8>) -> Result<(), SendError> {
        let this = self.clone();
        blocking(move || {
            make_dir(&this.dir)?;
            let path = this.path_for(id, now)?;
            let draft = this.dir.join(format!(".{id}.draft"));
            write_synced(&draft, &eml)?;
            fs::rename(&draft, &path)?;
            File::open(&this.dir)?.sync_all()
        })
        .await
    }

    /// Whether a letter could be written.
    pub(super) async fn check(&self) -> Result<(), SendError> {
        let this = self.clone();
        blocking(move || {
            make_dir(&this.dir)?;
            let probe = this.dir.join(format!(".{}.probe", std::process::id()));
            // As long as a letter: an empty file can often be written where the disk is full.
            let written = write_synced(&probe, &b" ".repeat(LETTER));
            fs::remove_file(&probe).and(written)
        })
        .await
    }

    /// The letter's file: the one of its first attempt, or a new one named by `now`.
    fn path_for(&self, id: LetterId, now: Ts) -> io::Result<PathBuf> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let files = match &mut *known {
            Some(files) => files,
            unread => unread.insert(letters_in(&self.dir)?),
        };
        let name = || format!("{}-{id}.eml", now.to_jiff().strftime("%Y%m%dT%H%M%S.%6fZ"));
        Ok(files
            .entry(id)
            .or_insert_with(|| self.dir.join(name()))
            .clone())
    }
}

/// Runs `work` off the async threads, as long as [`PATIENCE`] lasts. The same file is written by a
/// repeat, so the outcome is never in doubt.
async fn blocking(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<(), SendError> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(_) => Err(SendError::temporary(Trouble::File)),
        Err(_) => Err(SendError::temporary(Trouble::TimedOut)),
    }
}

fn make_dir(dir: &Path) -> io::Result<()> {
    disk::make_dir(dir, 0o700)
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn letters_in(dir: &Path) -> io::Result<HashMap<LetterId, PathBuf>> {
    let mut letters = HashMap::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        let id = name.strip_suffix(".eml").and_then(|n| n.split_once('-'));
        if let Some(id) = id.and_then(|(_, id)| id.parse().ok()) {
            letters.insert(id, path);
        }
    }
    Ok(letters)
}
