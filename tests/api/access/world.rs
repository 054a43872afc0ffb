//! Real records for every door of the API: two neighbors, two volunteers, their matches, a post that
//! waits for its confirmation, coordinators of every scope.
//!
//! For a resource of a new kind: its id in [`World::id_of`], and its body in [`World::body_of`] where the
//! document's example does not fit these records.

use std::collections::{BTreeSet, HashMap};

use actix_web::http::Method;
use manyhands::actions::revoke_coordinator::revoke_coordinator;
use manyhands::crypto::token::{Purpose, Token};
use manyhands::domain::ids::{MatchId, RecordId};
use manyhands::storage::audit::Actor;
use manyhands::storage::coordinators::Scope;
use manyhands::storage::tokens::TokenRow;
use manyhands::storage::{TxError, tokens};
use serde_json::{Value, json};

use super::matrix::{Caller, Operation};
use crate::support::people::{food, offer_of, post_of, with};
use crate::support::{Answer, HOUR, TestApp, TestDatabase};

/// An id that nobody has.
pub const NOBODY: &str = "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a";

/// Calls that need records of a state that these are not in: let in, and answered 409.
pub const OF_ANOTHER_STATE: [&str; 16] = [
    "POST /v1/imports/{id}/undo",
    "POST /v1/letters/{id}/retry",
    "POST /v1/matches",
    "POST /v1/matches/{id}/decline",
    "POST /v1/matches/{id}/reassign",
    "POST /v1/matches/{id}/refuse",
    "POST /v1/matches/{id}/undo-no-show",
    "POST /v1/matches/{id}/unveto",
    "POST /v1/matches/{id}/veto",
    "POST /v1/offers/{id}/list",
    "DELETE /v1/offers/{id}/occupancy",
    "POST /v1/offers/{id}/occupancy",
    "POST /v1/requests/{id}/hold",
    "POST /v1/requests/{id}/matches/{mid}/refuse",
    "POST /v1/requests/{id}/merge",
    "POST /v1/requests/{id}/unhold",
];

pub struct World {
    pub app: TestApp,
    /// Its database as it was at first.
    at_first: TestDatabase,
    tokens: HashMap<Caller, String>,
    /// By the second part of a path.
    ids: HashMap<&'static str, String>,
    matched: String,
    /// Who sits at the phone.
    intake: String,
    /// Lin's request and Ben's match.
    pub request_other: String,
    pub matched_other: String,
    /// For each scheme, tokens that once worked or never did.
    dead: Vec<(&'static str, &'static str, String)>,
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

impl World {
    pub async fn new() -> Self {
        let mut app = TestApp::new();
        let meals = json!({"category": "food", "capacity": 20});
        let ana = app
            .volunteer("ana@example.org", std::slice::from_ref(&meals))
            .await;
        let (intake, token) = app.coordinator(Scope::Intake).await;
        let intake = intake.to_string();
        let mo = app.entered_by(&token, post_of(&[food(4)])).await;
        app.settle().await;
        let own = app.letter_to(&ana.email, "mha_");
        app.post("/v1/matches/self/accept", &own, &json!({}))
            .await
            .ok();
        let ben = app
            .volunteer("ben@example.org", std::slice::from_ref(&meals))
            .await;
        let lin = json!({"contact": {"name": "Lin", "phone": "612 555 0111"}});
        let lin = app.neighbor_who(with(post_of(&[food(2)]), lin)).await;
        app.settle().await;
        // Own has said yes, other has not answered.
        let other = app.letter_to(&ben.email, "mha_");
        let waiting = offer_of("cem@example.org", &[meals]);
        app.call(Method::POST, "/v1/offers", None, Some(&waiting))
            .await
            .ok();
        app.settle().await;

        let mut tokens = HashMap::from([
            (Caller::NeighborOwn, mo.token.clone()),
            (Caller::NeighborOther, lin.token.clone()),
            (Caller::VolunteerOwn, ana.token.clone()),
            (Caller::VolunteerOther, ben.token.clone()),
            (Caller::Confirm, app.letter_to("cem@example.org", "mho_")),
            (Caller::AnswerOwn, own),
            (Caller::AnswerOther, other),
            (Caller::Unsubscribe, app.letter_to(&ana.email, "mhu_")),
            (Caller::Garbage, "mhn_NOT-A-TOKEN".to_owned()),
            (Caller::IntakeOwn, token),
        ]);
        for (caller, scope) in [
            (Caller::IntakeOther, Scope::Intake),
            (Caller::Coordinator, Scope::Coordinator),
            (Caller::Admin, Scope::Admin),
            (Caller::Revoked, Scope::Admin),
        ] {
            let (id, token) = app.coordinator(scope).await;
            tokens.insert(caller, token);
            if caller == Caller::Revoked {
                let revoked = revoke_coordinator(&app.ctx, id, Actor::OPERATOR);
                revoked.await.unwrap();
            }
        }
        let admin = &tokens[&Caller::Admin];
        let self_of = app.get("/v1/volunteers/self", &ana.token).await.ok();
        let own_of = app.get("/v1/neighbors/self", &mo.token).await.ok();
        let matched = app
            .get("/v1/matches/self", &tokens[&Caller::AnswerOwn])
            .await;
        let asked = app
            .get("/v1/matches/self", &tokens[&Caller::AnswerOther])
            .await;
        let letters = app.get("/v1/letters", admin).await.ok();
        let matched = text(&matched.ok()["id"]);
        let ids = HashMap::from([
            ("requests", mo.requests[0].clone()),
            ("neighbors", text(&own_of["id"])),
            ("offers", ana.offers[0].clone()),
            ("volunteers", text(&self_of["id"])),
            ("matches", matched.clone()),
            ("letters", text(&letters["items"][0]["id"])),
            ("areas", frozen(&app, admin).await),
            ("plans", planned(&app, admin).await),
            ("imports", imported(&app, admin).await),
            ("webhooks", told(&app, admin).await),
            ("tasks", called(&app, admin, &intake).await),
            ("reports", reported(&mut app, admin).await),
        ]);
        let dead = dead(&app, &mo.token, &ana.token).await;
        let at_first = app.database.copy();
        // Whoever copies a server's database cuts off everybody else.
        app.use_database(at_first.copy());
        Self {
            app,
            at_first,
            tokens,
            ids,
            matched,
            intake,
            request_other: lin.requests[0].clone(),
            matched_other: text(&asked.ok()["id"]),
            dead,
        }
    }

    /// Goes on with a copy of everything as it was at first.
    pub fn begin_again(&mut self) {
        self.app.use_database(self.at_first.copy());
    }

    pub fn rows(&self) -> BTreeSet<String> {
        self.app.database.rows()
    }

    pub fn token(&self, caller: Caller) -> Option<&str> {
        self.tokens.get(&caller).map(String::as_str)
    }

    /// What does not work, or not any more, though it is of the right kind.
    pub fn dead(&self, scheme: &str) -> impl Iterator<Item = (&'static str, &str)> {
        let of = self.dead.iter().filter(move |(of, ..)| *of == scheme);
        of.map(|(_, what, token)| (*what, token.as_str()))
    }

    /// The one answer for what is not there.
    pub async fn nowhere(&self) -> Answer {
        self.app.call(Method::GET, "/v1/nowhere", None, None).await
    }

    pub async fn call(&self, operation: &Operation, caller: Caller) -> Answer {
        self.send(operation, self.token(caller), None).await
    }

    /// Calls an operation on these records, or on the id given.
    pub async fn send(
        &self,
        operation: &Operation,
        token: Option<&str>,
        id: Option<&str>,
    ) -> Answer {
        let path = operation
            .path
            .replace("{id}", id.unwrap_or_else(|| self.id_of(operation)))
            .replace("{mid}", id.unwrap_or(&self.matched))
            .replace("{other}", id.unwrap_or(&self.request_other))
            .replace("{what}", id.unwrap_or("requests"))
            .replace("{token}", id.or(token).unwrap_or("none"));
        let imports = operation.to_string() == "POST /v1/imports";
        let path = if imports { IMPORT.to_owned() } else { path };
        assert!(
            !path.contains('{'),
            "{operation}: say in tests/api/access/world.rs what stands in its path"
        );
        let (kind, body) = match &operation.body {
            Some((kind, example)) => (kind.as_str(), Some(self.body_of(operation, example))),
            None => ("", None),
        };
        let body = body.map(|b| encoded(kind, &b));
        let kind = [("Content-Type", kind)];
        let headers = if body.is_some() { &kind[..] } else { &[] };
        let answer = self
            .app
            .raw(operation.method.clone(), &path, token, body, headers)
            .await;
        if let (true, Some(id), Some(token)) = (imports, answer.body["id"].as_str(), token) {
            // The next caller finds none that is under way.
            is_over(&self.app, token, id).await;
        }
        answer
    }

    /// The id of the record that a path is about: Mo's, Ana's, or their match's.
    fn id_of(&self, operation: &Operation) -> &str {
        let kind = operation.path.split('/').nth(2).unwrap_or_default();
        if !operation.path.contains("{id}") {
            return NOBODY;
        }
        self.ids.get(kind).unwrap_or_else(|| {
            panic!("{operation}: no record of {kind} in tests/api/access/world.rs")
        })
    }

    /// A body that fits these records: the document's example, or another.
    fn body_of(&self, operation: &Operation, example: &Value) -> Value {
        match operation.to_string().as_str() {
            "POST /v1/matches" => {
                json!({"request": self.ids["requests"], "offer": self.ids["offers"]})
            }
            "POST /v1/matches/{id}/reassign" => json!({"offer": self.ids["offers"]}),
            "POST /v1/requests/{id}/merge" => json!({"into": self.request_other}),
            "POST /v1/offers/{id}/reopen" => json!({"for": "volunteer"}),
            "POST /v1/requests/{id}/distinct" => json!({"from": self.request_other}),
            "POST /v1/tasks/{id}/assign" => json!({"to": self.intake}),
            "PATCH /v1/requests/{id}" => json!({"note": "Ring twice"}),
            "PATCH /v1/offers/{id}" => json!({"note": null}),
            _ => example.clone(),
        }
    }
}

/// An area at the other end of the world, frozen.
async fn frozen(app: &TestApp, admin: &str) -> String {
    let body =
        json!({"location": {"lat": -30.0, "lon": 80.0}, "radius_m": 1000, "reason": "threat"});
    text(&app.post("/v1/areas", admin, &body).await.ok()["id"])
}

/// How a file is sent.
const IMPORT: &str = "/v1/imports?kind=requests&dry_run=true";

/// A file that was tried.
async fn imported(app: &TestApp, admin: &str) -> String {
    let csv = [("Content-Type", "text/csv")];
    let body = Some(b"Name,Phone,ZIP,Category,Quantity\nMo,x,y,z,0\n".to_vec());
    let begun = app.raw(Method::POST, IMPORT, Some(admin), body, &csv).await;
    let id = text(&begun.ok()["id"]);
    is_over(app, admin, &id).await;
    id
}

/// Waits until an import is over.
async fn is_over(app: &TestApp, token: &str, id: &str) {
    let path = format!("/v1/imports/{id}");
    while app.get(&path, token).await.ok()["state"] == "running" {
        tokio::task::yield_now().await;
    }
}

/// A webhook that is posted nothing here.
async fn told(app: &TestApp, admin: &str) -> String {
    let body = json!({"url": "https://example.org/hook"});
    text(&app.post("/v1/webhooks", admin, &body).await.ok()["id"])
}

/// A plan for nobody.
async fn planned(app: &TestApp, admin: &str) -> String {
    let body = json!({"category": "legal"});
    text(&app.post("/v1/plans", admin, &body).await.ok()["id"])
}

/// Somebody who is to be called first: a task of who sits at the phone, who sees no other.
async fn called(app: &TestApp, admin: &str, intake: &str) -> String {
    let need = json!({"category": "pet_care", "quantity": 1, "handover": "home"});
    let kim = json!({"contact": {"name": "Kim", "phone": "612 555 0112"}});
    app.neighbor_who(with(post_of(&[need]), kim)).await;
    let id = text(&app.get("/v1/tasks?kind=call", admin).await.ok()["items"][0]["id"]);
    let assign = format!("/v1/tasks/{id}/assign");
    app.post(&assign, admin, &json!({"to": intake})).await.ok();
    id
}

/// A report of two others.
async fn reported(app: &mut TestApp, admin: &str) -> String {
    let tow = json!({"category": "towing", "capacity": 2});
    let dee = app.volunteer("dee@example.org", &[tow]).await;
    let need = json!({"category": "towing", "quantity": 1, "urgency": "now"});
    let nia = json!({"contact": {"name": "Nia", "phone": "612 555 0113"}});
    app.neighbor_who(with(post_of(&[need]), nia)).await;
    app.settle().await;
    let ask = app.letter_to(&dee.email, "mha_");
    let problem = json!({"problem": "other"});
    app.post("/v1/matches/self/report", &ask, &problem)
        .await
        .ok();
    text(&app.get("/v1/reports", admin).await.ok()["items"][0]["id"])
}

/// A body as its media type wants it.
fn encoded(kind: &str, body: &Value) -> Vec<u8> {
    if kind == "text/csv" {
        return text(body).into_bytes();
    }
    if kind != "application/x-www-form-urlencoded" {
        return serde_json::to_vec(body).unwrap();
    }
    let pairs = body.as_object().unwrap().iter();
    let pairs: Vec<String> = pairs.map(|(k, v)| format!("{k}={}", text(v))).collect();
    pairs.join("&").into_bytes()
}

/// For every scheme: unknown, expired, and replaced tokens.
async fn dead(
    app: &TestApp,
    neighbor: &str,
    volunteer: &str,
) -> Vec<(&'static str, &'static str, String)> {
    let entropy = app.ctx.entropy.as_ref();
    let subject = async |path: &str, token: &str| -> RecordId {
        let body = app.get(path, token).await.ok();
        body["id"]
            .as_str()
            .unwrap()
            .parse::<uuid::Uuid>()
            .unwrap()
            .into()
    };
    let neighbor = subject("/v1/neighbors/self", neighbor).await;
    let volunteer = subject("/v1/volunteers/self", volunteer).await;
    let mut all = Vec::new();
    for (scheme, purpose, of) in [
        ("neighbor", Purpose::Neighbor, neighbor),
        ("volunteer", Purpose::Volunteer, volunteer),
        ("confirm", Purpose::Confirm, volunteer),
        ("answer", Purpose::Answer, MatchId::new(entropy).into()),
        ("coordinator", Purpose::Coordinator, volunteer),
    ] {
        let unknown = Token::mint(purpose, entropy);
        all.push((scheme, "unknown", unknown.expose().to_owned()));
        for (what, expires_at, uses) in [
            ("expired", Some(app.now()), None),
            ("long expired", Some(app.now().before(HOUR)), Some(3)),
            ("used up", None, Some(0)),
        ] {
            let token = Token::mint(purpose, entropy);
            let row = TokenRow {
                hash: token.hash(&app.ctx.vault.keys().unwrap().hasher),
                purpose,
                subject_id: of,
                created_at: app.now(),
                expires_at,
            };
            let write = app.ctx.db.write(move |conn| -> Result<(), TxError<()>> {
                tokens::insert(conn, &row)?;
                if let Some(uses) = uses {
                    tokens::limit_uses(conn, row.hash, uses)?;
                }
                Ok(())
            });
            write.await.unwrap();
            all.push((scheme, what, token.expose().to_owned()));
        }
        let mistyped = format!("{}0", unknown.expose());
        all.push((scheme, "mistyped", mistyped));
    }
    all
}
