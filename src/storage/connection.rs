//! One connection to whichever database the settings name.
//!
//! `Conn` is an enum and not a trait, so that every query is written once and type-checked for every
//! backend by the macro `with!`, with none of the holes of a generic connection.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use diesel::connection::SimpleConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::postgres::{Server, Session};
use super::sqlite::Embedded;

/// The migrations of the embedded database, in the binary.
pub const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
/// The migrations of a server's database, in the binary.
pub const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Where the database is; the scheme picks the backend.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// `postgres://USER@HOST/NAME`.
    Postgres(Server),
}

/// A URL of a database that this program does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be sqlite:PATH, such as sqlite:data/manyhands.db, or postgres://USER@HOST/NAME")]
pub struct UnknownDatabase;

impl FromStr for DatabaseUrl {
    type Err = UnknownDatabase;
    fn from_str(url: &str) -> Result<Self, Self::Err> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() && !path.starts_with(':') => Ok(
                Self::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path))),
            ),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                Ok(Self::Postgres(Server::new(url)))
            }
            _ => Err(UnknownDatabase),
        }
    }
}

impl DatabaseUrl {
    /// The file of an embedded database.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// The server that has the database.
    #[must_use]
    pub fn server(&self) -> Option<&Server> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(server) => Some(server),
        }
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A URL of a server may hold a password; show the scheme only.
        match self {
            Self::Sqlite(_) => f.write_str("DatabaseUrl(sqlite)"),
            Self::Postgres(_) => f.write_str("DatabaseUrl(postgres)"),
        }
    }
}

/// A connection inside one of the doors.
#[expect(
    missing_debug_implementations,
    reason = "diesel's connections have none"
)]
pub enum Conn {
    /// To the embedded database.
    Sqlite(Embedded),
    /// To a server.
    Postgres(Session),
}

/// Runs one body on whichever connection it is, type-checked for each.
macro_rules! with {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::storage::connection::Conn::Sqlite(c) => {
                let $c = &mut **c;
                $body
            }
            $crate::storage::connection::Conn::Postgres(c) => {
                let $c = &mut **c;
                $body
            }
        }
    };
}
pub(crate) use with;

/// Inserts rows. A single one, as nearly always, by a statement that stays prepared: the text for several
/// depends on how many they are.
macro_rules! insert_rows {
    ($conn:expr, $table:expr, $rows:expr) => {
        match $rows {
            [row] => $crate::storage::connection::with!($conn, c => diesel::insert_into($table).values(row).execute(c)),
            rows => $crate::storage::connection::with!($conn, c => diesel::insert_into($table).values(rows).execute(c)),
        }
    };
}
pub(super) use insert_rows;

impl Conn {
    /// A connection of its own, outside the doors and their pools.
    ///
    /// # Errors
    /// What kept it from being opened.
    pub(super) fn open(url: &DatabaseUrl) -> diesel::ConnectionResult<Self> {
        match url {
            DatabaseUrl::Sqlite(path) => Embedded::open(path).map(Self::Sqlite),
            DatabaseUrl::Postgres(server) => Session::lone(server).map(Self::Postgres),
        }
    }

    /// Brings the schema up to date. Of several that do so at once on one server, one does and the
    /// others wait for it.
    ///
    /// # Errors
    /// The migration that failed.
    pub(super) fn migrate(&mut self) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        match self {
            Self::Sqlite(c) => c
                .run_pending_migrations(SQLITE_MIGRATIONS)
                .map(|done| done.len()),
            Self::Postgres(c) => c.migrate(),
        }
    }

    /// Whether the schema is up to date.
    ///
    /// # Errors
    /// A database that cannot be asked.
    pub(super) fn has_pending_migration(
        &mut self,
    ) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        match self {
            Self::Sqlite(c) => c.has_pending_migration(SQLITE_MIGRATIONS),
            Self::Postgres(c) => c.is_behind(),
        }
    }

    /// Runs statements that give nothing back.
    ///
    /// # Errors
    /// The statement that failed.
    pub(super) fn execute(&mut self, sql: &str) -> diesel::QueryResult<()> {
        with!(self, c => c.batch_execute(sql))
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
            "postgres:x",
        ] {
            assert_eq!(url.parse::<DatabaseUrl>(), Err(UnknownDatabase), "{url}");
        }
        assert_eq!(
            "sqlite:data/x.db".parse(),
            Ok(DatabaseUrl::Sqlite("data/x.db".into()))
        );
        assert!(matches!(
            "postgres://manyhands@localhost/manyhands".parse(),
            Ok(DatabaseUrl::Postgres(_))
        ));
    }

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        let url: DatabaseUrl = "postgres://u:hunter2@localhost/d".parse().unwrap();
        assert!(!format!("{url:?}").contains("hunter2"));
    }
}
