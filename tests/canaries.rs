//! What a thief of the disk finds: nothing. Hundreds of marked names, contacts, places, notes and tokens
//! go in by every call and every letter, with the log at its most talkative; then every file that the
//! service has written is searched for each of them, in every way in which it might be spelled.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "canaries/marks.rs"]
mod marks;
#[expect(dead_code, reason = "every kind of test uses another part of it")]
#[path = "support/process.rs"]
mod process;
#[path = "canaries/search.rs"]
mod search;
#[expect(dead_code, reason = "every kind of test uses another part of it")]
#[path = "support/smtp.rs"]
mod smtp;

use std::fs;
use std::path::Path;

use marks::Marks;
use process::{Server, call, program, wait_for};
use search::Search;
use serde_json::{Value, json};
use smtp::SmtpServer;

const NEIGHBORS: usize = 30;
const VOLUNTEERS: usize = 10;

/// A service, its mail server, and everything marked that it was told.
struct Town {
    server: Server,
    mail: SmtpServer,
    marks: Marks,
    coordinator: String,
}

impl Town {
    fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Value {
        let bearer = token.map(|t| format!("Bearer {t}"));
        let headers: Vec<_> = bearer.iter().map(|b| ("Authorization", &**b)).collect();
        call(self.server.public, method, path, &headers, body)
            .unwrap()
            .ok()
    }

    fn post(&self, path: &str, token: &str, body: &Value) -> Value {
        self.call("POST", path, Some(token), Some(body))
    }

    /// The token of that prefix in the newest letter to the address.
    fn letter(&mut self, email: &str, prefix: &str) -> Option<String> {
        let mails = self.mail.mails();
        let text = mails
            .iter()
            .rev()
            .filter(|mail| mail.envelope.to.iter().any(|to| to == email))
            .find_map(|mail| mail.text.split(prefix).nth(1))?;
        let end = text
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(text.len());
        let token = format!("{prefix}{}", &text[..end]);
        self.marks.token(&token);
        Some(token)
    }

    fn neighbor(&mut self) -> (String, String) {
        let contact = self.marks.contact();
        let caller = self.marks.contact();
        let body = json!({
            "contact": contact,
            "caller": caller,
            "location": self.marks.location(),
            "needs": [{
                "category": "food", "quantity": 2, "urgency": "now",
                "note": self.marks.text(), "private_note": self.marks.text(),
            }],
        });
        let key = self.marks.text();
        let headers = [
            ("Idempotency-Key", &*key),
            ("User-Agent", &*self.marks.text()),
        ];
        let posted = self
            .server
            .post("/v1/requests", &headers, &body)
            .unwrap()
            .ok();
        let token = posted["manage_token"].as_str().unwrap().to_owned();
        self.marks.token(&token);
        (
            token,
            posted["requests"][0]["id"].as_str().unwrap().to_owned(),
        )
    }

    /// Posts and confirms; gives address, token and offer.
    fn volunteer(&mut self, site: Option<&Value>) -> (String, String, String) {
        let location = match site {
            Some(_) => self.marks.public_location(),
            None => self.marks.location(),
        };
        let contact = self.marks.contact();
        let email = contact["email"].as_str().unwrap().to_owned();
        let body = json!({
            "contact": contact,
            "location": location,
            "limits": {"nights": true, "open_asks": 20, "daily_asks": 100},
            "offers": [{
                "category": "food", "capacity": 20, "reach_m": 40000, "site": site,
                "note": self.marks.text(), "private_note": self.marks.text(),
            }],
        });
        self.server.post("/v1/offers", &[], &body).unwrap().ok();
        let token = wait_for("a letter to confirm", || self.letter(&email, "mho_"));
        let confirmed = self.call("POST", "/v1/confirm", Some(&token), None);
        let token = confirmed["manage_token"].as_str().unwrap().to_owned();
        self.marks.token(&token);
        let offer = confirmed["offers"][0]["id"].as_str().unwrap().to_owned();
        (email, token, offer)
    }

    /// Every call that there is, by everybody, with marks wherever one can be put.
    fn knock_at_every_door(&mut self, tokens: &[&str]) {
        let document = self.call("GET", "/openapi.json", None, None);
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in ["get", "post", "patch", "delete"] {
                // What these destroy is to be searched for.
                let destroys = [
                    "/v1/neighbors/self",
                    "/v1/volunteers/self",
                    "/v1/wipe-closed",
                ]
                .contains(&&**path)
                    && matches!(method, "delete" | "post");
                // This one never ends.
                let watches = path == "/v1/events";
                if item.get(method).is_none() || destroys || watches {
                    continue;
                }
                for token in tokens {
                    let mark = self.marks.text();
                    let path = path.replace("{token}", &mark).replace("{id}", &mark);
                    let body = json!({
                        "contact": self.marks.contact(), "location": self.marks.location(),
                        "phone": self.marks.phone(), "note": mark, &*mark: 1, "needs": [{"note": &mark}], "reason": &mark,
                    });
                    let bearer = format!("Bearer {token}");
                    let source = format!("203.0.113.{}", self.marks.small_number());
                    let headers = [
                        ("Authorization", &*bearer),
                        ("User-Agent", &*mark),
                        ("Referer", &*mark),
                        ("Cookie", &*mark),
                        ("Idempotency-Key", &*mark),
                        ("X-Forwarded-For", &*source),
                    ];
                    let path = format!("{path}?near={mark}");
                    // Nearly all are refused. What is said then goes to the caller alone.
                    let _ = call(
                        self.server.public,
                        &method.to_uppercase(),
                        &path,
                        &headers,
                        Some(&body),
                    );
                }
            }
        }
    }
}

#[test]
fn no_file_holds_anything_of_anybody() {
    let dir = tempfile::tempdir().unwrap();
    let mail = SmtpServer::start();
    let port = mail.ports().plain.to_string();
    let env = [
        ("LOG__FILTER", "trace"),
        ("LIMITS__MODE", "off"),
        ("MAIL__TRANSPORT", "smtp"),
        ("MAIL__SMTP__HOST", "127.0.0.1"),
        ("MAIL__SMTP__PORT", &*port),
        ("MAIL__SMTP__TLS", "none"),
    ];
    let mut marks = Marks::default();
    let server = Server::start(dir.path(), &env);
    let coordinator = add_coordinator(dir.path(), &env, &mut marks);
    let mut town = Town {
        server,
        mail,
        marks,
        coordinator,
    };
    let log = live(&mut town, dir.path(), &env);
    fs::write(dir.path().join("service.log"), log).unwrap();

    let search = Search::of(&town.marks);
    let found = search.below(dir.path());
    assert!(found.is_empty(), "{found:#?}");
    // The search is able to find something: what a coordinator has made public.
    let public = Search::of(&town.marks.only_public());
    assert!(!public.below(&dir.path().join("data")).is_empty());
    assert!(!public.below(&dir.path().join("copy.db")).is_empty());
    assert!(search.size() > 5_000, "{} spellings", search.size());
}

/// Everything that can happen to anybody; gives the log.
fn live(town: &mut Town, dir: &Path, env: process::Env<'_>) -> String {
    let site =
        json!({"title": town.marks.public(), "address": town.marks.public(), "walk_in": true});
    let (_, _, listed) = town.volunteer(Some(&site));
    let coordinator = town.coordinator.clone();
    town.post(
        &format!("/v1/offers/{listed}/list"),
        &coordinator,
        &json!({}),
    );
    let volunteers: Vec<_> = (0..VOLUNTEERS).map(|_| town.volunteer(None)).collect();
    let neighbors: Vec<_> = (0..NEIGHBORS).map(|_| town.neighbor()).collect();

    for (nth, (email, token, offer)) in volunteers.iter().enumerate() {
        let ask = wait_for("an ask", || town.letter(email, "mha_"));
        let (answer, body) = match nth % 2 {
            0 => ("accept", json!({})),
            _ => ("decline", json!({"reason": "unsafe"})),
        };
        let path = format!("/v1/matches/self/{answer}");
        let answered = town
            .server
            .post(
                &path,
                &[("Authorization", &*format!("Bearer {ask}"))],
                &body,
            )
            .unwrap();
        town.call("GET", "/v1/matches/self", Some(&ask), None);
        // Whoever says yes to a need that another volunteer has just met has seen nobody to report.
        let has_met = answer == "accept" && answered.status == 200;
        assert!(has_met || nth > 0, "the first yes is in time: {answered:?}");
        if has_met {
            let report = json!({"problem": "other", "statement": town.marks.text()});
            town.post("/v1/matches/self/report", &ask, &report);
        }
        let contact = json!({"contact": {"name": town.marks.name(), "phone": town.marks.phone()}});
        town.call("PATCH", "/v1/volunteers/self", Some(token), Some(&contact));
        let note = json!({"note": town.marks.text(), "private_note": town.marks.text()});
        town.call(
            "PATCH",
            &format!("/v1/offers/{offer}"),
            Some(token),
            Some(&note),
        );
        let reason = json!({"reason": "call"});
        town.post(&format!("/v1/offers/{offer}/reveal"), &coordinator, &reason);
    }
    for (token, request) in &neighbors {
        town.call("GET", "/v1/neighbors/self", Some(token), None);
        let contact = json!({"contact": town.marks.contact()});
        town.call("PATCH", "/v1/neighbors/self", Some(token), Some(&contact));
        let reason = json!({"reason": "call"});
        town.post(
            &format!("/v1/requests/{request}/reveal"),
            &coordinator,
            &reason,
        );
    }
    by_phone(town, &coordinator);
    let tasks = town.call("GET", "/v1/tasks?state=open", Some(&coordinator), None);
    let tasks = tasks["items"].as_array().unwrap().clone();
    assert!(!tasks.is_empty(), "a report at least");
    for task in &tasks {
        let path = format!("/v1/tasks/{}", task["id"].as_str().unwrap());
        let note = json!({"note": town.marks.text()});
        town.call("PATCH", &path, Some(&coordinator), Some(&note));
        town.call("GET", &path, Some(&coordinator), None);
    }
    let rotated = town.post(
        "/v1/neighbors/self/rotate-token",
        &neighbors[0].0,
        &json!({}),
    );
    town.marks.token(rotated["manage_token"].as_str().unwrap());
    town.call("DELETE", "/v1/neighbors/self", Some(&neighbors[1].0), None);
    let nobody = town.marks.text();
    town.knock_at_every_door(&[&neighbors[2].0, &volunteers[0].1, &coordinator, &nobody]);

    let run = |arguments: &[&str]| {
        let done = program(dir, env).args(arguments).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    run(&["backup", "copy.db"]);
    run(&["key", "rotate"]);
    // No time for anything: the write-ahead log stays as it is.
    let admin = town.server.admin;
    let next = Server::start(dir, env);
    assert_ne!(next.admin, admin);
    std::mem::replace(&mut town.server, next).kill()
}

/// Somebody calls for somebody who has no contact, is looked for, and gets another code.
fn by_phone(town: &mut Town, coordinator: &str) {
    let caller = town.marks.contact();
    let body = json!({
        "contact": {"name": town.marks.name()}, "caller": caller, "verified": "vouched",
        "location": town.marks.location(), "needs": [{"category": "food", "quantity": 1}],
    });
    let posted = town.post("/v1/requests", coordinator, &body);
    town.marks.token(posted["manage_token"].as_str().unwrap());
    for known in [&caller["phone"], &json!(town.marks.phone())] {
        town.post("/v1/people/find", coordinator, &json!({"phone": known}));
    }
    let email = json!({"email": caller["email"]});
    let found = town.post("/v1/people/find", coordinator, &email);
    let id = found["neighbors"][0]["id"].as_str().unwrap();
    let rotate = format!("/v1/neighbors/{id}/rotate-token");
    let rotated = town.post(&rotate, coordinator, &json!({}));
    town.marks.token(rotated["manage_token"].as_str().unwrap());
}

fn add_coordinator(dir: &Path, env: process::Env<'_>, marks: &mut Marks) -> String {
    let (name, email) = (marks.name(), marks.email());
    let added = program(dir, env)
        .args(["coordinator", "add", &name, "--email", &email])
        .args(["--scope", "admin", "--json"])
        .output()
        .unwrap();
    let added: Value = serde_json::from_slice(&added.stdout).unwrap();
    let token = added["token"].as_str().unwrap().to_owned();
    marks.token(&token);
    token
}
