//! Sensitive help: a coordinator looks at it, the volunteer is vetted, the neighbor has the last word.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{Neighbor, Volunteer, food, post_of, with};
use crate::support::{HOUR, TestApp};

/// A childcare need and a vetted volunteer, matched and waiting for review.
async fn childcare(app: &mut TestApp) -> (Neighbor, Volunteer, String, Value) {
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "childcare", "capacity": 2})],
        )
        .await;
    let mo = app
        .neighbor(&[json!({"category": "childcare", "quantity": 1, "urgency": "now"})])
        .await;
    app.called(&token).await;
    app.settle().await;
    assert_eq!(
        app.get("/v1/matches", &token).await.ok()["items"],
        json!([]),
        "nobody is vetted yet"
    );
    let id = app.get("/v1/volunteers", &token).await.ok()["items"][0]["id"]
        .as_str()
        .expect("id")
        .to_owned();
    app.post(&format!("/v1/volunteers/{id}/vet"), &token, &json!({}))
        .await
        .ok();
    app.settle().await;
    let proposed = app.get("/v1/matches?state=proposed", &token).await.ok()["items"][0].clone();
    assert_eq!(proposed["state"], "proposed");
    (mo, ana, token, proposed)
}

#[actix_web::test]
async fn nothing_is_released_before_review_yes_and_agreement() {
    let mut app = TestApp::new();
    let (mo, ana, coordinator, proposed) = childcare(&mut app).await;
    assert!(
        app.find_letter(&ana.email, "mha_").is_none(),
        "not asked before the review"
    );
    assert!(
        app.subjects_to("coo@example.org")
            .iter()
            .any(|s| s.contains("review"))
    );

    let path = format!("/v1/matches/{}", proposed["id"].as_str().expect("id"));
    app.post(&format!("{path}/approve"), &coordinator, &json!({}))
        .await
        .ok();
    app.post(&format!("{path}/approve"), &coordinator, &json!({}))
        .await
        .ok();
    app.settle().await;
    let accepted = app.accept(&ana).await.ok();
    assert_eq!(
        (accepted["agreement"].as_str(), &accepted["contact"]),
        (Some("pending"), &json!(null))
    );

    app.settle().await;
    let request = app.request(&mo, 0).await;
    let matched = &request["matches"][0];
    assert_eq!(
        (matched["volunteer"]["name"].as_str(), &matched["contact"]),
        (Some("Ana"), &json!(null))
    );
    assert_eq!(matched["volunteer"]["vetted"], true);
    let answer = app.letter_to(&ana.email, "mha_");
    let early = app.post("/v1/matches/self/done", &answer, &json!({})).await;
    assert_eq!(early.problem(409), "not-possible");

    let agree = format!(
        "/v1/requests/{}/matches/{}/agree",
        mo.requests[0],
        matched["id"].as_str().expect("id")
    );
    app.post(&agree, &mo.token, &json!({})).await.ok();
    app.post(&agree, &mo.token, &json!({})).await.ok();
    app.settle().await;
    let released = app.get("/v1/matches/self", &answer).await.ok();
    assert_eq!(released["contact"]["phone"], "+16125550123");
    assert!(
        app.subjects_to(&ana.email)
            .iter()
            .any(|s| s.starts_with("It is settled"))
    );
}

#[actix_web::test]
async fn a_refusal_parts_them_and_asks_others() {
    let mut app = TestApp::new();
    let (mo, ana, coordinator, proposed) = childcare(&mut app).await;
    let path = format!(
        "/v1/matches/{}/approve",
        proposed["id"].as_str().expect("id")
    );
    app.post(&path, &coordinator, &json!({})).await.ok();
    app.settle().await;
    app.accept(&ana).await.ok();
    let id = app.request(&mo, 0).await["matches"][0]["id"]
        .as_str()
        .expect("id")
        .to_owned();
    app.post(
        &format!("/v1/requests/{}/matches/{id}/refuse", mo.requests[0]),
        &mo.token,
        &json!({}),
    )
    .await
    .ok();
    app.settle().await;
    let request = app.request(&mo, 0).await;
    assert_eq!(
        (request["state"].as_str(), request["covered"].as_i64()),
        (Some("open"), Some(0))
    );
    app.advance(12 * HOUR).await;
    let all = app.get("/v1/matches", &coordinator).await.ok();
    assert_eq!(
        all["items"].as_array().map(Vec::len),
        Some(1),
        "never proposed again"
    );
}

#[actix_web::test]
async fn silence_past_the_time_to_agree_lets_go() {
    let mut app = TestApp::new();
    let (mo, ana, coordinator, proposed) = childcare(&mut app).await;
    let path = format!(
        "/v1/matches/{}/approve",
        proposed["id"].as_str().expect("id")
    );
    app.post(&path, &coordinator, &json!({})).await.ok();
    app.settle().await;
    app.accept(&ana).await.ok();
    app.advance(HOUR).await;
    let request = app.request(&mo, 0).await;
    assert_eq!(request["matches"][0]["fall_reason"], "not_agreed");
    assert_eq!(request["covered"], 0);
    assert!(
        app.subjects_to(&ana.email)
            .iter()
            .any(|s| s.contains("please do not go"))
    );
}

#[actix_web::test]
async fn a_vetoed_pair_is_never_proposed_again() {
    let mut app = TestApp::new();
    let (_, ana, coordinator, proposed) = childcare(&mut app).await;
    let path = format!("/v1/matches/{}", proposed["id"].as_str().expect("id"));
    app.post(&format!("{path}/veto"), &coordinator, &json!({}))
        .await
        .ok();
    app.advance(12 * HOUR).await;
    assert!(app.find_letter(&ana.email, "mha_").is_none());
    assert_eq!(
        app.get("/v1/matches?state=proposed", &coordinator)
            .await
            .ok()["items"],
        json!([])
    );
    let late = app
        .post(&format!("{path}/approve"), &coordinator, &json!({}))
        .await;
    assert_eq!(late.problem(409), "not-possible");
}

#[actix_web::test]
async fn a_neighbor_may_want_to_agree_first_and_then_her_address_is_told() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5, "provides": {"delivery": true}})],
        )
        .await;
    let need = with(food(1), json!({"handover": "door"}));
    let mo = app
        .neighbor_who(with(post_of(&[need]), json!({"agree_first": true})))
        .await;
    app.settle().await;
    assert_eq!(app.accept(&ana).await.ok()["contact"], json!(null));
    let id = app.request(&mo, 0).await["matches"][0]["id"]
        .as_str()
        .expect("id")
        .to_owned();
    app.post(
        &format!("/v1/requests/{}/matches/{id}/agree", mo.requests[0]),
        &mo.token,
        &json!({}),
    )
    .await
    .ok();
    let seen = app
        .get("/v1/matches/self", &app.letter_to(&ana.email, "mha_"))
        .await
        .ok();
    assert_eq!(seen["contact"]["address"], "2410 Secret Ave");
}

#[actix_web::test]
async fn a_report_parts_the_pair_for_good() {
    let mut app = TestApp::new();
    app.coordinator(Scope::Coordinator).await;
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5})],
        )
        .await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let id = app.request(&mo, 0).await["matches"][0]["id"]
        .as_str()
        .expect("id")
        .to_owned();
    let path = format!("/v1/requests/{}/matches/{id}/report", mo.requests[0]);
    assert_eq!(
        app.post(&path, &mo.token, &json!({})).await.pointers(),
        ["/problem"]
    );
    app.post(&path, &mo.token, &json!({"problem": "unsafe"}))
        .await
        .ok();
    app.settle().await;
    assert!(
        app.subjects_to("coo@example.org")
            .iter()
            .any(|s| s.contains("reported a problem"))
    );
    // Not even for another request of the same neighbor.
    let more = json!({"needs": [food(2)]});
    app.call(
        Method::POST,
        "/v1/neighbors/self/requests",
        Some(&mo.token),
        Some(&more),
    )
    .await
    .ok();
    let asks = app
        .subjects_to(&ana.email)
        .iter()
        .filter(|s| s.starts_with("Can you help"))
        .count();
    app.settle().await;
    assert_eq!(
        app.subjects_to(&ana.email)
            .iter()
            .filter(|s| s.starts_with("Can you help"))
            .count(),
        asks
    );
}
