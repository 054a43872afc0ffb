//! The embedded database: one file, one thread that writes, a few readers.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool, PooledConnection};
use diesel::{Connection, SqliteConnection};
use tokio::sync::{Semaphore, mpsc, watch};

use super::connection::{Conn, DatabaseUrl};
use super::db::{Door, OpenError, PATIENCE, QUEUE, Visit};
use super::error::{StorageError, TxError};
use super::outage::unavailable;
use super::turnstile::Turnstile;
use super::writer::{Operation, Write, Writer};
use crate::disk;

/// Readers beside the writer.
#[derive(Clone, Copy)]
struct Share {
    /// So many at the most.
    readers: usize,
    /// So much of the file each may keep in memory, in KiB.
    cache_kib: u32,
}

/// For calls.
const CALLS: Share = Share {
    readers: 4,
    cache_kib: 2_000,
};
/// For workers, so that long looks at many posts keep no call waiting. They look at all posts, each with its owner
/// somewhere else, which is twice as fast where the index that leads there need not be read again and again (27 MB of
/// a million).
const WORKERS: Share = Share {
    readers: 2,
    cache_kib: 32_000,
};

/// What every connection is told first. `busy_timeout` comes before anything that may wait.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000;
     PRAGMA journal_mode = WAL;
     PRAGMA synchronous = FULL;
     PRAGMA foreign_keys = ON;
     PRAGMA secure_delete = ON;
     PRAGMA temp_store = MEMORY;
     PRAGMA trusted_schema = OFF;";

/// A connection to the embedded database.
#[expect(
    missing_debug_implementations,
    reason = "diesel's connections have none"
)]
pub struct Embedded(Hold);

enum Hold {
    Own(SqliteConnection),
    Reader(PooledConnection<ConnectionManager<SqliteConnection>>),
}

impl Embedded {
    /// A connection that may write; makes the file where it is missing.
    pub(super) fn open(path: &Path) -> diesel::ConnectionResult<Self> {
        distrust_log(path)?;
        let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
        conn.batch_execute(PRAGMAS)
            .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
        Ok(Self(Hold::Own(conn)))
    }
}

impl Deref for Embedded {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        match &self.0 {
            Hold::Own(conn) => conn,
            Hold::Reader(conn) => conn,
        }
    }
}

impl DerefMut for Embedded {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match &mut self.0 {
            Hold::Own(conn) => conn,
            Hold::Reader(conn) => conn,
        }
    }
}

/// What stands in the log after a commit whose sync failed must not be taken for committed by whoever reads the log
/// next, only because the system still shows it: later commits would build on what is not on the disk. The
/// database's own file needs no such care: what is not surely in it is written to it again from the log.
fn distrust_log(path: &Path) -> diesel::ConnectionResult<()> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    disk::read_anew(Path::new(&log)).map_err(|error| {
        let why = format!("its log cannot be brought to the disk: {error}");
        diesel::ConnectionError::BadConnection(why)
    })
}

/// Sets up each reader: it sees committed data only and can write nothing.
#[derive(Debug)]
struct ReadOnly {
    cache_kib: u32,
}

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for ReadOnly {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute(PRAGMAS)
            .and_then(|()| conn.batch_execute("PRAGMA query_only = ON;"))
            .and_then(|()| conn.batch_execute(&format!("PRAGMA cache_size = -{};", self.cache_kib)))
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

/// Readers of one door.
struct Readers {
    turns: Arc<Semaphore>,
    pool: Pool<ConnectionManager<SqliteConnection>>,
}

impl Readers {
    fn of(path: &Path, share: Share) -> Result<Self, OpenError> {
        let Share { readers, cache_kib } = share;
        let pool = Pool::builder()
            .max_size(u32::try_from(readers).unwrap_or(u32::MAX))
            .min_idle(Some(1))
            .connection_timeout(PATIENCE)
            .test_on_check_out(false)
            .connection_customizer(Box::new(ReadOnly { cache_kib }))
            .build(ConnectionManager::new(path.to_string_lossy()))?;
        Ok(Self {
            turns: Arc::new(Semaphore::new(readers)),
            pool,
        })
    }
}

/// The file with its readers and its writer.
pub(super) struct File {
    pub(super) path: PathBuf,
    calls: Readers,
    workers: Readers,
    queue: Mutex<Option<mpsc::Sender<Box<dyn Operation>>>>,
    writer: Mutex<Option<Writer>>,
}

impl File {
    /// Starts the readers and the writer, whose connection is `conn`.
    pub(super) fn start(
        path: &Path,
        conn: Conn,
        committed: watch::Sender<u64>,
    ) -> Result<Self, OpenError> {
        let [calls, workers] = [CALLS, WORKERS].map(|share| Readers::of(path, share));
        let (calls, workers) = (calls?, workers?);
        let (queue, waiting) = mpsc::channel(QUEUE);
        let url = DatabaseUrl::Sqlite(path.to_owned());
        let turnstile = Turnstile::beside(path).map_err(OpenError::Turnstile)?;
        let writer =
            Writer::start(url, conn, turnstile, waiting, committed).map_err(OpenError::Thread)?;
        Ok(Self {
            path: path.to_owned(),
            calls,
            workers,
            queue: Mutex::new(Some(queue)),
            writer: Mutex::new(Some(writer)),
        })
    }

    fn readers(&self, door: Door) -> &Readers {
        match door {
            Door::Calls => &self.calls,
            Door::Workers => &self.workers,
        }
    }

    /// Whoever holds one of these finds a reader free.
    pub(super) fn turn(&self, door: Door) -> Arc<Semaphore> {
        Arc::clone(&self.readers(door).turns)
    }

    /// Reads. Blocks while no reader is free, which never lasts for who holds a turn.
    pub(super) fn read<T, E: From<StorageError>>(
        &self,
        door: Door,
        f: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        let conn = self
            .readers(door)
            .pool
            .get()
            .map_err(|_| unavailable("no connection to read with"))?;
        f(&mut Conn::Sqlite(Embedded(Hold::Reader(conn))))
    }

    /// Queues a write for the writer and waits for its commit.
    pub(super) async fn write<T, R, F>(&self, visit: Option<Visit>, f: F) -> Result<T, TxError<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
        F: FnMut(&mut Conn) -> Result<T, TxError<R>> + Send + 'static,
    {
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or(StorageError::Unavailable("it is closing"))?;
        let (write, answered) = Write::new(f, visit);
        queue
            .try_send(Box::new(write))
            .map_err(|_| unavailable("too many writes are waiting"))?;
        drop(queue);
        tokio::time::timeout(PATIENCE, answered)
            .await
            .map_err(|_| unavailable("the writer takes too long"))?
            .unwrap_or_else(|_| Err(unavailable("the writer stopped").into()))
    }

    /// Takes no more writes, answers those that wait, and closes the writer.
    pub(super) fn close(&self) {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            writer.join();
        }
    }
}
