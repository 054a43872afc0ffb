//! The two doors: `read` and `write`. Nothing else opens a connection or a transaction.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::SqliteConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::connection::{Conn, DatabaseUrl, ReadOnly};
use super::error::{StorageError, TxError};
use super::writer::{Ended, Operation, Writer};

/// How long a caller waits for a connection, and for an answer of the writer, before it is told 503.
const PATIENCE: Duration = Duration::from_secs(10);
/// Writes that may wait; one more is told 503 at once.
const QUEUE: usize = 4096;
/// Readers beside the writer.
const READERS: u32 = 4;

/// The database. Cheap to clone; all clones share the writer and the readers.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    readers: Pool<ConnectionManager<SqliteConnection>>,
    turn: Arc<Semaphore>,
    queue: Mutex<Option<mpsc::Sender<Box<dyn Operation>>>>,
    writer: Mutex<Option<Writer>>,
    committed: watch::Receiver<u64>,
    path: PathBuf,
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Db")
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its directory cannot be made.
    #[error("the directory of the database cannot be made: {0}")]
    Directory(#[source] std::io::Error),
    /// The file or server does not open.
    #[error("the database does not open: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// No reader within the time allowed.
    #[error("the database gives no connection to read with: {0}")]
    Pool(#[from] diesel::r2d2::PoolError),
    /// The schema could not be brought up to date.
    #[error("the database's schema cannot be brought up to date: {0}")]
    Migrate(Box<dyn std::error::Error + Send + Sync>),
    /// The writer thread does not start.
    #[error("the writer does not start: {0}")]
    Thread(#[source] std::io::Error),
}

impl Db {
    /// Opens the database, makes it where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// Says which of these failed.
    pub fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let DatabaseUrl::Sqlite(path) = url;
        if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
            make_private_dir(dir).map_err(OpenError::Directory)?;
        }
        let mut conn = Conn::open_writer(url)?;
        let applied = conn.migrate().map_err(OpenError::Migrate)?;
        if applied > 0 {
            tracing::info!(applied, "the schema was brought up to date");
        }
        let readers = Pool::builder()
            .max_size(READERS)
            .min_idle(Some(1))
            .connection_timeout(PATIENCE)
            .test_on_check_out(false)
            .connection_customizer(Box::new(ReadOnly))
            .build(ConnectionManager::new(path.to_string_lossy()))?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (commits, committed) = watch::channel(0);
        let writer =
            Writer::start(url.clone(), conn, waiting, commits).map_err(OpenError::Thread)?;
        Ok(Self(Arc::new(Inner {
            readers,
            turn: Arc::new(Semaphore::new(READERS as usize)),
            queue: Mutex::new(Some(queue)),
            writer: Mutex::new(Some(writer)),
            committed,
            path: path.clone(),
        })))
    }

    /// Brings the schema of a database up to date without opening the doors; gives the number of
    /// migrations applied.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn migrate(url: &DatabaseUrl) -> Result<usize, OpenError> {
        let DatabaseUrl::Sqlite(path) = url;
        if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
            make_private_dir(dir).map_err(OpenError::Directory)?;
        }
        Conn::open_writer(url)?
            .migrate()
            .map_err(OpenError::Migrate)
    }

    /// Whether a database's schema is up to date.
    ///
    /// # Errors
    /// A database that does not open.
    pub fn is_up_to_date(url: &DatabaseUrl) -> Result<bool, OpenError> {
        let mut conn = Conn::open_writer(url)?;
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

    /// The file of the embedded database.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Told after every commit, so that workers need not wait for their next look.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.0.committed.clone()
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
        let unavailable = |why| E::from(StorageError::Unavailable(why));
        let turn = tokio::time::timeout(PATIENCE, self.0.turn.clone().acquire_owned())
            .await
            .map_err(|_| unavailable("all readers are busy"))?
            .map_err(|_| unavailable("it is closing"))?;
        let readers = self.0.readers.clone();
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let _span = span.entered();
            let conn = readers
                .get()
                .map_err(|_| StorageError::Unavailable("no connection to read with"))?;
            f(&mut Conn::SqliteReader(conn))
        })
        .await
        .unwrap_or_else(|_| Err(unavailable("a reader stopped")))
    }

    /// Writes, in one transaction: everything the closure wrote is on disk (synced) when this
    /// returns `Ok`, and nothing of it when this returns `Err`.
    ///
    /// The closure may run more than once, so it must take ids, time and randomness from outside,
    /// and it should write some 200 rows at the most.
    ///
    /// # Errors
    /// The closure's refusal, or why the database could not do it.
    pub async fn write<T, R, F>(&self, f: F) -> Result<T, TxError<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
        F: FnMut(&mut Conn) -> Result<T, TxError<R>> + Send + 'static,
    {
        let unavailable = |why| TxError::Storage(StorageError::Unavailable(why));
        let queue = self
            .0
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let queue = queue.ok_or_else(|| unavailable("it is closing"))?;
        let (answer, answered) = oneshot::channel();
        let started = Instant::now();
        queue
            .try_send(Box::new(Write {
                f,
                span: tracing::Span::current(),
                result: None,
                answer,
            }))
            .map_err(|_| unavailable("too many writes are waiting"))?;
        drop(queue);
        let result = tokio::time::timeout(PATIENCE, answered)
            .await
            .map_err(|_| unavailable("the writer takes too long"))?
            .unwrap_or_else(|_| Err(unavailable("the writer stopped")));
        metrics::histogram!("manyhands_write_seconds").record(started.elapsed().as_secs_f64());
        result
    }

    /// Takes no more writes, answers those that wait, and closes the writer. Blocks until done.
    pub fn close(&self) {
        self.0
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let writer = self
            .0
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            writer.join();
        }
    }
}

/// Makes a directory that only its owner may enter.
pub(super) fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}

struct Write<T, R, F> {
    f: F,
    span: tracing::Span,
    result: Option<Result<T, TxError<R>>>,
    answer: oneshot::Sender<Result<T, TxError<R>>>,
}

impl<T, R, F> Operation for Write<T, R, F>
where
    T: Send,
    R: Send,
    F: FnMut(&mut Conn) -> Result<T, TxError<R>> + Send,
{
    fn run(&mut self, conn: &mut Conn) -> Ended {
        let _span = self.span.enter();
        let result = (self.f)(conn);
        let ended = match &result {
            Ok(_) => Ended::Keep,
            Err(TxError::Storage(error)) if error.poisons_connection() => Ended::Poisoned,
            Err(_) => Ended::Undo,
        };
        self.result = Some(result);
        ended
    }

    fn settle(self: Box<Self>, committed: bool) {
        let result = match self.result {
            Some(result) if committed => result,
            _ => Err(StorageError::Unavailable("the write could not be kept").into()),
        };
        // Nobody waits any more where the caller's time ran out.
        let _ = self.answer.send(result);
    }
}
