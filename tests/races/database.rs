//! A database of a test's own on the server that `MANYHANDS_TEST_POSTGRES` names, and connections to it
//! that know no doors: they hold what others want, and see who waits.

use std::future::Future;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use futures_util::future::{join, join_all};

use crate::support::server::{ServerDatabase, execute};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Dropped at the test's end.
pub struct Database(ServerDatabase);

impl Database {
    pub fn new() -> Self {
        Self(ServerDatabase::empty())
    }

    pub fn url(&self) -> String {
        self.0.url.clone()
    }

    pub fn connect(&self) -> Raw {
        Raw(self.0.connect())
    }

    /// Lets all of them go at the same instant: each has begun its transaction and waits for a table.
    pub async fn at_once<T, F: Future<Output = T>>(&self, all: Vec<F>) -> Vec<T> {
        let tables = "LOCK TABLE meta, coordinators, neighbors, requests, volunteers, offers, matches, tokens,
            idempotency, key_epochs, tasks, areas, departures, letters, reports IN ACCESS EXCLUSIVE MODE";
        self.behind(tables, "", all).await
    }

    /// Runs all of them until each waits for what `held` holds; does something more then, and lets go.
    pub async fn behind<T, F: Future<Output = T>>(
        &self,
        held: &str,
        meanwhile: &str,
        all: Vec<F>,
    ) -> Vec<T> {
        let mut holder = self.connect();
        holder.execute(&format!("BEGIN; {held}"));
        let count = all.len();
        let let_go = async {
            holder.until_waiting(count).await;
            holder.execute(&format!("{meanwhile}; COMMIT"));
        };
        join(join_all(all), let_go).await.0
    }
}

/// A connection past the doors.
pub struct Raw(PgConnection);

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Raw {
    #[track_caller]
    pub fn execute(&mut self, sql: &str) {
        execute(&mut self.0, sql);
    }

    /// What an expression or a subquery in it gives.
    #[track_caller]
    pub fn number(&mut self, sql: &str) -> i64 {
        let query = format!("SELECT ({sql})::bigint AS number");
        let row: Number = diesel::sql_query(query)
            .get_result(&mut self.0)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        row.number
    }

    /// What a query gives for its only column, `line`.
    #[track_caller]
    pub fn lines(&mut self, sql: &str) -> Vec<String> {
        let rows: Vec<Line> = diesel::sql_query(sql)
            .load(&mut self.0)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.into_iter().map(|row| row.line).collect()
    }

    /// Ends all other connections to the database, and comes back when they are gone.
    #[track_caller]
    pub fn end_others(&mut self) {
        const OTHERS: &str =
            "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let end = Instant::now() + PATIENCE;
        while {
            self.execute(&format!(
                "SELECT pg_stat_clear_snapshot(), pg_terminate_backend(pid) {OTHERS}"
            ));
            self.execute("SELECT pg_stat_clear_snapshot()");
            self.number(&format!("SELECT count(*) {OTHERS}")) > 0
        } {
            assert!(Instant::now() < end, "somebody stays");
        }
    }

    /// Comes back when so many others wait for a lock.
    pub async fn until_waiting(&mut self, count: usize) {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'";
        let count = i64::try_from(count).unwrap();
        let end = Instant::now() + PATIENCE;
        // What a transaction has seen of the others it sees again, unless it lets go of that.
        while {
            self.execute("SELECT pg_stat_clear_snapshot()");
            self.number(waiting) < count
        } {
            assert!(
                Instant::now() < end,
                "nobody, or not everybody, comes to wait"
            );
            tokio::task::yield_now().await;
        }
    }
}
