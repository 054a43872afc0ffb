//! What operators do where the database is a server's.

use std::process::{Child, Stdio};
use std::time::Instant;

use serde_json::Value;

use super::program::{Ended, PATIENCE, Place, get};
use super::server::Database;

fn place(server: &Database) -> Place {
    Place::new().with("DATABASE__URL", &server.url)
}

/// How the doctor finds one thing.
fn level(all: &Value, check: &str) -> Option<String> {
    let finding = all
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["check"] == check)?;
    Some(finding["level"].as_str().unwrap().to_owned())
}

const TABLES: &str = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";

#[test]
fn what_looks_at_an_empty_database_leaves_it_empty() {
    let server = Database::new();
    let place = place(&server);
    let looked = place.run(["doctor", "--json"]).code(0).json();
    assert_eq!(level(&looked, "schema").as_deref(), Some("warn"));
    place.run(["check-config"]).code(0);
    for command in [
        vec!["coordinator", "list"],
        vec!["audit", "verify"],
        vec!["wipe-closed"],
        vec!["lock"],
        vec!["key", "rotate"],
    ] {
        let refused = place.run(&command).code(1);
        assert!(
            refused.err().contains("manyhands migrate"),
            "{}",
            refused.err()
        );
    }
    let compare = ["copy", "--to", "sqlite:copy.db"];
    assert!(place.run(compare).code(1).err().contains("not up to date"));
    assert_eq!(server.text(TABLES), "0");
    assert!(!place.path("keys").exists() && !place.path("copy.db").exists());
}

#[test]
fn processes_that_migrate_at_once_wait_for_each_other() {
    let server = Database::new();
    let place = place(&server);
    let start = |_| {
        let mut command = place.command(["migrate"]);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let started: Vec<Child> = (0..6).map(start).collect();
    let told: Vec<String> = started
        .into_iter()
        .map(|child| Ended::of(child).code(0).out())
        .collect();
    let applied = told.iter().filter(|text| text.contains("applied")).count();
    let nothing = told
        .iter()
        .filter(|text| text.contains("up to date"))
        .count();
    assert_eq!((applied, nothing), (1, 5), "{told:?}");
}

#[test]
fn operators_work_on_a_server_as_on_a_file() {
    let server = Database::new();
    let place = place(&server);
    let add = [
        "coordinator",
        "add",
        "Cora",
        "--email",
        "cora@example.org",
        "--json",
    ];
    let added = place.run(add).code(0).json();
    let service = place.serve();
    assert_eq!(get(service.admin, "/readyz").0, 200);
    let listed = place.run(["coordinator", "list", "--json"]).code(0).json();
    assert_eq!(listed[0]["name"], "Cora");
    let id = added["id"].as_str().unwrap();
    place.run(["coordinator", "rotate", id]).code(0);
    place.run(["coordinator", "revoke", id]).code(0);

    let looked = place.run(["doctor", "--json"]).code(0).json();
    for check in [
        "server",
        "encryption",
        "clocks",
        "durability",
        "schema",
        "key ring",
        "connections",
        "clock",
        "letters",
        "dead letters",
        "master keys",
        "mail",
    ] {
        assert_eq!(
            level(&looked, check).as_deref(),
            Some("ok"),
            "{check}: {looked}"
        );
    }
    assert_eq!(
        (level(&looked, "disk"), level(&looked, "integrity")),
        (None, None)
    );

    let status = place.run(["key", "status", "--json"]).code(0).json();
    assert_eq!(status["keys"][0]["active"], true);
    assert_eq!(status["processes"].as_array().unwrap().len(), 1);
    place.run(["audit", "verify"]).code(0);
    place.run(["lock"]).code(0);
    assert_eq!(get(service.public, "/v1/categories").0, 503);
    place.run(["unlock"]).code(0);
    assert_eq!(get(service.public, "/v1/categories").0, 200);
    place.run(["key", "rotate"]).code(0);
    let wiped = place.run(["wipe-closed"]).code(0);
    assert!(wiped.err().contains("key prune --now"), "{}", wiped.err());
    let started = Instant::now();
    // Until the service has wrapped anew what the old one wraps.
    while !place.run(["key", "prune", "--now"]).is_ok() {
        assert!(started.elapsed() < PATIENCE, "the old key stays");
    }
    let status = place.run(["key", "status", "--json"]).code(0).json();
    assert_eq!(status["keys"].as_array().unwrap().len(), 1, "{status}");
    service.terminate();
    service.end();
}

#[test]
fn the_servers_own_tools_are_named_for_backups() {
    let server = Database::new();
    let place = place(&server);
    place.run(["migrate"]).code(0);
    for command in ["backup", "restore"] {
        let refused = place.run([command, "copy.db"]).code(1);
        assert!(refused.err().contains("pg_dump"), "{}", refused.err());
        assert!(refused.err().contains("README.md"), "{}", refused.err());
    }
    assert!(!place.path("copy.db").exists());
}

#[test]
fn a_server_that_is_away_is_told_and_no_password_is_shown() {
    // Nothing listens on port 1.
    let away = "postgres://manyhands:hunter2@127.0.0.1:1/town";
    let place = Place::new().with("DATABASE__URL", away);
    let looked = place.run(["doctor", "--json"]).code(1);
    assert_eq!(level(&looked.json(), "server").as_deref(), Some("fail"));
    let mut told = looked.out() + &looked.err();
    for command in [
        vec!["serve"],
        vec!["migrate"],
        vec!["coordinator", "list"],
        vec!["wipe-closed"],
        vec!["copy", "--to", "sqlite:copy.db"],
    ] {
        let ended = place.run(&command).code(1);
        assert!(
            ended.err().contains("127.0.0.1"),
            "{command:?}: {}",
            ended.err()
        );
        told += &(ended.out() + &ended.err());
    }
    let shown = place.run(["check-config"]).code(0).out();
    assert!(
        shown.contains("postgres://manyhands@127.0.0.1:1/town"),
        "{shown}"
    );
    assert!(!(told + &shown).contains("hunter2"));

    let mut place = place;
    place.set("DATABASE__PASSWORD_FILE", "nowhere");
    let refused = place.run(["migrate"]).code(1);
    assert!(
        refused.err().contains("database.password_file"),
        "{}",
        refused.err()
    );
}
