//! A machine's clock goes wrong. Seen from there it is the server's that does: here a function of that name
//! stands in front of its own and shows another time.

use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;

use super::database::{Database, number, run};
use crate::process::{Server, call, program, wait_for};

struct Stage {
    database: Database,
    dir: TempDir,
}

fn stage() -> Stage {
    let database = Database::empty();
    let prepare = format!(
        "CREATE SCHEMA shifted;
         CREATE TABLE shifted.difference (apart interval NOT NULL);
         INSERT INTO shifted.difference VALUES ('0');
         CREATE FUNCTION shifted.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
            'SELECT pg_catalog.clock_timestamp() + apart FROM shifted.difference';
         ALTER DATABASE {} SET search_path = public, shifted, pg_catalog",
        database.name
    );
    run(&database.url, &prepare);
    let dir = tempfile::tempdir().unwrap();
    Stage { database, dir }
}

impl Stage {
    fn env(&self) -> [(&str, &str); 4] {
        [
            ("DATABASE__URL", &self.database.url),
            ("LIMITS__MODE", "off"),
            ("LOG__FILTER", "info"),
            ("LOG__FORMAT", "json"),
        ]
    }

    fn serve(&self) -> Server {
        Server::start(self.dir.path(), &self.env())
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = program(self.dir.path(), &self.env());
        command.args(arguments).output().unwrap()
    }

    /// Fails, and says why.
    #[track_caller]
    fn refuses(&self, arguments: &[&str], why: &str) {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains(why), "{arguments:?}: {told}");
    }

    /// The server's clock is wrong by so much, as far as this database is told.
    fn shift(&self, apart: &str) {
        let sql = format!("UPDATE shifted.difference SET apart = '{apart}'");
        run(&self.database.url, &sql);
    }

    fn count(&self, what: &str) -> i64 {
        let sql = format!("SELECT count(*) AS n FROM {what}");
        number(&mut self.database.connect(), &sql).unwrap()
    }
}

/// A number on `/metrics`.
fn metric(server: &Server, name: &str) -> Option<f64> {
    let answer = call(server.admin, "GET", "/metrics", &[], None).ok()?;
    let mut lines = answer.body.as_str()?.lines();
    let number = lines.find_map(|line| line.strip_prefix(name))?;
    number.trim().parse().ok()
}

fn wait_for_offset(server: &Server, is_it: impl Fn(f64) -> bool) {
    wait_for("the offset", || {
        metric(server, "manyhands_clock_offset_seconds ").filter(|offset| is_it(*offset))
    });
}

fn signal(server: &Server, signal: &str) {
    let id = server.id().to_string();
    let done = Command::new("kill").args([signal, &id]).status().unwrap();
    assert!(done.success());
}

const AHEAD: &str = "ahead of the database server's";

#[test]
fn a_process_that_is_ahead_claims_nothing_until_its_clock_is_right() {
    let stage = stage();
    let server = stage.serve();
    wait_for_offset(&server, |offset| offset.abs() < 5.0);
    stage.shift("-10 minutes");
    wait_for_offset(&server, |offset| offset > 590.0);

    let body = json!({"contact": {"name": "Mo", "email": "mo@example.org"}, "location": {"lat": 44.97, "lon": -93.26},
           "needs": [{"category": "food", "quantity": 2}]});
    let answer = server.post("/v1/requests", &[], &body).unwrap();
    assert_eq!(answer.status, 201, "calls are answered: {answer:?}");
    // Whoever is woken by a commit has looked long before.
    let ticks = || {
        let name = "manyhands_worker_ticks_total{worker=\"keys\",outcome=\"done\"} ";
        metric(&server, name)
    };
    let before = wait_for("a tick", ticks);
    wait_for("three more", || {
        ticks().filter(|ticks| *ticks >= before + 3.0)
    });
    let untouched = "letters WHERE state = 'queued' AND lease_id IS NULL AND attempts = 0";
    assert_eq!(stage.count(untouched), 1);
    let due = "requests WHERE match_due_at IS NOT NULL AND lease_id IS NULL";
    assert_eq!(stage.count(due), 1);

    stage.shift("0");
    wait_for("the letter", || {
        (stage.count("letters WHERE state = 'sent'") == 1).then_some(())
    });
    let (status, log) = server.terminate();
    assert!(status.success());
    for told in ["the workers rest", "the workers go on"] {
        assert_eq!(log.matches(told).count(), 1, "{told}: {log}");
    }
}

#[test]
fn who_is_ahead_neither_starts_nor_judges_who_lives() {
    let stage = stage();
    let server = stage.serve();
    stage.shift("-10 minutes");
    wait_for_offset(&server, |offset| offset > 590.0);
    let any = "127.0.0.1:0";
    stage.refuses(&["serve", "--bind", any, "--admin-bind", any], AHEAD);
    stage.refuses(&["key", "rotate"], AHEAD);
    stage.refuses(&["key", "prune", "--now"], AHEAD);
    assert_eq!(stage.count("key_epochs"), 1);

    // It says that it is there by the server's clock, and others see it by that.
    wait_for("a report", || {
        let since = "instances WHERE seen_at < now() - interval '9 minutes'";
        (stage.count(since) == 1).then_some(())
    });
    stage.refuses(&["copy", "--to", "sqlite:copy.db"], "stop it");
    signal(&server, "-STOP");
    stage.refuses(&["lock"], "1 processes have not said");
    signal(&server, "-CONT");
    wait_for("a lock", || {
        let answer = server.get("/v1/categories", None).ok()?;
        (answer.status == 503).then_some(())
    });
    assert!(stage.run(&["unlock"]).status.success());
    assert_eq!(server.get("/v1/categories", None).unwrap().status, 200);
}
