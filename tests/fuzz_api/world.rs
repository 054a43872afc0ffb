//! A service where something of everything is there, and the tokens of those who may call it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::process::{Env, Server, program};

const ENV: Env<'static> = &[
    ("LIMITS__MODE", "off"),
    ("MATCHING__OPEN_ASKS", "20"),
    ("MATCHING__OPEN_RELEASES", "20"),
    ("LOG__FILTER", "warn,manyhands::app=info"),
];

/// The file in which schemathesis notes which operations were taken, a line each time.
pub const TAKEN: &str = "taken";

/// See the module. It is gone with its value.
pub struct World {
    dir: tempfile::TempDir,
    pub server: Server,
    pub tokens: BTreeMap<&'static str, String>,
    /// The records on which everything is tried, by the name under which the API has their kind.
    pub records: Value,
    /// Records that a call has for itself; see there.
    pub stages: Value,
    /// For each act of a volunteer who was asked: the token of an ask that allows it.
    pub answers: Vec<(&'static str, String)>,
    /// The offers of Ana, and those of Bea, on whom nothing is tried.
    pub ana: Vec<Value>,
    pub bea: Vec<Value>,
    /// Matches that a coordinator has to look at.
    pub proposed: [Value; 3],
    /// Bea, and who has children to be looked after.
    pub kept: Vec<Value>,
    /// What a letter has to end letters.
    pub unsubscribe: String,
    /// Letters that were read.
    pub read: BTreeSet<String>,
}

/// Where everybody is.
pub fn here() -> Value {
    json!({"lat": 44.95, "lon": -93.26})
}

impl World {
    /// For the calls of a tag.
    pub fn new(tag: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let admin = ["coordinator", "add", "Cora", "--email", "cora@example.org"];
        let made = program(dir.path(), ENV)
            .args(admin)
            .args(["--scope", "admin", "--no-digest"])
            .output()
            .unwrap();
        let said = String::from_utf8(made.stdout).unwrap();
        let desk = said.lines().find(|line| line.starts_with("mhc_")).unwrap();
        let mut world = Self {
            server: Server::start(dir.path(), ENV),
            dir,
            tokens: BTreeMap::from([("coordinator", desk.to_owned())]),
            records: Value::Null,
            stages: Value::Null,
            answers: Vec::new(),
            ana: Vec::new(),
            bea: Vec::new(),
            proposed: Default::default(),
            kept: Vec::new(),
            unsubscribe: String::new(),
            read: BTreeSet::new(),
        };
        world.people();
        // From here on nothing leaves it: no letter, and no message to an address that somebody made up.
        let mut only_http = Command::new("sh");
        only_http.args(["-c", r#"exec "$0" "$@" --role http"#]);
        only_http.arg(env!("CARGO_BIN_EXE_manyhands"));
        world.server.kill();
        world.server = Server::start_by(only_http, world.dir.path(), ENV);
        world.office();
        world.records = world.listed();
        world.stages = world.staged(tag);
        world
    }

    pub fn public(&self) -> SocketAddr {
        self.server.public
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The token of a scheme of the document.
    pub fn token(&self, scheme: &str) -> &str {
        &self.tokens[scheme]
    }

    /// The operations of a tag: `post_requests` is `POST /v1/requests`.
    pub fn operations(&self, tag: &str) -> BTreeMap<String, String> {
        let document = self.server.get("/openapi.json", None).unwrap().ok();
        let mut all = BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let mut tags = operation["tags"].as_array().into_iter().flatten();
                if tags.any(|of| of == tag) {
                    let id = operation["operationId"].as_str().unwrap().to_owned();
                    all.insert(id, format!("{} {path}", method.to_uppercase()));
                }
            }
        }
        assert!(!all.is_empty(), "nothing is called {tag}");
        all
    }

    /// The operations that were taken.
    pub fn taken(&self) -> BTreeSet<String> {
        let taken = fs::read_to_string(self.path(TAKEN)).unwrap_or_default();
        taken.lines().map(str::to_owned).collect()
    }

    /// One of each thing that coordinators make.
    fn office(&self) {
        let desk = Some(self.token("coordinator"));
        let far =
            json!({"location": {"lat": -30.0, "lon": 80.0}, "radius_m": 1000, "reason": "threat"});
        self.post("/v1/areas", desk, &far);
        self.post("/v1/plans", desk, &json!({"category": "food"}));
        self.post(
            "/v1/webhooks",
            desk,
            &json!({"url": "https://example.org/hook"}),
        );
    }

    /// The ids of what there is of each kind, but of what is kept for the stages.
    fn listed(&self) -> Value {
        let desk = Some(self.token("coordinator"));
        let kept = self.bea.iter().chain(&self.ana[3..]).chain(&self.proposed);
        let kept = kept.chain(&self.kept);
        let reserved: Vec<&str> = kept.map(|id| id.as_str().unwrap()).collect();
        let mut records = serde_json::Map::new();
        for kind in [
            "areas",
            "letters",
            "matches",
            "neighbors",
            "offers",
            "plans",
            "reports",
            "requests",
            "tasks",
            "volunteers",
            "webhooks",
        ] {
            let list = self.server.get(&format!("/v1/{kind}"), desk).unwrap().ok();
            let items = list["items"].as_array().unwrap();
            assert!(!items.is_empty(), "there are no {kind}");
            let is_free = |item: &&Value| !reserved.iter().any(|id| item.to_string().contains(id));
            let ids: Vec<_> = items
                .iter()
                .filter(is_free)
                .map(|item| item["id"].clone())
                .collect();
            assert!(!ids.is_empty(), "there are no free {kind}");
            let ids = ids.into();
            records.insert(kind.to_owned(), ids);
        }
        records.into()
    }

    #[track_caller]
    pub fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Value {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|b| ("Authorization", &**b)).collect();
        self.server.post(path, &headers, body).unwrap().ok()
    }
}
