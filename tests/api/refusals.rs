//! Bad input: a clear problem that names every field, and nothing stored.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::people::{food, offer_of, post_of, with};

/// Posts a need that is wrong; gives the pointers of what is said about it.
async fn wrong(app: &TestApp, body: Value) -> Vec<String> {
    let answer = app
        .call(Method::POST, "/v1/requests", None, Some(&body))
        .await;
    assert_eq!(answer.problem(422), "invalid");
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    answer.pointers()
}

#[actix_web::test]
async fn all_bad_fields_are_named_at_once() {
    let app = TestApp::new();
    let body = json!({
        "contact": {"name": "", "email": "mo@example.org\r\nBcc: all@example.org", "fax": "1"},
        "location": {"lat": 91, "lon": -93.2},
        "languages": ["en", 7],
        "needs": [
            {"category": "unicorns", "quantity": 1},
            {"category": "food", "quantity": 0, "urgency": "yesterday", "requires": {"diet": ["meteorites"], "color": "red"},
             "needed": [{"from": "2026-12-09T10:00:00Z", "until": "2026-12-09T09:00:00Z"}], "note": "call 612 555 0123"},
        ],
        "color": "red",
    });
    assert_eq!(
        wrong(&app, body).await,
        [
            "/color",
            "/contact/email",
            "/contact/fax",
            "/contact/name",
            "/languages/1",
            "/location/lat",
            "/needs/0/category",
            "/needs/1/needed/0/until",
            "/needs/1/note",
            "/needs/1/quantity",
            "/needs/1/requires/color",
            "/needs/1/requires/diet/0",
            "/needs/1/urgency",
        ]
    );
}

#[actix_web::test]
async fn what_would_be_right_is_told_and_what_was_sent_is_not_repeated() {
    let app = TestApp::new();
    let body = with(
        post_of(&[json!({"category": "unicorns", "quantity": 1})]),
        json!({"locale": 5}),
    );
    let answer = app
        .call(Method::POST, "/v1/requests", None, Some(&body))
        .await;
    let text = answer.body.to_string();
    assert!(text.contains("warming_space"), "{text}");
    for sent in ["unicorns", "Farah", "555", "Secret"] {
        assert!(!text.contains(sent), "{sent} in {text}");
    }
}

#[actix_web::test]
async fn places_are_checked_and_the_edges_of_the_world_are_fine() {
    let app = TestApp::new();
    let at = |location: Value| with(post_of(&[food(1)]), json!({ "location": location }));
    assert_eq!(
        wrong(&app, at(json!({"lat": 91, "lon": 0}))).await,
        ["/location/lat"]
    );
    assert_eq!(
        wrong(&app, at(json!({"lat": 0, "lon": 180.1}))).await,
        ["/location/lon"]
    );
    assert_eq!(wrong(&app, at(json!({"lat": 0}))).await, ["/location/lon"]);
    assert_eq!(
        wrong(&app, at(json!({}))).await,
        ["/location/lat", "/location/lon"]
    );
    assert_eq!(
        wrong(&app, at(json!({"lat": "NaN", "lon": 0}))).await,
        ["/location/lat"]
    );
    assert_eq!(
        wrong(&app, at(json!({"postal_code": "99999999"}))).await,
        ["/location/postal_code"]
    );
    assert_eq!(
        wrong(
            &app,
            at(json!({"postal_code": "55407", "lat": 1, "lon": 1}))
        )
        .await,
        ["/location/postal_code"]
    );
    for fine in [
        json!({"lat": 90, "lon": 0}),
        json!({"lat": -90, "lon": 180}),
        json!({"lat": 0, "lon": -180}),
        json!({"postal_code": "55407"}),
        json!({"postal_code": "55407-1234"}),
    ] {
        assert_eq!(
            app.call(Method::POST, "/v1/requests", None, Some(&at(fine)))
                .await
                .status,
            201
        );
    }
}

#[actix_web::test]
async fn quantities_reaches_and_windows_have_limits() {
    let app = TestApp::new();
    let need = |more: Value| post_of(&[with(food(1), more)]);
    for quantity in [
        json!(0),
        json!(-1),
        json!(1_000_000_000_000_i64),
        json!(1.5),
        json!("two"),
        json!(null),
    ] {
        assert_eq!(
            wrong(&app, need(json!({ "quantity": quantity }))).await,
            ["/needs/0/quantity"]
        );
    }
    assert_eq!(
        wrong(&app, need(json!({"travel_m": -1}))).await,
        ["/needs/0/travel_m"]
    );
    assert_eq!(
        wrong(&app, need(json!({"max_helpers": 2, "splittable": false}))).await,
        ["/needs/0/max_helpers"]
    );
    let window =
        |from: &str, until: &str| need(json!({"needed": [{"from": from, "until": until}]}));
    assert_eq!(
        wrong(&app, window("2026-12-09T10:00:00Z", "2026-12-09T10:00:00Z")).await,
        ["/needs/0/needed/0/until"]
    );
    assert_eq!(
        wrong(&app, window("2020-12-09T10:00:00Z", "2020-12-09T11:00:00Z")).await,
        ["/needs/0/needed/0/until"]
    );
    assert_eq!(
        wrong(&app, window("soon", "2026-12-09T10:00:00Z")).await,
        ["/needs/0/needed/0/from"]
    );
    assert_eq!(wrong(&app, post_of(&[])).await, ["/needs"]);
    let offer = with(
        offer_of(
            "a@example.org",
            &[json!({"category": "pet_care", "capacity": 0, "reach_m": 900_000_000})],
        ),
        json!({}),
    );
    let answer = app
        .call(Method::POST, "/v1/offers", None, Some(&offer))
        .await;
    assert_eq!(
        answer.pointers(),
        ["/offers/0/capacity", "/offers/0/reach_m"]
    );
}

#[actix_web::test]
async fn bodies_that_are_no_json_too_deep_or_too_large_are_refused() {
    let app = TestApp::new();
    let raw = |bytes: Vec<u8>| app.raw(Method::POST, "/v1/requests", None, Some(bytes), &[]);
    assert_eq!(raw(b"{".to_vec()).await.problem(400), "malformed-json");
    assert_eq!(raw(Vec::new()).await.problem(400), "malformed-json");
    assert_eq!(raw(vec![0xff, 0xfe]).await.problem(400), "malformed-json");
    assert_eq!(
        raw("[".repeat(10_000).into_bytes()).await.problem(400),
        "malformed-json"
    );
    assert_eq!(raw(b"[]".to_vec()).await.problem(422), "invalid");
    assert_eq!(
        raw(format!("\"{}\"", "x".repeat(100_000)).into_bytes())
            .await
            .problem(413),
        "too-large"
    );
    let form = app
        .raw(
            Method::POST,
            "/v1/requests",
            None,
            Some(b"a=b".to_vec()),
            &[("Content-Type", "text/plain")],
        )
        .await;
    assert_eq!(form.problem(415), "media-type");
}

#[actix_web::test]
async fn nothing_of_a_refused_post_is_stored() {
    let mut app = TestApp::new();
    let (_, admin) = app
        .coordinator(manyhands::storage::coordinators::Scope::Admin)
        .await;
    wrong(&app, post_of(&[food(1), food(0)])).await;
    app.settle().await;
    assert_eq!(
        app.get("/v1/requests", &admin).await.ok()["items"],
        json!([])
    );
    assert!(app.mails().is_empty());
}

#[actix_web::test]
async fn every_answer_carries_the_headers_and_other_methods_are_405() {
    let app = TestApp::new();
    for (method, path, status) in [
        (Method::GET, "/v1/categories", 200),
        (Method::GET, "/v1/neighbors/self", 401),
        (Method::GET, "/v1/nowhere", 404),
        (Method::PUT, "/v1/requests", 405),
        (Method::GET, "/v1/confirm", 405),
    ] {
        let answer = app.call(method, path, None, None).await;
        assert_eq!(answer.status, status, "{path}");
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        assert!(
            answer
                .header("content-security-policy")
                .is_some_and(|v| v.contains("default-src 'none'"))
        );
        assert!(answer.header("cache-control").is_some());
        assert!(answer.header("set-cookie").is_none());
    }
}
