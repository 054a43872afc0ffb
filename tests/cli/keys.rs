//! The keys over their whole life, in services that are at work meanwhile.

use std::fs;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::program::{PATIENCE, Place, Service, get, get_as, post};

fn place() -> Place {
    Place::new().with("LIMITS__MODE", "off")
}

/// So many neighbors post; gives their tokens.
fn neighbors(service: &Service, count: usize) -> Vec<String> {
    let post = |n| {
        let body = json!({
            "contact": {"name": "Mo", "email": format!("mo{n}@example.org")},
            "location": {"lat": 44.9778, "lon": -93.2650},
            "needs": [{"category": "food", "quantity": 2, "private_note": "Ring twice"}],
        });
        let (status, body) = post(service.public, "/v1/requests", &body);
        assert_eq!(status, 201, "{body}");
        let posted: Value = serde_json::from_str(&body).unwrap();
        posted["manage_token"].as_str().unwrap().to_owned()
    };
    (0..count).map(post).collect()
}

fn opens(service: &Service, token: &str) -> bool {
    let (status, body) = get_as(service.public, "/v1/neighbors/self", token);
    status == 200 && body.contains("\"Mo\"")
}

fn keys(place: &Place) -> Vec<Value> {
    let status = place.run(["key", "status", "--json"]).code(0).json();
    status["keys"].as_array().unwrap().clone()
}

/// Waits until nothing is sealed under a key but the newest.
fn wrapped_anew(place: &Place) {
    let started = Instant::now();
    loop {
        let keys = keys(place);
        let (newest, older) = keys.split_last().unwrap();
        if older.iter().all(|key| key["records"] == 0) {
            assert_ne!(newest["records"], 0);
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{keys:?}");
    }
}

#[test]
fn a_new_key_takes_over_while_everybody_serves_and_old_backups_become_unreadable() {
    let place = place();
    let (http, worker) = (place.serve_as("http"), place.serve_as("worker"));
    let before = neighbors(&http, 120);
    place.run(["backup", "old.db"]).code(0);
    fs::copy(place.path("keys/keyring.toml"), place.path("old-ring.toml")).unwrap();

    place.run(["key", "rotate"]).code(0);
    let after = neighbors(&http, 3);
    wrapped_anew(&place);
    // Too young to be destroyed, unless somebody wants it now.
    let kept = place.run(["key", "prune"]).code(0);
    assert!(kept.out().contains("No key is due"), "{}", kept.out());
    place.run(["key", "prune", "--now"]).code(0);
    assert_eq!(keys(&place).len(), 1);
    assert_eq!(keys(&place)[0]["epoch"], 2);
    for token in before.iter().chain(&after) {
        assert!(opens(&http, token));
    }
    http.kill();
    worker.kill();

    // A thief of the ring as it is now can do nothing with the backup, and an old ring with the database.
    let restored = self::place().with(
        "KEYS__PATH",
        &place.path("keys/keyring.toml").display().to_string(),
    );
    let old = place.path("old.db").display().to_string();
    let warned = restored.run(["restore", &old]).code(0);
    assert!(warned.err().contains("has no key 1"), "{}", warned.err());
    let refused = restored.run(["serve"]).code(1);
    assert!(refused.err().contains("has no key 1"), "{}", refused.err());
    fs::copy(place.path("old-ring.toml"), place.path("keys/keyring.toml")).unwrap();
    for command in ["serve", "doctor"] {
        let refused = place.run([command]).code(1);
        let told = refused.out() + &refused.err();
        assert!(told.contains("has no key 2"), "{told}");
    }
}

#[test]
fn a_key_does_not_seal_before_every_process_has_it() {
    let mut place = place();
    let here = place.serve_as("http");
    fs::create_dir(place.path("there")).unwrap();
    let (ring, copy) = (
        place.path("keys/keyring.toml"),
        place.path("there/keyring.toml"),
    );
    fs::copy(&ring, &copy).unwrap();
    place.set("KEYS__PATH", "there/keyring.toml");
    let there = place.serve();
    let tokens = neighbors(&there, 2);

    let sealing =
        |place: &Place| keys(place).iter().find(|k| k["active"] == true).unwrap()["epoch"].clone();
    // One of the two notices it by and by, the other never does.
    let started = Instant::now();
    loop {
        let waiting = place.run(["key", "rotate", "--wait", "3"]).code(1).err();
        assert_eq!(sealing(&place), 1);
        if waiting.contains("1 processes do not have key 2 yet") {
            break;
        }
        assert!(waiting.contains("2 processes do not"), "{waiting}");
        assert!(started.elapsed() < PATIENCE, "{waiting}");
    }
    // As the command says: copy the ring there, and say it again.
    fs::copy(&copy, &ring).unwrap();
    place.run(["key", "rotate"]).code(0);
    assert_eq!(sealing(&place), 2);
    let tokens: Vec<String> = tokens.into_iter().chain(neighbors(&here, 2)).collect();
    wrapped_anew(&place);
    for token in &tokens {
        assert!(opens(&here, token) && opens(&there, token));
    }
}

#[test]
fn killed_while_it_wraps_anew_it_goes_on_where_it_was() {
    let place = place();
    let service = place.serve();
    let tokens = neighbors(&service, 150);
    place.run(["key", "rotate"]).code(0);
    service.kill();
    place.serve().kill();
    let service = place.serve();
    wrapped_anew(&place);
    for token in &tokens {
        assert!(opens(&service, token));
    }
}

#[test]
fn a_locked_service_has_no_key_in_its_memory_and_answers_nobody() {
    let place = place();
    let service = place.serve();
    let token = neighbors(&service, 5).remove(0);
    let ring = fs::read_to_string(place.path("keys/keyring.toml")).unwrap();
    let secrets: Vec<Vec<u8>> = ring
        .lines()
        .filter_map(|line| {
            line.strip_prefix("root = ")
                .or(line.strip_prefix("secret = "))
        })
        .map(|text| text.trim_matches('"'))
        .flat_map(|text| [text.as_bytes().to_vec(), BASE64.decode(text).unwrap()])
        .collect();
    assert_eq!(secrets.len(), 4);
    assert!(holds(&service, &secrets), "the search finds what is there");

    let stick = place.path("stick.toml");
    let locked = place.run(["lock", "--take-ring", &stick.display().to_string()]);
    locked.code(0);
    assert!(!holds(&service, &secrets), "a key is left in the memory");
    assert!(!place.path("keys/keyring.toml").exists());
    for path in [
        "/v1/categories",
        "/v1/sites",
        "/",
        "/manage",
        "/openapi.json",
    ] {
        let (status, body) = get(service.public, path);
        assert_eq!(status, 503, "{path}: {body}");
    }
    assert!(!opens(&service, &token));
    assert_eq!(get(service.admin, "/readyz").0, 503);
    assert_eq!(get(service.admin, "/healthz").0, 200, "not to be restarted");
    // A restart changes nothing: there is nothing to start with.
    service.kill();
    place.run(["unlock"]).code(1);
    // Another ring does not get into its place.
    let other = Place::new();
    other.run(["coordinator", "add", "Cora", "--email", "cora@example.org"]);
    let others = other.path("keys/keyring.toml").display().to_string();
    let refused = place.run(["unlock", "--ring", &others]).code(1);
    assert!(
        refused.err().contains("does not belong"),
        "{}",
        refused.err()
    );
    assert!(!place.path("keys/keyring.toml").exists());
    place
        .run(["unlock", "--ring", &stick.display().to_string()])
        .code(0);
    let service = place.serve();
    assert!(opens(&service, &token));
    // Locked and unlocked where the ring stays, even one that is damaged meanwhile.
    let ring = place.path("keys/keyring.toml");
    fs::write(&ring, "nothing").unwrap();
    place.run(["lock"]).code(0);
    fs::copy(&stick, &ring).unwrap();
    assert!(!opens(&service, &token));
    place.run(["unlock"]).code(0);
    assert!(opens(&service, &token));
}

/// Whether one of the secrets stands anywhere in the memory that the process has written to.
fn holds(service: &Service, secrets: &[Vec<u8>]) -> bool {
    let of_process = format!("/proc/{}", service.pid());
    let memory = fs::File::open(format!("{of_process}/mem")).unwrap();
    let maps = fs::read_to_string(format!("{of_process}/maps")).unwrap();
    let mut found = false;
    for region in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = region.split_once(' ').unwrap().0.split_once('-').unwrap();
        let from = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(to, 16).unwrap();
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        // Some regions belong to the system and cannot be read.
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            found |= secrets
                .iter()
                .any(|secret| memchr::memmem::find(&bytes, secret).is_some());
        }
    }
    found
}
