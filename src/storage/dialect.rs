//! What truly differs between the databases, and nowhere else: locks, which transactions may still be
//! open, and whose clock there is beside one's own.
//!
//! On SQLite there is one writer, so nothing needs a lock and nothing is overtaken. On PostgreSQL every
//! transaction sees what others commit meanwhile; whoever reads rows in order to write by them locks
//! them first, so that no two wait for each other always in this order, and of each kind by id:
//!
//! 1. the key of a repeated call, an area whose change is carried out, a plan that is applied;
//! 2. neighbors, volunteers;
//! 3. requests, offers, matches;
//! 4. everything else: tasks, tokens, letters, coordinators.
//!
//! A turn ([`Turn`]) is taken where nothing is locked yet. Only that over the areas is shared when
//! everything else is locked, and that over departures is taken last of all, by whoever then waits for
//! nobody any more.
//!
//! What a locked row lets one rely on, because everybody keeps to it:
//!
//! * no request of a **neighbor**, and no call to her, comes into being or goes;
//! * no offer of a **volunteer** comes into being, no match of any of her offers, and none of them is
//!   accepted;
//! * no match of a **request** comes into being, is accepted or ends; the same holds of an **offer**.

use diesel::prelude::*;

use super::connection::Conn;
use super::sql_types::Instant;
use crate::domain::clock::Ts;

/// Loads the rows of a query and keeps them locked until the transaction ends; waits for whoever has
/// them.
macro_rules! load_for_update {
    ($conn:expr, $query:expr) => {
        match $conn {
            $crate::storage::connection::Conn::Sqlite(c) => $query.load(&mut **c),
            $crate::storage::connection::Conn::Postgres(c) => {
                $query.for_no_key_update().load(&mut **c)
            }
        }
    };
}
pub(super) use load_for_update;

/// As `load_for_update!`, without the rows that somebody else has: for sharing work.
macro_rules! load_skip_locked {
    ($conn:expr, $query:expr) => {
        match $conn {
            $crate::storage::connection::Conn::Sqlite(c) => $query.load(&mut **c),
            $crate::storage::connection::Conn::Postgres(c) => {
                $query.for_no_key_update().skip_locked().load(&mut **c)
            }
        }
    };
}
pub(super) use load_skip_locked;

/// What whoever reads after this is sure to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Horizon {
    /// Everything that has a number: there is one writer, and none is overtaken.
    Serial,
    /// What was written by the transactions below `before`, except those `open`.
    Concurrent {
        /// The first transaction that has not begun.
        before: i64,
        /// The transactions below that which are not over.
        open: Vec<i64>,
    },
}

/// Which transactions are over.
///
/// # Errors
/// A failed query.
pub(super) fn horizon(conn: &mut Conn) -> QueryResult<Horizon> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        before: i64,
        #[diesel(sql_type = diesel::sql_types::Array<diesel::sql_types::BigInt>)]
        open: Vec<i64>,
    }
    match conn {
        Conn::Sqlite(_) => Ok(Horizon::Serial),
        Conn::Postgres(c) => {
            let Row { before, open } = diesel::sql_query(
                "SELECT pg_snapshot_xmax(s)::text::bigint AS before,
                        ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(s) AS x) AS open
                 FROM pg_current_snapshot() AS s",
            )
            .get_result(&mut **c)?;
            Ok(Horizon::Concurrent { before, open })
        }
    }
}

/// Who is writing to the audit now, each by a name that is not given again while the server runs. A
/// transaction is one of them from before it takes its first number there until its entries can be seen
/// or never will be.
///
/// # Errors
/// A failed query.
pub(super) fn writers_of_audit(conn: &mut Conn) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        writer: String,
    }
    match conn {
        Conn::Sqlite(_) => Ok(Vec::new()),
        Conn::Postgres(c) => {
            let rows: Vec<Row> = diesel::sql_query(
                "SELECT DISTINCT virtualtransaction AS writer FROM pg_locks
                 WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted
                   AND relation = 'audit'::regclass
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            .load(&mut **c)?;
            Ok(rows.into_iter().map(|row| row.writer).collect())
        }
    }
}

/// What the clock of the database's machine shows now; none where that is one's own.
///
/// # Errors
/// A failed query.
pub(super) fn clock(conn: &mut Conn) -> QueryResult<Option<Ts>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Instant)]
        now: Ts,
    }
    match conn {
        Conn::Sqlite(_) => Ok(None),
        Conn::Postgres(c) => {
            let Row { now } =
                diesel::sql_query("SELECT clock_timestamp() AS now").get_result(&mut **c)?;
            Ok(Some(now))
        }
    }
}

/// What one does at a time though no row stands for it: whoever counts rows, or looks for one that is
/// not there, in order to write by that. A turn ends with its transaction.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    /// The master keys that the database knows of.
    Keys = 1,
    /// Areas in which nothing is matched.
    Areas = 2,
    /// What left for the mail server lately.
    Departures = 3,
}

/// Marks turns among everything that is locked by a number in a database.
const TURNS: i32 = 0x6d61_6e79;

/// Waits until nobody has the turn, alone or with others, and keeps it until the transaction ends.
///
/// # Errors
/// A failed query.
pub(super) fn take_turn(conn: &mut Conn, turn: Turn) -> QueryResult<()> {
    advisory(conn, "pg_advisory_xact_lock", turn)
}

/// As [`take_turn`], with everybody else who shares it.
///
/// # Errors
/// A failed query.
pub(super) fn share_turn(conn: &mut Conn, turn: Turn) -> QueryResult<()> {
    advisory(conn, "pg_advisory_xact_lock_shared", turn)
}

fn advisory(conn: &mut Conn, function: &str, turn: Turn) -> QueryResult<()> {
    if let Conn::Postgres(c) = conn {
        let number = turn as i32;
        diesel::sql_query(format!("SELECT {function}({TURNS}, {number})")).execute(&mut **c)?;
    }
    Ok(())
}

/// Begins a transaction that sees one state of the database, and in which nobody else writes to `tables`
/// until it ends.
pub(super) fn hold(conn: &mut Conn, tables: &[&str]) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => conn.execute("BEGIN IMMEDIATE"),
        Conn::Postgres(_) => conn.execute(&format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE",
            tables.join(", ")
        )),
    }
}

/// Begins a transaction that sees one state of the database; others may write meanwhile.
pub(super) fn look(conn: &mut Conn) -> QueryResult<()> {
    conn.execute(match conn {
        Conn::Sqlite(_) => "BEGIN",
        Conn::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    })
}

/// Lets new rows of a table be numbered behind those that were written with their numbers.
pub(super) fn number_on(conn: &mut Conn, table: &str, column: &str) -> QueryResult<()> {
    match conn {
        // AUTOINCREMENT has seen them.
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(_) => conn.execute(&format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column})) FROM {table} HAVING max({column}) IS NOT NULL"
        )),
    }
}
