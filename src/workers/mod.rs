//! What runs by the clock: matching, the outbox, the index's feed, housekeeping, checkpoints, the audit's
//! seal, the master keys and the wrapping anew.
//!
//! A worker is a `tick(now)` that does what is due and says when it wants to look again; it holds
//! nothing that is not in the database as well, so it may die at any point. Tests call `tick`
//! themselves. In a service each is supervised: woken by commits and by the clock, slowed down while
//! it fails, started again if it panics.
//!
//! A tick without anything due must write nothing: every commit wakes the workers, and two of them
//! would keep each other awake.
//!
//! To add a worker: a file with a type that is a [`Worker`], and a line in [`start`].

pub mod checkpoint;
pub mod clocks;
pub mod deliveries;
pub mod events;
pub mod feed;
pub mod housekeeping;
pub mod keys;
pub mod matching;
pub mod outbox;
pub mod rewrap;
pub mod sealing;
mod supervise;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::actions::add_key::AddKeyError;
use crate::actions::register_keys::WrongRing;
use crate::actions::{Ctx, Refusal};
use crate::crypto::keyring::KeyRingError;
use crate::crypto::seal::SealError;
use crate::domain::clock::Ts;
use crate::domain::ids::RecordId;
use crate::domain::letter::Lane;
use crate::mail::transport::Transport;
use crate::storage::{StorageError, TxError};
use crate::webhook::client::Client;
use checkpoint::Checkpoint;
use clocks::ClockWatch;
use deliveries::Deliveries;
use events::Events;
use feed::Feed;
use housekeeping::Housekeeping;
use keys::KeyWatch;
use matching::Matching;
use outbox::Outbox;
use rewrap::Rewrap;
use sealing::Sealing;
use supervise::Supervisor;

/// Something that works whenever something is due.
pub trait Worker: Send + 'static {
    /// Does what is due at `now`, and says when to look again.
    fn tick(&mut self, now: Ts) -> impl Future<Output = Result<Next, WorkerError>> + Send;
}

/// When a worker wants to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// At once: there is more to do.
    Now,
    /// At that instant at the latest.
    At(Ts),
    /// It knows of nothing to come.
    Later,
}

impl Next {
    /// At `due`, if there is one.
    #[must_use]
    pub fn due(due: Option<Ts>) -> Self {
        due.map_or(Self::Later, Self::At)
    }
}

/// Why a tick was not finished. What it left undone is still due.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A use case refused what the worker asked for.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The write-ahead log could not be brought into the database file.
    #[error(transparent)]
    Checkpoint(#[from] crate::storage::backup::BackupError),
    /// The key ring cannot be read or changed.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    /// The key ring is not the database's.
    #[error("the key ring {0}")]
    WrongRing(WrongRing),
    /// No key could be added.
    #[error("no new key could be added: {0}")]
    AddKey(#[from] AddKeyError),
    /// Work on another thread was cut off.
    #[error("it was cut off")]
    CutOff,
}

impl From<TxError<Refusal>> for WorkerError {
    fn from(error: TxError<Refusal>) -> Self {
        match error {
            TxError::Refused(refusal) => Self::Refused(refusal),
            TxError::Storage(error) => Self::Storage(error),
        }
    }
}

impl From<TxError<WrongRing>> for WorkerError {
    fn from(error: TxError<WrongRing>) -> Self {
        match error {
            TxError::Refused(why) => Self::WrongRing(why),
            TxError::Storage(error) => Self::Storage(error),
        }
    }
}

impl WorkerError {
    /// Whether it is about the database and not about one row: the next row would fail as well.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Storage(StorageError::Unavailable(_) | StorageError::Sealed(SealError::Locked))
        )
    }
}

/// Whether the service is to stop. Workers ask between two pieces of work and begin no more.
#[derive(Clone, Debug)]
pub struct Stop {
    receiver: watch::Receiver<bool>,
    /// Where they differ, nothing more is begun either.
    clocks: Option<Arc<ClockWatch>>,
    /// Where there is no other sender: a dropped one would mean to stop.
    _sender: Option<Arc<watch::Sender<bool>>>,
}

impl Stop {
    /// A stop that happens when `true` is sent, or the sender is gone.
    #[must_use]
    pub fn new(receiver: watch::Receiver<bool>) -> Self {
        Self {
            receiver,
            clocks: None,
            _sender: None,
        }
    }

    /// A stop that never happens: for tests that call `tick` themselves.
    #[must_use]
    pub fn never() -> Self {
        let (sender, receiver) = watch::channel(false);
        Self {
            receiver,
            clocks: None,
            _sender: Some(Arc::new(sender)),
        }
    }

    /// The same, and also set while the clocks differ.
    fn or_while_clocks_differ(&self, clocks: &Arc<ClockWatch>) -> Self {
        Self {
            clocks: Some(Arc::clone(clocks)),
            ..self.clone()
        }
    }

    /// Whether to stop.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.clocks.as_ref().is_some_and(|clocks| clocks.differs())
            || *self.receiver.borrow()
            || self.receiver.has_changed().is_err()
    }

    /// Waits for the stop.
    pub async fn wait(&mut self) {
        // An error means that the sender is gone, which is a stop as well.
        let _ = self.receiver.wait_for(|stop| *stop).await;
    }
}

/// How often the workers look by themselves, in real time. In between they are woken by commits of
/// this process; other processes are noticed by looking.
const LOOK: Duration = Duration::from_secs(1);
/// How often the changes of other processes are looked for where there may be any: what they write has to
/// be in the index soon.
const LOOK_OFTEN: Duration = Duration::from_millis(250);
/// How often what is slow anyway looks.
const LOOK_SELDOM: Duration = Duration::from_secs(20);

/// Starts what every process needs, known as `id` to the others. It ends after `stop`; dropping the
/// set cuts it off. `clocks` is told whether this machine's may decide anything.
#[must_use]
pub fn start_everywhere(
    ctx: &Ctx,
    id: RecordId,
    stop: &Stop,
    clocks: &Arc<ClockWatch>,
) -> JoinSet<()> {
    let ctx = behind_the_calls(ctx);
    let mut crew = Crew::new(&ctx, stop, clocks);
    let clocks = Arc::clone(clocks);
    crew.add("keys", Wake::Often, move |ctx, _| {
        KeyWatch::new(ctx, id).comparing(Arc::clone(&clocks))
    });
    crew.workers
}

/// Starts the workers. They end after `stop`; dropping the set cuts them off. While `clocks` differ, they rest.
#[must_use]
pub fn start(
    ctx: &Ctx,
    transport: &Arc<Transport>,
    stop: &Stop,
    clocks: &Arc<ClockWatch>,
) -> JoinSet<()> {
    let ctx = behind_the_calls(ctx);
    let mut crew = Crew::new(&ctx, stop, clocks);
    crew.add("matching", Wake::OnChange, |ctx, stop| {
        Matching::new(ctx.clone(), Feed::new(ctx), stop)
    });
    for (name, lane) in [
        ("outbox", Lane::Confirmed),
        ("outbox_unconfirmed", Lane::Unconfirmed),
    ] {
        let transport = Arc::clone(transport);
        crew.add(name, Wake::OnCommit, move |ctx, stop| {
            Outbox::new(ctx, Arc::clone(&transport), lane, stop)
        });
    }
    crew.add("events", Wake::OnCommit, Events::new);
    let client = Arc::new(Client::new(&ctx.settings.webhooks));
    crew.add("deliveries", Wake::OnCommit, move |ctx, stop| {
        Deliveries::new(ctx, Arc::clone(&client), stop)
    });
    crew.add("housekeeping", Wake::Seldom, Housekeeping::new);
    crew.add("rewrap", Wake::Often, Rewrap::new);
    crew.add("checkpoint", Wake::Seldom, |ctx, _| Checkpoint::new(ctx));
    crew.add("sealing", Wake::Seldom, Sealing::new);
    crew.workers
}

/// The same with the database by the door of workers: a flood of calls must not keep them from their work.
fn behind_the_calls(ctx: &Ctx) -> Ctx {
    Ctx {
        db: ctx.db.for_workers(),
        ..ctx.clone()
    }
}

/// What wakes a worker, beside what it waits for itself.
#[derive(Clone, Copy)]
enum Wake {
    /// A commit of this process, and soon those of others.
    OnChange,
    OnCommit,
    Often,
    Seldom,
}

struct Crew<'a> {
    ctx: &'a Ctx,
    stop: &'a Stop,
    clocks: &'a Arc<ClockWatch>,
    workers: JoinSet<()>,
}

impl<'a> Crew<'a> {
    fn new(ctx: &'a Ctx, stop: &'a Stop, clocks: &'a Arc<ClockWatch>) -> Self {
        Self {
            ctx,
            stop,
            clocks,
            workers: JoinSet::new(),
        }
    }

    fn add<W: Worker>(
        &mut self,
        name: &'static str,
        wake: Wake,
        make: impl Fn(Ctx, Stop) -> W + Send + 'static,
    ) {
        let on_server = self.ctx.db.is_on_server();
        let (look, commits) = match wake {
            Wake::OnChange if on_server => (LOOK_OFTEN, Some(self.ctx.db.committed())),
            Wake::OnChange | Wake::OnCommit => (LOOK, Some(self.ctx.db.committed())),
            Wake::Often => (LOOK, None),
            Wake::Seldom => (LOOK_SELDOM, None),
        };
        let supervisor = Supervisor {
            name,
            look,
            commits,
            clock: Arc::clone(&self.ctx.clock),
            entropy: Arc::clone(&self.ctx.entropy),
            stop: self.stop.clone(),
            on_server,
            // The one that brings the keys back cannot wait for them, and what was erased must be gone also
            // while they are away.
            vault: (!matches!(name, "keys" | "checkpoint")).then(|| Arc::clone(&self.ctx.vault)),
            // The one that compares them.
            clocks: (name != "keys").then(|| Arc::clone(self.clocks)),
        };
        let stop = match &supervisor.clocks {
            Some(clocks) => self.stop.or_while_clocks_differ(clocks),
            None => self.stop.clone(),
        };
        let ctx = self.ctx.clone();
        self.workers
            .spawn(supervisor.keep(move || make(ctx.clone(), stop.clone())));
    }
}
