//! A PostgreSQL server of one test's own, which may be stopped and started again while others run.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use tempfile::TempDir;

/// Longest wait for the end of what a killed server has made.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that ends with the test.
pub struct Cluster {
    dir: TempDir,
    bin: PathBuf,
    port: u16,
}

/// How a server is stopped.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// Open transactions are undone, connections are ended.
    Fast,
    /// As if the power went: it mends itself at the next start.
    Immediate,
}

impl Cluster {
    /// Makes one and starts it. Its superuser is `tests`, who needs no password on this machine.
    pub fn start() -> Self {
        let cluster = Self {
            dir: tempfile::Builder::new().prefix("mh").tempdir().unwrap(),
            bin: newest_version(),
            port: free_port(),
        };
        if let Some((user, group)) = cluster.user() {
            std::os::unix::fs::chown(cluster.dir.path(), Some(user), Some(group)).unwrap();
        }
        let data = cluster.data();
        cluster.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "tests",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
            ],
        );
        cluster.up();
        cluster
    }

    /// The URL of a database on it.
    pub fn url(&self, name: &str) -> String {
        url(self.port, name)
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes an empty database.
    pub fn create(&self, name: &str) -> String {
        let mut conn = PgConnection::establish(&self.url("postgres")).unwrap();
        conn.batch_execute(&format!("CREATE DATABASE {name}"))
            .unwrap();
        self.url(name)
    }

    /// Starts it, and waits until it answers.
    pub fn up(&self) {
        let dir = self.dir.path().display();
        let options = format!(
            "-p {} -h 127.0.0.1 -c unix_socket_directories={dir} -c max_connections=150",
            self.port
        );
        let (data, log) = (self.data(), format!("{dir}/log"));
        self.run(
            "pg_ctl",
            &[
                "start", "-D", &data, "-w", "-t", "60", "-l", &log, "-o", &options,
            ],
        );
    }

    /// Stops it.
    pub fn down(&self, stop: Stop) {
        let mode = match stop {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        self.run(
            "pg_ctl",
            &["stop", "-D", &self.data(), "-w", "-t", "60", "-m", mode],
        );
    }

    /// Kills it, and not those that it has made: they notice, and are gone when this returns.
    pub fn kill(&self) {
        let noted = fs::read_to_string(format!("{}/postmaster.pid", self.data())).unwrap();
        let id = noted.lines().next().unwrap();
        let made = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let killed = Command::new("kill").args(["-KILL", id]).status().unwrap();
        assert!(killed.success());
        let is_there = |id: &str| Path::new("/proc").join(id).exists();
        let started = Instant::now();
        while made.split_whitespace().any(is_there) {
            assert!(started.elapsed() < PATIENCE, "they are still there: {made}");
            std::thread::yield_now();
        }
    }

    fn data(&self) -> String {
        self.dir.path().join("data").display().to_string()
    }

    /// Whose the server is: it refuses to be root's.
    fn user(&self) -> Option<(u32, u32)> {
        use std::os::unix::fs::MetadataExt;
        let is_root = fs::metadata(self.dir.path()).unwrap().uid() == 0
            || fs::metadata("/proc/self").unwrap().uid() == 0;
        is_root.then(|| {
            let users = fs::read_to_string("/etc/passwd").unwrap();
            let of = |name: &str| {
                let line = users
                    .lines()
                    .find(|line| line.split(':').next() == Some(name))?;
                let mut ids = line.split(':').skip(2).map(|id| id.parse().unwrap());
                Some((ids.next()?, ids.next()?))
            };
            of("postgres").or_else(|| of("nobody")).unwrap()
        })
    }

    #[track_caller]
    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.bin.join(program));
        command.args(arguments).current_dir("/").env_clear();
        // What it starts must not hold pipes of this process open.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some((user, group)) = self.user() {
            command.uid(user).gid(group);
        }
        let status = command.status().unwrap();
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        assert!(status.success(), "{program} {arguments:?}: {log}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        if !Path::new(&data).join("postmaster.pid").exists() {
            return;
        }
        let mut command = Command::new(self.bin.join("pg_ctl"));
        command
            .args(["stop", "-D", &data, "-m", "immediate", "-w"])
            .current_dir("/");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((user, group)) = self.user() {
            command.uid(user).gid(group);
        }
        // Nothing of it is kept.
        let _ = command.status();
    }
}

/// The URL of a database of such a server, behind some port.
pub fn url(port: u16, name: &str) -> String {
    format!("postgres://tests@127.0.0.1:{port}/{name}")
}

fn newest_version() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| {
            let path = version.ok()?.path();
            let number = path.file_name()?.to_str()?.parse().ok()?;
            let bin = path.join("bin");
            bin.join("initdb").exists().then_some((number, bin))
        })
        .collect();
    found.sort();
    found.pop().map_or_else(
        || {
            let path = std::env::var_os("PATH").unwrap();
            let mut dirs = std::env::split_paths(&path);
            dirs.find(|dir| dir.join("initdb").exists()).unwrap()
        },
        |(_, bin)| bin,
    )
}

/// One that stays free while the server is down: below those that the system gives to whoever calls out.
fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    (0..10_000)
        .map(|_| first + TAKEN.fetch_add(1, Ordering::Relaxed))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}
