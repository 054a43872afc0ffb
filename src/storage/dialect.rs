//! What truly differs between the databases, and nowhere else: locks on rows, and which transactions
//! may still be open.
//!
//! On SQLite there is one writer, so nothing needs a lock and nothing is overtaken. On PostgreSQL every
//! transaction sees what others commit meanwhile; whoever reads rows in order to write by them locks
//! them first, always in the order request, offers by id, matches by id.

use diesel::prelude::*;

use super::connection::Conn;

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

/// The first mark of a transaction that may still be open: everything with a smaller one can be seen by
/// whoever reads after this.
///
/// # Errors
/// A failed query.
pub(super) fn horizon(conn: &mut Conn) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        horizon: i64,
    }
    match conn {
        Conn::Sqlite(_) => Ok(i64::MAX),
        Conn::Postgres(c) => {
            let row: Row = diesel::sql_query(
                "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon",
            )
            .get_result(&mut **c)?;
            Ok(row.horizon)
        }
    }
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
