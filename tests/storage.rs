//! The database's two doors and its schema, without the use cases above them.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/database.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod database;
#[path = "support/server.rs"]
mod server;
mod storage {
    mod plans;
    mod tables;
}

use std::fs::File;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use database::{TestDatabase, is_left_out, on_postgres};
use futures_util::FutureExt;
use manyhands::crypto::lookup::KeyedHash;
use manyhands::crypto::token::Purpose;
use manyhands::domain::clock::Ts;
use manyhands::domain::ids::RecordId;
use manyhands::storage::tokens::TokenRow;
use manyhands::storage::{Conn, Db, StorageError, TxError, tokens};
use uuid::Uuid;

const NOW: Ts = Ts::EPOCH;

/// What a test opens; the database itself goes last.
struct Opened {
    db: Db,
    database: TestDatabase,
}

impl std::ops::Deref for Opened {
    type Target = Db;
    fn deref(&self) -> &Db {
        &self.db
    }
}

fn open(dir: &Path) -> Opened {
    let database = TestDatabase::new(dir);
    let db = database.open();
    Opened { db, database }
}

fn hash(n: u8) -> KeyedHash {
    KeyedHash::from([n; 32])
}

/// A row that can be there once only.
fn row(n: u8) -> TokenRow {
    TokenRow {
        hash: hash(n),
        purpose: Purpose::Confirm,
        subject_id: RecordId::from(Uuid::from_u128(n.into())),
        created_at: NOW,
        expires_at: None,
    }
}

async fn is_there(db: &Db, n: u8) -> bool {
    let find = move |conn: &mut Conn| {
        Ok::<_, StorageError>(tokens::find(conn, hash(n), Purpose::Confirm, NOW)?)
    };
    db.read(find).await.unwrap().is_some()
}

type Written = Result<(), TxError<&'static str>>;
type Writing = Pin<Box<dyn Future<Output = Written>>>;

/// Queues a write that inserts row `n` and then ends as `end` says.
fn queue(db: &Db, n: u8, end: impl FnMut() -> Written + Send + 'static) -> Writing {
    let (db, mut end) = (db.clone(), end);
    let mut writing: Writing = Box::pin(async move {
        db.write(move |conn| {
            tokens::insert(conn, &row(n))?;
            end()
        })
        .await
    });
    assert!((&mut writing).now_or_never().is_none(), "it is not queued");
    writing
}

fn is_unavailable(written: &Written) -> bool {
    matches!(written, Err(TxError::Storage(StorageError::Unavailable(_))))
}

/// Keeps the writer busy, so that what is queued meanwhile becomes one batch.
struct Busy {
    done: Writing,
    release: mpsc::Sender<()>,
}

impl Busy {
    fn keep(db: &Db) -> Self {
        let (entered, enter) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let db = db.clone();
        let mut done: Writing = Box::pin(async move {
            db.write(move |_| {
                entered.send(()).unwrap();
                // An error means that the test has failed and nobody will release it.
                let _ = released.recv();
                Ok(())
            })
            .await
        });
        assert!((&mut done).now_or_never().is_none());
        enter.recv().unwrap();
        Self { done, release }
    }

    async fn release(self) {
        self.release.send(()).unwrap();
        self.done.await.unwrap();
    }
}

/// Waits for it, but not for ever.
async fn wait_until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never is");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_refusal_undoes_its_own_savepoint_only() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let busy = Busy::keep(&db);
    let before = queue(&db, 1, || Ok(()));
    let refused = queue(&db, 2, || Err(TxError::Refused("no")));
    let after = queue(&db, 3, || Ok(()));
    let commits = *db.committed().borrow();
    busy.release().await;
    before.await.unwrap();
    assert!(matches!(refused.await, Err(TxError::Refused("no"))));
    after.await.unwrap();
    // Busy, then one batch; a server commits each by itself.
    let together = if on_postgres() { 3 } else { 2 };
    assert_eq!(*db.committed().borrow(), commits + together);
    assert!(is_there(&db, 1).await && !is_there(&db, 2).await && is_there(&db, 3).await);
}

#[tokio::test]
async fn a_constraint_undoes_its_own_savepoint_only() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let busy = Busy::keep(&db);
    let mut first = queue(&db, 1, || Ok(()));
    if on_postgres() {
        // There is no line to stand in: whoever comes later may be quicker.
        first.await.unwrap();
        first = Box::pin(std::future::ready(Ok(())));
    }
    // It writes something else before it meets the constraint.
    let inner = db.db.clone();
    let mut second: Writing = Box::pin(async move {
        inner
            .write(|conn| {
                tokens::insert(conn, &row(2))?;
                Ok(tokens::insert(conn, &row(1))?)
            })
            .await
    });
    assert!((&mut second).now_or_never().is_none());
    let third = queue(&db, 3, || Ok(()));
    busy.release().await;
    first.await.unwrap();
    let second = second.await;
    assert!(
        matches!(second, Err(TxError::Storage(StorageError::Constraint(_)))),
        "{second:?}"
    );
    third.await.unwrap();
    assert!(is_there(&db, 1).await && !is_there(&db, 2).await && is_there(&db, 3).await);
}

/// A batch of which one operation ends by `end`: everybody is told so, nothing is there, and the next
/// write works. A server has no batches: there it is told nobody else.
async fn sinks_the_batch(end: fn() -> Written) {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let busy = Busy::keep(&db);
    let commits = *db.committed().borrow();
    let batch = [
        queue(&db, 1, || Ok(())),
        queue(&db, 2, || Err(TxError::Refused("no"))),
        queue(&db, 3, end),
        queue(&db, 4, || Ok(())),
    ];
    busy.release().await;
    for (n, writing) in (1..).zip(batch) {
        let written = writing.await;
        let is_as_expected = match n {
            // A refusal of the same batch is void too: what it was based on is undone.
            2 if on_postgres() => matches!(written, Err(TxError::Refused(_))),
            1 | 4 if on_postgres() => written.is_ok(),
            _ => is_unavailable(&written),
        };
        assert!(is_as_expected, "{n}: {written:?}");
        assert_eq!(is_there(&db, n).await, written.is_ok(), "{n}");
    }
    // What kept it busy; of a server also the two that have nothing to do with it.
    let kept = if on_postgres() { 3 } else { 1 };
    assert_eq!(*db.committed().borrow(), commits + kept);
    let again = db.write(|conn| -> Written { Ok(tokens::insert(conn, &row(5))?) });
    again.await.unwrap();
    assert!(is_there(&db, 5).await);
}

#[tokio::test]
async fn a_failure_of_the_database_sinks_the_batch() {
    sinks_the_batch(|| Err(StorageError::Unavailable("the disk is full").into())).await;
}

#[tokio::test]
async fn a_panic_sinks_the_batch() {
    sinks_the_batch(|| panic!("as the test wants it")).await;
}

#[tokio::test]
async fn many_writes_share_one_commit() {
    if is_left_out() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let busy = Busy::keep(&db);
    let commits = *db.committed().borrow();
    let all: Vec<_> = (0..=255).map(|n| queue(&db, n, || Ok(()))).collect();
    busy.release().await;
    for writing in all {
        writing.await.unwrap();
    }
    assert_eq!(
        *db.committed().borrow(),
        commits + 2,
        "busy, then one batch"
    );
    assert!(is_there(&db, 0).await && is_there(&db, 255).await);
}

/// Whether somebody stands between the turnstile and a transaction.
fn is_at_the_door(dir: &Path) -> bool {
    let turnstile = File::open(dir.join("data/manyhands.db-turn")).unwrap();
    turnstile.try_lock().is_err()
}

#[tokio::test]
async fn who_waits_to_write_is_not_overtaken_by_a_busy_process() {
    if is_left_out() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let command = service.database.open();
    let order = Arc::new(Mutex::new(Vec::new()));
    let write = |db: &Db, n, name| {
        let order = Arc::clone(&order);
        queue(db, n, move || {
            order.lock().unwrap().push(name);
            Ok(())
        })
    };
    let busy = Busy::keep(&service);
    let of_command = write(&command, 1, "command");
    wait_until(|| is_at_the_door(dir.path())).await;
    let next = write(&service, 2, "service");
    busy.release().await;
    next.await.unwrap();
    of_command.await.unwrap();
    assert_eq!(*order.lock().unwrap(), ["command", "service"]);
}

#[tokio::test]
async fn a_write_that_was_given_up_waits_like_the_others_and_is_left_out() {
    if is_left_out() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let busy = Busy::keep(&db);
    let commits = *db.committed().borrow();
    drop(queue(&db, 1, || Ok(())));
    let kept = queue(&db, 2, || Ok(()));
    drop(queue(&db, 3, || Ok(())));
    assert_eq!(db.waiting_calls(), 4, "the writer has them before it");
    busy.release().await;
    kept.await.unwrap();
    let with_nobody = Busy::keep(&db);
    drop(queue(&db, 4, || Ok(())));
    with_nobody.release().await;
    queue(&db, 5, || Ok(())).await.unwrap();
    assert_eq!(db.waiting_calls(), 0);
    assert_eq!(*db.committed().borrow(), commits + 4, "none for nobody");
    for (n, wanted) in (1..).zip([false, true, false, false, true]) {
        assert_eq!(is_there(&db, n).await, wanted, "{n}");
    }
}

#[tokio::test]
async fn a_read_that_was_given_up_counts_until_it_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let (entered, enter) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let mut reading = Box::pin(db.read(move |_| {
        entered.send(()).unwrap();
        // An error means that the test has failed and nobody will release it.
        let _ = released.recv();
        Ok::<_, StorageError>(())
    }));
    assert!((&mut reading).now_or_never().is_none());
    enter.recv().unwrap();
    drop(reading);
    assert_eq!(db.waiting_calls(), 1);
    release.send(()).unwrap();
    wait_until(|| db.waiting_calls() == 0).await;
}

#[tokio::test]
async fn closing_answers_everybody_who_waits_and_nobody_after() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let busy = Busy::keep(&db);
    let waiting: Vec<_> = (0..20).map(|n| queue(&db, n, || Ok(()))).collect();
    let closing = db.db.clone();
    let closing = std::thread::spawn(move || closing.close());
    // Closed to newcomers, although those who wait are not served yet.
    let refused = loop {
        let written = db.write(|_| -> Written { Ok(()) }).now_or_never();
        match written {
            Some(written) => break written,
            None => std::thread::yield_now(),
        }
    };
    assert!(is_unavailable(&refused), "{refused:?}");
    busy.release().await;
    let mut answers = Vec::new();
    for writing in waiting {
        answers.push(writing.await);
    }
    closing.join().unwrap();
    db.close();
    // Who waits is served; of a server who is not inside yet is told to try again.
    let again = db.database.open();
    for (n, written) in (0..).zip(answers) {
        let told = on_postgres() && is_unavailable(&written);
        assert!(written.is_ok() || told, "{n}: {written:?}");
        assert_eq!(is_there(&again, n).await, written.is_ok(), "{n}");
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    queue(&db, 1, || Ok(())).await.unwrap();
    db.close();
    assert!(is_there(&db.database.open(), 1).await);
}
