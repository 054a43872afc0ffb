//! The morning's letter: one for each who coordinates, in numbers.

use std::time::Duration;

use manyhands::actions::morning_digest::morning_digest;
use manyhands::actions::set_digest::set_digest;
use manyhands::domain::clock::{Clock, Ts};
use manyhands::storage::audit::Actor;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use super::tasks::refuse_all_mail;
use crate::support::people::{food, post_of, with};
use crate::support::{DAY, HOUR, MINUTE, TestApp};

/// From a Monday noon to the next morning at seven.
const TO_SEVEN: Duration = Duration::from_hours(19);

fn at(text: &str) -> Ts {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

/// The texts of the morning's letters that have left.
fn digests(app: &TestApp) -> Vec<String> {
    let mails = app.transport.memory().expect("memory").mails();
    mails
        .iter()
        .filter(|mail| mail.message.subject.as_str() == "Good morning: how it stands")
        .map(|mail| mail.message.text.clone())
        .collect()
}

/// Housekeeping at that instant.
async fn keep_house(app: &mut TestApp, now: &str) -> usize {
    let now = at(now);
    app.sleep_over(now.since(app.clock.now())).await;
    digests(app).len()
}

#[actix_web::test]
async fn everybody_who_coordinates_gets_one_each_morning() {
    let mut app = TestApp::new();
    for scope in [Scope::Intake, Scope::Coordinator, Scope::Admin] {
        app.coordinator(scope).await;
    }
    app.sleep_over(18 * HOUR + 59 * MINUTE).await;
    assert_eq!(digests(&app).len(), 0, "it is not seven");
    app.sleep_over(MINUTE).await;
    assert_eq!(digests(&app).len(), 2, "not who only takes calls");
    for _ in 0..5 {
        app.sleep_over(HOUR).await;
    }
    // Whoever comes later this day hears how it stands on the next.
    app.coordinator(Scope::Coordinator).await;
    app.sleep_over(HOUR).await;
    assert_eq!(digests(&app).len(), 2, "one is enough");
    app.sleep_over(18 * HOUR).await;
    assert_eq!(digests(&app).len(), 5);
}

#[actix_web::test]
async fn it_comes_late_where_nothing_ran_but_not_after_noon() {
    let mut app = TestApp::new();
    app.coordinator(Scope::Coordinator).await;
    app.clock.advance(TO_SEVEN);
    assert_eq!(keep_house(&mut app, "2026-12-08T17:59:00Z").await, 1);
    assert_eq!(keep_house(&mut app, "2026-12-09T18:00:00Z").await, 1);
    assert_eq!(keep_house(&mut app, "2026-12-10T13:30:00Z").await, 2);
}

#[actix_web::test]
async fn it_is_seven_by_the_clocks_on_the_wall_also_when_they_leap() {
    let mut app = TestApp::new();
    app.coordinator(Scope::Coordinator).await;
    assert_eq!(keep_house(&mut app, "2027-03-13T12:59:00Z").await, 0);
    assert_eq!(keep_house(&mut app, "2027-03-13T13:00:00Z").await, 1);
    // In that night the clocks leap ahead,
    assert_eq!(keep_house(&mut app, "2027-03-14T11:59:00Z").await, 1);
    assert_eq!(keep_house(&mut app, "2027-03-14T12:00:00Z").await, 2);
    assert_eq!(keep_house(&mut app, "2027-03-14T13:00:00Z").await, 2);
    // and in that one back.
    assert_eq!(keep_house(&mut app, "2027-11-06T12:00:00Z").await, 3);
    assert_eq!(keep_house(&mut app, "2027-11-07T12:00:00Z").await, 3);
    assert_eq!(keep_house(&mut app, "2027-11-07T13:00:00Z").await, 4);
}

#[actix_web::test]
async fn however_many_look_there_is_one() {
    let mut app = TestApp::new();
    app.coordinator(Scope::Coordinator).await;
    app.clock.advance(TO_SEVEN);
    let (one, other, third) = tokio::join!(
        morning_digest(&app.ctx),
        morning_digest(&app.ctx),
        morning_digest(&app.ctx)
    );
    assert_eq!(one.unwrap() + other.unwrap() + third.unwrap(), 1);
    app.settle().await;
    assert_eq!(digests(&app).len(), 1);
}

#[actix_web::test]
async fn it_is_of_its_day_or_not_sent() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let letters = async |app: &TestApp, state: &str| {
        let path = format!("/v1/letters?kind=digest&state={state}");
        let list = app.get(&path, &token).await.ok();
        list["items"].as_array().unwrap().clone()
    };
    // It cannot leave on the first day, and nobody wants it on the second, which has its own.
    app.clock.advance(TO_SEVEN);
    morning_digest(&app.ctx).await.unwrap();
    app.sleep_over(DAY).await;
    assert_eq!(digests(&app).len(), 1);
    assert_eq!(letters(&app, "dropped").await.len(), 1);
    // What has left does not leave again; what was given up may on its day, and not after.
    let retry = async |app: &TestApp, letter: &Value| {
        let path = format!("/v1/letters/{}/retry", letter["id"].as_str().unwrap());
        app.post(&path, &token, &json!({})).await
    };
    let sent = letters(&app, "sent").await;
    assert_eq!(retry(&app, &sent[0]).await.problem(409), "not-possible");
    app.clock.advance(DAY);
    morning_digest(&app.ctx).await.unwrap();
    refuse_all_mail(&app).await;
    let dead = letters(&app, "dead").await;
    app.clock.advance(DAY);
    assert_eq!(retry(&app, &dead[0]).await.problem(409), "not-possible");
    app.settle().await;
    assert_eq!(digests(&app).len(), 1);
}

#[actix_web::test]
async fn whoever_does_not_want_it_gets_none() {
    let mut app = TestApp::new();
    let (quiet, _) = app.coordinator(Scope::Coordinator).await;
    app.coordinator(Scope::Coordinator).await;
    app.clock.advance(TO_SEVEN);
    morning_digest(&app.ctx).await.unwrap();
    // Also where it waits already.
    for _ in 0..2 {
        set_digest(&app.ctx, quiet, false, Actor::OPERATOR)
            .await
            .unwrap();
    }
    app.settle().await;
    assert_eq!(digests(&app).len(), 1);
    app.sleep_over(DAY).await;
    assert_eq!(digests(&app).len(), 2);

    let mut app = TestApp::with(&[("digest.enabled", "false")]);
    app.coordinator(Scope::Coordinator).await;
    app.sleep_over(TO_SEVEN).await;
    assert_eq!(digests(&app).len(), 0);
}

#[actix_web::test]
async fn an_empty_day_says_so_kindly() {
    let mut app = TestApp::new();
    app.coordinator(Scope::Coordinator).await;
    app.sleep_over(TO_SEVEN).await;
    let text = digests(&app).remove(0);
    assert!(text.contains("All is quiet"), "{text}");
    assert!(!text.contains(" 0"), "{text}");
}

/// A need that nobody near can help with, until then.
fn towing(until: &str) -> Value {
    let window = json!([{"from": "2026-12-07T18:30:00Z", "until": until}]);
    json!({"category": "towing", "quantity": 1, "urgency": "now", "needed": window})
}

#[actix_web::test]
async fn it_says_how_it_stands_when_it_leaves_and_nothing_of_anybody() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    // On Monday: one is covered and helped, one is covered, one ends unmet, and three wait.
    let meals = json!({"category": "food", "capacity": 9});
    let ana = app.volunteer("ana@example.org", &[meals]).await;
    for helped in [true, false] {
        let mo = app.neighbor(&[food(2)]).await;
        app.settle().await;
        app.accept(&ana).await.ok();
        app.settle().await;
        if helped {
            let close = format!("/v1/requests/{}/close", mo.requests[0]);
            let done = json!({"reason": "helped_here"});
            app.post(&close, &mo.token, &done).await.ok();
        }
    }
    app.neighbor(&[towing("2026-12-07T22:00:00Z")]).await;
    app.neighbor(&[towing("2026-12-08T20:00:00Z")]).await;
    app.neighbor(&[towing("2026-12-10T20:00:00Z")]).await;
    let who = json!({"contact": {"name": "Pim Secret", "phone": "612 555 0199"}});
    let pets = json!({"category": "pet_care", "quantity": 1, "urgency": "now", "handover": "home"});
    app.neighbor_who(with(post_of(&[pets]), who)).await;
    app.settle().await;
    app.sleep_over(5 * HOUR).await;

    // On Tuesday it is read when it leaves, not when it was left.
    app.clock.advance(14 * HOUR);
    morning_digest(&app.ctx).await.unwrap();
    app.neighbor(&[towing("2026-12-09T20:00:00Z")]).await;
    app.match_only().await;
    let counts = app.get("/v1/tasks/counts?state=open", &token).await.ok();
    app.settle().await;
    let text = digests(&app).remove(0);
    let says = |what: &str| assert!(text.contains(what), "{what}: {text}");
    says("Yesterday: 6 posted, 2 covered, 1 helped, 1 ended unmet.");
    says("Requests: 4 open, the oldest for 19 hours.");
    says("Ending unmet before midnight unless somebody says yes: 1");
    let (open, overdue) = (&counts["open"], &counts["overdue"]);
    assert!(
        open.as_i64().unwrap() >= 3,
        "two looks and a call: {counts}"
    );
    says(&format!("Tasks: {open} to be done ("));
    says(&format!("), {overdue} late."));
    says(&format!("call {}", counts["by_kind"]["call"]));
    for secret in [
        "mo@", "Mo ", "Pim", "555", "Secret", "ana@", "http", "mhc_", "mhn_", "mha_", "mhv_",
    ] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}
