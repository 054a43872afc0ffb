//! The one writer of the embedded database: a thread that takes what is waiting, runs each operation
//! in a savepoint of its own, commits once, and only then answers everybody.
//!
//! One sync for many operations makes durable writes about eight times as fast as one sync each.
//! What nobody waits for any more when its turn comes is left out: its caller was told that nothing was kept, or has
//! gone, and while more comes than can be done that time belongs to those who still wait.
//! A failure other than a refusal or a constraint (a full disk, an I/O error) gives up the whole
//! batch and the connection: inside a savepoint such a failure may have undone more than the savepoint.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use diesel::QueryResult;
use tokio::sync::{mpsc, oneshot, watch};

use super::connection::{Conn, DatabaseUrl};
use super::db::Visit;
use super::error::{StorageError, TxError};
use super::outage;
use super::turnstile::Turnstile;

/// Operations committed together at the most.
const BATCH: usize = 256;

/// How an operation left its savepoint.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Keep what it wrote.
    Keep,
    /// Undo what it wrote; others of the batch stay.
    Undo,
    /// The connection cannot be trusted any more; undo the batch.
    Poisoned,
}

/// An operation: runs once or more, then is told whether its batch was committed. Where it was not,
/// even a refusal is void: it may have been caused by another operation that is undone now.
pub(super) trait Operation: Send {
    /// Whether somebody waits for the answer.
    fn is_awaited(&self) -> bool;
    fn run(&mut self, conn: &mut Conn) -> Ended;
    fn settle(self: Box<Self>, committed: bool);
}

/// A closure as an operation, and who waits for what it gives.
pub(super) struct Write<T, R, F> {
    f: F,
    span: tracing::Span,
    result: Option<Result<T, TxError<R>>>,
    answer: oneshot::Sender<Result<T, TxError<R>>>,
    visit: Option<Visit>,
}

impl<T, R, F> Write<T, R, F> {
    /// The operation, and where its result arrives.
    pub(super) fn new(
        f: F,
        visit: Option<Visit>,
    ) -> (Self, oneshot::Receiver<Result<T, TxError<R>>>) {
        let (answer, answered) = oneshot::channel();
        let write = Self {
            f,
            span: tracing::Span::current(),
            result: None,
            answer,
            visit,
        };
        (write, answered)
    }
}

impl<T, R, F> Operation for Write<T, R, F>
where
    T: Send,
    R: Send,
    F: FnMut(&mut Conn) -> Result<T, TxError<R>> + Send,
{
    fn is_awaited(&self) -> bool {
        !self.answer.is_closed()
    }

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
        // Whoever has the answer does not count as waiting.
        drop(self.visit);
        // Nobody waits any more where the caller's time ran out.
        let _ = self.answer.send(result);
    }
}

pub(super) struct Writer {
    thread: JoinHandle<()>,
}

impl Writer {
    /// Starts the thread on `conn`; it ends when every sender of `queue` is gone and all is answered.
    pub(super) fn start(
        url: DatabaseUrl,
        conn: Conn,
        turnstile: Turnstile,
        mut queue: mpsc::Receiver<Box<dyn Operation>>,
        committed: watch::Sender<u64>,
    ) -> std::io::Result<Self> {
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || {
                let mut conn = Some(conn);
                let mut batch = Vec::with_capacity(BATCH);
                while queue.blocking_recv_many(&mut batch, BATCH) > 0 {
                    batch.retain(|operation| operation.is_awaited());
                    if batch.is_empty() {
                        continue;
                    }
                    metrics::histogram!("manyhands_write_batch_size").record(batch.len() as f64);
                    if conn.is_none() {
                        conn = reopen(&url);
                    }
                    let healthy = conn
                        .as_mut()
                        .is_some_and(|conn| commit_batch(conn, &turnstile, &mut batch, &committed));
                    if !healthy {
                        conn = None;
                    }
                    for operation in batch.drain(..) {
                        operation.settle(false);
                    }
                }
            })?;
        Ok(Self { thread })
    }

    /// Waits for the thread to end; the queue's senders must be gone.
    pub(super) fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the writer thread panicked");
        }
    }
}

fn reopen(url: &DatabaseUrl) -> Option<Conn> {
    Conn::open(url)
        .inspect_err(|error| outage::failed(&error.to_string()))
        .ok()
}

/// Begins a transaction when it is this process's turn.
fn begin(conn: &mut Conn, turnstile: &Turnstile) -> QueryResult<()> {
    let _turn = turnstile.enter();
    conn.execute("BEGIN IMMEDIATE")
}

/// Runs and commits the batch. What is left in `batch` afterwards was not committed. False if the
/// connection must be given up.
fn commit_batch(
    conn: &mut Conn,
    turnstile: &Turnstile,
    batch: &mut Vec<Box<dyn Operation>>,
    committed: &watch::Sender<u64>,
) -> bool {
    if let Err(error) = begin(conn, turnstile) {
        outage::failed(&error.to_string());
        return false;
    }
    for operation in batch.iter_mut() {
        if run_in_savepoint(conn, operation.as_mut()).is_none() {
            // Rolling back may fail too; the connection is dropped either way, which rolls back.
            let _ = conn.execute("ROLLBACK");
            return false;
        }
    }
    if let Err(error) = conn.execute("COMMIT") {
        outage::failed(&error.to_string());
        let _ = conn.execute("ROLLBACK");
        return false;
    }
    committed.send_modify(|commits| *commits += 1);
    for operation in batch.drain(..) {
        operation.settle(true);
    }
    true
}

/// `None` if the connection is poisoned.
fn run_in_savepoint(conn: &mut Conn, operation: &mut dyn Operation) -> Option<()> {
    conn.execute("SAVEPOINT operation").ok()?;
    let ended = catch_unwind(AssertUnwindSafe(|| operation.run(conn))).unwrap_or_else(|_| {
        tracing::error!("a write operation panicked");
        Ended::Poisoned
    });
    match ended {
        Ended::Keep => conn.execute("RELEASE operation").ok(),
        Ended::Undo => conn
            .execute("ROLLBACK TO operation; RELEASE operation")
            .ok(),
        Ended::Poisoned => None,
    }
}
