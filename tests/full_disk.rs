//! The disk fills up while people post. Nothing that was acknowledged is lost, what cannot be kept is
//! refused in a way that clients understand, reading goes on, and everything goes on by itself as soon
//! as there is room.
//!
//! The database lies on a small file system in memory, in a mount namespace of its own, so that the
//! machine's own disks are left alone.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/kept.rs"]
mod kept;
#[expect(dead_code, reason = "every kind of test uses another part of it")]
#[path = "support/process.rs"]
mod process;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use kept::{Kept, is_a_kind_refusal, post};
use process::{Env, Server, wait_for};
use serde_json::{Value, json};

const ENV: Env<'static> = &[
    ("LIMITS__MODE", "off"),
    ("LOG__FILTER", "error,manyhands::app=info"),
];
/// All there is, in bytes,
const DISK: &str = "12m";
/// and how much of it other files take at first.
const BALLAST: &str = "6m";
/// Posts refused in a row after which the disk counts as full.
const FULL: usize = 20;

/// A small disk at `dir/data`, for those processes only that [`SmallDisk::run`] starts. It is gone with
/// the last of them.
struct SmallDisk {
    holder: Child,
    /// What leads into its namespaces.
    enter: Vec<&'static str>,
}

impl SmallDisk {
    fn mount(dir: &Path) -> Self {
        let data = dir.join("data");
        std::fs::create_dir(&data).unwrap();
        // Root may mount; anybody else may where user namespaces are allowed.
        let ways: [(&[&str], &[&str]); 2] = [
            (&["-m"], &["-m"]),
            (&["-U", "-r", "-m"], &["-U", "-m", "--preserve-credentials"]),
        ];
        for (unshare, enter) in ways {
            if let Some(holder) = Self::hold(unshare, &data) {
                return Self {
                    holder,
                    enter: enter.to_vec(),
                };
            }
        }
        panic!(
            "this test mounts a small file system in a mount namespace of its own: run it as root, or where \
             `unshare -Urm` works (util-linux, and user namespaces allowed by the system)"
        );
    }

    /// A process that keeps the file system alive until its input ends.
    fn hold(unshare: &[&str], data: &Path) -> Option<Child> {
        let script = format!(
            "mount -t tmpfs -o size={DISK},mode=0700 tmpfs \"$0\" && head -c {BALLAST} /dev/zero > \"$0/ballast\" \
             && echo mounted && exec cat"
        );
        let mut holder = Command::new("unshare")
            .args(unshare)
            .args(["sh", "-c", &script])
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut said = String::new();
        BufReader::new(holder.stdout.take()?)
            .read_line(&mut said)
            .ok()?;
        if said == "mounted\n" {
            return Some(holder);
        }
        drop(holder.stdin.take());
        let _ = holder.wait();
        None
    }

    /// A command that runs in `dir` as it looks with the small disk; its arguments may follow.
    fn run(&self, dir: &Path, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["-t", &self.holder.id().to_string()])
            .args(&self.enter)
            .args(["--", "sh", "-c", "cd \"$0\" && exec \"$@\""])
            .arg(dir)
            .arg(program);
        command
    }

    fn throw_ballast(&self, dir: &Path) {
        let mut remove = self.run(dir, "rm");
        assert!(remove.arg("data/ballast").status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

fn body() -> Value {
    post(&json!({"name": "Mo Farah", "phone": "612 555 0123"}))
}

#[test]
fn a_full_disk_loses_nothing_and_everything_goes_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let disk = SmallDisk::mount(dir);
    let program = env!("CARGO_BIN_EXE_manyhands");
    let server = Server::start_by(disk.run(dir, program), dir, ENV);
    let mut kept = Vec::new();

    // Until nothing goes any more; on the way there, a post may still fit where a larger one did not.
    let mut refused = 0;
    while refused < FULL {
        let answer = server.post("/v1/requests", &[], &body()).unwrap();
        if answer.status == 201 {
            kept.push(Kept::new(answer));
            refused = 0;
        } else {
            is_a_kind_refusal(&answer);
            refused += 1;
        }
        assert!(kept.len() < 2000, "the disk does not fill up");
    }
    assert!(kept.len() > 10, "only {} posts fit", kept.len());
    for kept in &kept {
        kept.is_there(&server);
    }
    assert_eq!(server.get("/v1/categories", None).unwrap().status, 200);

    // The same process goes on by itself.
    disk.throw_ballast(dir);
    let answer = wait_for("a post that is taken again", || {
        let answer = server.post("/v1/requests", &[], &body()).unwrap();
        if answer.status != 201 {
            is_a_kind_refusal(&answer);
        }
        (answer.status == 201).then_some(answer)
    });
    kept.push(Kept::new(answer));
    for _ in 0..20 {
        kept.push(Kept::new(
            server.post("/v1/requests", &[], &body()).unwrap(),
        ));
    }
    server.kill();

    let server = Server::start_by(disk.run(dir, program), dir, ENV);
    for kept in &kept {
        kept.is_there(&server);
    }
    let mut doctor = process::configured(disk.run(dir, program), dir, ENV);
    let findings = doctor.args(["doctor", "--json"]).output().unwrap().stdout;
    let findings: Value = serde_json::from_slice(&findings).unwrap();
    let integrity = findings
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["check"] == "integrity");
    assert_eq!(integrity.unwrap()["level"], "ok", "{findings}");
    let (status, log) = server.terminate();
    assert!(status.success(), "{log}");
}
