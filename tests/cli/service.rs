//! The service from its start to its stop.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::program::{PATIENCE, Place, Service, call, files, get, post, read_answer};

/// What must never be in a log: all that the post below says of a person, as no instant or measurement
/// is written.
const PERSONAL: [&str; 8] = [
    "Moira",
    "Farah",
    "moira.farah",
    "555 0123",
    "5550123",
    "Secret Ave",
    "44.9778",
    "-93.26",
];

fn moira() -> Value {
    json!({
        "contact": {"name": "Moira Farah", "email": "moira.farah@example.org", "phone": "612 555 0123"},
        "location": {"lat": 44.9778, "lon": -93.2650, "address": "2410 Secret Ave"},
        "needs": [{"category": "food", "quantity": 2, "private_note": "Ring twice, Moira"}],
    })
}

/// Begins a post of so many bytes. When this returns the service has taken it up, and waits for them.
fn begin(service: &Service, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(service.public).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /v1/requests HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut go_on = *b"HTTP/1.1 100 Continue\r\n\r\n";
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

fn stop(service: Service) -> (Duration, String) {
    let started = Instant::now();
    service.terminate();
    let (status, out, log) = service.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(out, "");
    (started.elapsed(), log)
}

#[test]
fn it_answers_works_and_stops_and_says_nothing_of_anybody() {
    let place = Place::new();
    let service = place.serve();
    assert_eq!(get(service.admin, "/healthz").0, 200);
    assert_eq!(get(service.public, "/healthz").0, 404, "not for everyone");
    assert_eq!(get(service.public, "/metrics").0, 404, "not for everyone");
    let (status, body) = post(service.public, "/v1/requests", &moira());
    assert_eq!(status, 201, "{body}");
    let posted: Value = serde_json::from_str(&body).unwrap();
    let token = posted["manage_token"].as_str().unwrap();
    // Sent by the outbox, without anybody's doing.
    let started = Instant::now();
    let sent = r#"manyhands_letters_total{outcome="sent"}"#;
    while !get(service.admin, "/metrics").1.contains(sent) {
        assert!(started.elapsed() < PATIENCE, "no letter is sent");
    }
    assert!(!files(&place.path("mail")).is_empty());

    let (_, log) = stop(service);
    // Nobody is waited for in vain where nothing goes on.
    assert!(!log.contains("cut off"), "{log}");
    for personal in PERSONAL.iter().chain([&token]) {
        assert!(!log.contains(personal), "{personal} in {log}");
    }
    // What was acknowledged is there after the stop, in files that show nothing of it either.
    for file in files(&place.path("data")) {
        let bytes = std::fs::read(&file).unwrap();
        for personal in ["Moira", "moira.farah", "Secret Ave", "Ring twice", token] {
            let personal = personal.as_bytes();
            assert!(
                !bytes.windows(personal.len()).any(|w| w == personal),
                "{file}"
            );
        }
    }
    let service = place.serve();
    let request = format!(
        "GET /v1/neighbors/self HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(service.public).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).0, 200);
    service.kill();
}

#[test]
fn it_limits_who_calls_too_often_by_the_address_that_its_proxy_names_and_keeps_no_address() {
    let place = Place::new()
        .with("SERVER__TRUSTED_PROXIES", "127.0.0.1")
        .with("LIMITS__READS__BURST", "2")
        .with("LIMITS__READS__PER_HOUR", "1");
    let service = place.serve();
    let look = |from: &str| {
        let head = "GET /v1/categories HTTP/1.1\r\nHost: test\r\nConnection: close";
        call(
            service.public,
            &format!("{head}\r\nX-Forwarded-For: 192.0.2.1, {from}\r\n\r\n"),
        )
    };
    let statuses = |from| [(); 3].map(|()| look(from).0);
    assert_eq!(statuses("203.0.113.77"), [200, 200, 429]);
    assert_eq!(statuses("2001:db8:77::1"), [200, 200, 429]);
    let metrics = get(service.admin, "/metrics").1;
    assert!(
        metrics.contains("manyhands_limited_total{class=\"read\"} 2"),
        "{metrics}"
    );
    let (_, log) = stop(service);
    for address in ["203.0.113.77", "2001:db8:77", "192.0.2.1"] {
        assert!(
            !metrics.contains(address) && !log.contains(address),
            "{address} in {log}"
        );
        for file in files(&place.path("data")) {
            let bytes = std::fs::read(&file).unwrap();
            let address = address.as_bytes();
            assert!(
                !bytes.windows(address.len()).any(|w| w == address),
                "{file}"
            );
        }
    }
}

#[test]
fn an_open_call_is_finished_during_the_stop_and_readiness_ends_at_once() {
    let place = Place::new();
    let service = place.serve();
    let body = moira().to_string();
    let (first, rest) = body.split_at(20);
    let mut stream = begin(&service, body.len());
    stream.write_all(first.as_bytes()).unwrap();
    service.terminate();
    // Before the open call is over: what is left of that is sent only then.
    let started = Instant::now();
    while get(service.admin, "/readyz").0 == 200 {
        assert!(started.elapsed() < PATIENCE, "it is still ready");
    }
    stream.write_all(rest.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).0, 201);
    let (status, _, log) = service.end();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn it_stops_in_ten_seconds_whatever_hangs_and_loses_nothing() {
    // A mail server that takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::new()
        .with("MAIL__TRANSPORT", "smtp")
        .with("MAIL__SMTP__HOST", "127.0.0.1")
        .with(
            "MAIL__SMTP__PORT",
            &silent.local_addr().unwrap().port().to_string(),
        )
        .with("MAIL__SMTP__TLS", "none");
    let service = place.serve();
    assert_eq!(post(service.public, "/v1/requests", &moira()).0, 201);
    let (came, waiting) = channel();
    let door = silent.try_clone().unwrap();
    thread::spawn(move || came.send(door.accept().unwrap()));
    let (mail, _) = waiting.recv_timeout(PATIENCE).expect("a letter");
    // A call that never ends.
    let mut hanging = begin(&service, 99);
    hanging.write_all(b"{").unwrap();
    let (took, log) = stop(service);
    assert!(took < Duration::from_secs(10), "{took:?}: {log}");
    drop(mail);
    let mut rest = Vec::new();
    // Cut off: whether by an end or by a reset is the system's business.
    let _ = hanging.read_to_end(&mut rest);

    let all = place.run(["doctor", "--json"]).json();
    let letters = all
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["check"] == "letters")
        .unwrap();
    assert_ne!(letters["detail"], "none waits");
}

#[test]
fn a_call_that_takes_too_long_is_ended() {
    let place = Place::new().with("SERVER__REQUEST_TIMEOUT", "1s");
    let service = place.serve();
    let mut stream = TcpStream::connect(service.public).unwrap();
    stream
        .write_all(b"POST /v1/requests HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
        .unwrap();
    let (status, body) = read_answer(&mut stream);
    assert_eq!(status, 408, "{body}");
    assert!(body.contains("urn:manyhands:problem:too-slow"), "{body}");
    service.kill();
}

#[test]
fn the_live_doctor_asks_the_service() {
    let mut place = Place::new();
    let service = place.serve();
    place.set("SERVER__ADMIN_BIND", &service.admin.to_string());
    let asked = place.run(["doctor", "--live"]).code(0);
    assert!(asked.out().contains("ready"), "{}", asked.out());
    let (_, log) = stop(service);
    place.run(["doctor", "--live"]).code(1);
    assert!(log.contains("stopped"), "{log}");
}

#[test]
fn roles_share_the_work_of_one_database() {
    let mut place = Place::new();
    let http = place.serve_as("http");
    let worker = place.serve_as("worker");
    assert_eq!(post(http.public, "/v1/requests", &moira()).0, 201);
    let started = Instant::now();
    while files(&place.path("mail")).is_empty() {
        assert!(started.elapsed() < PATIENCE, "no letter is sent");
        thread::yield_now();
    }
    assert!(
        !get(http.admin, "/metrics")
            .1
            .contains("manyhands_letters_total")
    );
    place.set("SERVER__ADMIN_BIND", &worker.admin.to_string());
    place.run(["doctor", "--live"]).code(0);
    stop(http);
    stop(worker);
}
