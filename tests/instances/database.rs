//! A database of a test's own on the server that `MANYHANDS_TEST_POSTGRES` names.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use manyhands::domain::entropy::{Entropy, OsEntropy};

/// Dropped with the test.
pub struct Database {
    name: String,
    pub url: String,
}

/// Whether there is no server to test with; says so.
pub fn is_missing() -> bool {
    let is_missing = std::env::var_os("MANYHANDS_TEST_POSTGRES").is_none();
    if is_missing {
        eprintln!("left out: MANYHANDS_TEST_POSTGRES names no server");
    }
    is_missing
}

fn server() -> String {
    std::env::var("MANYHANDS_TEST_POSTGRES").unwrap()
}

impl Database {
    pub fn new() -> Self {
        let mut bytes = [0; 8];
        OsEntropy.fill(&mut bytes);
        let name = format!("manyhands_instances_{:x}", u64::from_be_bytes(bytes));
        run(&server(), &format!("CREATE DATABASE {name}"));
        let (before, _) = server()
            .rsplit_once('/')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        Self {
            url: format!("{before}/{name}"),
            name,
        }
    }

    pub fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.url).unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        run(
            &server(),
            &format!("DROP DATABASE {} WITH (FORCE)", self.name),
        );
    }
}

/// Statements on a connection of their own.
#[track_caller]
pub fn run(url: &str, sql: &str) {
    let mut conn = PgConnection::establish(url).unwrap();
    conn.batch_execute(sql).unwrap();
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
