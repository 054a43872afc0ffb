//! Somebody calls: what she needs is entered for her, and both sides answer by phone, each as if they had
//! answered themselves, and told from that in the audit.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{Neighbor, Volunteer, food, north, phone_of, with};
use crate::support::{Answer, TestApp};

pub const SARA: &str = "612 555 0142";

/// The post for somebody who has no phone, by who calls for her.
pub fn through_sara(needs: &[Value]) -> Value {
    json!({
        "contact": {"name": "Halima Ahmed"},
        "caller": {"name": "Sara Ahmed", "phone": SARA},
        "location": with(north(0.0), json!({"address": "2410 Secret Ave"})),
        "languages": ["so", "en"],
        "needs": needs,
    })
}

/// The entries about a record, oldest first: what was done, and for whom.
pub async fn audited(app: &TestApp, id: &str) -> Vec<(String, Value)> {
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let page = app.get(&format!("/v1/audit?subject={id}"), &admin).await;
    let page = page.ok();
    let entry = |e: &Value| {
        let action = e["action"].as_str().expect("action").to_owned();
        (action, e["detail"]["on_behalf_of"].clone())
    };
    let items = page["items"].as_array().expect("items");
    items.iter().rev().map(entry).collect()
}

/// As [`audited`] gives one.
pub fn entry(action: &str, on_behalf_of: impl Into<Value>) -> (String, Value) {
    (action.to_owned(), on_behalf_of.into())
}

/// The matches of a request, as a coordinator sees them.
pub async fn matches(app: &TestApp, token: &str, request: &str) -> Vec<String> {
    let path = format!("/v1/requests/{request}");
    let file = app.get(&path, token).await.ok();
    let all = file["matches"].as_array().expect("matches");
    let id = |m: &Value| m["id"].as_str().expect("id").to_owned();
    all.iter().map(id).collect()
}

/// Ana is asked for what a coordinator has entered: the coordinator's token, Ana, the neighbor, the match.
async fn asked(app: &mut TestApp, more: Value) -> (String, Volunteer, Neighbor, String) {
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let meals = json!({"category": "food", "capacity": 20});
    let ana = app.volunteer("ana@example.org", &[meals]).await;
    let halima = app
        .entered_by(&token, with(through_sara(&[food(4)]), more))
        .await;
    app.settle().await;
    let matched = matches(app, &token, &halima.requests[0]).await.remove(0);
    (token, ana, halima, matched)
}

async fn says(app: &TestApp, token: &str, matched: &str, what: &str, body: Value) -> Answer {
    app.post(&format!("/v1/matches/{matched}/{what}"), token, &body)
        .await
}

#[actix_web::test]
async fn a_woman_calls_for_her_mother_and_everything_goes_by_phone() {
    let mut app = TestApp::new();
    let (token, ana, halima, matched) = asked(&mut app, json!({"agree_first": true})).await;
    let spoken = halima.posted["manage_token_spoken"].as_str().expect("code");
    let herself = app.get("/v1/neighbors/self", spoken).await.ok();
    assert_eq!(herself["verified"], "called");
    assert_eq!(herself["contact"]["phone"], Value::Null);

    let arrival = json!({"arrival_at": "2026-12-07T19:00:00Z"});
    for _ in 0..2 {
        let said = says(&app, &token, &matched, "accept", arrival.clone()).await;
        let said = said.ok();
        assert_eq!(
            (&said["state"], &said["agreement"]),
            (&json!("accepted"), &json!("pending"))
        );
        assert_eq!(said["arrival_at"], arrival["arrival_at"]);
    }
    let reveal = format!("/v1/requests/{}/reveal", halima.requests[0]);
    let why = json!({"reason": "call"});
    let shown = app.post(&reveal, &token, &why).await.ok();
    assert_eq!(shown["caller"]["phone"], "+16125550142", "whom to call");
    assert_eq!(shown["helpers"][0]["volunteer"]["name"], "Ana");
    assert_eq!(
        shown["helpers"][0]["contact"],
        Value::Null,
        "not before she agrees"
    );

    for _ in 0..2 {
        let said = says(&app, &token, &matched, "agree", json!({})).await.ok();
        assert_eq!(said["agreement"], "agreed");
    }
    let shown = app.post(&reveal, &token, &why).await.ok();
    let contact = &shown["helpers"][0]["contact"];
    assert_eq!(contact["phone"], phone_of(&ana.email), "to be told to Sara");
    app.settle().await;
    let ask = app.letter_to(&ana.email, "mha_");
    let seen = app.get("/v1/matches/self", &ask).await.ok();
    let contact = &seen["contact"];
    assert_eq!(
        (&contact["name"], &contact["through"]),
        (&json!("Halima"), &json!("Sara"))
    );
    assert_eq!(contact["phone"], "+16125550142");
    assert_eq!(contact["address"], "2410 Secret Ave");

    for _ in 0..2 {
        let said = says(&app, &token, &matched, "done", json!({"for": "neighbor"})).await;
        let said = said.ok();
        assert_eq!(
            (&said["state"], &said["done_by"]),
            (&json!("fulfilled"), &json!("neighbor"))
        );
    }
    assert_eq!(app.request(&halima, 0).await["close_reason"], "helped_here");
    let (neighbor, volunteer) = ("neighbor", "volunteer");
    let of_match = audited(&app, &matched).await;
    let told: Vec<_> = of_match
        .iter()
        .filter(|(a, _)| a != "match_asked")
        .cloned()
        .collect();
    assert_eq!(
        told,
        [
            entry("match_accepted", volunteer),
            entry("match_agreed", neighbor),
            entry("contacts_released", neighbor),
            entry("match_fulfilled", neighbor),
        ]
    );
}

#[actix_web::test]
async fn the_page_of_a_volunteer_says_through_whom_the_neighbor_is_reached() {
    let mut app = TestApp::new();
    let (_, ana, ..) = asked(&mut app, json!({})).await;
    app.accept(&ana).await.ok();
    let code = app.letter_to(&ana.email, "mha_");
    let form = format!("code={code}").into_bytes();
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let page = app
        .raw(Method::POST, "/answer", None, Some(form), &kind)
        .await;
    let page = String::from_utf8(page.bytes).expect("text");
    assert!(page.contains("Sara, who called for Halima"), "{page}");
}

/// What is said of an accepted match or, where `first` is not, of an ask; and what the audit calls it.
const ANSWERS: [(bool, &str, &str, Option<&str>, &str); 8] = [
    (false, "accept", "volunteer", None, "match_accepted"),
    (false, "decline", "volunteer", None, "match_declined"),
    (true, "release", "volunteer", None, "match_fell_through"),
    (true, "agree", "neighbor", None, "match_agreed"),
    (
        true,
        "done",
        "neighbor",
        Some("neighbor"),
        "match_fulfilled",
    ),
    (
        true,
        "done",
        "volunteer",
        Some("volunteer"),
        "match_said_done",
    ),
    (
        true,
        "no-show",
        "neighbor",
        Some("neighbor"),
        "match_fell_through",
    ),
    (
        true,
        "no-show",
        "volunteer",
        Some("volunteer"),
        "match_fell_through",
    ),
];

#[actix_web::test]
async fn each_answer_of_either_side_is_told_from_ones_own() {
    for (accepted, what, side, said_by, action) in ANSWERS {
        let mut app = TestApp::new();
        let (token, ana, _, matched) = asked(&mut app, json!({})).await;
        if accepted {
            app.accept(&ana).await.ok();
        }
        let body = said_by.map_or(json!({}), |side| json!({"for": side}));
        let first = says(&app, &token, &matched, what, body.clone()).await.ok();
        let second = says(&app, &token, &matched, what, body).await.ok();
        assert_eq!(first, second, "{what}: saying it again changes nothing");
        if what == "done" {
            assert_eq!(first["done_by"], side);
        }
        let of_match = audited(&app, &matched).await;
        let by_phone = of_match.iter().filter(|(_, of)| !of.is_null());
        let by_phone: Vec<_> = by_phone.filter(|(a, _)| !a.ends_with("released")).collect();
        assert_eq!(by_phone, [&entry(action, side)], "{what} {of_match:?}");
        if accepted {
            assert!(
                of_match.contains(&entry("match_accepted", Value::Null)),
                "her own yes"
            );
        }
    }
}

#[actix_web::test]
async fn a_no_to_a_volunteer_is_said_by_phone_and_others_are_looked_for() {
    let mut app = TestApp::new();
    let (token, _, halima, matched) = asked(&mut app, json!({"agree_first": true})).await;
    says(&app, &token, &matched, "accept", json!({})).await.ok();
    for _ in 0..2 {
        let said = says(&app, &token, &matched, "refuse", json!({})).await.ok();
        assert_eq!(said["fall_reason"], "refused");
    }
    assert_eq!(app.request(&halima, 0).await["state"], "open");
    let last = audited(&app, &matched).await.pop();
    assert_eq!(last, Some(entry("match_fell_through", "neighbor")));
}

#[actix_web::test]
async fn by_phone_one_is_refused_as_anybody_is() {
    let mut app = TestApp::new();
    let (token, ana, _, matched) = asked(&mut app, json!({})).await;
    let early = says(&app, &token, &matched, "done", json!({"for": "volunteer"})).await;
    assert_eq!(early.problem(409), "not-possible");
    let nobody = says(&app, &token, &matched, "done", json!({})).await;
    assert_eq!(
        (nobody.status, nobody.pointers()),
        (422, vec!["/for".to_owned()])
    );
    let odd = says(&app, &token, &matched, "no-show", json!({"for": "caller"})).await;
    assert_eq!(odd.pointers(), ["/for"]);
    let more = says(&app, &token, &matched, "accept", json!({"quantity": 0})).await;
    assert_eq!(more.pointers(), ["/quantity"]);
    let why = says(
        &app,
        &token,
        &matched,
        "decline",
        json!({"reason": "tired"}),
    )
    .await;
    assert_eq!(why.pointers(), ["/reason"]);
    // Parted by phone they are parted as by a letter.
    let parted = json!({"reason": "not_this_person"});
    says(&app, &token, &matched, "decline", parted).await.ok();
    let late = app.accept(&ana).await;
    assert_eq!(late.problem(409), "not-possible");
    let late = says(&app, &token, &matched, "accept", json!({})).await;
    assert_eq!(late.problem(409), "not-possible");
}

#[actix_web::test]
async fn a_volunteers_done_by_phone_is_the_volunteers() {
    let mut app = TestApp::new();
    let (token, ana, _, matched) = asked(&mut app, json!({})).await;
    app.accept(&ana).await.ok();
    let said = says(&app, &token, &matched, "done", json!({"for": "volunteer"})).await;
    assert_eq!(said.ok()["done_by"], "volunteer");
}

#[actix_web::test]
async fn what_she_says_of_herself_by_phone_is_hers_in_the_audit() {
    let mut app = TestApp::new();
    let (token, ana, halima, matched) = asked(&mut app, json!({})).await;
    app.accept(&ana).await.ok();
    let request = format!("/v1/requests/{}", halima.requests[0]);
    let file = app.get(&request, &token).await.ok();
    let neighbor = format!("/v1/neighbors/{}", text(&file["neighbor"]["id"]));
    let offer = format!("/v1/offers/{}", ana.offers[0]);
    let file = app.get(&offer, &token).await.ok();
    let volunteer = format!("/v1/volunteers/{}", text(&file["volunteer"]["id"]));
    for (path, body, action, side) in [
        (
            &request,
            json!({"note": "No stairs"}),
            "request_updated",
            "neighbor",
        ),
        (
            &neighbor,
            json!({"agree_first": true}),
            "neighbor_updated",
            "neighbor",
        ),
        (
            &offer,
            json!({"note": "Bring bags"}),
            "offer_updated",
            "volunteer",
        ),
        (
            &volunteer,
            json!({"mail": false}),
            "volunteer_updated",
            "volunteer",
        ),
    ] {
        app.patch(path, &token, &body).await.ok();
        let (.., id) = path.rsplit_once('/').map(|(_, id)| ((), id)).expect("id");
        let last = audited(&app, id).await.pop();
        assert_eq!(last, Some(entry(action, side)), "{path}");
    }
    let heard = json!({"about": "neighbor", "problem": "other"});
    says(&app, &token, &matched, "report", heard).await.ok();
    let of_match = audited(&app, &matched).await;
    assert!(of_match.contains(&entry("match_reported", "volunteer")));
}

#[actix_web::test]
async fn a_close_is_in_ones_own_right_or_by_phone_and_the_audit_tells_which() {
    let mut app = TestApp::new();
    let (token, ana, halima, _) = asked(&mut app, json!({})).await;
    let request = &halima.requests[0];
    let offer = &ana.offers[0];
    for (kind, id, reason, side, other) in [
        (
            "requests",
            request,
            json!({"reason": "not_needed"}),
            "neighbor",
            "volunteer",
        ),
        ("offers", offer, json!({}), "volunteer", "neighbor"),
    ] {
        let subject = kind.trim_end_matches('s');
        let close = format!("/v1/{kind}/{id}/close");
        let reopen = format!("/v1/{kind}/{id}/reopen");
        let said = json!({"for": side});
        let odd = app.post(&reopen, &token, &json!({"for": other})).await;
        assert_eq!(odd.pointers(), ["/for"]);
        app.post(&close, &token, &reason).await.ok();
        app.post(&reopen, &token, &json!({})).await.ok();
        let own = audited(&app, id).await.pop();
        assert_eq!(
            own,
            Some(entry(&format!("{subject}_reopened"), Value::Null))
        );
        if kind == "requests" {
            let theirs = json!({"reason": "unreachable", "for": side});
            let refused = app.post(&close, &token, &theirs).await;
            assert_eq!(refused.pointers(), ["/reason"], "as if she said so herself");
            let odd = json!({"reason": "not_needed", "for": other});
            assert_eq!(app.post(&close, &token, &odd).await.pointers(), ["/for"]);
            let closed = entry("request_closed", Value::Null);
            assert!(audited(&app, id).await.contains(&closed));
            app.post(&close, &token, &with(reason, said.clone()))
                .await
                .ok();
            let last = audited(&app, id).await.pop();
            assert_eq!(last, Some(entry("request_closed", side)));
        } else {
            app.post(&close, &token, &reason).await.ok();
        }
        for _ in 0..2 {
            app.post(&reopen, &token, &said).await.ok();
        }
        let last = audited(&app, id).await.pop();
        assert_eq!(last, Some(entry(&format!("{subject}_reopened"), side)));
    }
}

#[actix_web::test]
async fn her_word_by_phone_that_she_was_helped_ends_the_match_as_hers() {
    let mut app = TestApp::new();
    let (token, ana, halima, matched) = asked(&mut app, json!({})).await;
    app.accept(&ana).await.ok();
    let close = format!("/v1/requests/{}/close", halima.requests[0]);
    let said = json!({"reason": "helped_here", "for": "neighbor"});
    let file = app.post(&close, &token, &said).await.ok();
    assert_eq!(file["matches"][0]["done_by"], "neighbor");
    let of_match = audited(&app, &matched).await;
    assert!(
        of_match.contains(&entry("match_fulfilled", "neighbor")),
        "{of_match:?}"
    );
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}
