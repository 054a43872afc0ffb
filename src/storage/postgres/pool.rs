//! Two pools over one server, and writes that are run again when others were in their way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::PgConnection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::r2d2::{ManageConnection, Pool, PooledConnection, R2D2Connection};
use tokio::sync::Semaphore;
use tokio::sync::watch;

use super::server::Server;
use super::session::{Session, connect};
use crate::storage::connection::Conn;
use crate::storage::db::Door;
use crate::storage::error::{StorageError, TxError};
use crate::storage::outage;

/// How long a connection may take to be made before whoever needs it is told 503.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// How long nobody else tries, after it has failed.
const TRY_AGAIN: Duration = Duration::from_millis(500);
/// A connection that was not used for so long is asked whether it lives before it is used again.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// Runs of one write at the most.
const ATTEMPTS: u32 = 6;
/// No run begins later than this after the first.
const TRY_FOR: Duration = Duration::from_secs(5);

/// A connection of a pool.
pub(super) struct Line {
    pub(super) conn: PgConnection,
    used_at: Instant,
    /// Something failed on it that may have been the connection.
    is_suspect: bool,
    is_broken: bool,
}

/// Makes and judges the connections of a pool.
pub(super) struct Lines(Server);

impl ManageConnection for Lines {
    type Connection = Line;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Line, Self::Error> {
        let conn = connect(&self.0).map_err(diesel::r2d2::Error::ConnectionError)?;
        Ok(Line {
            conn,
            used_at: Instant::now(),
            is_suspect: false,
            is_broken: false,
        })
    }

    fn is_valid(&self, line: &mut Line) -> Result<(), Self::Error> {
        if line.is_suspect || line.used_at.elapsed() > TRUSTED_FOR {
            line.conn.ping().map_err(diesel::r2d2::Error::QueryError)?;
            line.is_suspect = false;
        }
        Ok(())
    }

    fn has_broken(&self, line: &mut Line) -> bool {
        line.used_at = Instant::now();
        line.is_broken || std::thread::panicking() || line.conn.is_broken()
    }
}

struct Lane {
    turn: Arc<Semaphore>,
    pool: Pool<Lines>,
    /// When the last attempt to get a connection came to nothing.
    failed_at: Mutex<Option<Instant>>,
}

impl Lane {
    fn new(server: &Server, size: u32) -> Self {
        // Made when they are needed: a server that is away now must not keep the service from starting.
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .connection_timeout(CONNECT_WITHIN)
            .test_on_check_out(true)
            .error_handler(Box::new(Quiet))
            .build_unchecked(Lines(server.clone()));
        Self {
            turn: Arc::new(Semaphore::new(size as usize)),
            pool,
            failed_at: Mutex::new(None),
        }
    }

    /// A connection. While none can be made, one at a time tries to, now and then; the others are told so
    /// at once instead of waiting for the same.
    fn line(&self) -> Result<PooledConnection<Lines>, StorageError> {
        const WHY: &str = "no connection to the server";
        let failed_at = || {
            self.failed_at
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        {
            let mut last = failed_at();
            if last.is_some_and(|at| at.elapsed() < TRY_AGAIN)
                && self.pool.state().idle_connections == 0
            {
                return Err(outage::unavailable(WHY));
            }
            if let Some(at) = last.as_mut() {
                *at = Instant::now();
            }
        }
        let line = self.pool.get();
        *failed_at() = line.is_err().then(Instant::now);
        line.map_err(|_| outage::unavailable(WHY))
    }
}

/// Says that no connection is made; without the text of libpq, which names the server and its user.
#[derive(Debug)]
struct Quiet;

impl diesel::r2d2::HandleError<diesel::r2d2::Error> for Quiet {
    fn handle_error(&self, _: diesel::r2d2::Error) {
        outage::failed("it gives no connection");
    }
}

/// The connections to a server: those of calls and those of workers, so that neither starves the other.
pub(in crate::storage) struct Pools {
    calls: Lane,
    workers: Lane,
    committed: watch::Sender<u64>,
}

/// How one run of a write ended.
enum Run<T, R> {
    Over(Result<T, TxError<R>>),
    /// Nothing of it is kept, and another run may end otherwise.
    Again(StorageError),
}

impl Pools {
    pub(in crate::storage) fn new(server: &Server, committed: watch::Sender<u64>) -> Self {
        Self {
            calls: Lane::new(server, server.options.connections),
            workers: Lane::new(server, server.options.worker_connections),
            committed,
        }
    }

    fn lane(&self, door: Door) -> &Lane {
        match door {
            Door::Calls => &self.calls,
            Door::Workers => &self.workers,
        }
    }

    /// As many may be inside at a time as there are connections.
    pub(in crate::storage) fn turn(&self, door: Door) -> Arc<Semaphore> {
        Arc::clone(&self.lane(door).turn)
    }

    fn session(&self, door: Door) -> Result<Session, StorageError> {
        self.lane(door).line().map(Session::pooled)
    }

    /// Lets nobody in any more; those inside end by themselves.
    pub(in crate::storage) fn close(&self) {
        self.calls.turn.close();
        self.workers.turn.close();
    }

    /// Reads; the closure sees one state of the database per statement.
    pub(in crate::storage) fn read<T, E: From<StorageError>>(
        &self,
        door: Door,
        f: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut conn = Conn::Postgres(self.session(door)?);
        let result = f(&mut conn);
        match (&result, line(&mut conn)) {
            (Err(_), Some(line)) => line.is_suspect = true,
            _ => outage::works(),
        }
        result
    }

    /// Writes, in one transaction; again, with a growing pause, where it failed in a way that may pass:
    /// a deadlock, a row that somebody else wrote first, a connection that broke before the end.
    pub(in crate::storage) fn write<T, R>(
        &self,
        door: Door,
        f: &mut impl FnMut(&mut Conn) -> Result<T, TxError<R>>,
    ) -> Result<T, TxError<R>> {
        let started = Instant::now();
        let rest = |attempt| {
            #[expect(
                clippy::disallowed_methods,
                reason = "nothing tells when whoever was in the way is done; this thread has nothing else to do"
            )]
            std::thread::sleep(pause(attempt, started.elapsed()));
        };
        for attempt in 1.. {
            match self.run(door, f) {
                Run::Over(result) => return result,
                Run::Again(error) if attempt == ATTEMPTS || started.elapsed() > TRY_FOR => {
                    return Err(error.into());
                }
                Run::Again(_) => {
                    metrics::counter!("manyhands_write_reruns_total").increment(1);
                    rest(attempt);
                }
            }
        }
        Err(StorageError::Unavailable("it was tried too often").into())
    }

    fn run<T, R>(
        &self,
        door: Door,
        f: &mut impl FnMut(&mut Conn) -> Result<T, TxError<R>>,
    ) -> Run<T, R> {
        let mut conn = match self.session(door) {
            Ok(session) => Conn::Postgres(session),
            // The pool has waited already.
            Err(error) => return Run::Over(Err(error.into())),
        };
        if let Err(error) = transaction(&mut conn, AnsiTransactionManager::begin_transaction) {
            break_off(&mut conn);
            return Run::Again(error.into());
        }
        let result = f(&mut conn);
        if result.is_ok() {
            return self.commit(conn, result);
        }
        if transaction(&mut conn, AnsiTransactionManager::rollback_transaction).is_err() {
            break_off(&mut conn);
        }
        match result {
            Err(TxError::Storage(error)) if error.may_pass() => Run::Again(error),
            result => Run::Over(result),
        }
    }

    fn commit<T, R>(&self, mut conn: Conn, result: Result<T, TxError<R>>) -> Run<T, R> {
        // A server answers COMMIT with success and undoes everything where a statement before it has
        // failed. One more statement fails there, in the same round trip.
        if conn.execute("SELECT 1; COMMIT").is_ok() {
            self.committed.send_modify(|commits| *commits += 1);
            return Run::Over(result);
        }
        if is_in_transaction(&mut conn) {
            if transaction(&mut conn, AnsiTransactionManager::rollback_transaction).is_err() {
                break_off(&mut conn);
            }
            tracing::error!("a write went on after one of its statements had failed");
            return Run::Again(StorageError::Unavailable("a statement of the write failed"));
        }
        break_off(&mut conn);
        // Not again: it may be there.
        let error = outage::unavailable("whether a write was kept is not known");
        Run::Over(Err(error.into()))
    }
}

/// Whether the connection lives and its transaction is still open: then the server has kept nothing.
fn is_in_transaction(conn: &mut Conn) -> bool {
    match conn {
        Conn::Postgres(session) => {
            let status = AnsiTransactionManager::transaction_manager_status_mut(&mut **session);
            status
                .transaction_depth()
                .is_ok_and(|depth| depth.is_some())
        }
        Conn::Sqlite(_) => false,
    }
}

fn line(conn: &mut Conn) -> Option<&mut Line> {
    match conn {
        Conn::Postgres(session) => session.line(),
        Conn::Sqlite(_) => None,
    }
}

/// The connection is not used again; the server undoes what was open on it.
fn break_off(conn: &mut Conn) {
    if let Some(line) = line(conn) {
        line.is_broken = true;
    }
}

fn transaction(
    conn: &mut Conn,
    step: fn(&mut PgConnection) -> diesel::QueryResult<()>,
) -> diesel::QueryResult<()> {
    match conn {
        Conn::Postgres(session) => step(session),
        Conn::Sqlite(_) => Err(diesel::result::Error::NotInTransaction),
    }
}

/// Twice as long each time, plus up to as much again, so that those who met do not meet again. How long
/// a run took differs by more than that each time, and is as good as random here.
fn pause(attempt: u32, elapsed: Duration) -> Duration {
    let base = Duration::from_millis(5) * 2_u32.saturating_pow(attempt.min(6));
    base + base.mul_f64(f64::from(elapsed.subsec_nanos() % 1000) / 1000.0)
}
