//! One connection to whichever database the settings name.
//!
//! `Conn` is an enum and not a trait, so that every query is written once and type-checked for every
//! backend by the macro `with!`, with none of the holes of a generic connection.

use std::path::PathBuf;
use std::str::FromStr;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, PooledConnection};
use diesel::{Connection, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

/// The migrations of each backend, in the binary.
pub const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Where the database is; the scheme picks the backend.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
}

/// A URL of a database that this program does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be sqlite:PATH, such as sqlite:data/manyhands.db")]
pub struct UnknownDatabase;

impl FromStr for DatabaseUrl {
    type Err = UnknownDatabase;
    fn from_str(url: &str) -> Result<Self, Self::Err> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() && !path.starts_with(':') => Ok(
                Self::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path))),
            ),
            _ => Err(UnknownDatabase),
        }
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A URL of a server may hold a password; show the scheme only.
        match self {
            Self::Sqlite(_) => f.write_str("DatabaseUrl(sqlite)"),
        }
    }
}

/// A connection inside one of the doors.
#[expect(
    missing_debug_implementations,
    reason = "diesel's connections have none"
)]
pub enum Conn {
    /// The embedded database: the writer's own connection.
    Sqlite(SqliteConnection),
    /// The embedded database: a reader from the pool.
    SqliteReader(PooledConnection<ConnectionManager<SqliteConnection>>),
}

/// Runs one body on whichever connection it is, type-checked for each.
macro_rules! with {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::storage::connection::Conn::Sqlite($c) => $body,
            $crate::storage::connection::Conn::SqliteReader(c) => {
                let $c = &mut **c;
                $body
            }
        }
    };
}
pub(crate) use with;

/// What every connection to SQLite is told first. `busy_timeout` comes before anything that may wait.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000;
     PRAGMA journal_mode = WAL;
     PRAGMA synchronous = FULL;
     PRAGMA foreign_keys = ON;
     PRAGMA secure_delete = ON;
     PRAGMA temp_store = MEMORY;
     PRAGMA trusted_schema = OFF;";

impl Conn {
    /// The writer's connection; makes the file and its directory where they are missing.
    ///
    /// # Errors
    /// What kept the file from being opened.
    pub(super) fn open_writer(url: &DatabaseUrl) -> diesel::ConnectionResult<Self> {
        let DatabaseUrl::Sqlite(path) = url;
        let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
        conn.batch_execute(PRAGMAS)
            .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
        Ok(Self::Sqlite(conn))
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// The migration that failed.
    pub(super) fn migrate(&mut self) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        with!(self, c => c.run_pending_migrations(SQLITE_MIGRATIONS).map(|done| done.len()))
    }

    /// Whether the schema is up to date.
    ///
    /// # Errors
    /// A database that cannot be asked.
    pub(super) fn has_pending_migration(
        &mut self,
    ) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        with!(self, c => c.has_pending_migration(SQLITE_MIGRATIONS))
    }

    /// Runs statements that give nothing back.
    ///
    /// # Errors
    /// The statement that failed.
    pub(super) fn execute(&mut self, sql: &str) -> diesel::QueryResult<()> {
        with!(self, c => c.batch_execute(sql))
    }
}

/// Sets up each reader: it sees committed data only and can write nothing.
#[derive(Debug)]
pub(super) struct ReadOnly;

impl diesel::r2d2::CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for ReadOnly {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute(PRAGMAS)
            .and_then(|()| conn.batch_execute("PRAGMA query_only = ON;"))
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_scheme_is_an_error_and_never_a_file() {
        for url in [
            "manyhands.db",
            "mysql://x",
            "sqlite:",
            "sqlite::memory:",
            "",
            "postgres",
        ] {
            assert_eq!(url.parse::<DatabaseUrl>(), Err(UnknownDatabase), "{url}");
        }
        assert_eq!(
            "sqlite:data/x.db".parse(),
            Ok(DatabaseUrl::Sqlite("data/x.db".into()))
        );
    }
}
