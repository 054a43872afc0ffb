//! The README's walk, taken as it is printed: every `sh` block is run in one shell, every `json` block
//! after it must be contained in the answer.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

#[expect(dead_code, reason = "every kind of test uses another part of it")]
#[path = "support/process.rs"]
mod process;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use process::{PATIENCE, Server};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_manyhands");

/// A block of the walk, with the line it begins on.
#[derive(Debug)]
struct Block {
    line: usize,
    is_shell: bool,
    text: String,
}

fn walk() -> Vec<Block> {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in readme.lines().enumerate() {
        match (&mut open, line) {
            (None, "```sh" | "```json") => {
                open = Some(Block {
                    line: number + 1,
                    is_shell: line == "```sh",
                    text: String::new(),
                });
            }
            (Some(_), "```") => blocks.extend(open.take()),
            (Some(block), line) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

/// A process that does not outlive the test.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One shell for the whole walk, so that variables last from block to block.
struct Shell {
    _process: Reaped,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Shell {
    fn start(dir: &Path) -> Self {
        let mut process = Command::new("bash")
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("bash");
        let stdin = process.stdin.take().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        Self {
            _process: Reaped(process),
            stdin,
            stdout,
        }
    }

    /// What the block prints.
    fn run(&mut self, block: &str) -> String {
        const END: &str = "the block has ended here";
        writeln!(self.stdin, "{block}\necho; echo '{END}'").unwrap();
        self.stdin.flush().unwrap();
        let mut printed = String::new();
        loop {
            let mut line = String::new();
            assert!(
                self.stdout.read_line(&mut line).unwrap() > 0,
                "the shell has ended"
            );
            if line.trim_end() == END {
                return printed;
            }
            printed.push_str(&line);
        }
    }
}

/// Whether `expected` is contained in `found`; `"…"` stands for anything that is there.
fn contains(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (found, Value::String(any)) if any == "…" => !found.is_null(),
        (Value::Object(found), Value::Object(expected)) => expected
            .iter()
            .all(|(name, value)| found.get(name).is_some_and(|f| contains(f, value))),
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| contains(f, e))
        }
        _ => found == expected,
    }
}

#[test]
fn every_step_of_the_walk_answers_as_it_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[]);
    std::fs::create_dir_all(dir.path().join("target/release")).unwrap();
    std::os::unix::fs::symlink(BINARY, dir.path().join("target/release/manyhands")).unwrap();
    let mut shell = Shell::start(dir.path());
    let mut printed = String::new();
    let blocks = walk();
    assert!(blocks.len() > 20, "the walk is in the README");
    for block in &blocks {
        if block.is_shell {
            let text = block
                .text
                .replace("127.0.0.1:8080", &server.public.to_string());
            printed = shell.run(&text);
            // A letter needs a moment; a block that only looks for one may look again.
            let only_looks = text.contains("echo \"$");
            let deadline = Instant::now() + PATIENCE;
            while only_looks && printed.trim().is_empty() {
                assert!(
                    Instant::now() < deadline,
                    "README.md:{}: no letter",
                    block.line
                );
                std::thread::park_timeout(Duration::from_millis(50));
                printed = shell.run(&text);
            }
        } else {
            let expected: Value = serde_json::from_str(&block.text)
                .unwrap_or_else(|e| panic!("README.md:{}: {e}", block.line));
            let found: Value = serde_json::from_str(printed.trim())
                .unwrap_or_else(|e| panic!("README.md:{}: {e} in {printed}", block.line));
            assert!(
                contains(&found, &expected),
                "README.md:{}: {expected:#} is not in {found:#}",
                block.line
            );
        }
    }
}

#[test]
fn every_command_that_is_named_is_there() {
    for command in [
        "serve",
        "demo",
        "simulate",
        "coordinator",
        "doctor",
        "backup",
        "restore",
        "check-config",
        "migrate",
        "key",
        "lock",
        "unlock",
        "wipe-closed",
        "audit",
        "openapi",
    ] {
        let help = Command::new(BINARY)
            .args([command, "--help"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&help.stdout).into_owned();
        assert!(
            help.status.success() && text.contains("xample"),
            "{command} --help: {text}"
        );
    }
}
