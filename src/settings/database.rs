//! The section `database`: where it is, and how a server is spoken to.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::fault::Fault;
use super::values;
use crate::storage::DatabaseUrl;
use crate::storage::postgres::ServerOptions;

/// The section `database`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// Where the database is; the scheme picks the kind. Read it by [`DatabaseSettings::url`].
    #[serde(deserialize_with = "values::parsed")]
    url: DatabaseUrl,
    /// A file with the server's password on its first line; read for every new connection.
    #[serde(default, deserialize_with = "values::filled")]
    pub password_file: Option<PathBuf>,
    /// Whether a server on another machine may be spoken to without TLS.
    pub plaintext: bool,
    /// Connections to a server for calls, at the most.
    pub connections: u32,
    /// Connections to a server for workers, at the most.
    pub worker_connections: u32,
    /// How long one statement may take on a server.
    #[serde(with = "humantime_serde")]
    pub statement_timeout: Duration,
}

impl DatabaseSettings {
    /// Where the database is, with everything that is set about the way to it.
    #[must_use]
    pub fn url(&self) -> DatabaseUrl {
        match &self.url {
            DatabaseUrl::Postgres(server) => {
                DatabaseUrl::Postgres(server.clone().with(ServerOptions {
                    password_file: self.password_file.clone(),
                    plaintext: self.plaintext,
                    connections: self.connections,
                    worker_connections: self.worker_connections,
                    statement_timeout: self.statement_timeout,
                }))
            }
            url @ DatabaseUrl::Sqlite(_) => url.clone(),
        }
    }

    /// A server must be spoken to safely, by enough connections and not too many, and not wait for ever.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let DatabaseUrl::Postgres(server) = self.url()
            && let Err(why) = server.check()
        {
            faults.push(Fault::new("database.url", why.to_string()));
        }
        for (key, connections) in [
            ("database.connections", self.connections),
            ("database.worker_connections", self.worker_connections),
        ] {
            if !(2..=200).contains(&connections) {
                faults.push(Fault::new(key, "must be from 2 to 200"));
            }
        }
        let timeout = Duration::from_millis(100)..=Duration::from_secs(8);
        if !timeout.contains(&self.statement_timeout) {
            let expected = "must be from 100ms to 8s: whoever waits is told so after 10s";
            faults.push(Fault::new("database.statement_timeout", expected));
        }
        faults
    }
}
