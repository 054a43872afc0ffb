//! Whatever is asked, and however it goes wrong: every answer carries the security headers, and none
//! sets a cookie.

use std::net::SocketAddr;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::{Value, json};

use super::program::{Place, post, send};

const HEADERS: [(&str, &str); 9] = [
    ("cache-control", ""),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "deny"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-permitted-cross-domain-policies", "none"),
    ("permissions-policy", "geolocation=()"),
    ("content-security-policy", "default-src 'none'"),
];

#[track_caller]
fn status(head: &str) -> u16 {
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    code.unwrap_or_else(|| panic!("no answer: {head}"))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find_map(|(n, value)| (n == name).then_some(value))
}

/// Sends a request, with `Host` and `Connection: close` added behind its first line; gives head and body.
#[track_caller]
fn ask(address: SocketAddr, request: &str, expected: u16) -> (String, String) {
    let (first, rest) = request.split_once('\n').unwrap_or((request, ""));
    let (headers, body) = rest.split_once("\n\n").unwrap_or((rest, ""));
    let mut all = format!("{first} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    for line in headers.lines() {
        all.extend([line, "\r\n"]);
    }
    let (head, body) = send(address, format!("{all}\r\n{body}").as_bytes());
    assert_eq!(status(&head), expected, "{first}: {head}\n{body}");
    for (name, value) in HEADERS {
        let found = header(&head, name).unwrap_or_else(|| panic!("{first}: no {name} in {head}"));
        assert!(found.contains(value), "{first}: {name}: {found}");
    }
    assert!(!head.contains("set-cookie"), "{first}: {head}");
    (head, body)
}

fn json_of(path: &str, body: &str) -> String {
    format!(
        "POST {path}\nContent-Type: application/json\nContent-Length: {}\n\n{body}",
        body.len()
    )
}

#[test]
fn answers_to_everybody_carry_them() {
    let place = Place::new();
    let service = place.serve();
    let ok = |request: &str| ask(service.public, request, 200);
    let (_, page) = ok("GET /");
    let asset = page
        .split('"')
        .find(|text| text.contains("assets/"))
        .unwrap();
    for path in [
        "/v1/categories",
        "/v1/sites",
        "/v1/needs",
        "/openapi.json",
        "/docs/",
        "/need/food",
        "/manage",
        &format!("/{}", asset.trim_start_matches('/')),
    ] {
        let (get, body) = ok(&format!("GET {path}"));
        let (head, nothing) = ok(&format!("HEAD {path}"));
        assert!(!body.is_empty() && nothing.is_empty(), "{path}: {nothing}");
        assert_eq!(header(&head, "content-type"), header(&get, "content-type"));
        assert_eq!(
            header(&head, "content-length"),
            header(&get, "content-length"),
            "{path}"
        );
        ok(&format!("GET {path}\nAccept-Encoding: gzip"));
        assert!(!get.contains("strict-transport-security"), "{get}");
    }
    let large = "x".repeat(100_000);
    let chunked = format!(
        "POST /v1/requests\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n186a0\r\n{large}\r\n0\r\n\r\n"
    );
    let form = format!(
        "POST /manage\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 100000\n\n{large}"
    );
    for (request, expected) in [
        ("GET /docs", 308),
        ("GET /v1/sites?nonsense=1", 400),
        (&json_of("/v1/requests", "{"), 400),
        ("GET /v1/neighbors/self", 401),
        ("GET /v1/nowhere", 404),
        ("GET /nowhere", 404),
        ("GET /v1/requests/%ff%00", 401),
        ("GET /docs/nothing.js", 404),
        ("GET /assets/nothing.css", 404),
        ("PUT /v1/requests", 405),
        ("OPTIONS /v1/requests", 405),
        ("OPTIONS *", 404),
        ("HEAD /v1/confirm", 405),
        ("TRACE /", 405),
        ("BREW /v1/requests", 405),
        (&json_of("/v1/requests", &format!("\"{large}\"")), 413),
        (&chunked, 413),
        (&form, 413),
        (
            "POST /v1/requests\nContent-Type: text/plain\nContent-Length: 2\n\n{}",
            415,
        ),
        (&json_of("/v1/requests", "{}"), 422),
    ] {
        ask(service.public, request, expected);
    }
    service.kill();
}

#[test]
fn the_answer_to_a_body_that_never_comes_carries_them() {
    let place = Place::new().with("SERVER__REQUEST_TIMEOUT", "1s");
    let service = place.serve();
    let request = "POST /v1/requests\nContent-Type: application/json\nContent-Length: 99\n\n{";
    ask(service.public, request, 408);
    service.kill();
}

#[test]
fn answers_of_a_service_in_trouble_carry_them() {
    let place = Place::new();
    let service = place.serve();
    let need = json!({
        "contact": {"name": "Mo", "phone": "612 555 0123"},
        "location": {"postal_code": "55407"},
        "needs": [{"category": "food", "quantity": 1}],
    });
    let (_, posted) = post(service.public, "/v1/requests", &need);
    let posted: Value = serde_json::from_str(&posted).unwrap();
    let token = posted["manage_token"].as_str().unwrap();
    let database = place.path("data/manyhands.db").display().to_string();
    let mut conn = SqliteConnection::establish(&database).unwrap();
    conn.batch_execute(
        "PRAGMA busy_timeout = 5000; UPDATE neighbors SET languages = '{}'; DROP TABLE idempotency;",
    )
    .unwrap();
    let broken = format!("GET /v1/neighbors/self\nAuthorization: Bearer {token}");
    let (_, body) = ask(service.public, &broken, 500);
    assert!(body.contains("urn:manyhands:problem:internal"), "{body}");
    let post = json_of("/v1/requests", &need.to_string());
    let post = post.replacen('\n', "\nIdempotency-Key: 0123456789abcdef\n", 1);
    ask(service.public, &post, 503);
    service.kill();
}

#[test]
fn answers_to_operators_carry_them() {
    let place = Place::new();
    let service = place.serve();
    for (request, expected) in [
        ("GET /healthz", 200),
        ("HEAD /healthz", 200),
        ("GET /readyz", 200),
        ("GET /metrics", 200),
        ("GET /nowhere", 404),
        ("POST /healthz", 404),
    ] {
        ask(service.admin, request, expected);
    }
    service.kill();
}

#[test]
fn where_the_way_is_encrypted_browsers_are_told_to_keep_to_it() {
    let place = Place::new().with("SERVER__PUBLIC_URL", "https://help.example.org");
    let service = place.serve();
    for (request, expected) in [("GET /", 200), ("GET /v1/nowhere", 404)] {
        let (head, _) = ask(service.public, request, expected);
        assert_eq!(
            header(&head, "strict-transport-security"),
            Some("max-age=31536000")
        );
    }
    service.kill();
}

/// These are answered before there is a request that anything of ours could see.
#[test]
fn what_is_no_request_is_answered_without_a_word() {
    let place = Place::new();
    let service = place.serve();
    let head_of = |extra: &str| format!("GET / HTTP/1.1\r\nHost: test\r\n{extra}\r\n");
    let many = "X: 1\r\n".repeat(200);
    for (bytes, expected) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), 400),
        (head_of("No colon\r\n"), 400),
        (head_of("Content-Length: -1\r\n"), 400),
        (head_of("Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
        (
            head_of("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
            400,
        ),
        (head_of(&many), 431),
        (head_of(&format!("X: {}\r\n", "x".repeat(200_000))), 431),
        (
            format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(200_000)),
            431,
        ),
    ] {
        let (head, body) = send(service.public, bytes.as_bytes());
        let first: String = bytes.chars().take(40).collect();
        assert_eq!(status(&head), expected, "{first}: {head}");
        assert_eq!(body, "", "{first}");
        assert!(!head.contains("set-cookie"), "{first}: {head}");
    }
    service.kill();
}
