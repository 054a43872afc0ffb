//! Limits on how often one may call: by source, by contact, and what holds in spite of them.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use manyhands::crypto::token::{Purpose, Token};
use manyhands::domain::entropy::OsEntropy;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{food, offer_of, post_of, with};
use crate::support::{Answer, HOUR, TestApp};

const PHONE: &str = "203.0.113.7";
const SHELTER: &str = "203.0.113.8";
const PROXY: &str = "10.0.0.1";

/// Small limits: three at once of each kind.
fn strict(more: &[(&str, &str)]) -> TestApp {
    let mut settings = vec![("limits.mode", "on")];
    for (burst, per_hour) in [
        ("limits.reads.burst", "limits.reads.per_hour"),
        ("limits.posts.burst", "limits.posts.per_hour"),
        ("limits.guesses.burst", "limits.guesses.per_hour"),
    ] {
        settings.extend([(burst, "3"), (per_hour, "60")]);
    }
    settings.extend(more);
    TestApp::with(&settings)
}

fn request(from: &str, method: Method, path: &str) -> TestRequest {
    let peer = SocketAddr::new(from.parse().expect("an address"), 4711);
    TestRequest::with_uri(path).method(method).peer_addr(peer)
}

fn post(from: &str, path: &str, body: &Value) -> TestRequest {
    request(from, Method::POST, path).set_json(body)
}

fn bearer(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("Authorization", format!("Bearer {token}")))
}

fn form(from: &str, path: &str, body: &'static str) -> TestRequest {
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    request(from, Method::POST, path)
        .insert_header(form)
        .set_payload(body)
}

/// A need of somebody else each time.
fn need(n: usize) -> Value {
    let contact = json!({"name": "Mo", "phone": format!("612 555 {:04}", 1000 + n)});
    with(post_of(&[food(1)]), json!({ "contact": contact }))
}

fn stranger(purpose: Purpose) -> String {
    Token::mint(purpose, &OsEntropy).expose().to_owned()
}

/// Seconds of `Retry-After`, of an answer 429.
#[track_caller]
fn wait(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 429, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let wait = answer.header("retry-after").expect("Retry-After");
    wait.parse().expect("seconds")
}

async fn statuses(app: &TestApp, times: usize, call: impl Fn(usize) -> TestRequest) -> Vec<u16> {
    let answers = app.send_all((0..times).map(call)).await;
    answers.iter().map(|answer| answer.status).collect()
}

#[actix_web::test]
async fn who_posts_too_often_is_told_when_to_try_again() {
    let app = strict(&[]);
    let posts = |from, times| statuses(&app, times, move |n| post(from, "/v1/requests", &need(n)));
    assert_eq!(posts(PHONE, 4).await, [201, 201, 201, 429]);
    let refused = app.send(post(PHONE, "/v1/offers", &json!({}))).await;
    assert_eq!(wait(&refused), 60);
    assert_eq!(refused.problem(429), "too-often");
    let kind = Some("application/problem+json");
    assert_eq!(refused.header("content-type"), kind);
    assert_eq!(posts(SHELTER, 1).await, [201], "others are not touched");
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(posts(PHONE, 2).await, [201, 429]);
}

#[actix_web::test]
async fn who_holds_a_token_is_not_limited_by_the_address_that_others_use_up() {
    let mut app = strict(&[]);
    let mo = app.neighbor(&[food(1)]).await;
    let offers = [json!({"category": "food", "capacity": 5})];
    let ana = app.volunteer("ana@example.org", &offers).await;
    let (_, desk) = app.coordinator(Scope::Intake).await;
    let all = statuses(&app, 4, |n| post(SHELTER, "/v1/requests", &need(n))).await;
    assert_eq!(all.last(), Some(&429));

    let more = json!({"needs": [food(1)]});
    for _ in 0..4 {
        let add = post(SHELTER, "/v1/neighbors/self/requests", &more);
        app.send(bearer(add, &mo.token)).await.ok();
        let look = request(SHELTER, Method::GET, "/v1/neighbors/self");
        app.send(bearer(look, &mo.token)).await.ok();
        let enter = post(SHELTER, "/v1/requests", &need(0));
        app.send(bearer(enter, &desk)).await.ok();
        let look = request(SHELTER, Method::GET, "/v1/categories");
        app.send(bearer(look, &ana.token)).await.ok();
        let stop = form(SHELTER, "/manage", "code=").set_payload(format!("code={}", mo.token));
        assert_eq!(app.send(stop).await.status, 200);
    }
}

#[actix_web::test]
async fn a_token_that_anybody_can_have_is_no_way_to_post_without_limit() {
    let app = strict(&[]);
    let mo = app.neighbor(&[food(1)]).await;
    let call = |n| bearer(post(SHELTER, "/v1/offers", &someone(n)), &mo.token);
    assert_eq!(statuses(&app, 4, call).await, [404, 404, 404, 429]);
}

/// An offer of somebody else each time.
fn someone(n: usize) -> Value {
    let email = format!("someone{n}@example.org");
    offer_of(&email, &[json!({"category": "food", "capacity": 5})])
}

#[actix_web::test]
async fn a_token_that_opens_nothing_is_no_way_around() {
    let app = strict(&[("limits.guesses.burst", "100")]);
    for garbage in ["x", "mhn_0", &stranger(Purpose::Volunteer)] {
        let offer = offer_of(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5})],
        );
        let from = format!("203.0.113.{}", garbage.len());
        let call = |_| bearer(post(&from, "/v1/offers", &offer), garbage);
        assert_eq!(statuses(&app, 4, call).await, [404, 404, 404, 429]);
        let call = |_| bearer(request(&from, Method::GET, "/v1/needs"), garbage);
        assert_eq!(statuses(&app, 4, call).await, [200, 200, 200, 429]);
    }
}

#[actix_web::test]
async fn guessing_is_limited_however_it_is_done() {
    let guess = |n: usize, from: &str| match n {
        0 => bearer(
            request(from, Method::GET, "/v1/neighbors/self"),
            &stranger(Purpose::Neighbor),
        ),
        1 => bearer(
            request(from, Method::POST, "/v1/confirm"),
            &stranger(Purpose::Confirm),
        ),
        2 => bearer(request(from, Method::GET, "/v1/matches/self"), "mha_short"),
        3 => {
            let token = stranger(Purpose::Unsubscribe);
            request(from, Method::POST, &format!("/v1/unsubscribe/{token}"))
        }
        4 => form(from, "/", "code=mhn_wrong"),
        5 => form(from, "/answer", "code="),
        6 => form(from, "/confirm", "code=x"),
        7 => form(from, "/manage", "code=x"),
        _ => form(from, "/unsubscribe", "code=x"),
    };
    // Wide limits for the rest, so that only guesses count.
    let app = strict(&[("limits.posts.burst", "100"), ("limits.reads.burst", "100")]);
    let mo = app.neighbor(&[food(1)]).await;
    for n in 0..9 {
        let from = format!("198.51.100.{n}");
        let all = statuses(&app, 3, |_| guess(n, &from)).await;
        assert_eq!(all, [404, 404, 404], "guess {n}");
        let refused = app.send(guess(n, &from)).await;
        assert_eq!(wait(&refused), 60, "guess {n}");
        let is_page = n > 3;
        let html = String::from_utf8_lossy(&refused.bytes).contains("Too much came at once");
        assert_eq!(html, is_page, "guess {n}");
        // A code that works, works.
        let look = request(&from, Method::GET, "/v1/neighbors/self");
        app.send(bearer(look, &mo.token)).await.ok();
        let page = form(&from, "/", "").set_payload(format!("code={}", mo.token));
        assert_eq!(app.send(page).await.status, 200);
    }
}

#[actix_web::test]
async fn pages_are_limited_with_a_page() {
    let app = strict(&[]);
    for path in ["/need/food", "/offer/food"] {
        let from = format!("198.51.100.{}", path.len());
        let sent = statuses(&app, 4, |_| form(&from, path, "key=1")).await;
        assert_eq!(sent, [422, 422, 422, 429]);
        let looked = statuses(&app, 4, |_| request(&from, Method::GET, path)).await;
        assert_eq!(looked, [200, 200, 200, 429]);
        let refused = app.send(request(&from, Method::GET, path)).await;
        assert_eq!(wait(&refused), 60);
        let kind = refused.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("text/html"), "{kind}");
        assert!(String::from_utf8_lossy(&refused.bytes).contains("wait a little"));
    }
}

#[actix_web::test]
async fn forwarding_headers_count_only_from_proxies_that_are_trusted() {
    let app = strict(&[("server.trusted_proxies", "10.0.0.0/8")]);
    let look = |from: &str, claimed: &str| {
        request(from, Method::GET, "/v1/categories")
            .insert_header(("X-Forwarded-For", claimed.to_owned()))
    };
    // Whoever connects directly may claim what they like.
    let spoofed = statuses(&app, 4, |n| look(PHONE, &format!("192.0.2.{n}"))).await;
    assert_eq!(spoofed, [200, 200, 200, 429]);
    // Behind the proxy each has their own count, and what they claim themselves stands on the left.
    let behind = |n: usize| look(PROXY, &format!("192.0.2.{n}, {SHELTER}, 10.0.0.2"));
    assert_eq!(statuses(&app, 4, behind).await, [200, 200, 200, 429]);
    let other = statuses(&app, 3, |_| look(PROXY, "192.0.2.99")).await;
    assert_eq!(other, [200, 200, 200]);
    // One customer of IPv6 has more addresses than could be counted.
    let many = |n: usize| look(PROXY, &format!("2001:db8:1:2::{n}"));
    assert_eq!(statuses(&app, 4, many).await, [200, 200, 200, 429]);
}

#[actix_web::test]
async fn one_contact_has_a_limit_that_is_the_same_for_known_and_unknown_ones() {
    let contact = [
        ("limits.mode", "on"),
        ("limits.contacts.burst", "3"),
        ("limits.contacts.per_hour", "60"),
    ];
    let mut app = TestApp::with(&contact);
    let offers = [json!({"category": "food", "capacity": 5})];
    app.volunteer("known@example.org", &offers).await;
    app.clock.advance(HOUR);
    let post_by = |email: &str, n: usize| {
        let mut offer = offer_of(email, &offers);
        offer["contact"]["phone"] = Value::Null;
        post(&format!("198.51.100.{n}"), "/v1/offers", &offer)
    };
    let mut refusals = Vec::new();
    for email in ["known@example.org", "unknown@example.org"] {
        let all = statuses(&app, 3, |n| post_by(email, n)).await;
        assert_eq!(all, [201, 201, 201], "{email}");
        let refused = app.send(post_by(email, 9)).await;
        assert_eq!(wait(&refused), 60);
        refusals.push((refused.headers, refused.bytes));
    }
    assert_eq!(refusals[0], refusals[1]);

    let by_phone = |n: usize| post(&format!("198.51.100.{n}"), "/v1/requests", &need(0));
    assert_eq!(statuses(&app, 4, by_phone).await, [201, 201, 201, 429]);
    let (_, desk) = app.coordinator(Scope::Intake).await;
    let entered = app.send(bearer(by_phone(1), &desk)).await;
    assert_eq!(entered.status, 201, "a desk may enter many");
}

#[actix_web::test]
async fn a_whole_shelter_may_post_from_one_address_with_the_shipped_limits() {
    let app = TestApp::with(&[("limits.mode", "on")]);
    let all = statuses(&app, 300, |n| post(SHELTER, "/v1/requests", &need(n))).await;
    assert!(all.iter().all(|status| *status == 201), "{all:?}");
}
