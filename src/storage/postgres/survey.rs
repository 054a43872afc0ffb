//! What a server tells about itself, for whoever looks after it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

use super::server::Server;
use super::session::Session;
use crate::domain::clock::Ts;
use crate::storage::sql_types::Instant;

/// What a server tells about itself and the database on it.
#[derive(Clone, Debug, QueryableByName)]
pub struct Survey {
    /// Its version, as it says it.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// The same as a number: 150018 is 15.18.
    #[diesel(sql_type = Integer)]
    pub version_number: i32,
    /// Protocol and cipher of the connection, where it is encrypted.
    #[diesel(sql_type = Nullable<Text>)]
    pub tls: Option<String>,
    /// Connections that are not kept for its administrators.
    #[diesel(sql_type = Integer)]
    pub connections: i32,
    /// Those that are in use, by anybody.
    #[diesel(sql_type = BigInt)]
    pub connections_in_use: i64,
    /// What its clock shows.
    #[diesel(sql_type = Instant)]
    pub clock: Ts,
    /// Whether pages that the disk has changed are noticed.
    #[diesel(sql_type = Bool)]
    pub has_checksums: bool,
    /// How many were.
    #[diesel(sql_type = BigInt)]
    pub damaged_pages: i64,
    /// Whether it only follows another server: nothing can be written to it.
    #[diesel(sql_type = Bool)]
    pub is_standby: bool,
    /// Settings under which a power cut may take what was acknowledged, or damage the database.
    #[diesel(sql_type = Text)]
    pub careless: String,
    /// Whether the database has our tables.
    #[diesel(sql_type = Bool)]
    pub has_tables: bool,
}

/// One question, so that everything is of one instant.
const QUESTION: &str = "SELECT
    current_setting('server_version') AS version,
    current_setting('server_version_num')::int AS version_number,
    (SELECT version || ', ' || cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl) AS tls,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0) AS connections,
    (SELECT coalesce(sum(numbackends), 0)::bigint FROM pg_stat_database) AS connections_in_use,
    clock_timestamp() AS clock,
    current_setting('data_checksums') = 'on' AS has_checksums,
    (SELECT coalesce(sum(checksum_failures), 0)::bigint FROM pg_stat_database
        WHERE datname = current_database() OR datid = 0) AS damaged_pages,
    pg_is_in_recovery() AS is_standby,
    (SELECT coalesce(string_agg(name || ' = off', ', ' ORDER BY name), '') FROM pg_settings
        WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off') AS careless,
    to_regclass('meta') IS NOT NULL AS has_tables";

/// Asks a server. Changes nothing.
///
/// # Errors
/// A server that does not answer.
pub fn survey(server: &Server) -> ConnectionResult<Survey> {
    let mut session = Session::lone(server)?;
    diesel::sql_query(QUESTION)
        .get_result(&mut *session)
        .map_err(ConnectionError::CouldntSetupConfiguration)
}
