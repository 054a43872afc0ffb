//! Whose turn it is to write to the embedded database, when several processes want to.
//!
//! SQLite has no queue: who finds the database locked asks again after a pause, in the end of a tenth of a second, and
//! gives up after some seconds. A busy service begins its next transaction within microseconds of the last, so a command
//! beside it could ask in vain all that time. Here only one process at a time waits for SQLite: who has written must
//! come through again behind it.
//!
//! It keeps nobody from writing who may: that SQLite alone decides. Linux and the BSDs let go of the lock when its
//! process dies.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

pub(super) struct Turnstile(File);

/// Others wait until this is dropped.
pub(super) struct Turn<'a>(&'a File);

impl Turnstile {
    /// Beside the database; the file stays empty.
    pub(super) fn beside(database: &Path) -> io::Result<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push("-turn");
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map(Self)
    }

    /// Waits behind whoever waits to write, which is for a few seconds at most.
    pub(super) fn enter(&self) -> io::Result<Turn<'_>> {
        self.0.lock()?;
        Ok(Turn(&self.0))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // It is let go of at the latest with the file.
        let _ = self.0.unlock();
    }
}
