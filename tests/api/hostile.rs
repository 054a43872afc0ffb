//! Bodies and queries that are made to hurt: too deep, too many, too large, not even text.

use actix_web::http::Method;
use serde_json::json;

use crate::support::people::{food, post_of};
use crate::support::{Answer, TestApp};

/// An instance that takes bodies large enough to hurt.
fn roomy() -> TestApp {
    TestApp::with(&[("server.body_limit_bytes", "1048576")])
}

async fn post(app: &TestApp, body: impl Into<Vec<u8>>) -> Answer {
    let body = Some(body.into());
    app.raw(Method::POST, "/v1/requests", None, body, &[]).await
}

/// A post with something else in the place of its only need, or of one of its parts.
fn with_need(need: &str) -> String {
    let body = post_of(&[json!("NEED")]).to_string();
    body.replace("\"NEED\"", need)
}

#[actix_web::test]
async fn nesting_without_end_is_refused() {
    let app = roomy();
    let deep = 100_000;
    let closed = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for body in [
        "[".repeat(deep),
        "{\"a\":".repeat(deep),
        closed(deep),
        format!("{}1{}", "{\"a\":".repeat(deep), "}".repeat(deep)),
        with_need(&closed(deep)),
        with_need(&format!(
            r#"{{"category": "food", "quantity": 1, "requires": {{"diet": {}}}}}"#,
            closed(deep)
        )),
        closed(128),
    ] {
        assert_eq!(post(&app, body).await.problem(400), "malformed-json");
    }
    // As deep as may be read, and still no post and no need.
    assert_eq!(post(&app, closed(127)).await.problem(422), "invalid");
    let answer = post(&app, with_need(&closed(100))).await;
    assert_eq!(answer.problem(422), "invalid");
    for media_type in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let headers = [("Content-Type", media_type)];
        let body = Some(format!("code{}=1", "[a]".repeat(2000)).into_bytes());
        let answer = app.raw(Method::POST, "/manage", None, body, &headers).await;
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
}

#[actix_web::test]
async fn lists_without_end_are_refused_with_an_answer_that_ends() {
    let app = roomy();
    let ones = format!("[{}]", "1,".repeat(300_000) + "1");
    let needs = format!("[{}]", "{},".repeat(200_000) + "{}");
    let body = post_of(&[food(1)]);
    for (field, list) in [("needs", &ones), ("needs", &needs), ("languages", &ones)] {
        let mut body = body.clone();
        body[field] = json!("LIST");
        let answer = post(&app, body.to_string().replace("\"LIST\"", list)).await;
        assert_eq!(answer.problem(422), "invalid");
        assert!(answer.bytes.len() < 20_000, "{}", answer.bytes.len());
    }
    let fields: Vec<String> = (0..50_000).map(|n| format!("\"f{n}\":1")).collect();
    let answer = post(&app, format!("{{{}}}", fields.join(","))).await;
    assert_eq!(answer.problem(422), "invalid");
    assert!(answer.bytes.len() < 20_000, "{}", answer.bytes.len());
}

#[actix_web::test]
async fn numbers_and_texts_that_are_none_are_refused() {
    let app = roomy();
    let quantity =
        |number: &str| with_need(&format!(r#"{{"category": "food", "quantity": {number}}}"#));
    for (number, status) in [
        ("1e999", 400),
        ("-1e999", 400),
        (&"9".repeat(100_000), 400),
        ("NaN", 400),
        ("0x10", 400),
        ("01", 400),
        ("18446744073709551616", 422),
        ("-9223372036854775809", 422),
        ("1e-999", 422),
        ("-0", 422),
    ] {
        let answer = post(&app, quantity(number)).await;
        assert_eq!(answer.status, status, "{number:.30}: {}", answer.body);
    }
    let named = |name: &[u8]| {
        let text = post_of(&[food(1)]).to_string();
        let (before, after) = text.split_once("Mo Farah").expect("a name");
        [before.as_bytes(), name, after.as_bytes()].concat()
    };
    assert_eq!(post(&app, named(b"Mo")).await.status, 201);
    for name in [
        b"Mo\xff".as_slice(),
        b"Mo\xc0\x80",
        b"Mo\\ud800",
        b"Mo\0",
        b"Mo\x1b",
    ] {
        assert_eq!(post(&app, named(name)).await.problem(400), "malformed-json");
    }
    assert_eq!(
        post(&app, named(b"Mo\\u0000")).await.problem(422),
        "invalid"
    );
    // UTF-8 without a mark, as RFC 8259 has it.
    let marked = [b"\xef\xbb\xbf", post_of(&[food(1)]).to_string().as_bytes()].concat();
    assert_eq!(post(&app, marked).await.problem(400), "malformed-json");
}

#[actix_web::test]
async fn of_a_field_that_comes_twice_the_last_one_counts() {
    let app = TestApp::new();
    let need = r#"{"category": "towing", "category": "food", "quantity": 99, "quantity": 2}"#;
    let posted = post(&app, with_need(need)).await.ok();
    assert_eq!(posted["requests"][0]["category"], "food");
    assert_eq!(posted["requests"][0]["quantity"], 2);
    let last_is_wrong = r#"{"category": "food", "quantity": 2, "quantity": 0}"#;
    let answer = post(&app, with_need(last_is_wrong)).await;
    assert_eq!(answer.pointers(), ["/needs/0/quantity"]);
}

#[actix_web::test]
async fn queries_that_are_made_to_hurt_are_refused() {
    let app = TestApp::new();
    for query in [
        format!("near{}=1", "[a]".repeat(5000)),
        format!("category={}", "%ff".repeat(5000)),
        format!("x={}", "y".repeat(30_000)),
        "&".repeat(10_000) + "category=food&category=food&category=",
        "category=food&category=towing".to_owned(),
        "near=1e999,1e999".to_owned(),
        "near=NaN,0".to_owned(),
    ] {
        let path = format!("/v1/sites?{query}");
        let answer = app.call(Method::GET, &path, None, None).await;
        assert!(
            [400, 422].contains(&answer.status),
            "{query:.40}: {}",
            answer.status
        );
    }
}
