//! What a round does about those it cannot ask now, and what it leaves behind for people.

use std::time::Duration;

use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{Volunteer, food, north, offer_of, with};
use crate::support::{DAY, HOUR, MINUTE, TestApp};

fn meals() -> Value {
    json!({"category": "food", "capacity": 50})
}

fn need(urgency: &str) -> Value {
    json!({"category": "food", "quantity": 1, "urgency": urgency})
}

async fn volunteer_with(app: &mut TestApp, email: &str, more: Value) -> Volunteer {
    let body = with(offer_of(email, &[meals()]), more);
    app.volunteer_who(email, body).await
}

fn asks(app: &TestApp, email: &str) -> usize {
    let subjects = app.subjects_to(email);
    let is_ask = |s: &&String| s.starts_with("Can you help");
    subjects.iter().filter(is_ask).count()
}

async fn sheet(app: &TestApp, coordinator: &str, request: &str) -> Value {
    app.get(&format!("/v1/requests/{request}"), coordinator)
        .await
        .ok()
}

async fn looks(app: &TestApp, coordinator: &str, state: &str) -> Vec<Value> {
    let path = format!("/v1/tasks?kind=look&state={state}");
    let found = app.get(&path, coordinator).await.ok();
    found["items"].as_array().expect("items").clone()
}

#[actix_web::test]
async fn who_has_enough_to_answer_rests_and_is_asked_when_an_ask_ends() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let one = json!({"limits": {"open_asks": 1, "nights": true}});
    let ana = volunteer_with(&mut app, "ana@example.org", one).await;
    let first = app.neighbor(&[need("today")]).await;
    app.settle().await;
    app.advance(MINUTE).await;
    let second = app.neighbor(&[need("today")]).await;
    app.settle().await;
    assert_eq!(app.request(&first, 0).await["progress"]["asked"], 1);
    let waits = app.request(&second, 0).await;
    assert_eq!(waits["progress"]["asked"], 0);
    assert_eq!(waits["progress"]["attention"], json!(null), "she rests");
    assert!(waits["progress"]["know_by"].is_string());
    let seen = sheet(&app, &coordinator, &second.requests[0]).await;
    assert_eq!(seen["round"]["resting"], 1);
    assert_eq!(seen["round"]["says"], "1 in reach: 0 asked, 1 resting");
    assert_eq!(looks(&app, &coordinator, "open").await, Vec::<Value>::new());

    let token = app.letter_to(&ana.email, "mha_");
    app.post("/v1/matches/self/decline", &token, &json!({}))
        .await
        .ok();
    app.settle().await;
    assert_eq!(
        app.request(&second, 0).await["progress"]["asked"],
        1,
        "as soon as she has room"
    );
    app.advance(3 * HOUR).await;
    assert_eq!(
        asks(&app, &ana.email),
        2,
        "and the first is not asked again"
    );
}

#[actix_web::test]
async fn an_ask_that_lapses_makes_room_too() {
    let mut app = TestApp::new();
    let one = json!({"limits": {"open_asks": 1, "nights": true}});
    let ana = volunteer_with(&mut app, "ana@example.org", one).await;
    app.neighbor(&[need("today")]).await;
    app.settle().await;
    let second = app.neighbor(&[need("today")]).await;
    app.settle().await;
    app.advance(2 * HOUR).await;
    assert_eq!(asks(&app, &ana.email), 2);
    assert_eq!(app.request(&second, 0).await["progress"]["waiting"], 1);
}

#[actix_web::test]
async fn the_weekly_limit_counts_what_was_asked_in_earnest() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let one = json!({"limits": {"weekly_asks": 1, "nights": true}});
    let ana = volunteer_with(&mut app, "ana@example.org", one).await;
    let withdrawn = app.neighbor(&[need("soon")]).await;
    app.settle().await;
    assert_eq!(asks(&app, &ana.email), 1);
    let path = format!("/v1/requests/{}/close", withdrawn.requests[0]);
    app.post(&path, &withdrawn.token, &json!({"reason": "not_needed"}))
        .await
        .ok();
    // What is urgent does not count either.
    app.neighbor(&[need("now")]).await;
    app.settle().await;
    assert_eq!(asks(&app, &ana.email), 2);
    app.advance(HOUR).await;
    app.neighbor(&[need("soon")]).await;
    app.settle().await;
    assert_eq!(
        asks(&app, &ana.email),
        3,
        "nobody wanted an answer to the first"
    );

    let third = app.neighbor(&[need("soon")]).await;
    app.settle().await;
    assert_eq!(asks(&app, &ana.email), 3, "one a week");
    let why = format!("/v1/requests/{}/why", third.requests[0]);
    let why = app.get(&why, &coordinator).await.ok();
    let passed = &why["offers"][0]["passed"];
    assert_eq!(passed["why"], "weekly_asks");
    let asked_at = app.now();
    let until = passed["until"].as_str().expect("until").to_owned();
    let until = manyhands::domain::clock::Ts::from(until.parse::<jiff::Timestamp>().unwrap());
    assert_eq!(until, asked_at.after(7 * DAY), "to the second");
}

#[actix_web::test]
async fn nobody_is_asked_more_often_a_day_than_she_takes_however_urgent_it_is() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let two = json!({"limits": {"daily_asks": 2, "nights": true}});
    let ana = volunteer_with(&mut app, "ana@example.org", two).await;
    for _ in 0..2 {
        app.neighbor(&[need("now")]).await;
        app.settle().await;
        app.advance(HOUR).await;
    }
    assert_eq!(asks(&app, &ana.email), 2);
    // Her letters lapsed: she could answer another, but has had enough for a day.
    let third = app.neighbor(&[need("now")]).await;
    app.settle().await;
    assert_eq!(asks(&app, &ana.email), 2);
    let why = format!("/v1/requests/{}/why", third.requests[0]);
    let why = app.get(&why, &coordinator).await.ok();
    let passed = &why["offers"][0]["passed"];
    assert_eq!(passed["why"], "daily_asks");
    let until = passed["until"].as_str().expect("until").to_owned();
    let until = manyhands::domain::clock::Ts::from(until.parse::<jiff::Timestamp>().unwrap());
    app.advance(until.since(app.now())).await;
    assert_eq!(asks(&app, &ana.email), 3, "to the minute");
}

/// A volunteer with an offer of each kind, who takes one ask at a time and has one, for a meal.
async fn busy_with_a_meal_while_a_ride_waits(app: &mut TestApp) -> Volunteer {
    let ride = json!({"category": "transport", "capacity": 4, "reach_m": 20000});
    let both = json!({"limits": {"open_asks": 1, "nights": true}, "offers": [meals(), ride]});
    let ana = volunteer_with(app, "ana@example.org", both).await;
    app.neighbor(&[need("now")]).await;
    app.settle().await;
    app.neighbor(&[json!({"category": "transport", "quantity": 1, "urgency": "now"})])
        .await;
    app.settle().await;
    assert_eq!(asks(app, &ana.email), 1);
    ana
}

#[actix_web::test]
async fn an_answer_makes_room_for_what_another_offer_of_the_volunteer_could_serve() {
    let mut app = TestApp::new();
    let ana = busy_with_a_meal_while_a_ride_waits(&mut app).await;
    let answer = app.letter_to(&ana.email, "mha_");
    app.post("/v1/matches/self/decline", &answer, &json!({}))
        .await
        .ok();
    app.settle().await;
    assert_eq!(asks(&app, &ana.email), 2, "at once");
}

#[actix_web::test]
async fn room_is_passed_on_by_those_who_are_asking_enough_already() {
    // One is asked for each request, and has the whole day for an answer.
    let mut app = TestApp::with(&[
        ("matching.waves.today.size", "1"),
        ("matching.waves.today.widen_by", "0"),
        ("matching.waves.today.next_wave_after", "1d"),
        ("matching.waves.today.respond_within", "1d"),
    ]);
    let one = json!({"limits": {"open_asks": 1, "nights": true}});
    let mut volunteers = Vec::new();
    for name in ["ana", "bo", "cy"] {
        let email = format!("{name}@example.org");
        volunteers.push(volunteer_with(&mut app, &email, one.clone()).await);
    }
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(app.neighbor(&[need("today")]).await);
        app.settle().await;
        app.advance(MINUTE).await;
    }
    let waiting =
        async |app: &TestApp, neighbor| app.request(neighbor, 0).await["progress"]["waiting"] == 1;
    for (nth, neighbor) in all.iter().enumerate() {
        assert_eq!(waiting(&app, neighbor).await, nth < 3);
    }
    // The two that wait longest have asked; who is free now is for the fourth.
    let third = all[2].requests[0].clone();
    let path = format!("/v1/requests/{third}/close");
    app.post(&path, &all[2].token, &json!({"reason": "not_needed"}))
        .await
        .ok();
    app.settle().await;
    assert!(waiting(&app, &all[3]).await, "at once");
}

#[actix_web::test]
async fn who_is_through_with_a_closed_offer_is_asked_for_the_other() {
    let mut app = TestApp::new();
    let ana = busy_with_a_meal_while_a_ride_waits(&mut app).await;
    let path = format!("/v1/offers/{}/close", ana.offers[0]);
    app.post(&path, &ana.token, &json!({})).await.ok();
    app.settle().await;
    assert_eq!(asks(&app, &ana.email), 2, "at once");
}

#[actix_web::test]
async fn what_becomes_urgent_is_looked_at_at_once() {
    let mut app = TestApp::new();
    let one = json!({"limits": {"weekly_asks": 1, "nights": true}});
    let ana = volunteer_with(&mut app, "ana@example.org", one).await;
    app.neighbor(&[need("soon")]).await;
    app.settle().await;
    let second = app.neighbor(&[need("soon")]).await;
    app.settle().await;
    assert_eq!(asks(&app, &ana.email), 1, "one a week");
    let path = format!("/v1/requests/{}", second.requests[0]);
    app.patch(&path, &second.token, &json!({"urgency": "now"}))
        .await
        .ok();
    app.settle().await;
    assert_eq!(asks(&app, &ana.email), 2);
}

#[actix_web::test]
async fn a_rest_ends_to_the_minute_and_not_at_some_later_look() {
    let mut app = TestApp::new();
    // The volunteer's own clock counts: 13:30 in New York is 12:30 in Minneapolis, where it is noon.
    let quiet = json!({"limits": {"quiet": {"from": "11:00", "until": "13:30", "timezone": "America/New_York"}}});
    let ana = volunteer_with(&mut app, "ana@example.org", quiet).await;
    let mo = app.neighbor(&[need("today")]).await;
    app.settle().await;
    let progress = app.request(&mo, 0).await["progress"].clone();
    assert_eq!(progress["next_ask_at"], "2026-12-07T18:30:00Z");
    assert_eq!(progress["attention"], json!(null));
    app.advance(29 * MINUTE).await;
    assert_eq!(asks(&app, &ana.email), 0);
    app.advance(MINUTE).await;
    assert_eq!(asks(&app, &ana.email), 1);
}

#[actix_web::test]
async fn near_ones_who_rest_hide_no_farther_one() {
    let mut app = TestApp::with(&[("matching.candidates", "2")]);
    for i in 0..5 {
        let quiet = json!({"limits": {"quiet": {"from": "11:00", "until": "14:00", "timezone": "America/Chicago"}}});
        volunteer_with(&mut app, &format!("near{i}@example.org"), quiet).await;
    }
    let far = json!({"location": north(3.0)});
    volunteer_with(&mut app, "far@example.org", far).await;
    app.neighbor(&[need("today")]).await;
    app.settle().await;
    assert_eq!(asks(&app, "far@example.org"), 1);
}

#[actix_web::test]
async fn later_waves_are_wider() {
    let mut app = TestApp::with(&[
        ("matching.waves.now.size", "1"),
        ("matching.waves.now.widen_by", "1"),
    ]);
    for i in 0..7 {
        volunteer_with(&mut app, &format!("v{i}@example.org"), json!({})).await;
    }
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    let mut asked = vec![app.request(&mo, 0).await["progress"]["asked"].clone()];
    for _ in 0..2 {
        app.advance(5 * MINUTE).await;
        asked.push(app.request(&mo, 0).await["progress"]["asked"].clone());
    }
    assert_eq!(asked, [1, 3, 6]);
}

#[actix_web::test]
async fn when_nobody_is_left_one_task_asks_for_a_look_until_somebody_is_asked() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Admin).await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    let open = looks(&app, &coordinator, "open").await;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0]["request"], mo.requests[0].as_str());
    let seen = sheet(&app, &coordinator, &mo.requests[0]).await;
    assert_eq!(seen["round"]["says"], "0 in reach: 0 asked");
    for _ in 0..3 {
        app.sleep_over(20 * MINUTE).await;
    }
    assert_eq!(
        looks(&app, &coordinator, "open").await.len(),
        1,
        "one is enough"
    );

    volunteer_with(&mut app, "ana@example.org", json!({})).await;
    assert_eq!(asks(&app, "ana@example.org"), 1);
    assert_eq!(looks(&app, &coordinator, "open").await.len(), 0);
    let done = looks(&app, &coordinator, "done").await;
    assert_eq!(done[0]["outcome"], "not_needed");

    // She does not answer: everybody was asked, and it is a person's turn again.
    app.advance(20 * MINUTE).await;
    assert_eq!(looks(&app, &coordinator, "open").await.len(), 1);
    let entries = app
        .get("/v1/audit?action=attention_needed", &coordinator)
        .await;
    let newest = entries.ok()["items"][0]["detail"].clone();
    assert_eq!(
        (&newest["asked"], &newest["resting"]),
        (&json!(1), &json!(1))
    );
    let path = format!("/v1/requests/{}/close", mo.requests[0]);
    app.post(&path, &mo.token, &json!({"reason": "not_needed"}))
        .await
        .ok();
    assert_eq!(looks(&app, &coordinator, "open").await.len(), 0);
}

#[actix_web::test]
async fn a_coordinator_who_has_looked_is_not_asked_again_for_the_same_reason() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    app.neighbor(&[food(1)]).await;
    app.settle().await;
    let id = looks(&app, &coordinator, "open").await[0]["id"].clone();
    let path = format!("/v1/tasks/{}/done", id.as_str().expect("id"));
    let call = json!({"outcome": "reached"});
    let call = app.post(&path, &coordinator, &call).await;
    assert_eq!(call.status, 409, "it is no call");
    for _ in 0..2 {
        let looked = json!({"outcome": "looked"});
        let looked = app.post(&path, &coordinator, &looked).await.ok();
        assert_eq!(looked["outcome"], "looked");
    }
    app.sleep_over(20 * MINUTE).await;
    assert_eq!(looks(&app, &coordinator, "open").await.len(), 0);
}

#[actix_web::test]
async fn what_is_hidden_needs_no_look_until_it_is_shown_again() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let mo = app.neighbor(&[food(1)]).await;
    let path = format!("/v1/requests/{}", mo.requests[0]);
    let (hold, unhold) = (format!("{path}/hold"), format!("{path}/unhold"));
    let hers = ("/v1/neighbors/self/hide", "/v1/neighbors/self/show");
    let ways = [
        (hold.as_str(), unhold.as_str(), &coordinator),
        (hers.0, hers.1, &mo.token),
    ];
    for (hide, show, token) in ways {
        app.settle().await;
        assert_eq!(looks(&app, &coordinator, "open").await.len(), 1, "{hide}");
        app.post(hide, token, &json!({})).await.ok();
        assert_eq!(looks(&app, &coordinator, "open").await.len(), 0, "{hide}");
        app.post(show, token, &json!({})).await.ok();
        // Of two looks of one instant nobody could say which is the newer one.
        app.clock.advance(Duration::from_secs(1));
    }
    app.settle().await;
    let open = looks(&app, &coordinator, "open").await;
    assert_eq!(open.len(), 1);
    // Somebody has looked, and nothing is new.
    let done = format!("/v1/tasks/{}/done", open[0]["id"].as_str().expect("id"));
    let looked = json!({"outcome": "looked"});
    app.post(&done, &coordinator, &looked).await.ok();
    app.post(&hold, &coordinator, &json!({})).await.ok();
    app.post(&unhold, &coordinator, &json!({})).await.ok();
    app.settle().await;
    assert_eq!(looks(&app, &coordinator, "open").await.len(), 0);
}

#[actix_web::test]
async fn a_neighbor_is_told_by_when_she_knows_and_a_volunteer_how_it_stands() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    for who in ["ana@example.org", "ben@example.org"] {
        volunteer_with(&mut app, who, json!({})).await;
    }
    let mo = app.neighbor(&[food(3)]).await;
    app.settle().await;
    let file = sheet(&app, &coordinator, &mo.requests[0]).await;
    let latest =
        ["0", "1"].map(|n| file["matches"][n.parse::<usize>().unwrap()]["respond_by"].clone());
    let progress = app.request(&mo, 0).await["progress"].clone();
    assert_eq!(
        progress["know_by"],
        latest[0].as_str().max(latest[1].as_str()).unwrap()
    );
    assert!(received(&app).contains("you know whether somebody helps"));

    let token = app.letter_to("ana@example.org", "mha_");
    let asked = app.get("/v1/matches/self", &token).await.ok();
    assert_eq!(asked["others_asked"], 1);
    assert_eq!(asked["still_needed"], 3);
    assert_eq!(asked["counts_until"], asked["needed"]["until"]);
    app.post("/v1/matches/self/decline", &token, &json!({}))
        .await
        .ok();
    app.advance(Duration::from_secs(16 * 60)).await;
    let progress = app.request(&mo, 0).await["progress"].clone();
    assert_eq!(progress["waiting"], 0);
    assert!(progress["know_by"].is_string(), "the second round");

    // Where nothing is planned, nothing is promised.
    let alone = json!({"category": "towing", "quantity": 1, "urgency": "now"});
    let none = app.neighbor(&[alone]).await;
    app.settle().await;
    let progress = app.request(&none, 0).await["progress"].clone();
    assert_eq!(
        (&progress["know_by"], &progress["next_ask_at"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(progress["attention"], "none_in_reach");
}

fn received(app: &TestApp) -> String {
    let mails = app.transport.memory().expect("memory transport").mails();
    let is_it = |m: &&std::sync::Arc<_>| subject_of(m) == "We have received your post";
    let mail = mails.iter().find(is_it).expect("a letter");
    mail.message.text.clone()
}

fn subject_of(mail: &manyhands::mail::transport::StoredMail) -> &str {
    mail.message.subject.as_str()
}
