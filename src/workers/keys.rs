//! Keeps the keys of this process in step with the ring's file and with what the database says: a key
//! that was added is taken up, the one that is to seal seals, what was destroyed goes, and while an
//! operator has locked the service there are no keys at all.
//!
//! Runs in every process, also in one that only answers. It reports what this process holds, so that
//! no key seals before everybody can open with it; on a server by the server's clock, with which it compares
//! this machine's.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::clocks::ClockWatch;
use super::{Next, Worker, WorkerError};
use crate::actions::Ctx;
use crate::actions::register_keys::register_keys;
use crate::actions::report_instance::report_instance;
use crate::crypto::keyring::{Epoch, KeyRing};
use crate::domain::clock::Ts;
use crate::domain::ids::RecordId;
use crate::storage::clocks::{self, Comparison};
use crate::storage::instances::Instance;
use crate::storage::key_epochs::KeyEpoch;
use crate::storage::{Conn, StorageError, key_epochs, meta};

/// How often it says that this process is there, if nothing changes.
const REPORT_EVERY: Duration = Duration::from_secs(30);
/// How often it repeats that the ring cannot be read.
const REMIND_EVERY: Duration = Duration::from_mins(1);

/// Looks after the vault.
#[derive(Debug)]
pub struct KeyWatch {
    ctx: Ctx,
    id: RecordId,
    started_at: Ts,
    file: Option<FileState>,
    reported: Option<Instance>,
    reminded_at: Option<Ts>,
    clocks: Option<Arc<ClockWatch>>,
}

/// Tells whether a file is another one, or was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileState {
    inode: u64,
    length: u64,
    written: (i64, i64),
}

impl FileState {
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self {
            inode: found.ino(),
            length: found.len(),
            written: (found.mtime(), found.mtime_nsec()),
        })
    }
}

impl KeyWatch {
    /// A worker for the process that is known as `id`.
    #[must_use]
    pub fn new(ctx: Ctx, id: RecordId) -> Self {
        Self {
            file: FileState::of(&ctx.settings.keys.path),
            started_at: ctx.now(),
            ctx,
            id,
            reported: None,
            reminded_at: None,
            clocks: None,
        }
    }

    /// It compares the clocks too, and tells `clocks`.
    #[must_use]
    pub fn comparing(self, clocks: Arc<ClockWatch>) -> Self {
        Self {
            clocks: Some(clocks),
            ..self
        }
    }

    /// What the database says: whether the service is locked, which keys there are, what time it is.
    async fn look(&self) -> Result<(bool, Vec<KeyEpoch>, Option<Comparison>), StorageError> {
        let clock = self.clocks.is_some().then(|| Arc::clone(&self.ctx.clock));
        let read = move |conn: &mut Conn| {
            let compared = match clock {
                Some(clock) => clocks::compare(conn, clock.as_ref())?,
                None => None,
            };
            Ok((meta::is_locked(conn)?, key_epochs::all(conn)?, compared))
        };
        self.ctx.db.read(read).await
    }

    async fn follow(&mut self, known: &[KeyEpoch]) -> Result<(), WorkerError> {
        let file = FileState::of(&self.ctx.settings.keys.path);
        let oldest = known.first().map_or(0, |key| key.epoch);
        let active = known
            .iter()
            .find(|key| key.is_active())
            .map(|key| key.epoch);
        let is_in_step = self.ctx.vault.keys().is_ok_and(|keys| {
            file == self.file
                && active.is_none_or(|epoch| epoch == keys.active())
                && keys.ring().epochs().all(|(epoch, _)| epoch >= oldest)
        });
        if is_in_step {
            return Ok(());
        }
        let ring = self.read_ring(oldest).await?;
        let keys = register_keys(&self.ctx.db, ring, self.ctx.now()).await?;
        tracing::info!(
            key.active = keys.active(),
            key.newest = keys.ring().newest(),
            "the keys were read anew"
        );
        self.ctx.vault.put(keys);
        // What the file was like before it was read: a change in between is seen the next time.
        self.file = file;
        Ok(())
    }

    /// The ring, without the keys that are older than `oldest`: those are destroyed.
    async fn read_ring(&self, oldest: Epoch) -> Result<KeyRing, WorkerError> {
        let path = self.ctx.settings.keys.path.clone();
        let read = move || {
            let ring = KeyRing::load(&path, None)?;
            if ring.epochs().all(|(epoch, _)| epoch >= oldest) {
                return Ok(ring);
            }
            tracing::info!(key.oldest = oldest, "older keys are destroyed");
            KeyRing::update(&path, |ring| drop(ring.remove_before(oldest)))
        };
        spawn_blocking(read)
            .await
            .map_err(|_| WorkerError::CutOff)?
            .map_err(Into::into)
    }

    /// Logs what is wrong with the ring, now and then. It is no failure of the tick, which would make the
    /// next one late: a lock must be noticed at once whatever the ring is like.
    fn remind(&mut self, now: Ts, trouble: Option<WorkerError>) {
        let Some(trouble) = trouble else {
            self.reminded_at = None;
            return;
        };
        let is_new = self
            .reminded_at
            .is_none_or(|at| now < at || now.since(at) >= REMIND_EVERY);
        if is_new {
            tracing::error!(error = %trouble, "the keys cannot be read anew");
            self.reminded_at = Some(now);
        }
    }

    /// Says at `now`, by the clock that judges, that this process is there.
    async fn report(&mut self, now: Ts) -> Result<(), WorkerError> {
        let keys = self.ctx.vault.keys().ok();
        let instance = Instance {
            id: self.id,
            started_at: self.started_at,
            seen_at: now,
            newest_epoch: keys.as_ref().map(|keys| keys.ring().newest()),
            active_epoch: keys.as_ref().map(|keys| keys.active()),
        };
        let is_old_news = self.reported.is_some_and(|last| {
            last.newest_epoch == instance.newest_epoch
                && last.active_epoch == instance.active_epoch
                && now >= last.seen_at
                && now.since(last.seen_at) < REPORT_EVERY
        });
        if !is_old_news {
            report_instance(&self.ctx, instance).await?;
            self.reported = Some(instance);
        }
        Ok(())
    }
}

impl Worker for KeyWatch {
    async fn tick(&mut self, now: Ts) -> Result<Next, WorkerError> {
        let (is_locked, known, compared) = self.look().await?;
        if let (Some(clocks), Some(compared)) = (&self.clocks, compared) {
            clocks.note(compared);
        }
        if is_locked {
            if self.ctx.vault.keys().is_ok() {
                tracing::warn!("locked: the keys are dropped, and nobody is answered");
                self.ctx.vault.lock();
            }
        } else {
            let followed = self.follow(&known).await;
            self.remind(now, followed.err());
        }
        // Also where the ring could not be read: it is told what this process works with.
        self.report(compared.map_or(now, |compared| compared.by_server(now)))
            .await?;
        Ok(Next::Later)
    }
}
