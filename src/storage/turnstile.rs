//! Whose turn it is to write to the embedded database, when several processes want to.
//!
//! SQLite has no queue: who finds the database locked asks again after a pause, in the end of a tenth of a second, and
//! gives up after some seconds. A busy service begins its next transaction within microseconds of the last, so a command
//! beside it could ask in vain all that time. Here one process at a time waits for SQLite: who has written must
//! come through again behind it.
//!
//! It keeps nobody from writing who may: that SQLite alone decides. Who has waited too long, because a process was
//! stopped at the wrong moment, goes on without a turn.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// As long as SQLite itself waits for others.
const PATIENCE: Duration = Duration::from_secs(5);
/// Nearly always there is nothing to wait for, and else a transaction of somebody else.
const LOOK: Duration = Duration::from_millis(1);

pub(super) struct Turnstile(File);

/// Others wait until this is dropped, or its process ends.
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

    /// Waits behind whoever waits to write; `None` if that takes too long.
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing tells the writer's own thread what another process does"
    )]
    pub(super) fn enter(&self) -> Option<Turn<'_>> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.0.try_lock().is_ok() {
                return Some(Turn(&self.0));
            }
            sleep(LOOK);
        }
        None
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // It is let go of at the latest with the file.
        let _ = self.0.unlock();
    }
}
