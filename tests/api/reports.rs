//! Reports: the two are parted at once, coordinators are told once, and the evidence has its time.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{Neighbor, Volunteer, food, offer_of, post_of, with};
use crate::support::{DAY, HOUR, TestApp};

const STATEMENT: &str = "He wanted twenty dollars at the door";

/// A neighbor and a volunteer with an accepted match, and a coordinator.
async fn accepted(app: &mut TestApp) -> (Neighbor, Volunteer, String) {
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let offers = [
        json!({"category": "food", "capacity": 5}),
        json!({"category": "towing", "capacity": 1}),
    ];
    let ana = app.volunteer("ana@example.org", &offers).await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    (mo, ana, token)
}

async fn path_of(app: &TestApp, who: &Neighbor) -> String {
    let matched = app.request(who, 0).await["matches"][0]["id"].clone();
    format!(
        "/v1/requests/{}/matches/{}",
        who.requests[0],
        matched.as_str().expect("id")
    )
}

async fn report(app: &TestApp, who: &Neighbor) -> Value {
    let path = format!("{}/report", path_of(app, who).await);
    let body = json!({"problem": "asked_for_money", "statement": STATEMENT});
    app.post(&path, &who.token, &body).await.ok()
}

async fn reports(app: &TestApp, token: &str, query: &str) -> Vec<Value> {
    let list = app.get(&format!("/v1/reports{query}"), token).await.ok();
    list["items"].as_array().expect("items").clone()
}

async fn revealed(app: &TestApp, token: &str) -> crate::support::Answer {
    let id = reports(app, token, "").await[0]["id"].clone();
    let path = format!("/v1/reports/{}/reveal", id.as_str().expect("id"));
    app.post(&path, token, &json!({"reason": "report"})).await
}

fn letters(app: &TestApp, to: &str, start: &str) -> usize {
    let all = app.subjects_to(to);
    all.iter().filter(|s| s.starts_with(start)).count()
}

#[actix_web::test]
async fn a_report_ends_everything_between_the_two_and_is_told_once() {
    let mut app = TestApp::new();
    let (mo, ana, token) = accepted(&mut app).await;
    let more = json!({"needs": [{"category": "towing", "urgency": "now", "quantity": 1}]});
    let added = app
        .post("/v1/neighbors/self/requests", &mo.token, &more)
        .await
        .ok();
    let second = added["requests"][0]["id"].as_str().expect("id").to_owned();
    app.settle().await;
    app.accept(&ana).await.ok();

    let after = report(&app, &mo).await;
    assert_eq!(after["matches"][0]["fall_reason"], "called_off");
    let other = app
        .get(&format!("/v1/requests/{second}"), &mo.token)
        .await
        .ok();
    assert_eq!(other["matches"][0]["fall_reason"], "called_off");
    assert_eq!(other["covered"], 0);
    let seen = app.get("/v1/volunteers/self/matches", &ana.token).await;
    let text = String::from_utf8_lossy(&seen.bytes).into_owned();
    assert!(!text.contains("Mo") && !text.contains("+16125550123") && !text.contains("twenty"));

    report(&app, &mo).await;
    app.settle().await;
    assert_eq!(letters(&app, "coo@example.org", "Somebody has reported"), 1);
    assert_eq!(letters(&app, &ana.email, "You are not needed any more"), 2);
    let open = reports(&app, &token, "?open=true").await;
    assert_eq!(open.len(), 1);
    assert_eq!(
        (&open[0]["by"], &open[0]["about"], &open[0]["problem"]),
        (
            &json!("neighbor"),
            &json!("volunteer"),
            &json!("asked_for_money")
        )
    );
    assert!(!open[0].to_string().contains("twenty"));
    app.advance(12 * HOUR).await;
    assert_eq!(
        letters(&app, &ana.email, "Can you help"),
        2,
        "never asked for her again"
    );
}

#[actix_web::test]
async fn the_evidence_is_a_contact_and_a_statement_and_every_look_is_audited() {
    let mut app = TestApp::new();
    let (mo, _, token) = accepted(&mut app).await;
    report(&app, &mo).await;
    let seen = revealed(&app, &token).await.ok();
    assert_eq!(seen["contact"]["email"], "ana@example.org");
    assert_eq!(seen["statement"], STATEMENT);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let looks = app.get("/v1/audit?action=revealed", &admin).await.ok();
    assert_eq!(looks["items"][0]["subject"]["kind"], "report");
    let audit = app.get("/v1/audit?limit=200", &admin).await;
    assert!(!String::from_utf8_lossy(&audit.bytes).contains("twenty"));
}

#[actix_web::test]
async fn where_somebody_lives_is_no_evidence() {
    let mut app = TestApp::new();
    let (_, ana, token) = accepted(&mut app).await;
    let answer = app.letter_to(&ana.email, "mha_");
    let body = json!({"problem": "unsafe", "statement": STATEMENT});
    app.post("/v1/matches/self/report", &answer, &body)
        .await
        .ok();
    let seen = revealed(&app, &token).await.ok();
    assert_eq!(seen["contact"]["phone"], "+16125550123");
    assert!(!seen.to_string().contains("Secret") && seen.get("location").is_none());
}

#[actix_web::test]
async fn a_closed_report_keeps_its_evidence_a_day() {
    let mut app = TestApp::new();
    let (mo, _, token) = accepted(&mut app).await;
    report(&app, &mo).await;
    let id = reports(&app, &token, "").await[0]["id"]
        .as_str()
        .expect("id")
        .to_owned();
    let close = format!("/v1/reports/{id}/close");
    let closed = app.post(&close, &token, &json!({})).await.ok();
    assert_eq!(app.post(&close, &token, &json!({})).await.ok(), closed);
    assert_eq!(
        reports(&app, &token, "?open=true").await,
        Vec::<Value>::new()
    );
    app.sleep_over(23 * HOUR).await;
    revealed(&app, &token).await.ok();
    app.sleep_over(2 * HOUR).await;
    assert_eq!(revealed(&app, &token).await.problem(410), "gone");
    assert_eq!(
        reports(&app, &token, "?open=false").await[0]["evidence_until"],
        json!(null)
    );
}

#[actix_web::test]
async fn an_open_report_keeps_its_evidence_thirty_days_whoever_is_erased() {
    let mut app = TestApp::new();
    let (mo, ana, token) = accepted(&mut app).await;
    report(&app, &mo).await;
    for who in [
        (&ana.token, "/v1/volunteers/self"),
        (&mo.token, "/v1/neighbors/self"),
    ] {
        let gone = app.call(Method::DELETE, who.1, Some(who.0), None).await;
        assert_eq!(gone.status, 204);
    }
    let seen = revealed(&app, &token).await.ok();
    assert_eq!(
        seen["contact"]["email"], "ana@example.org",
        "she cannot erase it"
    );
    assert_eq!(
        seen["statement"],
        json!(null),
        "her own words went with her"
    );
    for _ in 0..5 {
        app.sleep_over(5 * DAY + 23 * HOUR).await;
    }
    revealed(&app, &token).await.ok();
    app.sleep_over(6 * HOUR).await;
    assert_eq!(revealed(&app, &token).await.problem(410), "gone");
}

#[actix_web::test]
async fn a_coordinator_reports_what_she_heard_and_both_are_told_it_is_off() {
    let mut app = TestApp::new();
    let (mo, ana, token) = accepted(&mut app).await;
    let id = app.get("/v1/matches", &token).await.ok()["items"][0]["id"].clone();
    let path = format!("/v1/matches/{}/report", id.as_str().expect("id"));
    let wrong = app
        .post(&path, &token, &json!({"statement": "x".repeat(2001)}))
        .await;
    assert_eq!(wrong.pointers(), ["/about", "/problem", "/statement"]);
    let heard = json!({"about": "volunteer", "problem": "other"});
    let now = app.post(&path, &token, &heard).await.ok();
    assert_eq!(now["state"], "fell_through");
    app.settle().await;
    assert_eq!(letters(&app, &ana.email, "You are not needed any more"), 1);
    assert_eq!(
        letters(&app, "mo@example.org", "The help was called off"),
        1
    );
    assert_eq!(reports(&app, &token, "").await[0]["by"], "coordinator");
    report(&app, &mo).await;
    assert_eq!(reports(&app, &token, "").await.len(), 2, "one of each side");
}

/// Whether the volunteer is asked when the neighbor needs something more.
async fn is_asked_again(app: &mut TestApp, mo: &Neighbor, email: &str) -> bool {
    let asks = letters(app, email, "Can you help");
    let more = json!({"needs": [food(2)]});
    app.post("/v1/neighbors/self/requests", &mo.token, &more)
        .await
        .ok();
    app.settle().await;
    letters(app, email, "Can you help") > asks
}

#[actix_web::test]
async fn the_parted_stay_so_after_another_contact_and_after_both_were_erased() {
    let mut app = TestApp::new();
    let (mo, ana, _) = accepted(&mut app).await;
    report(&app, &mo).await;
    let other = json!({"contact": {"name": "Mo", "phone": null, "email": "new@example.org"}});
    app.patch("/v1/neighbors/self", &mo.token, &other)
        .await
        .ok();
    assert!(
        !is_asked_again(&mut app, &mo, &ana.email).await,
        "known by her record"
    );

    for who in [
        (&ana.token, "/v1/volunteers/self"),
        (&mo.token, "/v1/neighbors/self"),
    ] {
        app.call(Method::DELETE, who.1, Some(who.0), None).await;
    }
    let food_offer = [json!({"category": "food", "capacity": 5})];
    app.volunteer(&ana.email, &food_offer).await;
    let back = with(
        post_of(&[food(1)]),
        json!({"contact": {"name": "Mo", "phone": "612 555 0123"}}),
    );
    let back = app.neighbor_who(back).await;
    assert!(
        !is_asked_again(&mut app, &back, &ana.email).await,
        "known by her phone"
    );
    let bea = offer_of("bea@example.org", &food_offer);
    let bea = with(
        bea,
        json!({"contact": {"name": "Bea", "email": "bea@example.org"}}),
    );
    app.volunteer_who("bea@example.org", bea).await;
    assert!(
        is_asked_again(&mut app, &back, "bea@example.org").await,
        "others may help"
    );
}

#[actix_web::test]
async fn no_late_yes_brings_the_parted_together() {
    let mut app = TestApp::new();
    let (mo, ana, _) = accepted(&mut app).await;
    let more = json!({"needs": [food(2)]});
    app.post("/v1/neighbors/self/requests", &mo.token, &more)
        .await
        .ok();
    app.settle().await;
    let second = app.letter_to(&ana.email, "mha_");
    app.post("/v1/matches/self/decline", &second, &json!({}))
        .await
        .ok();
    report(&app, &mo).await;
    let seen = app.get("/v1/matches/self", &second).await.ok();
    assert_eq!(seen["can"], json!([]));
    let late = app
        .post("/v1/matches/self/accept", &second, &json!({}))
        .await;
    assert_eq!(late.problem(409), "not-possible");
}
