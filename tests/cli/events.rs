//! Watching what changes, over a connection as it is.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::program::{PATIENCE, Place, Service, post};

struct Town {
    place: Place,
    service: Service,
    token: String,
}

impl Town {
    fn with(place: Place) -> Self {
        let added = place.run(["coordinator", "add", "Cora", "--email", "cora@example.org"]);
        let token = added.code(0).out().trim().to_owned();
        let service = place.serve();
        Self {
            place,
            service,
            token,
        }
    }

    fn new() -> Self {
        Self::with(Place::new())
    }

    /// Posts a request and gives its id.
    fn need(&self) -> String {
        let body = json!({
            "contact": {"name": "Mo", "phone": "612 555 0123"},
            "location": {"lat": 44.9778, "lon": -93.2650},
            "needs": [{"category": "food", "quantity": 2}],
        });
        let (status, answer) = post(self.service.public, "/v1/requests", &body);
        assert_eq!(status, 201, "{answer}");
        let posted: Value = serde_json::from_str(&answer).unwrap();
        posted["requests"][0]["id"].as_str().unwrap().to_owned()
    }

    fn watch(&self, after: Option<&str>) -> Watch {
        let mut stream = TcpStream::connect(self.service.public).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let after = after.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let request = format!(
            "GET /v1/events HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAccept-Encoding: gzip\r\nAuthorization: Bearer {}\r\n{after}\r\n",
            self.token
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut watch = Watch {
            stream,
            heard: String::new(),
        };
        watch.until("id: ");
        watch
    }
}

struct Watch {
    stream: TcpStream,
    heard: String,
}

impl Watch {
    /// Some more; `false` at the end.
    fn hear(&mut self) -> bool {
        let mut piece = [0; 4096];
        let length = self.stream.read(&mut piece).unwrap();
        self.heard
            .push_str(std::str::from_utf8(&piece[..length]).unwrap());
        length > 0
    }

    fn until(&mut self, text: &str) {
        while !self.heard.contains(text) {
            assert!(self.hear(), "it ended without {text:?}:\n{}", self.heard);
        }
    }

    /// Waits for the place that comes after something; gives it.
    fn place_after(&mut self, text: &str) -> String {
        self.until(text);
        loop {
            let (_, after) = self.heard.split_once(text).unwrap();
            let id = after
                .split_once("\nid: ")
                .and_then(|(_, id)| id.split_once("\n\n"));
            if let Some((id, _)) = id {
                return id.to_owned();
            }
            assert!(self.hear(), "{}", self.heard);
        }
    }

    fn listen_to_the_end(mut self) -> String {
        while self.hear() {}
        self.heard
    }
}

#[test]
fn who_comes_back_misses_nothing_and_hears_nothing_twice() {
    let town = Town::new();
    let mut first = town.watch(None);
    assert!(
        first.heard.contains("content-type: text/event-stream"),
        "{}",
        first.heard
    );
    assert!(first.heard.contains("cache-control: no-store"));
    assert!(!first.heard.contains("content-encoding: gzip"));
    let one = town.need();
    let event = format!(r#""data":{{"id":"{one}"}}"#);
    let place = first.place_after(&event);
    assert!(
        first
            .heard
            .contains("event: request.changed\ndata: {\"type\":\"request.changed\"")
    );
    drop(first);

    let two = town.need();
    let mut again = town.watch(Some(&place));
    again.until(&two);
    assert!(!again.heard.contains(&one), "{}", again.heard);
    assert!(!again.heard.contains("event: reset"));
}

#[test]
fn a_place_that_is_no_place_is_refused() {
    let town = Town::new();
    let mut watch = town.watch(None);
    watch.until("id: ");
    let mut stream = TcpStream::connect(town.service.public).unwrap();
    let request = format!(
        "GET /v1/events HTTP/1.1\r\nHost: test\r\nConnection: close\r\nLast-Event-ID: 17\r\nAuthorization: Bearer {}\r\n\r\n",
        town.token
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("urn:manyhands:problem:last-event-id"));
}

#[test]
fn who_watches_is_not_taken_for_somebody_who_does_nothing() {
    let town = Town::with(Place::new().with("SERVER__REQUEST_TIMEOUT", "3s"));
    let mut watch = town.watch(None);
    // Opened later, and dropped because nothing goes on.
    let mut idle = TcpStream::connect(town.service.public).unwrap();
    idle.write_all(b"GET /v1/nowhere HTTP/1.1\r\nHost: test\r\n\r\n")
        .unwrap();
    idle.set_read_timeout(Some(PATIENCE)).unwrap();
    idle.read_to_end(&mut Vec::new()).unwrap();
    let one = town.need();
    watch.until(&one);
}

#[test]
fn who_may_not_watch_any_more_hears_no_more() {
    let town = Town::new();
    let watch = town.watch(None);
    let listed = town
        .place
        .run(["coordinator", "list", "--json"])
        .code(0)
        .json();
    let id = listed[0]["id"].as_str().unwrap();
    town.place.run(["coordinator", "revoke", id]).code(0);
    let one = town.need();
    assert!(!watch.listen_to_the_end().contains(&one));
}

#[test]
fn a_stop_does_not_wait_for_who_watches() {
    let town = Town::new();
    let watch = town.watch(None);
    let started = Instant::now();
    town.service.terminate();
    let (status, _, log) = town.service.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("calls were cut off"), "{log}");
    assert!(started.elapsed() < Duration::from_secs(10));
    watch.listen_to_the_end();
}
