//! What operators do beside running the service.

use std::fs;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use serde_json::json;

use super::program::{Place, get};

#[test]
fn everything_there_is_to_do_is_listed_and_has_an_example() {
    let place = Place::new();
    let help = place.run(["--help"]).code(0).out();
    let commands = [
        vec!["serve"],
        vec!["migrate"],
        vec!["check-config"],
        vec!["doctor"],
        vec!["coordinator"],
        vec!["coordinator", "add"],
        vec!["coordinator", "list"],
        vec!["coordinator", "limit"],
        vec!["coordinator", "digest"],
        vec!["coordinator", "rotate"],
        vec!["coordinator", "revoke"],
        vec!["key"],
        vec!["key", "status"],
        vec!["key", "rotate"],
        vec!["key", "prune"],
        vec!["lock"],
        vec!["unlock"],
        vec!["demo"],
        vec!["simulate"],
        vec!["backup"],
        vec!["restore"],
        vec!["copy"],
        vec!["audit"],
        vec!["audit", "verify"],
        vec!["wipe-closed"],
        vec!["openapi"],
    ];
    for command in commands {
        assert!(help.contains(command[0]), "{command:?}");
        let arguments = command.iter().copied().chain(["--help"]);
        let help = place.run(arguments).code(0).out();
        assert!(help.contains("Example"), "{command:?}: {help}");
        assert!(
            help.contains(&format!("manyhands {}", command.join(" "))),
            "{command:?}: {help}"
        );
    }
}

#[test]
fn coordinators_come_and_go() {
    let place = Place::new();
    place.run(["coordinator", "list"]).code(1);
    let added = place
        .run([
            "coordinator",
            "add",
            "Cora Smith",
            "--email",
            "cora@example.org",
        ])
        .code(0);
    let token = added.out();
    assert!(
        token.starts_with("mhc_") && token.trim().len() == 32,
        "{token}"
    );
    assert!(!added.err().contains("mhc_"));

    let second = place
        .run([
            "coordinator",
            "add",
            "Ivo",
            "--email",
            "ivo@example.org",
            "--scope",
            "intake",
            "--json",
        ])
        .code(0)
        .json();
    let listed = place.run(["coordinator", "list"]).code(0).out();
    assert!(
        listed.contains("Cora Smith") && listed.contains("ivo@example.org"),
        "{listed}"
    );
    assert!(!listed.contains("mhc_"), "a token is shown once");

    let id = second["id"].as_str().unwrap();
    let digests = || {
        let listed = place.run(["coordinator", "list", "--json"]).code(0).json();
        let first = listed[0]["id"].as_str().unwrap().to_owned();
        (
            first,
            listed[0]["digest"].clone(),
            listed[1]["digest"].clone(),
        )
    };
    let (first, hers, his) = digests();
    assert_eq!((hers, his), (json!(true), json!(false)), "not for intake");
    for _ in 0..2 {
        place.run(["coordinator", "digest", &first, "off"]).code(0);
    }
    assert_eq!(digests().1, json!(false));
    place.run(["coordinator", "digest", &first, "on"]).code(0);
    let rotated = place
        .run(["coordinator", "rotate", id, "--expires", "90d"])
        .code(0);
    assert!(rotated.out().starts_with("mhc_"));
    assert_ne!(rotated.out().trim(), second["token"].as_str().unwrap());
    let listed = place.run(["coordinator", "list", "--json"]).code(0).json();
    assert!(listed[0]["expires_at"].is_null() && listed[1]["expires_at"].is_string());
    assert_eq!(listed[1]["state"], "active");
    let wrong = ["coordinator", "rotate", id, "--expires", "soon"];
    assert!(place.run(wrong).code(2).err().contains("90d"));
    place.run(["coordinator", "revoke", id]).code(0);
    let revoked = place.run(["coordinator", "rotate", id]).code(1);
    assert!(revoked.err().contains("revoked"));
    place.run(["coordinator", "revoke", id]).code(0);
    let nobody = "00000000-0000-4000-8000-000000000000";
    let refused = place.run(["coordinator", "revoke", nobody]).code(1);
    assert!(refused.err().contains(nobody));
    let refused = place.run(["coordinator", "digest", nobody, "off"]).code(1);
    assert!(refused.err().contains(nobody));
    let revoked = place.run(["coordinator", "digest", id, "on"]).code(0);
    assert!(revoked.out().contains(id), "as it was: nothing changes");
    place.run(["coordinator", "digest", id, "off"]).code(1);
    let listed = place.run(["coordinator", "list", "--json"]).code(0).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["scope"], "coordinator");
    assert!(listed[0]["revoked_at"].is_null());
    assert!(listed[1]["revoked_at"].is_string());
    assert_eq!(listed[1]["id"], second["id"]);
}

#[test]
fn coordinators_can_be_added_while_the_service_runs() {
    let place = Place::new();
    let service = place.serve();
    place
        .run(["coordinator", "add", "Cora", "--email", "cora@example.org"])
        .code(0);
    assert_eq!(get(service.admin, "/healthz").0, 200);
    let listed = place.run(["coordinator", "list", "--json"]).code(0).json();
    assert_eq!(listed[0]["name"], "Cora");
    service.kill();
}

#[test]
fn a_copy_is_taken_from_a_running_service_and_put_back() {
    let place = Place::new();
    let service = place.serve();
    place
        .run(["coordinator", "add", "Cora", "--email", "cora@example.org"])
        .code(0);
    place.run(["backup", "copy.db"]).code(0);
    service.kill();

    let again = place.run(["backup", "copy.db"]).code(1);
    assert!(again.err().contains("copy.db"), "{}", again.err());
    let over = place.run(["restore", "copy.db"]).code(1);
    assert!(over.err().contains("manyhands.db"), "{}", over.err());

    // A log that was left behind would be applied to the copy.
    fs::remove_file(place.path("data/manyhands.db")).unwrap();
    let over = place.run(["restore", "copy.db"]).code(1);
    assert!(over.err().contains("manyhands.db-"), "{}", over.err());

    fs::remove_dir_all(place.path("data")).unwrap();
    let restored = place.run(["restore", "copy.db"]).code(0);
    assert!(!restored.err().contains("warning"), "{}", restored.err());
    let listed = place.run(["coordinator", "list", "--json"]).code(0).json();
    assert_eq!(listed[0]["name"], "Cora");
    place.run(["doctor"]).code(0);
}

#[test]
fn a_copy_that_is_not_whole_is_refused_and_leaves_nothing() {
    let place = Place::new();
    fs::write(place.path("copy.db"), [7; 5000]).unwrap();
    place.run(["restore", "copy.db"]).code(1);
    // What was broken off at its very beginning is a database to SQLite, with nothing in it.
    let empty = place.path("empty.db").display().to_string();
    let mut conn = SqliteConnection::establish(&empty).unwrap();
    conn.batch_execute("VACUUM").unwrap();
    let refused = place.run(["restore", "empty.db"]).code(1);
    assert!(
        refused.err().contains("nothing of Manyhands"),
        "{}",
        refused.err()
    );
    place.run(["restore", "nowhere.db"]).code(1);
    assert!(!place.path("data").exists());
    place.run(["backup", "copy2.db"]).code(1);
    assert!(!place.path("data").exists() && !place.path("copy2.db").exists());
}

#[test]
fn a_copy_without_its_ring_is_announced() {
    let place = Place::new();
    place
        .run(["coordinator", "add", "Cora", "--email", "cora@example.org"])
        .code(0);
    place.run(["backup", "copy.db"]).code(0);
    fs::remove_dir_all(place.path("data")).unwrap();
    fs::remove_dir_all(place.path("keys")).unwrap();
    let restored = place.run(["restore", "copy.db"]).code(0);
    assert!(
        restored
            .err()
            .contains("warning: put its key ring in place"),
        "{}",
        restored.err()
    );
}

#[test]
fn the_doctor_looks_at_everything() {
    let place = Place::new();
    place.run(["doctor"]).code(0);
    assert!(!place.path("data").exists() && !place.path("keys").exists());

    place.run(["migrate"]).code(0);
    let all = place.run(["doctor", "--json"]).code(0).json();
    let level = |check: &str| {
        all.as_array()
            .unwrap()
            .iter()
            .find(|f| f["check"] == check)
            .map(|f| f["level"].clone())
    };
    for check in [
        "schema",
        "integrity",
        "disk",
        "clock",
        "letters",
        "dead letters",
        "master keys",
        "mail",
    ] {
        assert_eq!(level(check), Some(json!("ok")), "{check}");
    }
    assert_eq!(level("settings"), Some(json!("warn")), "mail goes to files");

    fs::write(place.path("data/manyhands.db"), [7; 5000]).unwrap();
    place.run(["doctor"]).code(1);
}

#[test]
fn the_key_ring_is_described_without_its_keys() {
    let place = Place::new();
    place.run(["key", "status"]).code(1);
    place
        .run(["coordinator", "add", "Cora", "--email", "cora@example.org"])
        .code(0);
    let status = place.run(["key", "status", "--json"]).code(0);
    assert_eq!(status.json()["keys"][0]["epoch"], 1);
    assert_eq!(status.json()["keys"][0]["active"], true);
    let text = status.out() + &place.run(["key", "status"]).code(0).out();
    for line in fs::read_to_string(place.path("keys/keyring.toml"))
        .unwrap()
        .lines()
    {
        if let Some((_, secret)) = line.split_once(" = ").filter(|(_, v)| v.len() > 40) {
            assert!(!text.contains(secret.trim_matches('"')));
        }
    }
}

#[test]
fn the_api_is_described() {
    let document = Place::new().run(["openapi"]).code(0).json();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/v1/requests"]["post"].is_object());
}

#[test]
fn a_schema_is_made_once() {
    let place = Place::new();
    let first = place.run(["migrate"]).code(0).out();
    assert!(first.contains("applied"), "{first}");
    let second = place.run(["migrate"]).code(0).out();
    assert!(second.contains("up to date"), "{second}");
}

#[test]
fn what_is_closed_is_wiped_at_a_word() {
    let place = Place::new();
    place.run(["wipe-closed"]).code(1);
    place
        .run(["coordinator", "add", "Cora", "--email", "cora@example.org"])
        .code(0);
    let wiped = place.run(["wipe-closed", "--json"]).code(0).out();
    let wiped: serde_json::Value = serde_json::from_str(&wiped).unwrap();
    assert_eq!(wiped["requests"], 0);
    assert_eq!(wiped["flushed"], true);
    let told = place.run(["wipe-closed"]).code(0).out();
    assert!(told.starts_with("Destroyed:"), "{told}");
}

#[test]
fn coordinators_are_limited_to_a_part_and_freed_again() {
    let place = Place::new();
    let add = ["coordinator", "add", "Fay", "--email", "fay@example.org"];
    let with = |more: &[&'static str]| [&add[..], more].concat();
    let food = [
        "--category",
        "food",
        "--category",
        "towing",
        "--area",
        "862649b2fffffff",
    ];
    let added = place
        .run(with(&[&food[..], &["--json"]].concat()))
        .code(0)
        .json();
    let id = added["id"].as_str().unwrap().to_owned();
    let limits = || {
        let listed = place.run(["coordinator", "list", "--json"]).code(0).json();
        listed[0]["limits"].clone()
    };
    let both = json!({"categories": ["food", "towing"], "areas": ["862649b2fffffff"]});
    assert_eq!(limits(), both);
    let listed = place.run(["coordinator", "list"]).code(0).out();
    assert!(
        listed.contains("food, towing in 862649b2fffffff"),
        "{listed}"
    );
    place
        .run(["coordinator", "limit", &id, "--category", "legal"])
        .code(0);
    assert_eq!(limits(), json!({"categories": ["legal"], "areas": null}));
    place
        .run(["coordinator", "limit", &id, "--no-limits"])
        .code(0);
    assert_eq!(limits(), json!(null));
    for (wrong, says) in [
        (with(&["--category", "fod"]), "food"),
        (with(&["--area", "8a2649b2d3fffff"]), "area"),
        (with(&["--area", "home"]), "H3"),
        (
            with(&["--category", "food", "--scope", "admin"]),
            "only the scope coordinator",
        ),
        (vec!["coordinator", "limit", &id], "--no-limits"),
    ] {
        let refused = place.run(wrong.clone());
        assert!(refused.err().contains(says), "{wrong:?}: {}", refused.err());
    }
    assert_eq!(limits(), json!(null));
}
