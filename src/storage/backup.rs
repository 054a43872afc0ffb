//! Copies of the embedded database, while it is in use; and bringing erasures to the disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::connection::{Conn, DatabaseUrl};
use super::key_epochs::KeyEpoch;
use super::sqlite::Embedded;
use super::{key_epochs, meta, sealed};

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

/// Writes a consistent copy of the database at `source` to `target` and syncs it. The service may be
/// running. The key ring is no part of it: keep that elsewhere.
///
/// # Errors
/// A target that exists, a full disk, a damaged database.
pub fn backup(source: &Path, target: &Path) -> Result<(), BackupError> {
    let name = target.display().to_string();
    let io = |e| BackupError::Io(name.clone(), e);
    if target.exists() {
        return Err(BackupError::Exists(name));
    }
    // Made by us first, so that the copy is never readable by others, not even while it grows.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)
        .map_err(io)?;
    let copied = (|| {
        diesel::sql_query("VACUUM INTO ?")
            .bind::<Text, _>(target.to_string_lossy())
            .execute(&mut *Embedded::open(source)?)?;
        check(target)?;
        // VACUUM INTO does not sync what it wrote.
        File::open(target).and_then(|f| f.sync_all()).map_err(io)?;
        sync_dir_of(target).map_err(io)
    })();
    if copied.is_err() {
        let _ = std::fs::remove_file(target);
    }
    copied
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
    let dir = path
        .parent()
        .filter(|d| !d.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
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
