//! The service that is loaded: the program itself, in a directory of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::time::sleep;

/// Nothing takes longer to start.
const START: Duration = Duration::from_secs(120);
/// What the processor time in `/proc` is counted in on Linux.
const TICK: Duration = Duration::from_millis(10);

/// A process of which the system tells what it uses.
pub struct Process(pub Child);

impl Process {
    /// How much memory it holds, in megabytes; 0 where the system does not tell.
    pub fn memory_mb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kb = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kb.and_then(|kb| kb.trim().parse::<u64>().ok()).unwrap_or(0) / 1024
    }

    /// The processor time it has used so far; nothing where the system does not tell.
    pub fn worked(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()));
        let stat = stat.unwrap_or_default();
        // After the name, which stands in parentheses, user time and system time are the 12th and 13th.
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        let ticks = fields.split(' ').skip(11).take(2);
        TICK * ticks.filter_map(|t| t.parse::<u32>().ok()).sum::<u32>()
    }

    /// Ends it by a signal, and waits until it has ended.
    pub async fn end(&mut self, signal: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        while self.0.try_wait().expect("it is a child").is_none() {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A service that is ready.
pub struct Service {
    dir: TempDir,
    settings: Vec<(&'static str, String)>,
    role: &'static str,
    admin: u16,
    pub process: Process,
    /// Where it answers, without a slash at the end.
    pub url: String,
    /// A coordinator's token.
    pub desk: String,
}

impl Service {
    /// Starts one and waits until it is ready.
    pub async fn start(database: &str, role: &'static str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let (public, admin) = (port(), port());
        let database = match database {
            "sqlite" => "sqlite:data/manyhands.db".to_owned(),
            url => url.to_owned(),
        };
        let settings = vec![
            ("SERVER__BIND", format!("127.0.0.1:{public}")),
            ("SERVER__ADMIN_BIND", format!("127.0.0.1:{admin}")),
            ("DATABASE__URL", database),
            ("LIMITS__MODE", "off".to_owned()),
            ("LOG__FILTER", "warn".to_owned()),
        ];
        let process = Process(serve(dir.path(), &settings, role));
        let mut service = Self {
            dir,
            settings,
            role,
            admin,
            process,
            url: format!("http://127.0.0.1:{public}"),
            desk: String::new(),
        };
        service.ready().await;
        service.desk = service.add_coordinator();
        service
    }

    /// Where its letters are.
    pub fn letters(&self) -> PathBuf {
        self.dir.path().join("mail")
    }

    /// Where its database is, if it is a file.
    pub fn file(&self) -> PathBuf {
        self.dir.path().join("data/manyhands.db")
    }

    /// What it has used so far.
    pub fn told(&self) -> String {
        let worked = self.process.worked().as_secs_f64();
        let memory = self.process.memory_mb();
        format!("the service holds {memory} MB, and has used {worked:.1} s of processor time\n")
    }

    /// Ends it, as an operator would.
    pub async fn stop(mut self) {
        self.process.end("-TERM").await;
    }

    /// Ends it in the middle of whatever it does.
    pub async fn kill(&mut self) {
        self.process.end("-KILL").await;
    }

    /// Starts it on what is left of it; gives how long it took until it was ready.
    pub async fn start_again(&mut self) -> Duration {
        let begun = Instant::now();
        self.process = Process(serve(self.dir.path(), &self.settings, self.role));
        self.ready().await;
        begun.elapsed()
    }

    /// It takes calls.
    async fn ready(&self) {
        self.answers("/readyz", "").await;
    }

    /// It matches: every open post is in its index.
    pub async fn complete(&self) {
        self.answers("/metrics", "\nmanyhands_index_complete 1\n")
            .await;
    }

    /// Waits until its admin address answers well there, and says that.
    async fn answers(&self, path: &str, what: &str) {
        let begun = Instant::now();
        let url = format!("http://127.0.0.1:{}{path}", self.admin);
        let client = awc::Client::default();
        let is_so = async || {
            let Ok(mut answer) = client.get(&url).send().await else {
                return false;
            };
            let body = answer.body().await.unwrap_or_default();
            answer.status().is_success() && String::from_utf8_lossy(&body).contains(what)
        };
        while !is_so().await {
            let log = || std::fs::read_to_string(self.dir.path().join("log"));
            assert!(begun.elapsed() < START, "{}", log().unwrap_or_default());
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn add_coordinator(&self) -> String {
        let add = [
            "coordinator",
            "add",
            "Cora",
            "--email",
            "cora@example.org",
            "--no-digest",
        ];
        let mut adding = program(self.dir.path(), &self.settings)
            .args(add)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(adding.stdout.take().expect("is piped")).lines();
        let token = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with("mhc_"))
            .expect("a token");
        adding.wait().expect("it ends");
        token
    }
}

fn program(dir: &Path, settings: &[(&str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manyhands"));
    for (key, value) in settings {
        command.env(format!("MANYHANDS__{key}"), value);
    }
    command.current_dir(dir);
    command
}

fn serve(dir: &Path, settings: &[(&str, String)], role: &str) -> Child {
    let log = File::create(dir.join("log")).expect("a file");
    program(dir, settings)
        .args(["serve", "--role", role])
        .stdout(log.try_clone().expect("a second handle"))
        .stderr(log)
        .spawn()
        .expect("the program starts")
}

/// One that is free now.
pub fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
