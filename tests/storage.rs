//! The database's two doors and its schema, without the use cases above them.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::mpsc;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::MigrationHarness;
use futures_util::FutureExt;
use manyhands::crypto::lookup::KeyedHash;
use manyhands::crypto::token::Purpose;
use manyhands::domain::clock::Ts;
use manyhands::domain::ids::RecordId;
use manyhands::storage::connection::SQLITE_MIGRATIONS;
use manyhands::storage::tokens::TokenRow;
use manyhands::storage::{Conn, DatabaseUrl, Db, StorageError, TxError, schema, tokens};
use uuid::Uuid;

const NOW: Ts = Ts::EPOCH;

fn open(dir: &Path) -> Db {
    Db::open(&DatabaseUrl::Sqlite(dir.join("data/test.db"))).unwrap()
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
    assert_eq!(
        *db.committed().borrow(),
        commits + 2,
        "busy, then one batch"
    );
    assert!(is_there(&db, 1).await && !is_there(&db, 2).await && is_there(&db, 3).await);
}

#[tokio::test]
async fn a_constraint_undoes_its_own_savepoint_only() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let busy = Busy::keep(&db);
    let first = queue(&db, 1, || Ok(()));
    // It writes something else before it meets the constraint.
    let inner = db.clone();
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
/// write works.
async fn sinks_the_batch(end: fn() -> Written) {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let busy = Busy::keep(&db);
    let commits = *db.committed().borrow();
    let batch = [
        queue(&db, 1, || Ok(())),
        // A refusal is void too: what it was based on is undone.
        queue(&db, 2, || Err(TxError::Refused("no"))),
        queue(&db, 3, end),
        queue(&db, 4, || Ok(())),
    ];
    busy.release().await;
    for (n, writing) in (1..).zip(batch) {
        let written = writing.await;
        assert!(is_unavailable(&written), "{n}: {written:?}");
    }
    assert_eq!(
        *db.committed().borrow(),
        commits + 1,
        "only what kept it busy"
    );
    for n in 1..=4 {
        assert!(!is_there(&db, n).await, "{n}");
    }
    let again = db.write(|conn| -> Written { Ok(tokens::insert(conn, &row(1))?) });
    again.await.unwrap();
    assert!(is_there(&db, 1).await);
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

#[tokio::test]
async fn closing_answers_everybody_who_waits_and_nobody_after() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let busy = Busy::keep(&db);
    let waiting: Vec<_> = (0..20).map(|n| queue(&db, n, || Ok(()))).collect();
    let closing = db.clone();
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
    for writing in waiting {
        writing.await.unwrap();
    }
    closing.join().unwrap();
    db.close();
    for n in 0..20 {
        assert!(is_there(&db, n).await, "{n}");
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    queue(&db, 1, || Ok(())).await.unwrap();
    db.close();
    assert!(is_there(&open(dir.path()), 1).await);
}

fn memory() -> SqliteConnection {
    SqliteConnection::establish(":memory:").unwrap()
}

/// Every table, index and trigger, by name, as the database describes it.
fn description(conn: &mut SqliteConnection) -> BTreeMap<String, String> {
    #[derive(QueryableByName)]
    struct Item {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Text)]
        sql: String,
    }
    // What SQLite and diesel keep for themselves is not ours.
    let sql = "SELECT name, coalesce(sql, '') AS sql FROM sqlite_master
               WHERE tbl_name NOT LIKE 'sqlite!_%' ESCAPE '!' AND tbl_name NOT LIKE '!_!_diesel%' ESCAPE '!'";
    let items: Vec<Item> = diesel::sql_query(sql).load(conn).unwrap();
    items
        .into_iter()
        .map(|item| (item.name, item.sql))
        .collect()
}

#[test]
fn migrations_go_up_down_and_up_again() {
    let mut conn = memory();
    let applied = conn
        .run_pending_migrations(SQLITE_MIGRATIONS)
        .unwrap()
        .len();
    let up = description(&mut conn);
    assert!(up.contains_key("letters"));
    assert_eq!(
        conn.revert_all_migrations(SQLITE_MIGRATIONS).unwrap().len(),
        applied
    );
    let down: Vec<_> = description(&mut conn).into_keys().collect();
    assert_eq!(down, [] as [&str; 0], "left behind");
    assert_eq!(
        conn.run_pending_migrations(SQLITE_MIGRATIONS)
            .unwrap()
            .len(),
        applied
    );
    assert_eq!(description(&mut conn), up);
}

/// The names of the columns of a table, in their order, by the schema in Rust; and the proof that the
/// database has them.
macro_rules! columns_by_schema {
    ($conn:expr, $($table:ident)*) => {
        BTreeMap::from([$({
            let query = schema::$table::table.limit(0);
            query.execute($conn).unwrap();
            (stringify!($table).to_owned(), selected(&diesel::debug_query::<diesel::sqlite::Sqlite, _>(&query).to_string()))
        }),*])
    };
}

/// The columns in ``SELECT `t`.`a`, `t`.`b` FROM …``.
fn selected(sql: &str) -> Vec<String> {
    let (list, _) = sql.split_once(" FROM ").unwrap();
    let columns = list.strip_prefix("SELECT ").unwrap().split(", ");
    columns
        .map(|column| {
            column
                .rsplit('.')
                .next()
                .unwrap()
                .trim_matches('`')
                .to_owned()
        })
        .collect()
}

#[test]
fn the_tables_are_what_the_schema_says() {
    #[derive(QueryableByName)]
    struct Column {
        #[diesel(sql_type = Text)]
        table_name: String,
        #[diesel(sql_type = Text)]
        name: String,
    }
    let mut conn = memory();
    conn.run_pending_migrations(SQLITE_MIGRATIONS).unwrap();
    let sql = "SELECT m.name AS table_name, c.name AS name FROM sqlite_master m, pragma_table_info(m.name) c
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND m.name NOT LIKE '!_!_diesel%' ESCAPE '!'
               ORDER BY m.name, c.cid";
    let columns: Vec<Column> = diesel::sql_query(sql).load(&mut conn).unwrap();
    let mut by_database: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for column in columns {
        by_database
            .entry(column.table_name)
            .or_default()
            .push(column.name);
    }
    let by_schema = columns_by_schema!(
        &mut conn,
        meta coordinators neighbors requests volunteers offers offer_capacity sites matches blocks letters departures tokens
        changes audit audit_chain idempotency key_epochs instances statistics reports tasks areas
    );
    assert_eq!(by_schema, by_database);
}
