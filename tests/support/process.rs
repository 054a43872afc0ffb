//! The real program as a process: started on a directory of its own, killed, stopped, started again.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// Rest between two looks at a condition.
const LOOK: Duration = Duration::from_millis(20);

/// Settings from the environment: `("LIMITS__MODE", "off")`.
pub type Env<'a> = &'a [(&'a str, &'a str)];

/// What a killed process held is free again as soon as the settings allow it, and people may be asked as often as
/// the settings allow.
pub const HASTE: Env<'static> = &[
    ("LIMITS__MODE", "off"),
    ("MATCHING__LEASE", "5s"),
    ("MATCHING__INDEX_CHECK_EVERY", "1s"),
    ("MATCHING__OPEN_ASKS", "20"),
    ("MATCHING__OPEN_RELEASES", "20"),
    ("OUTBOX__LEASE", "10s"),
    ("OUTBOX__BATCH", "20"),
    ("OUTBOX__RETRY_FIRST", "1s"),
    ("MAIL__SMTP__TIMEOUT", "4s"),
    ("WEBHOOKS__TIMEOUT", "4s"),
];

/// Waits until `look` gives something.
///
/// # Panics
/// When it takes too long; `what` is then named.
#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "the condition lies in another process, which cannot call back"
)]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(LOOK);
    }
}

/// The program with a command, in `dir`, with settings from `env` only.
pub fn program(dir: &Path, env: Env<'_>) -> Command {
    configured(Command::new(env!("CARGO_BIN_EXE_manyhands")), dir, env)
}

/// Any command, with the settings of [`program`] in its environment.
pub fn configured(mut command: Command, dir: &Path, env: Env<'_>) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MANYHANDS__") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(dir)
        .stdin(Stdio::null())
        .envs(env.iter().map(|(k, v)| (format!("MANYHANDS__{k}"), v)));
    command
}

/// What `manyhands doctor` says of one thing: level and detail.
pub fn doctor(dir: &Path, env: Env<'_>, check: &str) -> (String, String) {
    let output = program(dir, env)
        .args(["doctor", "--json"])
        .output()
        .unwrap();
    let findings: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let finding = findings
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["check"] == check)
        .unwrap_or_else(|| panic!("no finding {check} in {findings}"));
    let text = |key: &str| finding[key].as_str().unwrap().to_owned();
    (text("level"), text("detail"))
}

/// A service at work. It ends with the test, also with one that fails.
pub struct Server {
    child: Child,
    log: Option<JoinHandle<String>>,
    /// Where people are answered.
    pub public: SocketAddr,
    /// Where operators are answered.
    pub admin: SocketAddr,
}

impl Server {
    /// Starts the service in `dir`, where it finds what an earlier one has left, on ports that the
    /// system chooses; waits until it is ready.
    pub fn start(dir: &Path, env: Env<'_>) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_manyhands"));
        Self::start_by(command, dir, env)
    }

    /// As [`Server::start`], by a command that becomes the program: `nsenter … manyhands`.
    pub fn start_by(command: Command, dir: &Path, env: Env<'_>) -> Self {
        let any = "127.0.0.1:0";
        let mut child = configured(command, dir, env)
            .args(["serve", "--bind", any, "--admin-bind", any])
            .env("MANYHANDS__LOG__FORMAT", "json")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = thread::spawn(move || {
            let mut all = String::new();
            for line in stderr.lines().map_while(Result::ok) {
                all.push_str(&line);
                all.push('\n');
                // Nobody listens once the addresses are known.
                let _ = send.send(line);
            }
            all
        });
        let (public, admin) = addresses(&lines);
        let server = Self {
            child,
            log: Some(log),
            public,
            admin,
        };
        wait_for("readiness", || {
            let ready = call(server.admin, "GET", "/readyz", &[], None).ok()?;
            (ready.status == 200).then_some(())
        });
        server
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `GET`, with a token if one is needed.
    ///
    /// # Errors
    /// No whole answer came.
    pub fn get(&self, path: &str, token: Option<&str>) -> io::Result<Answer> {
        let bearer = token.map(|t| format!("Bearer {t}"));
        let headers: Vec<_> = bearer.iter().map(|b| ("Authorization", &**b)).collect();
        call(self.public, "GET", path, &headers, None)
    }

    /// `POST` of JSON, with further headers.
    ///
    /// # Errors
    /// No whole answer came: whether it was done is not known.
    pub fn post(&self, path: &str, headers: Headers<'_>, body: &Value) -> io::Result<Answer> {
        call(self.public, "POST", path, headers, Some(body))
    }

    /// SIGKILL: it has no time for anything. Gives its log.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.end().1
    }

    /// SIGTERM, and waits for the end: its status and its log.
    pub fn terminate(mut self) -> (ExitStatus, String) {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(killed.success());
        self.end()
    }

    fn end(&mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        (status, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Neither may work, because it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The addresses that the service logs as fields.
fn addresses(lines: &Receiver<String>) -> (SocketAddr, SocketAddr) {
    let mut before = String::new();
    loop {
        let Ok(line) = lines.recv_timeout(PATIENCE) else {
            panic!("it did not start:\n{before}");
        };
        let fields: Value = serde_json::from_str(&line).unwrap_or_default();
        if fields["message"] == "listening" {
            let address = |key: &str| fields[key].as_str().unwrap().parse().unwrap();
            return (address("http.address"), address("admin.address"));
        }
        before.push_str(&line);
        before.push('\n');
    }
}

/// Names and values.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    /// If it is no JSON, the text.
    pub body: Value,
}

impl Answer {
    /// The body of a call that succeeded.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(matches!(self.status, 200..300), "{self:?}");
        self.body
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (n, value) = line.split_once(": ")?;
            n.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// One call on a connection of its own, so that what is cut off cannot be taken for an answer.
///
/// # Errors
/// No whole answer came.
pub fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: Headers<'_>,
    body: Option<&Value>,
) -> io::Result<Answer> {
    call_within(PATIENCE, address, method, path, headers, body)
}

/// As [`call`], by somebody with less patience.
///
/// # Errors
/// No whole answer came, or none in time.
pub fn call_within(
    patience: Duration,
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: Headers<'_>,
    body: Option<&Value>,
) -> io::Result<Answer> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    if !body.is_empty() {
        request.push_str("Content-Type: application/json\r\n");
    }
    let length = body.len().to_string();
    request.extend(["Content-Length: ", &length, "\r\n\r\n", &body]);
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    whole(&answer).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// `None` for an answer that was cut off.
fn whole(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let answer = Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head: head.to_owned(),
        body: serde_json::from_str(body).unwrap_or_else(|_| body.into()),
    };
    let length: usize = match answer.header("Content-Length") {
        Some(length) => length.parse().ok()?,
        None if answer.status == 204 => 0,
        None => return None,
    };
    (length == body.len()).then_some(answer)
}
