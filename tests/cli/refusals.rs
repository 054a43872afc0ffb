//! What the program refuses, and what it leaves untouched then.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::program::{Place, files};

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let place = Place::new();
    place.run(["serve", "--no-such-flag"]).code(2);
    place.run(["dance"]).code(2);
    place
        .run(["coordinator", "add", "Cora", "--email", "nonsense"])
        .code(2);
    place
        .run(["--config", "nowhere.toml", "check-config"])
        .code(2);
}

#[test]
fn every_fault_in_the_settings_is_named_at_once() {
    let place = Place::new()
        .with("SERVER__BIND", "somewhere")
        .with("MAIL__TRANSPORT", "pigeon")
        .with("NO__SUCH_KEY", "1")
        .with("MAIL__SMTP__PASSWORD", "hunter2")
        .with("OUTBOX__PARALLEL", "hunter2");
    for command in ["check-config", "serve", "migrate", "doctor"] {
        let refused = place.run([command]).code(2);
        for key in [
            "server.bind",
            "mail.transport",
            "no.such_key",
            "outbox.parallel",
        ] {
            assert!(refused.err().contains(key), "{command}: {}", refused.err());
        }
        assert!(!refused.err().contains("hunter2"), "{command}");
    }
    let listed = place.run(["check-config", "--json"]).code(2);
    assert_eq!(listed.json()["ok"], false);
    assert_eq!(
        listed.json()["faults"].as_array().unwrap().len(),
        4,
        "{}",
        listed.out()
    );
    assert_eq!(files(&place.path("")), Vec::<String>::new());
}

#[test]
fn good_settings_are_shown_without_secrets() {
    let place = Place::new()
        .with("MAIL__TRANSPORT", "smtp")
        .with("MAIL__SMTP__HOST", "mail.example.org")
        .with("MAIL__SMTP__USERNAME", "app")
        .with("MAIL__SMTP__PASSWORD", "hunter2")
        .with("SERVER__PUBLIC_URL", "http://help.example.org");
    let shown = place.run(["check-config"]).code(0);
    assert!(shown.out().contains("MANYHANDS__MAIL__SMTP__PASSWORD"));
    assert!(
        shown.out().contains("warning: server.public_url"),
        "{}",
        shown.out()
    );
    assert!(shown.out().ends_with("ok\n"));
    let listed = place.run(["check-config", "--json"]).code(0);
    assert_eq!(listed.json()["settings"]["mail.transport"], "smtp");
    assert!(!(shown.out() + &listed.out() + &shown.err()).contains("hunter2"));
}

#[test]
fn files_that_settings_name_are_checked_too() {
    let mut place = Place::new().with("CATEGORIES__PATH", "categories.toml");
    let missing = place.run(["check-config"]).code(2);
    assert!(
        missing.err().contains("categories.toml"),
        "{}",
        missing.err()
    );
    fs::write(place.path("categories.toml"), "[food]\ntitle = 3\n").unwrap();
    let wrong = place.run(["serve"]).code(2);
    assert!(wrong.err().contains("[food] title"), "{}", wrong.err());
    place.set("CATEGORIES__PATH", "");
    place.set("GAZETTEER__PATH", "codes.tsv");
    fs::write(place.path("codes.tsv"), "US\n").unwrap();
    let wrong = place.run(["check-config"]).code(2);
    assert!(wrong.err().contains("codes.tsv: line 1"), "{}", wrong.err());
}

#[test]
fn an_unknown_database_is_refused_and_no_file_is_made() {
    for url in [
        "mysql://localhost/x",
        "manyhands.db",
        "sqlite:",
        "sqlite::memory:",
    ] {
        let place = Place::new().with("DATABASE__URL", url);
        for command in ["serve", "migrate"] {
            let refused = place.run([command]).code(2);
            assert!(refused.err().contains("database.url"), "{}", refused.err());
        }
        assert_eq!(files(&place.path("")), Vec::<String>::new(), "{url}");
    }
}

const ADD: [&str; 5] = ["coordinator", "add", "Cora", "--email", "cora@example.org"];

#[test]
fn a_ring_that_others_can_read_is_refused() {
    let place = Place::new();
    place.run(ADD).code(0);
    let ring = place.path("keys/keyring.toml");
    fs::set_permissions(&ring, fs::Permissions::from_mode(0o640)).unwrap();
    for command in ["serve", "doctor"] {
        let refused = place.run([command]).code(1);
        let told = refused.out() + &refused.err();
        assert!(told.contains("chmod 600"), "{told}");
    }
}

#[test]
fn a_ring_beside_the_data_is_refused_and_nothing_is_made() {
    let place = Place::new().with("KEYS__PATH", "data/keys/keyring.toml");
    let refused = place.run(["serve"]).code(1);
    assert!(refused.err().contains("keys.path"), "{}", refused.err());
    assert_eq!(files(&place.path("")), Vec::<String>::new());
}

#[test]
fn another_ring_is_refused_and_a_lost_one_is_not_replaced() {
    let place = Place::new();
    place.run(ADD).code(0);
    fs::rename(place.path("keys"), place.path("mine")).unwrap();

    let lost = place.run(["serve"]).code(1);
    assert!(
        lost.err().contains("put your copy of it there"),
        "{}",
        lost.err()
    );
    assert!(!place.path("keys").exists());

    // A ring of another instance.
    let other = Place::new();
    other.run(ADD).code(0);
    fs::rename(other.path("keys"), place.path("keys")).unwrap();
    let refused = place.run(["serve"]).code(1);
    assert!(
        refused.err().contains("does not belong to this database"),
        "{}",
        refused.err()
    );
    place.run(["doctor"]).code(1);

    fs::remove_dir_all(place.path("keys")).unwrap();
    fs::rename(place.path("mine"), place.path("keys")).unwrap();
    place.run(["coordinator", "list"]).code(0);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new().with("SERVER__ADMIN_BIND", "127.0.0.1:0");
    let refused = place.run(["serve", "--bind", &address]).code(1);
    assert!(
        refused
            .err()
            .contains(&format!("server.bind: cannot listen on {address}"))
    );
}
