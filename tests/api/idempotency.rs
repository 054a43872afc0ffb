//! A creating call that is sent again makes nothing twice.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::people::{food, offer_of, post_of};
use crate::support::{Answer, TestApp};

async fn post_with_key(
    app: &TestApp,
    path: &str,
    token: Option<&str>,
    key: &str,
    body: &Value,
) -> Answer {
    let bytes = serde_json::to_vec(body).expect("json");
    app.raw(
        Method::POST,
        path,
        token,
        Some(bytes),
        &[("Idempotency-Key", key)],
    )
    .await
}

#[actix_web::test]
async fn a_repeated_post_shows_the_same_requests_and_another_token() {
    let app = TestApp::new();
    let body = post_of(&[food(1), food(2)]);
    let first = post_with_key(&app, "/v1/requests", None, "k1", &body).await;
    assert_eq!(first.status, 201);
    let again = post_with_key(&app, "/v1/requests", None, "k1", &body).await;
    assert_eq!(again.status, 201);
    assert_eq!(first.body["requests"], again.body["requests"]);
    assert_ne!(first.body["manage_token"], again.body["manage_token"]);
    for answer in [&first, &again] {
        let token = answer.body["manage_token"].as_str().expect("token");
        assert_eq!(app.get("/v1/neighbors/self", token).await.status, 200);
    }
    let other_key = post_with_key(&app, "/v1/requests", None, "k2", &body).await;
    assert_ne!(
        first.body["requests"][0]["id"],
        other_key.body["requests"][0]["id"]
    );
}

#[actix_web::test]
async fn the_key_with_another_body_is_refused_and_after_erasure_it_is_gone() {
    let app = TestApp::new();
    let first = post_with_key(&app, "/v1/requests", None, "k", &post_of(&[food(1)]))
        .await
        .ok();
    let other = post_with_key(&app, "/v1/requests", None, "k", &post_of(&[food(2)])).await;
    assert_eq!(other.problem(422), "key-reused");
    let token = first["manage_token"].as_str().expect("token");
    assert_eq!(
        app.call(Method::DELETE, "/v1/neighbors/self", Some(token), None)
            .await
            .status,
        204
    );
    let gone = post_with_key(&app, "/v1/requests", None, "k", &post_of(&[food(1)])).await;
    assert_eq!(gone.problem(410), "gone");
}

#[actix_web::test]
async fn offers_and_additions_are_repeatable_too() {
    let mut app = TestApp::new();
    let body = offer_of(
        "ana@example.org",
        &[json!({"category": "food", "capacity": 5})],
    );
    let first = post_with_key(&app, "/v1/offers", None, "k", &body)
        .await
        .ok();
    let again = post_with_key(&app, "/v1/offers", None, "k", &body)
        .await
        .ok();
    assert_eq!(first, again);
    app.settle().await;
    assert_eq!(app.subjects_to("ana@example.org").len(), 1, "one letter");

    let mo = app.neighbor(&[food(1)]).await;
    let more = json!({"needs": [food(2), food(3)]});
    let path = "/v1/neighbors/self/requests";
    let added = post_with_key(&app, path, Some(&mo.token), "m", &more)
        .await
        .ok();
    let again = post_with_key(&app, path, Some(&mo.token), "m", &more)
        .await
        .ok();
    assert_eq!(added, again);
    assert_eq!(added["requests"].as_array().map(Vec::len), Some(2));
    let all = app.get("/v1/neighbors/self", &mo.token).await.ok();
    assert_eq!(all["requests"].as_array().map(Vec::len), Some(3));

    let ana = app
        .volunteer(
            "bo@example.org",
            &[json!({"category": "food", "capacity": 1})],
        )
        .await;
    let more = json!({"location": {"lat": 44.9, "lon": -93.2}, "offers": [{"category": "towing", "capacity": 1}, {"category": "supplies", "capacity": 1}]});
    let path = "/v1/volunteers/self/offers";
    let added = post_with_key(&app, path, Some(&ana.token), "o", &more)
        .await
        .ok();
    let again = post_with_key(&app, path, Some(&ana.token), "o", &more)
        .await
        .ok();
    assert_eq!(added["offers"].as_array().map(Vec::len), Some(2));
    let ids = |v: &Value| {
        let mut ids: Vec<String> = v["offers"]
            .as_array()
            .expect("offers")
            .iter()
            .map(|o| o["id"].to_string())
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&added), ids(&again));
}

#[actix_web::test]
async fn a_bad_key_is_named() {
    let app = TestApp::new();
    let long = "k".repeat(256);
    for key in ["", "two words", long.as_str()] {
        let answer = post_with_key(&app, "/v1/requests", None, key, &post_of(&[food(1)])).await;
        assert_eq!(answer.problem(422), "invalid");
        assert_eq!(answer.pointers(), ["Idempotency-Key"]);
    }
}
