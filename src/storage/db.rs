//! The two doors: `read` and `write`. Nothing else opens a connection or a transaction.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use super::connection::{Conn, DatabaseUrl};
use super::error::{StorageError, TxError};
use super::outage::{self, unavailable};
use super::postgres::Pools;
use super::sqlite::File;
use crate::disk;

/// How long a caller waits for a connection, and for an answer of the writer, before it is told 503.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Calls that may wait for the database; one more is told 503 at once.
pub(super) const QUEUE: usize = 4096;

/// The database. Cheap to clone; all clones share the connections.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
    door: Door,
}

struct Inner {
    backend: Backend,
    /// Who waits or is inside, by door, so that no flood of calls locks the workers out.
    room: [Arc<Semaphore>; 2],
    committed: watch::Receiver<u64>,
    /// Calls that wait for the database or are at it.
    calls: AtomicUsize,
}

/// A call that waits for the database or is at it, until it is dropped. It goes with the work and not with the caller:
/// what somebody has given up takes the database's time all the same.
pub(super) struct Visit(Arc<Inner>);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

enum Backend {
    Sqlite(File),
    Postgres(Pools),
}

/// Who comes in: workers have connections to a server of their own, so that a flood of calls does not
/// keep them from their work, nor they the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Calls,
    Workers,
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Db")
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its directory cannot be made or synced.
    #[error("the directory of the database cannot be made or synced: {0}")]
    Directory(#[source] std::io::Error),
    /// The file or server does not open.
    #[error("the database does not open: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// The server must not be spoken to like this.
    #[error(transparent)]
    Server(#[from] super::postgres::ServerError),
    /// No reader within the time allowed.
    #[error("the database gives no connection to read with: {0}")]
    Pool(#[from] diesel::r2d2::PoolError),
    /// The schema could not be brought up to date.
    #[error("the database's schema cannot be brought up to date: {0}")]
    Migrate(Box<dyn std::error::Error + Send + Sync>),
    /// The writer thread does not start.
    #[error("the writer does not start: {0}")]
    Thread(#[source] std::io::Error),
    /// The file at which writers of several processes queue cannot be made.
    #[error("the file at which its writers queue cannot be opened: {0}")]
    Turnstile(#[source] std::io::Error),
}

impl Db {
    /// Opens the database, makes it where there is none, and brings its schema up to date. A server's
    /// database has to be there.
    ///
    /// # Errors
    /// Says which of these failed.
    pub fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let conn = migrated(url)?.1;
        metrics::gauge!("manyhands_database_available").set(1.0);
        let (commits, committed) = watch::channel(0);
        let backend = match url {
            DatabaseUrl::Sqlite(path) => Backend::Sqlite(File::start(path, conn, commits)?),
            DatabaseUrl::Postgres(server) => Backend::Postgres(Pools::new(server, commits)),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                backend,
                room: std::array::from_fn(|_| Arc::new(Semaphore::new(QUEUE))),
                committed,
                calls: AtomicUsize::new(0),
            }),
            door: Door::Calls,
        })
    }

    /// The same database by the door of workers.
    #[must_use]
    pub fn for_workers(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            door: Door::Workers,
        }
    }

    /// Brings the schema of a database up to date without opening the doors; gives the number of
    /// migrations applied.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn migrate(url: &DatabaseUrl) -> Result<usize, OpenError> {
        migrated(url).map(|(applied, _)| applied)
    }

    /// Whether a database's schema is up to date.
    ///
    /// # Errors
    /// A database that does not open.
    pub fn is_up_to_date(url: &DatabaseUrl) -> Result<bool, OpenError> {
        let mut conn = Conn::open(url)?;
        conn.has_pending_migration()
            .map(|pending| !pending)
            .map_err(OpenError::Migrate)
    }

    /// Whether the schema is still the one that this program was made for.
    ///
    /// # Errors
    /// A database that cannot be asked.
    pub async fn schema_is_current(&self) -> Result<bool, StorageError> {
        self.read(|conn| match conn.has_pending_migration() {
            Ok(pending) => Ok(!pending),
            Err(_) => Err(StorageError::Unavailable("its schema cannot be read")),
        })
        .await
    }

    /// The file of the embedded database; none where it is a server's.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.inner.backend {
            Backend::Sqlite(file) => Some(&file.path),
            Backend::Postgres(_) => None,
        }
    }

    /// Whether it is a server's, which other machines may use as well.
    #[must_use]
    pub fn is_on_server(&self) -> bool {
        matches!(self.inner.backend, Backend::Postgres(_))
    }

    /// Told after every commit of this process, so that workers need not wait for their next look.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.inner.committed.clone()
    }

    /// How many calls wait for the database or are at it; what workers do is not counted.
    #[must_use]
    pub fn waiting_calls(&self) -> usize {
        self.inner.calls.load(Ordering::Relaxed)
    }

    fn visit(&self) -> Option<Visit> {
        (self.door == Door::Calls).then(|| {
            self.inner.calls.fetch_add(1, Ordering::Relaxed);
            Visit(Arc::clone(&self.inner))
        })
    }

    /// Runs `f` off the async threads, when there is a connection for it.
    async fn off_thread<T: Send + 'static>(
        &self,
        turn: Arc<Semaphore>,
        f: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T, StorageError> {
        let [calls, workers] = &self.inner.room;
        let room = match self.door {
            Door::Calls => Arc::clone(calls),
            Door::Workers => Arc::clone(workers),
        };
        let room = room
            .try_acquire_owned()
            .map_err(|_| unavailable("too many calls wait for it"))?;
        let inner = Arc::clone(&self.inner);
        let visit = self.visit();
        let span = tracing::Span::current();
        let work = async move {
            let turn = turn.acquire_owned().await;
            let turn = turn.map_err(|_| StorageError::Unavailable("it is closing"))?;
            tokio::task::spawn_blocking(move || {
                let _inside = (room, turn, visit);
                let _span = span.entered();
                f(&inner)
            })
            .await
            .map_err(|_| unavailable("an operation stopped"))
        };
        tokio::time::timeout(PATIENCE, work)
            .await
            .map_err(|_| unavailable("it takes too long"))?
    }

    /// Reads, off the async threads. The closure sees one state of the database per statement.
    ///
    /// # Errors
    /// The closure's own, or [`StorageError::Unavailable`] when no connection is free in time.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    {
        let door = self.door;
        let turn = match &self.inner.backend {
            Backend::Sqlite(file) => file.turn(door),
            Backend::Postgres(pools) => pools.turn(door),
        };
        self.off_thread(turn, move |inner| match &inner.backend {
            Backend::Sqlite(file) => file.read(door, f),
            Backend::Postgres(pools) => pools.read(door, f),
        })
        .await
        .unwrap_or_else(|error| Err(error.into()))
    }

    /// Writes, in one transaction: everything the closure wrote is on disk (synced) when this
    /// returns `Ok`, and nothing of it when this returns `Err`.
    ///
    /// The closure may run more than once, so it must take ids, time and randomness from outside,
    /// and it should write some 200 rows at the most. It does not run if this is dropped, or has
    /// waited too long, before its turn came.
    ///
    /// # Errors
    /// The closure's refusal, or why the database could not do it.
    pub async fn write<T, R, F>(&self, mut f: F) -> Result<T, TxError<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
        F: FnMut(&mut Conn) -> Result<T, TxError<R>> + Send + 'static,
    {
        let started = Instant::now();
        let result = match &self.inner.backend {
            Backend::Sqlite(file) => file.write(self.visit(), f).await,
            Backend::Postgres(pools) => {
                let door = self.door;
                let written =
                    self.off_thread(pools.turn(door), move |inner| match &inner.backend {
                        Backend::Postgres(pools) => pools.write(door, &mut f),
                        Backend::Sqlite(_) => {
                            Err(StorageError::Unavailable("it is another one").into())
                        }
                    });
                written.await.unwrap_or_else(|error| Err(error.into()))
            }
        };
        if result.is_ok() {
            outage::works();
        }
        metrics::histogram!("manyhands_write_seconds").record(started.elapsed().as_secs_f64());
        result
    }

    /// Takes no more writes, answers those that wait, and closes the writer. Blocks until done.
    pub fn close(&self) {
        match &self.inner.backend {
            Backend::Sqlite(file) => file.close(),
            Backend::Postgres(pools) => pools.close(),
        }
    }
}

/// How many migrations were applied, and a connection on which everything is up to date.
fn migrated(url: &DatabaseUrl) -> Result<(usize, Conn), OpenError> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
                make_private_dir(dir).map_err(OpenError::Directory)?;
            }
        }
        DatabaseUrl::Postgres(server) => server.check()?,
    }
    let mut conn = Conn::open(url)?;
    let applied = conn.migrate().map_err(OpenError::Migrate)?;
    if let DatabaseUrl::Sqlite(path) = url {
        // The names of the file and its log: SQLite syncs them too, but does not tell where that fails.
        disk::sync_dir(path.parent().unwrap_or(Path::new(""))).map_err(OpenError::Directory)?;
    }
    if applied > 0 {
        tracing::info!(applied, "the schema was brought up to date");
    }
    Ok((applied, conn))
}

/// Makes a directory that only its owner may enter.
pub(super) fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    disk::make_dir(dir, 0o700)
}
