//! What tests ask a database past its doors.

pub use crate::support::server::ServerDatabase as Database;
use crate::support::server::{connect, execute};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// Statements on a connection of their own.
#[track_caller]
pub fn run(url: &str, sql: &str) {
    execute(&mut connect(url), sql);
}

/// What a query gives as the number `n`.
pub fn number(conn: &mut PgConnection, sql: &str) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let row: Row = diesel::sql_query(sql).get_result(conn)?;
    Ok(row.n)
}

/// What a query gives as the text `line`, row by row.
pub fn lines(conn: &mut PgConnection, sql: &str) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        line: String,
    }
    let rows: Vec<Row> = diesel::sql_query(sql).load(conn)?;
    Ok(rows.into_iter().map(|row| row.line).collect())
}
