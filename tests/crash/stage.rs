//! Somebody who posts while the disk fails, and looks after what was said.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::place::Place;
use super::strace::Strace;
use crate::kept::{Kept, NEEDS, post};
use crate::process::{Answer, Server, wait_for};

/// Somebody who posts once, and looks.
pub struct Stage {
    pub place: Place,
    pub server: Option<Server>,
    /// Of those who were told 201.
    kept: Vec<Kept>,
    pub posts: u32,
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
        let body = post(&json!({"name": "Mo", "email": format!("mo{n}@example.org")}));
        let answer = self.server().post("/v1/requests", &headers, &body);
        answer.unwrap()
    }

    pub fn keep(&mut self, answer: Answer) {
        self.kept.push(Kept::new(answer));
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
        for kept in &self.kept {
            kept.is_there(self.server());
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
        assert_eq!(there.len(), NEEDS * self.kept.len());
    }
}
