//! `strace` beside a process: what it tells the system, and what the system is made to answer.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use super::place::signal;
use crate::process::wait_for;

/// Follows a process and its threads until it is told to leave them.
pub struct Strace {
    child: Child,
    out: PathBuf,
}

impl Strace {
    /// Follows the process `id`; what it sees goes to `out`.
    ///
    /// # Panics
    /// Where it is not installed, or may not: there is nothing that would do instead.
    #[track_caller]
    pub fn attach(id: u32, out: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new("strace")
            .args(["-f", "-y", "-o"])
            .arg(out)
            .args(["-p", &id.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace, which this test needs (on Debian: apt-get install strace)");
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut all = String::new();
        while !all.contains(" attached") {
            let read = said.read_line(&mut all).unwrap();
            assert!(
                read > 0,
                "strace may not follow another process: run this as root, or with kernel.yama.ptrace_scope = 0\n{all}"
            );
        }
        // Each new thread is told; nobody reads that.
        std::thread::spawn(move || said.read_to_string(&mut all));
        let out = out.to_owned();
        Self { child, out }
    }

    /// Makes calls about `paths` fail from now on: `fsync:error=EIO`.
    pub fn fail(id: u32, out: &Path, paths: &[&Path], how: &str) -> Self {
        let inject = format!("inject={how}");
        let calls = format!("trace={}", how.split(':').next().unwrap());
        let mut arguments = vec!["-e", &calls, "-e", &inject];
        for path in paths {
            arguments.extend(["-P", path.to_str().unwrap()]);
        }
        Self::attach(id, out, &arguments)
    }

    /// What it has seen so far.
    pub fn so_far(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.out).unwrap()).into_owned()
    }

    /// How often it has made a call fail.
    pub fn failures(&self) -> usize {
        self.so_far().matches("(INJECTED)").count()
    }

    /// Lets go; gives what it has seen.
    pub fn leave(mut self) -> String {
        signal(self.child.id(), "-TERM");
        self.child.wait().unwrap();
        self.so_far()
    }
}

/// A command under it, from its first moment on.
pub fn under(out: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-y", "-qq", "-o"])
        .arg(out)
        .args(arguments);
    command
}

/// Waits for the end of such a command: its status, and what it says. One that goes on for too long is ended.
#[track_caller]
pub fn to_its_end(mut command: Command) -> (ExitStatus, String) {
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            if self.0.try_wait().unwrap().is_none() {
                // It ends the command with itself.
                signal(self.0.id(), "-TERM");
                self.0.wait().unwrap();
            }
        }
    }

    let (stdout, stderr) = (Stdio::null(), Stdio::piped());
    let mut running = Running(command.stdout(stdout).stderr(stderr).spawn().unwrap());
    let mut stderr = running.0.stderr.take().unwrap();
    let said = std::thread::spawn(move || {
        let mut all = Vec::new();
        stderr.read_to_end(&mut all).unwrap();
        String::from_utf8_lossy(&all).into_owned()
    });
    let status = wait_for("the end of a command", || running.0.try_wait().unwrap());
    (status, said.join().unwrap())
}
