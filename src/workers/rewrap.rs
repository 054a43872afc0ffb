//! Wraps what was sealed under older master keys under the active one, while the service runs. Killed
//! in between, it begins again with what is left.

use std::time::Duration;

use super::{Next, Stop, Worker, WorkerError};
use crate::actions::Ctx;
use crate::actions::rewrap::rewrap;
use crate::crypto::keyring::Epoch;
use crate::domain::clock::Ts;
use crate::storage::sealed::SealedTable;
use crate::storage::{StorageError, key_epochs};

/// When to look again after nothing was left: another process may have sealed with the older key a
/// moment longer.
const AGAIN_AFTER: Duration = Duration::from_mins(10);

/// Wraps anew.
#[derive(Debug)]
pub struct Rewrap {
    ctx: Ctx,
    stop: Stop,
    /// Under which key everything was, and when.
    done: Option<(Epoch, Ts)>,
}

impl Rewrap {
    /// A worker that looks at once.
    #[must_use]
    pub fn new(ctx: Ctx, stop: Stop) -> Self {
        Self {
            ctx,
            stop,
            done: None,
        }
    }

    /// Wraps every record of a table anew; tells whether there were any.
    async fn table(&self, table: SealedTable) -> Result<bool, WorkerError> {
        let mut last = None;
        while !self.stop.is_set() {
            match rewrap(&self.ctx, table, last).await? {
                Some(id) => last = Some(id),
                None => break,
            }
        }
        Ok(last.is_some())
    }
}

impl Worker for Rewrap {
    async fn tick(&mut self, now: Ts) -> Result<Next, WorkerError> {
        let active = self.ctx.vault.keys().map_err(StorageError::from)?.active();
        let is_done = self
            .done
            .is_some_and(|(epoch, at)| epoch == active && now < at.after(AGAIN_AFTER) && now >= at);
        if is_done {
            return Ok(Next::Later);
        }
        let read = |conn: &mut _| Ok::<_, StorageError>(key_epochs::all(conn)?);
        let known = self.ctx.db.read(read).await?;
        if known.iter().all(|key| key.epoch >= active) {
            self.done = Some((active, now));
            return Ok(Next::Later);
        }
        let mut found = false;
        for table in SealedTable::ALL.iter().copied() {
            found |= self.table(table).await?;
        }
        self.done = (!found && !self.stop.is_set()).then_some((active, now));
        Ok(Next::Later)
    }
}
