//! A database of a test's own on a PostgreSQL server.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// Where tests may make databases: `postgres://USER@127.0.0.1:PORT/postgres`.
fn server() -> String {
    std::env::var("MANYHANDS_TEST_POSTGRES").expect(
        "there is no PostgreSQL for this test: run `tests/run`, which starts one, or name one in \
         MANYHANDS_TEST_POSTGRES, as postgres://USER@127.0.0.1:PORT/postgres, whose user may make databases",
    )
}

/// The URL of another database of that server.
fn url_of(name: &str) -> String {
    let server = server();
    let (before, _) = server.rsplit_once('/').expect("a URL with a database");
    format!("{before}/{name}")
}

/// An empty database, dropped with the test.
pub struct Database {
    name: String,
    pub url: String,
}

impl Database {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("manyhands_cli_{}_{count}", std::process::id());
        let mut conn = PgConnection::establish(&server()).unwrap();
        // What an earlier process of the same number may have left behind.
        conn.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            .unwrap();
        conn.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
            .unwrap();
        let url = url_of(&name);
        Self { name, url }
    }

    /// Does what somebody does who can write to the database.
    pub fn execute(&self, sql: &str) {
        let mut conn = PgConnection::establish(&self.url).unwrap();
        conn.batch_execute(sql).unwrap();
    }

    /// What a query gives that has one row and one column, which is a text.
    pub fn text(&self, sql: &str) -> String {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            text: String,
        }
        let mut conn = PgConnection::establish(&self.url).unwrap();
        let row: Row = diesel::sql_query(format!("SELECT ({sql})::text AS text"))
            .get_result(&mut conn)
            .unwrap();
        row.text
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Ok(mut conn) = PgConnection::establish(&server()) {
            // Left behind where it fails; the next process of this number removes it.
            let _ = conn.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}
