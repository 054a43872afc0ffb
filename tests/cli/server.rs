//! A database of a test's own on a PostgreSQL server.

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::server::{ServerDatabase, execute};

/// An empty database, dropped with the test.
pub struct Database {
    server: ServerDatabase,
    pub url: String,
}

impl Database {
    pub fn new() -> Self {
        let server = ServerDatabase::empty();
        let url = server.url.clone();
        Self { server, url }
    }

    /// Does what somebody does who can write to the database.
    pub fn execute(&self, sql: &str) {
        execute(&mut self.server.connect(), sql);
    }

    /// What a query gives that has one row and one column, which is a text.
    pub fn text(&self, sql: &str) -> String {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            text: String,
        }
        let row: Row = diesel::sql_query(format!("SELECT ({sql})::text AS text"))
            .get_result(&mut self.server.connect())
            .unwrap();
        row.text
    }
}
