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
