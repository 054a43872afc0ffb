//! The program in a directory of its own, and the service it runs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// A place to run the program in, with settings of its own.
pub struct Place {
    dir: tempfile::TempDir,
    settings: Vec<(String, String)>,
}

impl Place {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            settings: Vec::new(),
        }
    }

    /// With a setting from the environment: `("LIMITS__MODE", "off")`.
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.set(key, value);
        self
    }

    pub fn set(&mut self, key: &str, value: &str) {
        let name = format!("MANYHANDS__{key}");
        self.settings.push((name, value.to_owned()));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manyhands"));
        command.args(arguments).current_dir(self.dir.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MANYHANDS__") {
                command.env_remove(name);
            }
        }
        command.envs(self.settings.iter().map(|(k, v)| (k, v)));
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        Ended(self.command(arguments).output().unwrap())
    }

    /// Starts the service on ports that the system chooses, and waits until it is ready.
    pub fn serve(&self) -> Service {
        self.serve_as("all")
    }

    /// As [`Place::serve`], with a part of the work.
    pub fn serve_as(&self, role: &str) -> Service {
        let any = "127.0.0.1:0";
        let mut child = self
            .command(["serve", "--role", role, "--bind", any, "--admin-bind", any])
            .env("MANYHANDS__LOG__FORMAT", "json")
            .env("MANYHANDS__LOG__FILTER", "debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = std::thread::spawn(move || {
            let mut all = String::new();
            for line in stderr.lines() {
                let line = line.unwrap();
                all.push_str(&line);
                all.push('\n');
                // Nobody listens once the addresses are known.
                let _ = send.send(line);
            }
            all
        });
        let (public, admin) = addresses(&lines);
        let service = Service {
            child,
            log: Some(log),
            public: public.unwrap_or(admin),
            admin,
        };
        service.wait_until_ready();
        service
    }
}

/// The addresses that the service logs as fields.
fn addresses(lines: &Receiver<String>) -> (Option<SocketAddr>, SocketAddr) {
    loop {
        let line = lines.recv_timeout(PATIENCE).expect("it logs its addresses");
        let Ok(line) = serde_json::from_str::<Value>(&line) else {
            panic!("{line}");
        };
        if line["message"] == "listening" {
            let address = |key: &str| line[key].as_str().map(|a| a.parse().unwrap());
            return (address("http.address"), address("admin.address").unwrap());
        }
    }
}

/// A command that has ended.
pub struct Ended(Output);

impl Ended {
    /// Waits for a command's end.
    pub fn of(child: Child) -> Self {
        Self(child.wait_with_output().unwrap())
    }

    pub fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// Whether it did what it was asked for.
    pub fn is_ok(&self) -> bool {
        self.0.status.success()
    }

    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        let code = self.0.status.code();
        assert_eq!(code, Some(expected), "{}\n{}", self.out(), self.err());
        self
    }

    /// What a command prints with `--json`.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out()).unwrap()
    }
}

/// A service at work. It ends with the test, also with one that fails.
pub struct Service {
    child: Child,
    log: Option<JoinHandle<String>>,
    pub public: SocketAddr,
    pub admin: SocketAddr,
}

impl Service {
    fn wait_until_ready(&self) {
        let started = Instant::now();
        while get(self.admin, "/readyz").0 != 200 {
            assert!(started.elapsed() < PATIENCE, "it does not become ready");
            std::thread::yield_now();
        }
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sockets that it holds open.
    pub fn sockets(&self) -> usize {
        let all = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap();
        all.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .filter(|target| target.to_string_lossy().starts_with("socket:"))
            .count()
    }

    /// Asks it to stop, as a container engine does.
    pub fn terminate(&self) {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(killed.success());
    }

    /// Waits for its end: status, standard output, log.
    pub fn end(mut self) -> (ExitStatus, String, String) {
        let mut out = String::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        let status = self.child.wait().unwrap();
        let log = self.log.take().unwrap().join().unwrap();
        (status, out, log)
    }

    /// Ends it without a word.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `GET`: status and body.
pub fn get(address: SocketAddr, path: &str) -> (u16, String) {
    call(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"),
    )
}

/// `GET` by the holder of a token: status and body.
pub fn get_as(address: SocketAddr, path: &str, token: &str) -> (u16, String) {
    call(
        address,
        &format!(
            "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        ),
    )
}

/// `POST` of JSON by the holder of a token: status and body.
pub fn post_as(address: SocketAddr, path: &str, token: &str, body: &Value) -> (u16, String) {
    let body = body.to_string();
    call(
        address,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
}

/// `POST` of JSON: status and body.
pub fn post(address: SocketAddr, path: &str, body: &Value) -> (u16, String) {
    let body = body.to_string();
    call(
        address,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
}

/// Any request: status and body.
pub fn call(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    read_answer(&mut stream)
}

/// Sends what may be no request at all; gives the head and the body of what comes until the server ends
/// the connection, how ever it does.
pub fn send(address: SocketAddr, bytes: &[u8]) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may answer, and end the connection, before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        answer.extend_from_slice(&piece[..length]);
    }
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.to_ascii_lowercase(), body.to_owned())
}

/// The answer on a connection that the server closes.
pub fn read_answer(stream: &mut TcpStream) -> (u16, String) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.unwrap_or(0), body.to_owned())
}

/// The names of all files below `dir`.
pub fn files(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path)
            } else {
                vec![path.display().to_string()]
            }
        })
        .collect()
}
