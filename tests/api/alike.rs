//! No call tells whether an address is known: not by its answer, and not by the work that it causes.
//! Time is not measured here; the statements that run and the rows that are written stand for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use actix_web::http::Method;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use manyhands::crypto::token::{Purpose, Token};
use manyhands::domain::entropy::OsEntropy;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{food, offer_of, post_of, with};
use crate::support::{Answer, TestApp};

/// The text of every statement, in the order in which they ran.
type Statements = Arc<Mutex<Vec<String>>>;

/// What is noted, by the database that it runs on.
static NOTES: LazyLock<Mutex<HashMap<String, Statements>>> = LazyLock::new(Mutex::default);

/// Notes what a connection runs, whichever thread has opened it.
#[expect(clippy::unnecessary_wraps, reason = "diesel asks for it in this form")]
fn noting() -> Option<Box<dyn Instrumentation>> {
    let mut database = String::new();
    Some(Box::new(
        move |event: InstrumentationEvent<'_>| match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                // What comes after the name is how it is spoken to.
                url.split('?')
                    .next()
                    .unwrap_or_default()
                    .clone_into(&mut database);
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                let notes = NOTES.lock().expect("notes").get(&database).cloned();
                // The values come after the text.
                let text = query.to_string();
                let text = text.split(" -- binds").next().unwrap_or_default();
                if let Some(notes) = notes
                    && !is_of_the_connection(text)
                {
                    notes.lock().expect("notes").push(text.to_owned());
                }
            }
            _ => {}
        },
    ))
}

/// What a connection is told or asked when it is made or taken, at whatever time that is.
fn is_of_the_connection(text: &str) -> bool {
    text.starts_with("PRAGMA")
        || text.starts_with("SET ")
        || text.contains("pg_stat_ssl")
        || text == "SELECT 1"
}

struct Watched {
    app: TestApp,
    statements: Statements,
}

const TABLES: [&str; 18] = [
    "coordinators",
    "neighbors",
    "requests",
    "volunteers",
    "offers",
    "offer_capacity",
    "sites",
    "matches",
    "blocks",
    "letters",
    "departures",
    "tokens",
    "changes",
    "audit",
    "idempotency",
    "meta",
    "reports",
    "tasks",
];

impl Watched {
    fn new() -> Self {
        let statements = Statements::default();
        set_default_instrumentation(noting).expect("instrumentation");
        let app = TestApp::new();
        let database = app.database.setting();
        let database = database.trim_start_matches("sqlite:");
        let database = database.split('?').next().unwrap_or_default().to_owned();
        let mut notes = NOTES.lock().expect("notes");
        notes.insert(database, Arc::clone(&statements));
        drop(notes);
        Self { app, statements }
    }

    fn rows(&self) -> BTreeMap<&'static str, i64> {
        let mut conn = self.app.database.connect();
        let mut rows_of = |table: &str| {
            let count = conn.lines(&format!(
                "SELECT cast(count(*) AS text) AS line FROM {table}"
            ));
            count[0].parse().expect(table)
        };
        TABLES.map(|table| (table, rows_of(table))).into()
    }

    /// Makes a call, and gives its answer, what ran for it and what was written.
    async fn post(&self, path: &str, body: &Value) -> (Answer, Vec<String>, BTreeMap<&str, i64>) {
        let before = self.rows();
        self.statements.lock().expect("notes").clear();
        let answer = self.app.call(Method::POST, path, None, Some(body)).await;
        let ran = std::mem::take(&mut *self.statements.lock().expect("notes"));
        let mut written = self.rows();
        for (table, rows) in &mut written {
            *rows -= before[table];
        }
        (answer, ran, written)
    }
}

/// What is the same of every good answer: the names of its fields and the lengths of its values.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(k, v)| (k.clone(), shape(v))).collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(text) => json!(text.len()),
        other => other.clone(),
    }
}

fn meals() -> [Value; 1] {
    [json!({"category": "food", "capacity": 5})]
}

/// People in every state that an address can be in; all addresses are equally long.
async fn people(app: &mut TestApp) -> [&'static str; 7] {
    let (_, admin) = app.coordinator(Scope::Admin).await;
    app.volunteer("a1@example.org", &meals()).await;
    let blocked = app.volunteer("a2@example.org", &meals()).await;
    let stopped = app.volunteer("a3@example.org", &meals()).await;
    let erased = app.volunteer("a4@example.org", &meals()).await;
    for (email, path) in [
        ("a5@example.org", "/v1/offers"),
        ("a6@example.org", "/v1/requests"),
    ] {
        let body = match path {
            "/v1/offers" => offer_of(email, &meals()),
            _ => need(email),
        };
        app.call(Method::POST, path, None, Some(&body)).await.ok();
    }
    let id_of = async |token: &str| {
        let own = app.get("/v1/volunteers/self", token).await.ok();
        let id = own["offers"][0]["id"].clone();
        let all = app.get("/v1/offers", &admin).await.ok();
        let mut all = all["items"].as_array().expect("offers").iter();
        let hers = all.find(|o| o["id"] == id).expect("hers");
        hers["volunteer"]["id"].as_str().expect("an id").to_owned()
    };
    let id = id_of(&blocked.token).await;
    app.post(&format!("/v1/volunteers/{id}/block"), &admin, &json!({}))
        .await
        .ok();
    let stop = app.letter_to(&stopped.email, "mhu_");
    let path = format!("/v1/unsubscribe/{stop}");
    let one_click = Some(b"List-Unsubscribe=One-Click".to_vec());
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let done = app.raw(Method::POST, &path, None, one_click, &form).await;
    assert_eq!(done.status, 204);
    let gone = app.call(
        Method::DELETE,
        "/v1/volunteers/self",
        Some(&erased.token),
        None,
    );
    assert!(gone.await.status < 300);
    app.settle().await;
    [
        "a0@example.org",
        "a1@example.org",
        "a2@example.org",
        "a3@example.org",
        "a4@example.org",
        "a5@example.org",
        "a6@example.org",
    ]
}

fn need(email: &str) -> Value {
    let contact = json!({"name": "Mo", "email": email});
    with(post_of(&[food(1)]), json!({ "contact": contact }))
}

#[actix_web::test]
async fn a_post_is_answered_alike_and_does_the_same_for_every_address() {
    let mut watched = Watched::new();
    let addresses = people(&mut watched.app).await;
    for path in ["/v1/offers", "/v1/requests"] {
        let mut first = None;
        for email in addresses {
            let body = match path {
                "/v1/offers" => offer_of(email, &meals()),
                _ => need(email),
            };
            let (answer, ran, written) = watched.post(path, &body).await;
            assert!(ran.iter().any(|s| s.starts_with("INSERT")), "{ran:?}");
            let seen = (
                answer.status,
                answer.headers,
                shape(&answer.body),
                ran,
                written,
            );
            assert_eq!(seen.0, 201, "{path} {email}");
            match &first {
                None => first = Some(seen),
                Some(first) => assert_eq!(*first, seen, "{path} {email}"),
            }
        }
    }
}

#[actix_web::test]
async fn every_token_that_opens_nothing_is_answered_alike() {
    let mut app = TestApp::new();
    let ana = app.volunteer("ana@example.org", &meals()).await;
    let used = app.letter_to(&ana.email, "mho_");
    let stop = app.letter_to(&ana.email, "mhu_");
    let gone = app.call(
        Method::DELETE,
        "/v1/volunteers/self",
        Some(&ana.token),
        None,
    );
    assert!(gone.await.status < 300);
    let mint = |purpose| Token::mint(purpose, &OsEntropy).expose().to_owned();
    let unknown = [
        mint(Purpose::Confirm),
        mint(Purpose::Unsubscribe),
        mint(Purpose::Neighbor),
    ];
    let mut answers = Vec::new();
    for token in unknown.iter().chain([&used, &stop, &"mho_x".to_owned()]) {
        let confirmed = app
            .call(Method::POST, "/v1/confirm", Some(token), None)
            .await;
        let path = format!("/v1/unsubscribe/{token}");
        let stopped = app.call(Method::POST, &path, None, None).await;
        for answer in [confirmed, stopped] {
            assert_eq!(answer.status, 404);
            answers.push((answer.headers, answer.bytes));
        }
    }
    assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
}
