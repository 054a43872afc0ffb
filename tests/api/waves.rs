//! Who is asked when, and what happens to those who are not needed.

use serde_json::json;

use crate::support::people::food;
use crate::support::{HOUR, MINUTE, TestApp};

async fn volunteers(app: &mut TestApp, count: usize) -> Vec<crate::support::people::Volunteer> {
    let mut all = Vec::new();
    for i in 0..count {
        let email = format!("v{i}@example.org");
        all.push(
            app.volunteer(&email, &[json!({"category": "food", "capacity": 5})])
                .await,
        );
    }
    all
}

fn asked(app: &TestApp, count: usize) -> usize {
    (0..count)
        .filter(|i| {
            app.find_letter(&format!("v{i}@example.org"), "mha_")
                .is_some()
        })
        .count()
}

#[actix_web::test]
async fn a_wave_is_limited_and_the_next_one_comes_in_time() {
    let mut app = TestApp::new();
    volunteers(&mut app, 10).await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    assert_eq!(asked(&app, 10), 7, "`now` asks seven at once");
    app.advance(4 * MINUTE).await;
    assert_eq!(asked(&app, 10), 7);
    app.advance(2 * MINUTE).await;
    assert_eq!(asked(&app, 10), 10, "after five minutes the rest");
    assert_eq!(app.request(&mo, 0).await["progress"]["asked"], 10);
}

#[actix_web::test]
async fn a_decline_is_replaced_at_once_and_never_asked_again() {
    let mut app = TestApp::new();
    let all = volunteers(&mut app, 8).await;
    app.neighbor(&[food(1)]).await;
    app.settle().await;
    let first = all
        .iter()
        .find(|v| app.find_letter(&v.email, "mha_").is_some())
        .expect("somebody is asked");
    let token = app.letter_to(&first.email, "mha_");
    app.post(
        "/v1/matches/self/decline",
        &token,
        &json!({"reason": "not_now"}),
    )
    .await
    .ok();
    app.settle().await;
    assert_eq!(asked(&app, 8), 8, "the eighth stands in");
    let letters = app.subjects_to(&first.email).len();
    app.advance(12 * HOUR).await;
    assert_eq!(
        app.subjects_to(&first.email).len(),
        letters,
        "who declined is not asked again"
    );
}

#[actix_web::test]
async fn the_others_are_thanked_when_the_need_is_covered() {
    let mut app = TestApp::new();
    let all = volunteers(&mut app, 3).await;
    app.neighbor(&[food(1)]).await;
    app.settle().await;
    let late = app.letter_to(&all[1].email, "mha_");
    app.accept(&all[0]).await.ok();
    app.settle().await;
    assert!(
        app.subjects_to(&all[1].email)
            .iter()
            .any(|s| s.contains("somebody is helping already"))
    );
    let refused = app.post("/v1/matches/self/accept", &late, &json!({})).await;
    assert_eq!(refused.problem(409), "already-covered");
    let seen = app.get("/v1/matches/self", &late).await.ok();
    assert_eq!(seen["state"], "superseded");
}

#[actix_web::test]
async fn a_late_yes_is_welcome_while_the_need_remains() {
    let mut app = TestApp::new();
    let all = volunteers(&mut app, 1).await;
    app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.advance(20 * MINUTE).await;
    let token = app.letter_to(&all[0].email, "mha_");
    assert_eq!(
        app.get("/v1/matches/self", &token).await.ok()["state"],
        "lapsed"
    );
    let accepted = app
        .post("/v1/matches/self/accept", &token, &json!({}))
        .await
        .ok();
    assert_eq!(accepted["state"], "accepted");
}

#[actix_web::test]
async fn who_lapsed_is_asked_again_after_a_rest() {
    let mut app = TestApp::new();
    volunteers(&mut app, 1).await;
    app.neighbor(&[food(1)]).await;
    app.settle().await;
    let asks = |app: &TestApp| {
        app.subjects_to("v0@example.org")
            .iter()
            .filter(|s| s.starts_with("Can you help"))
            .count()
    };
    app.advance(16 * MINUTE).await;
    assert_eq!(asks(&app), 1);
    app.advance(7 * HOUR).await;
    assert_eq!(asks(&app), 2, "the second round");
}

#[actix_web::test]
async fn a_yes_to_the_older_of_two_asks_counts_once() {
    let mut app = TestApp::new();
    let all = volunteers(&mut app, 1).await;
    let shared = json!({"splittable": true, "max_helpers": 2});
    let need = crate::support::people::with(food(9), shared);
    for older_first in [true, false] {
        let mo = app.neighbor(std::slice::from_ref(&need)).await;
        app.settle().await;
        let older = app.letter_to(&all[0].email, "mha_");
        app.advance(16 * MINUTE).await;
        app.advance(7 * HOUR).await;
        let newer = app.letter_to(&all[0].email, "mha_");
        assert_ne!(older, newer);
        let (first, second) = if older_first {
            (&older, &newer)
        } else {
            (&newer, &older)
        };
        let accept = async |token| app.post("/v1/matches/self/accept", token, &json!({})).await;
        accept(first).await.ok();
        assert_eq!(accept(second).await.problem(409), "not-possible");
        assert_eq!(app.request(&mo, 0).await["covered"], 5);
        app.post("/v1/matches/self/release", first, &json!({}))
            .await
            .ok();
        let close = format!("/v1/requests/{}/close", mo.requests[0]);
        let why = json!({"reason": "not_needed"});
        app.post(&close, &mo.token, &why).await.ok();
    }
}

#[actix_web::test]
async fn a_release_reopens_the_request_and_others_are_asked() {
    let mut app = TestApp::new();
    let all = volunteers(&mut app, 2).await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.accept(&all[0]).await.ok();
    app.settle().await;
    let token = app.letter_to(&all[0].email, "mha_");
    app.post("/v1/matches/self/release", &token, &json!({}))
        .await
        .ok();
    app.settle().await;
    let request = app.request(&mo, 0).await;
    assert_eq!(request["state"], "open");
    assert_eq!(
        request["progress"]["waiting"], 1,
        "the other is asked once more"
    );
    assert!(
        app.subjects_to("mo@example.org")
            .iter()
            .any(|s| s == "We are looking again")
    );
    assert_eq!(
        app.get("/v1/matches/self", &token).await.ok()["contact"],
        json!(null)
    );
}

#[actix_web::test]
async fn at_night_only_those_are_woken_who_said_so() {
    let mut app = TestApp::new();
    let body = crate::support::people::offer_of(
        "owl@example.org",
        &[json!({"category": "food", "capacity": 5})],
    );
    app.volunteer_who("owl@example.org", body.clone()).await;
    let mut lark = crate::support::people::with(body, json!({"limits": {"nights": false}}));
    lark["contact"]["email"] = json!("lark@example.org");
    app.volunteer_who("lark@example.org", lark).await;
    app.advance(10 * HOUR).await; // 22:00 in Minneapolis
    app.neighbor(&[food(1)]).await;
    app.settle().await;
    assert!(app.find_letter("owl@example.org", "mha_").is_some());
    assert!(app.find_letter("lark@example.org", "mha_").is_none());
    app.advance(4 * HOUR).await;
    app.advance(6 * HOUR).await; // 08:00
    assert!(
        app.find_letter("lark@example.org", "mha_").is_some(),
        "postponed, not forgotten"
    );
}

#[actix_web::test]
async fn a_deadline_that_nears_at_night_leaves_her_no_fewer_who_may_be_asked() {
    for (said, is_asked) in [("today", true), ("now", false)] {
        let mut app = TestApp::new();
        let meals = json!({"category": "food", "capacity": 5});
        let body = crate::support::people::offer_of("lark@example.org", &[meals]);
        let lark = crate::support::people::with(body, json!({"limits": {"nights": false}}));
        app.volunteer_who("lark@example.org", lark).await;
        app.advance(10 * HOUR).await; // 22:00 in Minneapolis
        let until = app.now().after(HOUR);
        let need = json!({"urgency": said, "needed": [{"from": app.now(), "until": until}]});
        app.neighbor(&[crate::support::people::with(food(1), need)])
            .await;
        app.settle().await;
        let letter = app.find_letter("lark@example.org", "mha_");
        assert_eq!(letter.is_some(), is_asked, "{said}");
    }
}

#[actix_web::test]
async fn the_hours_of_the_house_may_run_over_midnight() {
    let mut app = TestApp::with(&[
        ("matching.waves.soon.ask_from", "20:00"),
        ("matching.waves.soon.ask_until", "06:00"),
    ]);
    volunteers(&mut app, 1).await;
    let need = crate::support::people::with(food(1), json!({"urgency": "soon"}));
    let mo = app.neighbor(std::slice::from_ref(&need)).await;
    app.settle().await;
    let progress = app.request(&mo, 0).await["progress"].clone();
    assert_eq!(progress["next_ask_at"], "2026-12-08T02:00:00Z");
    app.advance(479 * MINUTE).await;
    assert_eq!(asked(&app, 1), 0);
    app.advance(MINUTE).await;
    assert_eq!(asked(&app, 1), 1, "at 20:00");
    app.advance(8 * HOUR).await;
    let lin = app.neighbor(&[need]).await;
    app.settle().await;
    let progress = app.request(&lin, 0).await["progress"].clone();
    assert_eq!(progress["asked"], 1, "at 04:00");
}

#[actix_web::test]
async fn an_ask_whose_letter_does_not_leave_is_withdrawn() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5})],
        )
        .await;
    app.neighbor(&[food(1)]).await;
    app.settle().await;
    let matches = app
        .get("/v1/volunteers/self/matches", &ana.token)
        .await
        .ok();
    assert!(
        matches["items"][0]["respond_by"].is_string(),
        "the clock of the answer starts when the letter has left"
    );
}
