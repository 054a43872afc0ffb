//! Copies of the embedded database, while it is in use; and bringing erasures to the disk.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::connection::{Conn, DatabaseUrl};
use super::key_epochs::KeyEpoch;
use super::sqlite::Embedded;
use super::{key_epochs, meta, sealed};
use crate::disk;

/// Why a copy could not be made or taken back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target is there already.
    #[error("{0} is there already; nothing was changed")]
    Exists(String),
    /// A file could not be read or written.
    #[error("{0}: {1}")]
    Io(String, #[source] io::Error),
    /// The database does not open.
    #[error("the database does not open: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// The database refused.
    #[error("the database cannot be copied: {0}")]
    Query(#[from] diesel::result::Error),
    /// The copy is damaged.
    #[error("{0} is not a whole database: {1}")]
    Damaged(String, String),
}

/// Where a copy stands until it is whole: a backup that is killed leaves nothing under the name of one.
#[must_use]
pub fn unfinished(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

/// Writes a consistent copy of the database at `source` to `target` and syncs it. The service may be
/// running. The key ring is no part of it: keep that elsewhere.
///
/// # Errors
/// A target that exists or is being written, a full disk, a damaged database.
pub fn backup(source: &Path, target: &Path) -> Result<(), BackupError> {
    let name = target.display().to_string();
    let io = |e| BackupError::Io(name.clone(), e);
    if target.exists() {
        return Err(BackupError::Exists(name));
    }
    let draft = unfinished(target);
    let file = begin(&draft).map_err(io)?;
    let Some(file) = file else {
        return Err(BackupError::Exists(draft.display().to_string()));
    };
    let copied = (|| {
        diesel::sql_query("VACUUM INTO ?")
            .bind::<Text, _>(draft.to_string_lossy())
            .execute(&mut *Embedded::open(source)?)?;
        check(&draft)?;
        // VACUUM INTO does not sync what it wrote.
        file.sync_all().map_err(io)?;
        std::fs::rename(&draft, target).map_err(io)?;
        sync_dir_of(target).map_err(io)
    })();
    if copied.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    copied
}

/// An empty file that is this process's to fill, in the place of what a killed one has left; `None` if another
/// process is at it.
fn begin(draft: &Path) -> io::Result<Option<File>> {
    // Made by us first, so that the copy is never readable by others, not even while it grows.
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(draft)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // Whoever had it may have finished and given it its name before it was locked.
    let is_there = std::fs::metadata(draft).is_ok_and(|there| {
        file.metadata()
            .is_ok_and(|ours| (ours.dev(), ours.ino()) == (there.dev(), there.ino()))
    });
    if !is_there {
        return Ok(None);
    }
    file.set_len(0)?;
    Ok(Some(file))
}

/// Puts the copy at `source` in the place of a database that must not be there yet, nor its log: that
/// would be applied to the copy.
///
/// # Errors
/// A database that is there already, a damaged copy, a full disk.
pub fn restore(source: &Path, target: &Path) -> Result<(), BackupError> {
    let name = target.display().to_string();
    let io = |e| BackupError::Io(name.clone(), e);
    for beside in ["", "-wal", "-shm"] {
        let mut path = target.as_os_str().to_owned();
        path.push(beside);
        if Path::new(&path).exists() {
            return Err(BackupError::Exists(path.to_string_lossy().into_owned()));
        }
    }
    check(source)?;
    refuse_empty(source)?;
    if let Some(dir) = target.parent().filter(|d| !d.as_os_str().is_empty()) {
        super::db::make_private_dir(dir).map_err(io)?;
    }
    let unfinished = target.with_extension("restoring");
    let _ = std::fs::remove_file(&unfinished);
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(io)?;
    let mut from =
        File::open(source).map_err(|e| BackupError::Io(source.display().to_string(), e))?;
    io::copy(&mut from, &mut out).map_err(io)?;
    out.sync_all().map_err(io)?;
    std::fs::rename(&unfinished, target).map_err(io)?;
    sync_dir_of(target).map_err(io)
}

/// Reads the whole file and its constraints, and changes nothing. The service may be running.
///
/// # Errors
/// A file that cannot be read, or is not a whole database.
pub fn check(path: &Path) -> Result<(), BackupError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        integrity_check: String,
    }
    let damaged = |why: String| BackupError::Damaged(path.display().to_string(), why);
    let file = File::open(path).map_err(|e| BackupError::Io(path.display().to_string(), e))?;
    let length = file
        .metadata()
        .map_err(|e| BackupError::Io(path.display().to_string(), e))?
        .len();
    if length == 0 {
        return Err(damaged("it is empty".into()));
    }
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    let rows: Vec<Row> = diesel::sql_query("PRAGMA integrity_check(1)")
        .load(&mut conn)
        .map_err(|e| damaged(e.to_string()))?;
    match rows.first() {
        Some(row) if row.integrity_check == "ok" => Ok(()),
        Some(row) => Err(damaged(row.integrity_check.clone())),
        None => Err(damaged("it does not answer".into())),
    }
}

/// What a copy that was broken off leaves may be a good database with nothing in it.
fn refuse_empty(path: &Path) -> Result<(), BackupError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        tables: i64,
    }
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    let row: Row = diesel::sql_query(
        "SELECT count(*) AS tables FROM sqlite_master WHERE name = '__diesel_schema_migrations'",
    )
    .get_result(&mut conn)?;
    match row.tables {
        0 => Err(BackupError::Damaged(
            path.display().to_string(),
            "nothing of Manyhands is in it".into(),
        )),
        _ => Ok(()),
    }
}

/// What a database that no service need have opened knows of its ring: the ring's check, none if it was
/// never started, and the master keys that it needs, none if it is of before they were kept.
///
/// # Errors
/// A database that does not open or has no such tables.
pub fn keys_of(url: &DatabaseUrl) -> Result<(Option<Vec<u8>>, Vec<KeyEpoch>), BackupError> {
    let mut conn = Conn::open(url)?;
    let check = meta::key_check(&mut conn)?;
    let is_older = conn.has_pending_migration().unwrap_or(true);
    let mut known = match is_older {
        true => Vec::new(),
        false => key_epochs::all(&mut conn)?,
    };
    let needless = sealed::needless(&mut conn, &known)?;
    known.retain(|key| !needless.contains(&key.epoch));
    Ok((check, known))
}

fn sync_dir_of(path: &Path) -> io::Result<()> {
    disk::sync_dir(path.parent().unwrap_or(Path::new("")))
}

/// Brings everything committed into the database file and empties the write-ahead log, so that what
/// was deleted (and overwritten, by `secure_delete`) is gone from both. False if a reader was in the way.
///
/// # Errors
/// A failed query.
pub fn checkpoint(path: &Path) -> Result<bool, BackupError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        busy: i32,
    }
    let row: Row = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)")
        .get_result(&mut *Embedded::open(path)?)?;
    Ok(row.busy == 0)
}
