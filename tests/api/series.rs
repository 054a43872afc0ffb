//! What is needed again and again, and the same face each time.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{food, post_of, with};
use crate::support::{MINUTE, TestApp};

fn evenings(repeats: &Value) -> Value {
    with(
        food(1),
        json!({"repeats": repeats,
            "needed": [{"from": "2026-12-08T00:00:00Z", "until": "2026-12-08T02:00:00Z"}]}),
    )
}

#[actix_web::test]
async fn it_comes_again_at_the_same_local_time_also_when_clocks_are_changed() {
    let app = TestApp::new();
    // Three days before clocks are set back in Minneapolis.
    let start = "2027-11-04T18:00:00Z".parse::<jiff::Timestamp>().unwrap();
    app.clock.set(start.into());
    let need = with(
        food(1),
        json!({"needed": [{"from": "2027-11-05T23:00:00Z", "until": "2027-11-06T03:00:00Z"}],
            "repeats": {"every": "day", "times": 4, "timezone": "America/Chicago"}}),
    );
    let posted = app.neighbor(&[need]).await.posted;
    let requests = posted["requests"].as_array().unwrap();
    let times: Vec<_> = requests
        .iter()
        .map(|r| r["needed"]["from"].clone())
        .collect();
    assert_eq!(
        times,
        [
            "2027-11-05T23:00:00Z",
            "2027-11-06T23:00:00Z",
            "2027-11-08T00:00:00Z",
            "2027-11-09T00:00:00Z",
        ]
    );
    assert_eq!(requests[3]["needed"]["until"], "2027-11-09T04:00:00Z");
    assert!(requests[0]["series"].is_string());
    assert!(
        requests
            .iter()
            .all(|r| r["series"] == requests[0]["series"])
    );
}

#[actix_web::test]
async fn what_cannot_come_again_is_refused_with_its_place() {
    let app = TestApp::new();
    let pointers = async |needs: &[Value]| {
        let body = post_of(needs);
        let answer = app
            .call(Method::POST, "/v1/requests", None, Some(&body))
            .await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        answer.pointers()
    };
    let daily = json!({"every": "day", "times": 2});
    let two = json!({"needed": [
        {"from": "2026-12-08T00:00:00Z", "until": "2026-12-08T02:00:00Z"},
        {"from": "2026-12-09T00:00:00Z", "until": "2026-12-09T02:00:00Z"}]});
    assert_eq!(
        pointers(&[with(evenings(&daily), two)]).await,
        ["/needs/0/repeats"]
    );
    let none = with(food(1), json!({"repeats": daily}));
    assert_eq!(pointers(&[none]).await, ["/needs/0/repeats"]);
    for times in [1, 61] {
        let bad = evenings(&json!({"every": "day", "times": times}));
        assert_eq!(pointers(&[bad]).await, ["/needs/0/repeats/times"]);
    }
    let far = evenings(&json!({"every": "week", "times": 60}));
    assert_eq!(pointers(&[far]).await, ["/needs/0/repeats/times"]);
    let wrong = evenings(&json!({"every": "month", "timezone": "Minneapolis"}));
    assert_eq!(
        pointers(&[wrong]).await,
        [
            "/needs/0/repeats/every",
            "/needs/0/repeats/times",
            "/needs/0/repeats/timezone"
        ]
    );
    let many = evenings(&json!({"every": "day", "times": 60}));
    assert_eq!(pointers(&[many.clone(), many]).await, ["/needs"]);
}

#[actix_web::test]
async fn who_helps_with_one_slot_is_preferred_for_the_others() {
    let mut app = TestApp::with(&[("matching.waves.now.size", "1")]);
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let mut all = Vec::new();
    for i in 0..3 {
        let offer = json!({"category": "food", "capacity": 5});
        all.push(app.volunteer(&format!("v{i}@example.org"), &[offer]).await);
    }
    let mo = app
        .neighbor(&[evenings(&json!({"every": "day", "times": 2}))])
        .await;
    app.settle().await;
    // Each slot has asked one, and one of the three was not asked yet.
    let of_slot = async |nth: usize| {
        let path = format!("/v1/matches?state=notified&request={}", mo.requests[nth]);
        app.get(&path, &coordinator).await.ok()["items"].clone()
    };
    let whose = |m: &Value| {
        let of = |i: &usize| m["offer"]["id"] == all[*i].offers[0];
        (0..3).find(of).unwrap()
    };
    let (first, second) = (whose(&of_slot(0).await[0]), whose(&of_slot(1).await[0]));
    assert_ne!(first, second, "the other slot asks somebody who rested");
    assert_eq!(of_slot(1).await[0]["parts"]["same_helper"], 0.0);
    app.accept(&all[first]).await.ok();
    let token = app.letter_to(&all[second].email, "mha_");
    app.post("/v1/matches/self/decline", &token, &json!({}))
        .await
        .ok();
    app.settle().await;
    let path = format!("/v1/matches?state=notified&request={}", mo.requests[1]);
    let newest = app.get(&path, &coordinator).await.ok()["items"][0].clone();
    assert_eq!(
        newest["offer"]["id"], all[first].offers[0],
        "the same face, though another has rested for longer"
    );
    assert_eq!(newest["parts"]["same_helper"], 1.0);
}

#[actix_web::test]
async fn without_a_series_the_same_helper_counts_alike_for_all() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let offer = json!({"category": "food", "capacity": 5});
    app.volunteer("ana@example.org", &[offer]).await;
    app.neighbor(&[food(1)]).await;
    app.advance(MINUTE).await;
    let items = app.get("/v1/matches", &coordinator).await.ok();
    assert_eq!(items["items"][0]["parts"]["same_helper"], 1.0);
}
