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

use std::iter::repeat;

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, Bool, HasSqlType};
use diesel::sqlite::Sqlite;

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

/// The column holds one of these values: as diesel's `eq_any`, whose text on SQLite is another one for each
/// number of values, so that it is parsed and planned anew each time it is asked. Here the list is filled up
/// with its last value to the next power of two, and the few texts there are then stay prepared.
pub(super) fn one_of<C, T: Clone>(column: C, values: &[T]) -> OneOf<C, T> {
    OneOf {
        column,
        values: values.to_vec(),
    }
}

/// See [`one_of`].
#[derive(Clone, Debug)]
pub(super) struct OneOf<C, T> {
    column: C,
    values: Vec<T>,
}

/// Longer lists are rare: their texts are not worth keeping.
const KEPT_UP_TO: usize = 256;

impl<C: Expression, T> Expression for OneOf<C, T> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<S>, T, S: ?Sized> AppearsOnTable<S> for OneOf<C, T> where Self: Expression {}

impl<C: SelectableExpression<S>, T, S: ?Sized> SelectableExpression<S> for OneOf<C, T> where
    Self: AppearsOnTable<S>
{
}

impl<C: ValidGrouping<G>, T, G> ValidGrouping<G> for OneOf<C, T> {
    type IsAggregate = C::IsAggregate;
}

impl<C, T> QueryId for OneOf<C, T> {
    type QueryId = ();
    // Its text depends on how many values there are; it is known by that.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, T> QueryFragment<Sqlite> for OneOf<C, T>
where
    C: Expression + QueryFragment<Sqlite>,
    Sqlite: HasSqlType<C::SqlType>,
    T: ToSql<C::SqlType, Sqlite>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let Some(last) = self.values.last() else {
            out.push_sql("1=0");
            return Ok(());
        };
        let mut filled = self.values.len();
        if filled <= KEPT_UP_TO {
            filled = filled.next_power_of_two();
        } else {
            out.unsafe_to_cache_prepared();
        }
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (");
        for (nth, value) in self
            .values
            .iter()
            .chain(repeat(last))
            .take(filled)
            .enumerate()
        {
            if nth > 0 {
                out.push_sql(", ");
            }
            out.push_bind_param(value)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

impl<C, T> QueryFragment<Pg> for OneOf<C, T>
where
    C: Expression + QueryFragment<Pg>,
    Pg: HasSqlType<Array<C::SqlType>>,
    Vec<T>: ToSql<Array<C::SqlType>, Pg>,
    C::SqlType: 'static,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" = ANY(");
        out.push_bind_param::<Array<C::SqlType>, Vec<T>>(&self.values)?;
        out.push_sql(")");
        Ok(())
    }
}

/// What whoever reads after this is sure to see.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    /// Who came from a spreadsheet.
    Imports = 18,
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

#[cfg(test)]
mod tests {
    use diesel::sql_types::Integer;

    use super::*;

    #[test]
    fn whatever_fills_a_list_up_finds_nothing_more_and_nothing_less() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let mut is_one_of = |value: i32, values: &[i32]| -> bool {
            diesel::select(one_of(value.into_sql::<Integer>(), values))
                .get_result(&mut conn)
                .unwrap()
        };
        for length in [0, 1, 2, 3, 5, 8, 300] {
            let values: Vec<i32> = (1..=length).collect();
            assert!(!is_one_of(0, &values) && !is_one_of(length + 1, &values));
            assert!(values.iter().all(|value| is_one_of(*value, &values)));
        }
    }

    #[test]
    fn lists_up_to_a_power_of_two_are_one_text() {
        let text = |length: usize| {
            let values = vec![7; length];
            let query = diesel::select(one_of(7.into_sql::<Integer>(), &values));
            let text = diesel::debug_query::<Sqlite, _>(&query).to_string();
            text.split(" -- ").next().unwrap().to_owned()
        };
        assert_eq!(text(3), text(4));
        assert_eq!(text(5), text(8));
        assert_ne!(text(4), text(5));
    }
}
