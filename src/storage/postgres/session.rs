//! One connection to a server.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::PooledConnection;
use diesel::sql_types::Bool;
use diesel_migrations::MigrationHarness;

use super::pool::{Line, Lines};
use super::server::{Server, ServerError};
use crate::storage::connection::POSTGRES_MIGRATIONS;

/// The turn that whoever migrates waits for; any number that nothing else takes.
const MIGRATION_TURN: i64 = 0x6d61_6e79_6861_6e64;
/// How long a connection may sit in a transaction without saying anything: a paused process must not
/// keep rows locked.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(10);

/// A connection to a server.
#[expect(
    missing_debug_implementations,
    reason = "diesel's connections have none"
)]
pub struct Session(Hold);

enum Hold {
    Lone(PgConnection),
    Pooled(PooledConnection<Lines>),
}

impl Session {
    /// A connection outside the pools. Its statements may take as long as they like.
    pub(in crate::storage) fn lone(server: &Server) -> ConnectionResult<Self> {
        let mut conn = connect(server)?;
        conn.batch_execute(
            "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0",
        )
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(Self(Hold::Lone(conn)))
    }

    pub(super) fn pooled(conn: PooledConnection<Lines>) -> Self {
        Self(Hold::Pooled(conn))
    }

    /// Its place in the pool, if it has one.
    pub(super) fn line(&mut self) -> Option<&mut Line> {
        match &mut self.0 {
            Hold::Lone(_) => None,
            Hold::Pooled(line) => Some(line),
        }
    }

    /// Whether the schema is not up to date. Where nothing was ever migrated, asking for more would make
    /// the table in which migrations are noted.
    pub(in crate::storage) fn is_behind(
        &mut self,
    ) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        let noted = "to_regclass('__diesel_schema_migrations') IS NOT NULL";
        let is_noted: bool =
            diesel::select(diesel::dsl::sql::<Bool>(noted)).get_result(&mut **self)?;
        if !is_noted {
            return Ok(true);
        }
        self.has_pending_migration(POSTGRES_MIGRATIONS)
    }

    /// Brings the schema up to date; waits for whoever else does so at the same time.
    pub(in crate::storage) fn migrate(
        &mut self,
    ) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        self.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION_TURN})"))?;
        let applied = self
            .run_pending_migrations(POSTGRES_MIGRATIONS)
            .map(|done| done.len());
        self.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATION_TURN})"))?;
        applied
    }
}

impl Deref for Session {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        match &self.0 {
            Hold::Lone(conn) => conn,
            Hold::Pooled(line) => &line.conn,
        }
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match &mut self.0 {
            Hold::Lone(conn) => conn,
            Hold::Pooled(line) => &mut line.conn,
        }
    }
}

/// Connects, tells the session its limits, and makes sure that nobody on the way can read along.
pub(super) fn connect(server: &Server) -> ConnectionResult<PgConnection> {
    let refuse = |error: ServerError| ConnectionError::BadConnection(error.to_string());
    let url = server.connection_string().map_err(refuse)?;
    let mut conn = PgConnection::establish(&url)?;
    set_up(&mut conn, server).map_err(ConnectionError::CouldntSetupConfiguration)?;
    if !server.options.plaintext
        && !is_private(&mut conn).map_err(ConnectionError::CouldntSetupConfiguration)?
    {
        return Err(refuse(ServerError::NotEncrypted));
    }
    Ok(conn)
}

fn set_up(conn: &mut PgConnection, server: &Server) -> QueryResult<()> {
    let statement = server.options.statement_timeout.as_millis();
    // A row that is locked for longer than half of that will not be free in time.
    let lock = statement / 2;
    let idle = IDLE_IN_TRANSACTION.as_millis();
    // Some errors are known by their words alone. Not everybody may choose the language.
    conn.batch_execute(&format!(
        "DO $$ BEGIN SET lc_messages = 'C'; EXCEPTION WHEN OTHERS THEN NULL; END $$;
         SET TIME ZONE 'UTC';
         SET default_transaction_isolation = 'read committed';
         SET statement_timeout = {statement};
         SET lock_timeout = {lock};
         SET idle_in_transaction_session_timeout = {idle};
         SET client_min_messages = 'warning';
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    ))
}

/// Whether the session is encrypted, or does not leave this machine, as the server sees it.
fn is_private(conn: &mut PgConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        is_private: bool,
    }
    let row: Row = diesel::sql_query(
        "SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)
             OR inet_client_addr() IS NULL
             OR inet_client_addr() <<= '127.0.0.0/8'
             OR inet_client_addr() = '::1' AS is_private",
    )
    .get_result(conn)?;
    Ok(row.is_private)
}
