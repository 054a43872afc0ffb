//! Where the service stands: its directory, its settings, its commands, and what its database says when it is
//! asked past the service.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Env, HASTE, Server, program};

/// Beside [`HASTE`].
const ENV: Env<'static> = &[
    ("MAIL__HOURLY_BUDGET", "0"),
    ("DIGEST__ENABLED", "false"),
    ("LOG__FILTER", "warn,manyhands::app=info"),
];

/// Gone with the test.
pub struct Place {
    dir: TempDir,
    env: Vec<(&'static str, String)>,
    /// The URL, if it is a server's.
    pub postgres: Option<String>,
}

impl Place {
    pub fn new(postgres: Option<String>) -> Self {
        let env = HASTE.iter().chain(ENV);
        let mut env: Vec<_> = env.map(|(k, v)| (*k, (*v).to_owned())).collect();
        if let Some(url) = &postgres {
            env.push(("DATABASE__URL", url.clone()));
        }
        let dir = tempfile::tempdir().unwrap();
        Self { dir, env, postgres }
    }

    pub fn set(mut self, key: &'static str, value: &str) -> Self {
        self.env.push((key, value.to_owned()));
        self
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn env(&self) -> Vec<(&str, &str)> {
        self.env.iter().map(|(k, v)| (*k, v.as_str())).collect()
    }

    pub fn serve(&self) -> Server {
        Server::start(self.dir(), &self.env())
    }

    /// The service, of which nobody waits until it is ready.
    pub fn spawn_service(&self) -> Child {
        let any = "127.0.0.1:0";
        self.spawn(&["serve", "--bind", any, "--admin-bind", any])
    }

    pub fn spawn(&self, arguments: &[&str]) -> Child {
        program(self.dir(), &self.env())
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        program(self.dir(), &self.env())
            .args(arguments)
            .output()
            .unwrap()
    }

    /// What a command says that succeeds.
    #[track_caller]
    pub fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let err = String::from_utf8_lossy(&output.stderr);
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {out}{err}");
        out
    }

    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.said(arguments)).unwrap()
    }

    /// The token of a coordinator who may do everything.
    pub fn coordinator(&self) -> String {
        let arguments = [
            "coordinator",
            "add",
            "Cora",
            "--email",
            "cora@example.org",
            "--scope",
            "admin",
            "--json",
        ];
        self.json(&arguments)["token"].as_str().unwrap().to_owned()
    }

    pub fn database(&self) -> PathBuf {
        self.dir().join("data/manyhands.db")
    }

    /// What SQLite says of the files that a killed process left: of a copy, so that it is the service that
    /// has to mend them.
    pub fn integrity(&self) -> String {
        let copy = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(self.dir().join("data")).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        text_of(&copy.path().join("manyhands.db"), "PRAGMA integrity_check")
    }

    /// Changes the database's file behind the back of the service, which is not running; gives how many rows.
    pub fn alter(&self, sql: &str) -> usize {
        diesel::sql_query(sql)
            .execute(&mut open(&self.database()))
            .unwrap()
    }

    /// A process that was killed counts as there for ninety seconds, and no key seals before everybody has it.
    /// They are over.
    pub fn forget_the_dead(&self) {
        match &self.postgres {
            Some(url) => drop(
                diesel::sql_query("DELETE FROM instances")
                    .execute(&mut PgConnection::establish(url).unwrap())
                    .unwrap(),
            ),
            None => drop(self.alter("DELETE FROM instances")),
        }
    }
}

fn open(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap()
}

/// What a query of a database's file gives as `integrity_check`.
fn text_of(path: &Path, sql: &str) -> String {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        integrity_check: String,
    }
    let row: Row = diesel::sql_query(sql).get_result(&mut open(path)).unwrap();
    row.integrity_check
}

/// The ids in a table of a database's file.
pub fn ids(path: &Path, table: &str) -> std::collections::BTreeSet<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        id: String,
    }
    let query = format!("SELECT lower(hex(id)) AS id FROM {table}");
    let rows: Vec<Row> = diesel::sql_query(query).load(&mut open(path)).unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

/// Sends a signal.
pub fn signal(pid: u32, signal: &str) {
    // Gone already, if it ended by itself.
    let _ = Command::new("kill")
        .args([signal, &pid.to_string()])
        .stderr(Stdio::null())
        .status();
}
