//! Nobody is sent to a home that no one has spoken with.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{Neighbor, Volunteer, north, post_of, with};
use crate::support::{HOUR, MINUTE, TestApp};

fn visit() -> Value {
    json!({"category": "pet_care", "quantity": 1, "urgency": "now", "handover": "home"})
}

/// A volunteer near a neighbor who wants somebody to come into her home, and a coordinator.
async fn waiting(app: &mut TestApp) -> (Neighbor, Volunteer, String) {
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let pets = [json!({"category": "pet_care", "capacity": 2})];
    let ana = app.volunteer("ana@example.org", &pets).await;
    let mo = app.neighbor(&[visit(), visit()]).await;
    app.settle().await;
    (mo, ana, token)
}

async fn tasks(app: &TestApp, token: &str, query: &str) -> Vec<Value> {
    let list = app.get(&format!("/v1/tasks{query}"), token).await.ok();
    list["items"].as_array().expect("items").clone()
}

async fn done(app: &TestApp, token: &str, task: &Value, outcome: &str) -> crate::support::Answer {
    let path = format!("/v1/tasks/{}/done", task["id"].as_str().expect("id"));
    app.post(&path, token, &json!({"outcome": outcome})).await
}

fn is_asked(app: &TestApp, who: &Volunteer) -> bool {
    app.find_letter(&who.email, "mha_").is_some()
}

#[actix_web::test]
async fn an_unverified_neighbor_is_called_before_anybody_is_asked() {
    let mut app = TestApp::new();
    let (mo, ana, token) = waiting(&mut app).await;
    for request in mo.posted["requests"].as_array().expect("requests") {
        assert_eq!(request["progress"]["attention"], "call_back");
    }
    app.advance(12 * HOUR).await;
    app.sleep_over(HOUR).await;
    assert!(!is_asked(&app, &ana), "not even by the sweep");
    assert_eq!(
        app.request(&mo, 0).await["progress"]["attention"],
        "call_back"
    );
    let received = app.subjects_to("mo@example.org");
    assert_eq!(received, ["We have received your post"]);
    let letters = app.transport.memory().expect("memory").mails();
    let received = letters
        .iter()
        .find(|m| m.message.to.expose() == "mo@example.org");
    assert!(
        received
            .expect("letter")
            .message
            .text
            .contains("a coordinator calls you")
    );
    assert_eq!(
        app.subjects_to("coo@example.org"),
        ["A neighbor waits for your call"]
    );

    let open = tasks(&app, &token, "?state=open&kind=call&overdue=true").await;
    assert_eq!(open.len(), 1, "one call for both");
    let pair = json!({"request": mo.requests[0], "offer": ana.offers[0]});
    let by_hand = app.post("/v1/matches", &token, &pair).await;
    assert_eq!(by_hand.problem(409), "call-first");

    for _ in 0..2 {
        assert_eq!(
            done(&app, &token, &open[0], "reached").await.ok()["outcome"],
            "reached"
        );
    }
    assert_eq!(
        done(&app, &token, &open[0], "refused").await.problem(409),
        "not-possible"
    );
    app.settle().await;
    assert!(is_asked(&app, &ana));
    let seen = app.get("/v1/neighbors/self", &mo.token).await.ok();
    assert_eq!(seen["verified"], "called");
    assert_eq!(seen["requests"][1]["progress"]["attention"], json!(null));
    let more = json!({"needs": [visit()]});
    let more = app
        .post("/v1/neighbors/self/requests", &mo.token, &more)
        .await
        .ok();
    assert_eq!(more["requests"][0]["progress"]["attention"], json!(null));
}

#[actix_web::test]
async fn whom_a_coordinator_enters_and_who_wants_it_at_the_door_is_not_called() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let entered = app
        .call(
            Method::POST,
            "/v1/requests",
            Some(&token),
            Some(&post_of(&[visit()])),
        )
        .await
        .ok();
    assert_eq!(entered["requests"][0]["progress"]["attention"], json!(null));
    let door = with(visit(), json!({"handover": "door"}));
    let mo = app.neighbor(&[door]).await;
    assert_eq!(
        app.request(&mo, 0).await["progress"]["attention"],
        json!(null)
    );
    assert_eq!(tasks(&app, &token, "").await, Vec::<Value>::new());
}

#[actix_web::test]
async fn without_email_she_is_called_all_the_same() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let phone = json!({"contact": {"name": "Mo", "phone": "612 555 0123"}});
    app.neighbor_who(with(post_of(&[visit()]), phone)).await;
    app.settle().await;
    assert_eq!(tasks(&app, &token, "?state=open").await.len(), 1);
}

#[actix_web::test]
async fn a_need_that_is_changed_to_a_visit_waits_and_one_changed_back_does_not() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let pets = [json!({"category": "pet_care", "capacity": 2})];
    let ana = app.volunteer("ana@example.org", &pets).await;
    let mo = app
        .neighbor(&[with(visit(), json!({"handover": "door"}))])
        .await;
    app.settle().await;
    let path = format!("/v1/requests/{}", mo.requests[0]);
    app.patch(&path, &mo.token, &json!({"handover": "home"}))
        .await
        .ok();
    app.settle().await;
    let answer = app.letter_to(&ana.email, "mha_");
    let late = app
        .post("/v1/matches/self/accept", &answer, &json!({}))
        .await;
    assert_eq!(
        late.problem(409),
        "not-possible",
        "what was asked before is withdrawn"
    );
    app.advance(12 * HOUR).await;
    assert_eq!(
        app.get("/v1/matches/self", &answer).await.ok()["state"],
        "superseded"
    );
    assert_eq!(
        app.request(&mo, 0).await["progress"]["attention"],
        "call_back"
    );
    assert_eq!(tasks(&app, &token, "?state=open").await.len(), 1);
    app.patch(&path, &mo.token, &json!({"handover": "door"}))
        .await
        .ok();
    assert_eq!(
        tasks(&app, &token, "?state=done").await[0]["outcome"],
        "not_needed"
    );
    app.settle().await;
    assert_eq!(app.request(&mo, 0).await["progress"]["waiting"], 1);
}

#[actix_web::test]
async fn who_is_not_reached_waits_and_a_later_call_may_reach_her() {
    let mut app = TestApp::new();
    let (mo, ana, token) = waiting(&mut app).await;
    let task = tasks(&app, &token, "").await[0].clone();
    for _ in 0..2 {
        done(&app, &token, &task, "unreachable").await.ok();
    }
    app.advance(12 * HOUR).await;
    app.sleep_over(HOUR).await;
    assert!(!is_asked(&app, &ana));
    assert_eq!(
        app.request(&mo, 1).await["progress"]["attention"],
        "unreachable"
    );
    assert_eq!(
        tasks(&app, &token, "?state=open").await,
        Vec::<Value>::new()
    );
    done(&app, &token, &task, "reached").await.ok();
    app.settle().await;
    assert!(is_asked(&app, &ana));
}

#[actix_web::test]
async fn who_does_not_want_it_has_it_closed() {
    let mut app = TestApp::new();
    let (mo, ana, token) = waiting(&mut app).await;
    let task = tasks(&app, &token, "").await[0].clone();
    assert_eq!(
        done(&app, &token, &task, "refused").await.ok()["outcome"],
        "refused"
    );
    app.settle().await;
    assert!(!is_asked(&app, &ana));
    for nth in 0..2 {
        let request = app.request(&mo, nth).await;
        assert_eq!(request["close_reason"], "not_needed");
    }
}

#[actix_web::test]
async fn no_two_take_the_same_call_and_erasure_takes_it_off_the_list() {
    let mut app = TestApp::new();
    let (mo, _, token) = waiting(&mut app).await;
    let (_, other) = app.coordinator(Scope::Coordinator).await;
    let task = tasks(&app, &token, "").await[0].clone();
    let claim = format!("/v1/tasks/{}/claim", task["id"].as_str().expect("id"));
    for _ in 0..2 {
        app.post(&claim, &token, &json!({})).await.ok();
    }
    assert_eq!(
        app.post(&claim, &other, &json!({})).await.problem(409),
        "not-possible"
    );
    app.advance(61 * MINUTE).await;
    let claimed = app.post(&claim, &other, &json!({})).await.ok();
    assert_ne!(claimed["claimed_by"], task["claimed_by"]);
    app.call(Method::DELETE, "/v1/neighbors/self", Some(&mo.token), None)
        .await;
    assert_eq!(tasks(&app, &token, "").await[0]["outcome"], "not_needed");
    assert_eq!(done(&app, &token, &task, "reached").await.status, 404);
    let unknown = with(post_of(&[visit()]), json!({"location": north(2.0)}));
    app.neighbor_who(unknown).await;
    assert_eq!(tasks(&app, &token, "?state=open").await.len(), 1);
}
