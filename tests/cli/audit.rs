//! Whether the audit is what it was: asked beside a running service, answered by exit codes.

use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::Value;

use super::program::{PATIENCE, Place};

/// Does what somebody does who can write to the file.
fn tamper(place: &Place, sql: &str) {
    let path = place.path("data/manyhands.db").display().to_string();
    let mut conn = SqliteConnection::establish(&path).unwrap();
    conn.batch_execute(&format!(
        "PRAGMA busy_timeout = 5000; DROP TRIGGER IF EXISTS audit_keeps_its_content; {sql};"
    ))
    .unwrap();
}

fn add_coordinator(place: &Place, name: &str) {
    let email = format!("{name}@example.org");
    place
        .run(["coordinator", "add", name, "--email", &email])
        .code(0);
    // Entries rest for a while before they are sealed; this one has.
    tamper(
        place,
        "UPDATE audit SET at = at - 3600000000 WHERE seq = (SELECT max(seq) FROM audit)",
    );
}

/// Waits until so many entries are sealed; gives what is told then.
fn sealed(place: &Place, entries: i64) -> Value {
    let started = Instant::now();
    loop {
        let told = place.run(["audit", "verify", "--json"]).code(0).json();
        if told["verified"] == entries {
            return told;
        }
        assert!(started.elapsed() < PATIENCE, "{told}");
    }
}

#[test]
fn the_audit_is_verified_while_the_service_runs() {
    let place = Place::new();
    place.run(["audit", "verify"]).code(1);
    assert!(!place.path("data").exists());

    add_coordinator(&place, "cora");
    let told = place.run(["audit", "verify"]).code(0).out();
    assert!(
        told.contains("Entries verified: 0; not sealed yet: 1"),
        "{told}"
    );

    let service = place.serve();
    let told = sealed(&place, 1);
    let head = told["head"].as_str().unwrap();
    assert!(head.starts_with("1:") && head.len() == 66, "{head}");
    service.kill();

    // The next one goes on where the killed one stopped.
    add_coordinator(&place, "ivo");
    let service = place.serve();
    let later = sealed(&place, 2);
    assert_eq!(later["waiting"], 0);
    let text = place.run(["audit", "verify", "--head", head]).code(0).out();
    assert!(text.contains("Entries verified: 2;"), "{text}");
    assert!(text.contains(later["head"].as_str().unwrap()), "{text}");
    service.terminate();
    let (_, _, log) = service.end();
    let logged = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|line| line["audit.head"].as_str().map(str::to_owned));
    assert_eq!(logged.as_deref(), later["head"].as_str());
}

#[test]
fn an_edited_entry_is_named() {
    let place = Place::new();
    add_coordinator(&place, "cora");
    add_coordinator(&place, "ivo");
    let service = place.serve();
    let head = sealed(&place, 2)["head"].as_str().unwrap().to_owned();
    service.kill();

    tamper(
        &place,
        "UPDATE audit SET detail = '{\"scope\":\"admin\"}' WHERE seq = 2",
    );
    let told = place.run(["audit", "verify"]).code(3);
    assert!(
        told.out().contains("Entries verified: 1;"),
        "{}",
        told.out()
    );
    assert!(told.err().contains("entry 2 (link 2)"), "{}", told.err());
    let json = place.run(["audit", "verify", "--json"]).code(3).json();
    assert_eq!(json["fault"]["kind"], "edited");
    assert_eq!(json["fault"]["seq"], 2);
    assert_eq!(json["verified"], 1);
    tamper(
        &place,
        "UPDATE audit SET detail = '{\"scope\":\"coordinator\"}' WHERE seq = 2",
    );
    place.run(["audit", "verify", "--head", &head]).code(0);

    // A head of another chain, one that is not there yet, and what is none.
    let other = format!("2:{}", "0".repeat(64));
    let told = place.run(["audit", "verify", "--head", &other]).code(3);
    assert!(told.err().contains("made anew"), "{}", told.err());
    let cut = format!("3:{}", "0".repeat(64));
    let told = place.run(["audit", "verify", "--head", &cut]).code(3);
    assert!(told.err().contains("cut off"), "{}", told.err());
    place.run(["audit", "verify", "--head", "2"]).code(2);
}
