//! Three instances over one database, with one key ring and one mail server.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{self, Answer, HASTE, Server, call, call_within};
use crate::sink::Sink;

/// How many.
pub const SIZE: usize = 3;
/// How long somebody waits for one of them before asking another.
const PATIENCE: Duration = Duration::from_secs(4);

/// The instances. Whoever calls them goes by the addresses, for they come and go.
pub struct Fleet {
    pub sink: Arc<Sink>,
    dir: TempDir,
    env: Vec<(&'static str, String)>,
    servers: Vec<Option<Server>>,
    pub addresses: Arc<Mutex<Vec<SocketAddr>>>,
    pub logs: Vec<String>,
}

fn env(database: &str, sink: &Sink, dir: &TempDir) -> Vec<(&'static str, String)> {
    let ring = dir.path().join("keys/keyring.toml").display().to_string();
    let port = sink.port().to_string();
    let own = [
        ("DATABASE__URL", database),
        ("DATABASE__CONNECTIONS", "6"),
        ("KEYS__PATH", &ring),
        ("MAIL__TRANSPORT", "smtp"),
        ("MAIL__SMTP__HOST", "127.0.0.1"),
        ("MAIL__SMTP__PORT", &port),
        ("MAIL__SMTP__TLS", "none"),
        (
            "LOG__FILTER",
            "warn,manyhands::app=info,manyhands::storage=info",
        ),
    ];
    let all = HASTE.iter().chain(&own);
    all.map(|(k, v)| (*k, (*v).to_owned())).collect()
}

impl Fleet {
    /// Starts all.
    pub fn start(database: &str) -> Self {
        let (sink, dir) = (Arc::new(Sink::start()), tempfile::tempdir().unwrap());
        let mut fleet = Self {
            env: env(database, &sink, &dir),
            sink,
            dir,
            servers: Vec::new(),
            addresses: Arc::default(),
            logs: Vec::new(),
        };
        for _ in 0..SIZE {
            let server = fleet.launch();
            fleet.addresses.lock().unwrap().push(server.public);
            fleet.servers.push(Some(server));
        }
        fleet
    }

    fn launch(&self) -> Server {
        let env: Vec<(&str, &str)> = self.env.iter().map(|(k, v)| (*k, v.as_str())).collect();
        Server::start(self.dir.path(), &env)
    }

    pub fn server(&self, n: usize) -> &Server {
        self.servers[n].as_ref().unwrap()
    }

    /// SIGKILL.
    pub fn kill(&mut self, n: usize) {
        let log = self.servers[n].take().unwrap().kill();
        self.logs.push(log);
    }

    /// One in the place of one that was killed.
    pub fn revive(&mut self, n: usize) {
        let server = self.launch();
        self.addresses.lock().unwrap()[n] = server.public;
        self.servers[n] = Some(server);
    }

    /// SIGSTOP or SIGCONT.
    pub fn signal(&self, n: usize, signal: &str) {
        let id = self.server(n).id().to_string();
        let done = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(done.success());
    }

    /// A number on `/metrics`; none if it is not there.
    pub fn metric(&self, n: usize, name: &str) -> Option<i64> {
        let answer = call(self.server(n).admin, "GET", "/metrics", &[], None).ok()?;
        let line = answer
            .body
            .as_str()?
            .lines()
            .find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    }

    /// Ends all in order; gives everything that was logged, by those that were killed as well.
    pub fn stop(mut self) -> Vec<String> {
        for server in self.servers.drain(..).flatten() {
            let (status, log) = server.terminate();
            assert!(status.success(), "{log}");
            self.logs.push(log);
        }
        std::mem::take(&mut self.logs)
    }

    /// Asks the instance `n`, and waits for it, however much it has to do.
    ///
    /// # Errors
    /// No whole answer came.
    pub fn ask(&self, n: usize, call: &Call<'_>) -> std::io::Result<Answer> {
        let address = self.addresses.lock().unwrap()[n % SIZE];
        call.within(process::PATIENCE, address)
    }
}

/// A call, as often as it takes.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub token: Option<&'a str>,
    pub key: Option<&'a str>,
    pub body: Option<&'a Value>,
}

impl<'a> Call<'a> {
    pub fn post(path: &'a str, token: Option<&'a str>, body: &'a Value) -> Self {
        Self {
            method: "POST",
            path,
            token,
            key: None,
            body: Some(body),
        }
    }

    pub fn get(path: &'a str, token: &'a str) -> Self {
        Self {
            method: "GET",
            path,
            token: Some(token),
            key: None,
            body: None,
        }
    }

    /// # Errors
    /// No whole answer came soon.
    pub fn on(&self, address: SocketAddr) -> std::io::Result<Answer> {
        self.within(PATIENCE, address)
    }

    fn within(&self, patience: Duration, address: SocketAddr) -> std::io::Result<Answer> {
        let bearer = self.token.map(|token| format!("Bearer {token}"));
        let mut headers: Vec<(&str, &str)> = Vec::new();
        headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        headers.extend(self.key.map(|key| ("Idempotency-Key", key)));
        call_within(
            patience,
            address,
            self.method,
            self.path,
            &headers,
            self.body,
        )
    }
}

/// The first token of a kind (`mha_`) in a letter.
pub fn token_in(text: &str, prefix: &str) -> Option<String> {
    let start = text.find(prefix)?;
    let is_part = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    Some(text[start..].chars().take_while(is_part).collect())
}
