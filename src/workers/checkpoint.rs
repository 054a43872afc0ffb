//! Brings what was committed into the database file and empties the write-ahead log, so that what was
//! erased is gone from the disk's files within a minute: deleted rows stay readable in the log until
//! then.

use std::path::Path;
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::{Next, Worker, WorkerError};
use crate::actions::Ctx;
use crate::domain::clock::Ts;
use crate::storage::backup::checkpoint;

/// Wait before another attempt where a reader was in the way.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Empties the write-ahead log.
#[derive(Debug)]
pub struct Checkpoint {
    ctx: Ctx,
}

impl Checkpoint {
    /// A worker over the database of `ctx`.
    #[must_use]
    pub fn new(ctx: Ctx) -> Self {
        Self { ctx }
    }
}

impl Worker for Checkpoint {
    async fn tick(&mut self, now: Ts) -> Result<Next, WorkerError> {
        let Some(path) = self.ctx.db.path().map(Path::to_owned) else {
            // On a server nothing can be flushed; there the keys are destroyed.
            return Ok(Next::Later);
        };
        let done = spawn_blocking(move || checkpoint(&path))
            .await
            .map_err(|_| WorkerError::CutOff)??;
        Ok(if done {
            Next::Later
        } else {
            Next::At(now.after(AGAIN_AFTER))
        })
    }
}
