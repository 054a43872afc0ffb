//! The service is killed again and again while people post: what was acknowledged is there, what was
//! not is there as a whole or not at all, and no letter is forgotten.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/process.rs"]
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use process::{Env, Server, doctor, wait_for};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

/// How often it is killed.
const ROUNDS: u64 = 6;
/// People who post at the same time.
const POSTERS: u64 = 6;
const SEED: u64 = 20_261_207;
/// Letters that the killed process held are free again as soon as the settings allow it.
const ENV: Env<'static> = &[
    ("LIMITS__MODE", "off"),
    ("OUTBOX__LEASE", "10s"),
    ("OUTBOX__BATCH", "20"),
    ("MAIL__SMTP__TIMEOUT", "4s"),
    ("WEBHOOKS__TIMEOUT", "4s"),
    ("LOG__FILTER", "warn,manyhands::app=info"),
];

/// A post, and what came of it as far as its sender knows.
struct Post {
    path: &'static str,
    key: String,
    body: Value,
    /// Requests or offers in it.
    size: usize,
    /// The answer; none if the connection broke before it had come.
    acknowledged: Option<Value>,
}

impl Post {
    fn new(random: &mut StdRng, key: String) -> Self {
        let size = random.random_range(1..=3);
        let email = format!("{key}@example.org");
        let location = json!({"lat": 44.9778, "lon": -93.2650});
        if random.random_bool(0.5) {
            let needs = vec![json!({"category": "food", "quantity": 2}); size];
            let contact = json!({"name": "Mo", "email": email});
            let body = json!({"contact": contact, "location": location, "needs": needs});
            Self::of("/v1/requests", key, body, size)
        } else {
            let offers = vec![json!({"category": "pet_care", "capacity": 2}); size];
            let contact = json!({"name": "Ana", "email": email});
            let body = json!({"contact": contact, "location": location, "offers": offers});
            Self::of("/v1/offers", key, body, size)
        }
    }

    fn of(path: &'static str, key: String, body: Value, size: usize) -> Self {
        Self {
            path,
            key,
            body,
            size,
            acknowledged: None,
        }
    }

    fn is_of_requests(&self) -> bool {
        self.path == "/v1/requests"
    }

    fn send(&self, server: &Server) -> std::io::Result<Value> {
        let answer = server.post(self.path, &[("Idempotency-Key", &self.key)], &self.body)?;
        assert_eq!(answer.status, 201, "{answer:?}");
        Ok(answer.body)
    }

    /// The ids in an answer to it, which is about all of it or wrong.
    #[track_caller]
    fn ids(&self, answer: &Value) -> BTreeSet<String> {
        let items = answer["requests"]
            .as_array()
            .or(answer["offers"].as_array());
        let ids: BTreeSet<_> = items
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids.len(), self.size, "half a post: {answer}");
        ids
    }

    /// What the neighbor sees with the token of `answer` is what it said.
    #[track_caller]
    fn is_there(&self, server: &Server, answer: &Value) {
        if self.is_of_requests() {
            let token = answer["manage_token"].as_str();
            let seen = server.get("/v1/neighbors/self", token).unwrap().ok();
            assert_eq!(self.ids(&seen), self.ids(answer), "{}", self.key);
        }
    }
}

/// Posts until the service is gone.
fn post_on(server: &Server, name: &str, seed: u64, acknowledged: &Sender<()>) -> Vec<Post> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut posts: Vec<Post> = Vec::new();
    loop {
        let mut post = Post::new(&mut random, format!("{name}-{}", posts.len()));
        post.acknowledged = post.send(server).ok();
        let is_gone = post.acknowledged.is_none();
        posts.push(post);
        if is_gone {
            return posts;
        }
        // Nobody counts any more while the service is being killed.
        let _ = acknowledged.send(());
    }
}

/// Lets many post, and kills the service as soon as `count` posts are acknowledged.
fn kill_under_load(server: Server, round: u64, count: usize) -> Vec<Post> {
    let id = server.id().to_string();
    let posts = thread::scope(|scope| {
        let (acknowledged, counted) = channel();
        let posters: Vec<_> = (0..POSTERS)
            .map(|n| {
                let (server, acknowledged) = (&server, acknowledged.clone());
                let name = format!("r{round}-p{n}");
                scope.spawn(move || post_on(server, &name, SEED + 100 * round + n, &acknowledged))
            })
            .collect();
        drop(acknowledged);
        for _ in 0..count {
            counted.recv().unwrap();
        }
        let killed = std::process::Command::new("kill")
            .args(["-KILL", &id])
            .status();
        assert!(killed.unwrap().success());
        posters
            .into_iter()
            .flat_map(|poster| poster.join().unwrap())
            .collect()
    });
    server.kill();
    posts
}

/// The Message-IDs of the letters in the mail directory, by recipient.
fn letters(dir: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(dir.join("mail")) else {
        return found;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|ext| ext != "eml") {
            continue;
        }
        // Gone, if it was replaced just now.
        let Ok(eml) = std::fs::read_to_string(&path) else {
            continue;
        };
        let header = |name: &str| {
            let line = eml.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{} has no {name}", path.display()))
                .trim()
                .to_owned()
        };
        found
            .entry(header("To:"))
            .or_default()
            .push(header("Message-ID:"));
    }
    found
}

fn count(dir: &Path, sql: &str) -> usize {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let path = dir.join("data/manyhands.db");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let counted: Count = diesel::sql_query(sql).get_result(&mut conn).unwrap();
    usize::try_from(counted.n).unwrap()
}

/// What SQLite says of the files that the killed process left: of a copy, so that it is the service
/// that has to mend them.
fn integrity(dir: &Path) -> String {
    #[derive(QueryableByName)]
    struct Integrity {
        #[diesel(sql_type = Text)]
        integrity_check: String,
    }
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(dir.join("data")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let path = copy.path().join("manyhands.db");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let checked: Integrity = diesel::sql_query("PRAGMA integrity_check")
        .get_result(&mut conn)
        .unwrap();
    checked.integrity_check
}

/// Everybody looks after what they know of, then repeats every call.
fn check(server: &Server, posts: &mut [Post]) {
    for post in posts.iter() {
        if let Some(answer) = &post.acknowledged {
            post.is_there(server, answer);
        }
    }
    for post in posts {
        let again = post.send(server).unwrap();
        post.is_there(server, &again);
        if let Some(answer) = &post.acknowledged {
            assert_eq!(post.ids(&again), post.ids(answer), "{}", post.key);
        } else {
            let once_more = post.send(server).unwrap();
            assert_eq!(post.ids(&once_more), post.ids(&again), "{}", post.key);
            post.acknowledged = Some(again);
        }
    }
}

#[test]
fn what_was_acknowledged_survives_kill_and_what_was_not_is_whole_or_absent() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut random = StdRng::seed_from_u64(SEED);
    let mut all: Vec<Post> = Vec::new();
    let mut message_ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut server = Server::start(dir, ENV);
    for round in 0..ROUNDS {
        // Sometimes within the first moments, sometimes in full swing.
        let acknowledged = random.random_range(1..=50);
        let mut posts = kill_under_load(server, round, acknowledged);
        for (recipient, ids) in letters(dir) {
            message_ids.entry(recipient).or_default().extend(ids);
        }
        assert_eq!(integrity(dir), "ok", "after round {round}");
        server = Server::start(dir, ENV);
        check(&server, &mut posts);
        all.extend(posts);
    }

    // Letters that were on their way at a kill come again once their lease has run out.
    let expected: BTreeSet<String> = all
        .iter()
        .map(|post| format!("{}@example.org", post.key))
        .collect();
    wait_for("a letter for everybody", || {
        let found: BTreeSet<_> = letters(dir).into_keys().collect();
        (found == expected).then_some(())
    });
    for (recipient, ids) in letters(dir) {
        message_ids.entry(recipient).or_default().extend(ids);
    }
    // One letter is one letter, however often it was begun: all that a volunteer gets is the confirm
    // letter of her post.
    for post in all.iter().filter(|post| !post.is_of_requests()) {
        let ids = &message_ids[&format!("{}@example.org", post.key)];
        assert_eq!(ids.len(), 1, "{}", post.key);
    }
    let shown: Vec<String> = letters(dir).into_values().flatten().collect();
    let distinct: BTreeSet<&String> = shown.iter().collect();
    assert_eq!(
        distinct.len(),
        shown.len(),
        "a repeat stands beside the first"
    );
    // What the files show, the database knows as well: nothing is left to send.
    wait_for("the end of all letters", || {
        let queued = count(
            dir,
            "SELECT count(*) AS n FROM letters WHERE state = 'queued'",
        );
        (queued == 0).then_some(())
    });
    let (status, log) = server.terminate();
    assert!(status.success(), "{log}");

    // The calls were made exactly once, each as a whole.
    let (asking, giving): (Vec<_>, Vec<_>) = all.iter().partition(|post| post.is_of_requests());
    let sizes = |posts: &[&Post]| posts.iter().map(|post| post.size).sum::<usize>();
    for (posts, people, items) in [
        (&asking, "neighbors", "requests"),
        (&giving, "volunteers", "offers"),
    ] {
        let rows = |table: &str| count(dir, &format!("SELECT count(*) AS n FROM {table}"));
        assert_eq!(rows(people), posts.len(), "{people}");
        assert_eq!(rows(items), sizes(posts), "{items}");
    }
    assert_eq!(
        count(
            dir,
            "SELECT count(*) AS n FROM letters WHERE state <> 'sent'"
        ),
        0
    );
    assert_eq!(doctor(dir, ENV, "integrity").0, "ok");
}
