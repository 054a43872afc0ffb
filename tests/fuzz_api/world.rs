//! A service where something of everything is there, and the tokens of those who may call it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::process::{Env, Server, program, wait_for};

const ENV: Env<'static> = &[
    ("LIMITS__MODE", "off"),
    ("LOG__FILTER", "warn,manyhands::app=info"),
];

/// See the module. It is gone with its value.
pub struct World {
    dir: tempfile::TempDir,
    server: Server,
    tokens: BTreeMap<&'static str, String>,
    /// The records that there were at first, by the name under which the API has their kind.
    pub records: Value,
}

impl World {
    pub fn new() -> Self {
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

    /// Ana offers, also a place that is listed; Mo asks for several things, and Ana says yes to one of them.
    fn people(&mut self) {
        let ana = json!({
            "contact": {"name": "Ana", "email": "ana@example.org", "phone": "612 555 0199"},
            "location": {"lat": 44.95, "lon": -93.26}, "languages": ["en"], "limits": {"nights": true},
            "offers": [{"category": "warming_space", "capacity": 20,
                        "site": {"title": "Oak Hall", "address": "1 Oak Street", "walk_in": true}},
                       {"category": "food", "capacity": 50}, {"category": "pet_care", "capacity": 5}],
        });
        let offered = self.post("/v1/offers", None, &ana);
        let confirm = self.letter("mho_");
        let confirmed = self.post("/v1/confirm", Some(&confirm), &json!({}));
        self.keep("volunteer", &confirmed["manage_token"]);
        let site = offered["offers"][0]["id"].as_str().unwrap();
        let desk = self.tokens["coordinator"].clone();
        self.post(&format!("/v1/offers/{site}/list"), Some(&desk), &json!({}));
        let mo = json!({
            "contact": {"name": "Mo", "email": "mo@example.org", "phone": "612 555 0123"},
            "location": {"lat": 44.951, "lon": -93.261, "address": "2 Elm Street"}, "languages": ["en"],
            "agree_first": true,
            "needs": [{"category": "food", "quantity": 2, "urgency": "now"},
                      {"category": "food", "quantity": 3, "urgency": "now"},
                      {"category": "pet_care", "quantity": 1, "urgency": "now"}],
        });
        let posted = self.post("/v1/requests", None, &mo);
        self.keep("neighbor", &posted["manage_token"]);
        let asks = wait_for("three asks", || {
            let asks: Vec<String> = self.letters("mha_").into_iter().collect();
            <[String; 3]>::try_from(asks).ok()
        });
        let [yes, problem, other] = asks;
        self.post("/v1/matches/self/accept", Some(&yes), &json!({}));
        self.post(
            "/v1/matches/self/report",
            Some(&problem),
            &json!({"problem": "other"}),
        );
        self.tokens.insert("answer", other);
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

    /// The ids of what there is of each kind.
    fn listed(&self) -> Value {
        let desk = Some(self.token("coordinator"));
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
            let ids = items.iter().map(|item| item["id"].clone()).collect();
            records.insert(kind.to_owned(), ids);
        }
        records.into()
    }

    #[track_caller]
    fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Value {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|b| ("Authorization", &**b)).collect();
        self.server.post(path, &headers, body).unwrap().ok()
    }

    fn keep(&mut self, scheme: &'static str, token: &Value) {
        self.tokens
            .insert(scheme, token.as_str().unwrap().to_owned());
    }

    /// A code out of the first letter that has one.
    fn letter(&self, prefix: &str) -> String {
        wait_for(prefix, || self.letters(prefix).into_iter().next())
    }

    /// The codes in the letters that were written.
    fn letters(&self, prefix: &str) -> BTreeSet<String> {
        let files = fs::read_dir(self.path("mail")).into_iter().flatten();
        let letters = files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok());
        let of = |letter: String| {
            let mut lines = letter.lines();
            let line = lines.find(|line| line.starts_with(prefix))?;
            Some(line.trim_end().to_owned())
        };
        letters.filter_map(of).collect()
    }
}
