//! The story in which every kind of letter is sent, and what a mail scanner finds in letters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use actix_web::http::Method;
use manyhands::domain::letter::LetterKind;
use manyhands::mail::transport::StoredMail;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use super::people::{Neighbor, Volunteer, food, offer_of, phone_of, post_of, with};
use super::{HOUR, MINUTE, TestApp, token_in};

/// A letter that was sent.
pub struct Sent {
    pub kind: LetterKind,
    pub to: String,
    pub mail: Arc<StoredMail>,
}

impl std::fmt::Display for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.kind, self.to)
    }
}

impl Sent {
    /// Every link of the text, of the HTML and of the header.
    pub fn links(&self) -> BTreeSet<String> {
        let message = &self.mail.message;
        let mut all: BTreeSet<String> = message
            .unsubscribe
            .iter()
            .map(|u| u.expose().into())
            .collect();
        for part in [&message.text, &message.html] {
            for start in ["http://", "https://"] {
                for (at, _) in part.match_indices(start) {
                    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\'');
                    let link = part[at..].split(ends).next().unwrap_or_default();
                    all.insert(link.to_owned());
                }
            }
        }
        all
    }

    /// Where the letter's button leads.
    pub fn button(&self) -> Option<String> {
        let code = self.code()?;
        self.links().into_iter().find(|link| link.ends_with(&code))
    }

    /// The code behind the letter's button.
    pub fn code(&self) -> Option<String> {
        ["mhn_", "mhv_", "mho_", "mha_"]
            .iter()
            .find_map(|prefix| token_in(&self.mail.message.text, prefix))
    }
}

/// An instance in which every kind of letter has been sent: some of them wait for their answer.
pub struct Post {
    pub app: TestApp,
    pub sent: Vec<Sent>,
}

impl Post {
    pub async fn new() -> Self {
        // Offers end so soon that their volunteers are asked about it after a day.
        let mut app = TestApp::with(&[("retention.offers", "8days")]);
        let (_, admin) = app.coordinator(Scope::Admin).await;
        story(&mut app, &admin).await;
        let sent = sent(&app, &admin).await;
        let kinds: Vec<LetterKind> = sent.iter().map(|s| s.kind).collect();
        // Events are no mail.
        for kind in LetterKind::ALL
            .iter()
            .filter(|kind| **kind != LetterKind::Event)
        {
            assert!(
                kinds.contains(kind),
                "no story sends `{kind}`: tell one in tests/support/letters.rs"
            );
        }
        Self { app, sent }
    }

    /// The newest letter of the kind to the address.
    pub fn newest(&self, kind: LetterKind, to: &str) -> &Sent {
        let mut newest_first = self.sent.iter().rev();
        newest_first
            .find(|s| s.kind == kind && s.to == to)
            .unwrap_or_else(|| panic!("no {kind} to {to}"))
    }
}

async fn sent(app: &TestApp, admin: &str) -> Vec<Sent> {
    let mut kinds: BTreeMap<String, LetterKind> = BTreeMap::new();
    let mut path = "/v1/letters?limit=100".to_owned();
    loop {
        let page = app.get(&path, admin).await.ok();
        for row in page["items"].as_array().unwrap() {
            let kind = row["kind"].as_str().unwrap().parse().unwrap();
            kinds.insert(row["id"].as_str().unwrap().to_owned(), kind);
        }
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/letters?limit=100&cursor={next}"),
            None => break,
        }
    }
    let mails = app.transport.memory().expect("memory").mails();
    let one = |mail: Arc<StoredMail>| Sent {
        kind: kinds[&mail.message.id.to_string()],
        to: mail.message.to.expose().to_owned(),
        mail,
    };
    mails.into_iter().map(one).collect()
}

/// A neighbor of her own name and address.
async fn neighbor(app: &TestApp, name: &str, more: Value, needs: &[Value]) -> Neighbor {
    let email = format!("{}@example.org", name.to_lowercase());
    let who = json!({"contact": {"name": format!("{name} Farah"), "email": email, "phone": phone_of(&email)}});
    app.neighbor_who(with(with(post_of(needs), who), more))
        .await
}

async fn accept(app: &mut TestApp, who: &Volunteer) -> String {
    let code = app.letter_to(&who.email, "mha_");
    app.post("/v1/matches/self/accept", &code, &json!({}))
        .await
        .ok();
    app.settle().await;
    code
}

async fn story(app: &mut TestApp, admin: &str) {
    let meals = [json!({"category": "food", "capacity": 9})];
    let ana = app.volunteer("ana@example.org", &meals).await;
    app.sleep_over(19 * HOUR).await; // the morning's
    app.sleep_over(6 * HOUR).await; // expiring

    // Said yes and taken back; said yes and called off; the others thanked.
    let ben = app.volunteer("ben@example.org", &meals).await;
    let mo = neighbor(app, "Mo", json!({}), &[food(4)]).await;
    app.settle().await;
    let yes = accept(app, &ana).await;
    app.post("/v1/matches/self/release", &yes, &json!({}))
        .await
        .ok();
    app.advance(MINUTE).await;
    accept(app, &ben).await;
    let close = format!("/v1/requests/{}/close", mo.requests[0]);
    app.post(&close, &mo.token, &json!({"reason": "not_needed"}))
        .await
        .ok();
    app.settle().await;

    // Agreed, and reported; then her next volunteer closes the offer.
    let first = json!({"agree_first": true});
    let lin = neighbor(app, "Lin", first.clone(), &[food(2)]).await;
    app.settle().await;
    accept(app, &ana).await;
    let matched = app.request(&lin, 0).await["matches"][0]["id"].clone();
    let path = format!(
        "/v1/requests/{}/matches/{}",
        lin.requests[0],
        matched.as_str().unwrap()
    );
    app.post(&format!("{path}/agree"), &lin.token, &json!({}))
        .await
        .ok();
    app.settle().await;
    let problem = json!({"problem": "other"});
    app.post(&format!("{path}/report"), &lin.token, &problem)
        .await
        .ok();
    app.advance(10 * MINUTE).await;
    accept(app, &ben).await;
    let offer = format!("/v1/offers/{}/close", ben.offers[0]);
    app.post(&offer, &ben.token, &json!({})).await.ok();
    app.settle().await;

    // Another group has it.
    let ida = neighbor(app, "Ida", json!({}), &[food(1)]).await;
    let path = format!("/v1/requests/{}/hand-over", ida.requests[0]);
    let to = json!({"to": "Food Shelf", "reference": "4711"});
    app.post(&path, admin, &to).await.ok();
    app.settle().await;

    come_and_gone(app).await;

    // Nobody there, and nobody looks.
    let towing = json!({"category": "towing", "quantity": 1, "urgency": "now"});
    neighbor(app, "Kim", json!({}), &[towing]).await;
    app.settle().await;
    app.sleep_over(2 * HOUR).await;
    review(app, admin).await;

    // From a list of people who have agreed before.
    let gus = "Name,Email,ZIP,Category,Capacity\nGus,gus@example.org,55407,cleanup,1\n";
    let csv = [("Content-Type", "text/csv")];
    let body = Some(gus.as_bytes().to_vec());
    let path = "/v1/imports?kind=offers&confirmed=true";
    let begun = app
        .raw(Method::POST, path, Some(admin), body, &csv)
        .await
        .ok();
    let path = format!("/v1/imports/{}", begun["id"].as_str().unwrap());
    while app.get(&path, admin).await.ok()["state"] == "running" {
        tokio::task::yield_now().await;
    }
    app.settle().await;

    // What waits for an answer at the end.
    let cem = app.volunteer("cem@example.org", &meals).await;
    let nia = neighbor(app, "Nia", json!({}), &[food(1)]).await;
    app.settle().await;
    accept(app, &cem).await;
    assert_eq!(app.request(&nia, 0).await["state"], "covered");
    neighbor(app, "Oli", first, &[food(2)]).await;
    app.settle().await;
    accept(app, &cem).await;
    neighbor(app, "Pat", json!({}), &[food(3)]).await;
    let waiting = offer_of("eve@example.org", &meals);
    app.call(Method::POST, "/v1/offers", None, Some(&waiting))
        .await
        .ok();
    app.settle().await;
}

/// Somebody comes at another time than she first said, both are reminded, and she says that it is done.
async fn come_and_gone(app: &mut TestApp) {
    let wood = [json!({"category": "supplies", "capacity": 9})];
    let fay = app.volunteer("fay@example.org", &wood).await;
    let at = |app: &TestApp, hours| app.now().after(hours * HOUR);
    let need = json!({"category": "supplies", "quantity": 1,
        "needed": [{"from": at(app, 5), "until": at(app, 30)}]});
    neighbor(app, "Una", json!({}), &[need]).await;
    app.settle().await;
    let code = accept(app, &fay).await;
    let later = json!({"arrival_at": at(app, 6)});
    app.post("/v1/matches/self/accept", &code, &later)
        .await
        .ok();
    app.settle().await;
    app.sleep_over(4 * HOUR).await;
    app.post("/v1/matches/self/done", &code, &json!({}))
        .await
        .ok();
    app.settle().await;
}

/// A match that a coordinator looks at.
async fn review(app: &mut TestApp, admin: &str) {
    let children = [json!({"category": "childcare", "capacity": 2})];
    app.volunteer("dee@example.org", &children).await;
    let list = app.get("/v1/volunteers", admin).await.ok();
    let dee = list["items"][0]["id"].as_str().unwrap();
    app.post(&format!("/v1/volunteers/{dee}/vet"), admin, &json!({}))
        .await
        .ok();
    let child = json!({"category": "childcare", "quantity": 1, "urgency": "now"});
    neighbor(app, "Sam", json!({}), &[child]).await;
    app.settle().await;
    // Somebody calls before anybody comes into the home.
    let calls = app.get("/v1/tasks?kind=call", admin).await.ok();
    let call = calls["items"][0]["id"].as_str().unwrap();
    let reached = json!({"outcome": "reached"});
    app.post(&format!("/v1/tasks/{call}/done"), admin, &reached)
        .await
        .ok();
    app.settle().await;
}
