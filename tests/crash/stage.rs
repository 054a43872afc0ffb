//! Somebody who posts while the disk fails, and looks after what was said.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::place::Place;
use super::strace::Strace;
use crate::process::{Answer, Server, wait_for};

/// Somebody who posts once, and looks.
pub struct Stage {
    pub place: Place,
    pub server: Option<Server>,
    /// Tokens of those who were told 201.
    pub kept: Vec<(String, Value)>,
    pub posts: u32,
}

/// Enough to fill the log up to a checkpoint soon.
fn body(n: u32) -> Value {
    let need =
        json!({"category": "food", "quantity": 2, "private_note": "Ring twice. ".repeat(60)});
    json!({"contact": {"name": "Mo", "email": format!("mo{n}@example.org")},
           "location": {"lat": 44.97, "lon": -93.26}, "needs": vec![need; 10]})
}

impl Stage {
    pub fn new() -> Self {
        let place = Place::new(None);
        let server = Some(place.serve());
        Self {
            place,
            server,
            kept: Vec::new(),
            posts: 0,
        }
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.dir().join(name)
    }

    pub fn log(&self) -> PathBuf {
        self.path("data/manyhands.db-wal")
    }

    pub fn fail(&self, path: &Path, how: &str) -> Strace {
        Strace::fail(self.server().id(), &self.path("trace"), &[path], how)
    }

    pub fn send(&self, n: u32) -> Answer {
        let key = format!("key-{n}");
        let headers = [("Idempotency-Key", key.as_str())];
        self.server()
            .post("/v1/requests", &headers, &body(n))
            .unwrap()
    }

    pub fn keep(&mut self, answer: Answer) {
        let told = answer.ok();
        let token = told["manage_token"].as_str().unwrap().to_owned();
        let ids = told["requests"].as_array().unwrap().iter();
        let ids = ids.map(|request| request["id"].clone()).collect();
        self.kept.push((token, ids));
    }

    /// Somebody posts; gives the answer if it is no yes.
    pub fn post(&mut self) -> Result<(), Answer> {
        self.posts += 1;
        let answer = self.send(self.posts);
        if answer.status == 201 {
            self.keep(answer);
            return Ok(());
        }
        Err(answer)
    }

    /// Everybody who was told so finds everything.
    #[track_caller]
    pub fn all_is_there(&self) {
        for (token, ids) in &self.kept {
            let seen = self
                .server()
                .get("/v1/neighbors/self", Some(token))
                .unwrap()
                .ok();
            let mut seen: Vec<_> = seen["requests"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r["id"].to_string())
                .collect();
            let mut told: Vec<_> = ids
                .as_array()
                .unwrap()
                .iter()
                .map(Value::to_string)
                .collect();
            seen.sort();
            told.sort();
            assert_eq!(seen, told);
        }
    }

    /// Killed without a word, and started again.
    pub fn kill(&mut self) -> String {
        let log = self.server.take().unwrap().kill();
        assert_eq!(self.place.integrity(), "ok");
        self.server = Some(self.place.serve());
        log
    }

    pub fn works_again(&mut self) {
        wait_for("a post that is taken again", || self.post().ok());
        self.all_is_there();
    }

    /// The end of it: nothing is there of which nobody was told.
    #[track_caller]
    pub fn end(mut self) {
        self.place.said(&["audit", "verify"]);
        let findings = self.place.json(&["doctor", "--json"]);
        assert!(
            findings
                .as_array()
                .unwrap()
                .iter()
                .all(|f| f["level"] != "fail"),
            "{findings}"
        );
        let (status, log) = self.server.take().unwrap().terminate();
        assert!(status.success(), "{log}");
        let there = super::place::ids(&self.place.database(), "requests");
        assert_eq!(there.len(), 10 * self.kept.len());
    }
}

#[track_caller]
pub fn is_a_kind_refusal(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    let after = answer.header("Retry-After");
    assert!(
        after.is_some_and(|s| s.parse::<u32>().is_ok()),
        "{answer:?}"
    );
    assert_eq!(answer.body["type"], "urn:manyhands:problem:unavailable");
}
