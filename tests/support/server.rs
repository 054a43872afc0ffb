//! Databases of a test's own on the PostgreSQL server that `MANYHANDS_TEST_POSTGRES` names.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// Where tests may make databases.
#[track_caller]
pub fn server_url() -> String {
    std::env::var("MANYHANDS_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "MANYHANDS_TEST_POSTGRES must name the server for tests, such as postgres://USER@127.0.0.1/postgres, \
             whose user may make databases; tests/run starts one"
        )
    })
}

/// The URL of another database of that server.
pub fn url_of(name: &str) -> String {
    let url = server_url();
    let (url, query) = match url.split_once('?') {
        Some((url, query)) => (url, format!("?{query}")),
        None => (url.as_str(), String::new()),
    };
    let (scheme, rest) = url.split_once("://").unwrap();
    let authority = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{authority}/{name}{query}")
}

/// A connection to a database by its URL.
#[track_caller]
pub fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url)
        .unwrap_or_else(|error| panic!("the server of MANYHANDS_TEST_POSTGRES: {error}"))
}

/// Statements that give nothing back.
#[track_caller]
pub fn execute(conn: &mut PgConnection, sql: &str) {
    conn.batch_execute(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// A database that nobody else uses; dropped at the test's end, whoever is still connected.
pub struct ServerDatabase {
    pub name: String,
    pub url: String,
}

impl ServerDatabase {
    /// One without any table.
    pub fn empty() -> Self {
        Self::copied_from("template0")
    }

    /// One with all that another holds, to which nobody may be connected.
    pub fn copied_from(other: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("manyhands_test_{}_{count}", std::process::id());
        let mut server = connect(&server_url());
        // What an earlier process of the same number may have left behind.
        execute(
            &mut server,
            &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        );
        execute(
            &mut server,
            &format!("CREATE DATABASE {name} TEMPLATE {other}"),
        );
        let url = url_of(&name);
        Self { name, url }
    }

    pub fn connect(&self) -> PgConnection {
        connect(&self.url)
    }
}

impl Drop for ServerDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        execute(&mut connect(&server_url()), &drop);
    }
}
