//! A town moves to another database, and back.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::{Value, json};

use super::program::{PATIENCE, Place, Service, get, get_as, post, post_as};
use super::server::Database;

const LOCKS: &str = "SELECT count(*) FROM meta WHERE key = 'locked_at'";
const SQLITE: &str = "sqlite:data/manyhands.db";

/// Does what somebody does who can write to the file.
fn execute(place: &Place, sql: &str) {
    let path = place.path("data/manyhands.db").display().to_string();
    let mut conn = SqliteConnection::establish(&path).unwrap();
    conn.batch_execute(&format!("PRAGMA busy_timeout = 5000; {sql};"))
        .unwrap();
}

fn parsed((status, body): (u16, String)) -> Value {
    assert!((200..300).contains(&status), "{status} {body}");
    serde_json::from_str(&body).unwrap()
}

fn stop(service: Service) {
    service.terminate();
    let (status, _, log) = service.end();
    assert_eq!(status.code(), Some(0), "{log}");
}

/// A token in a letter to `address`, as soon as it is there.
fn token_in_letter(place: &Place, address: &str, purpose: &str) -> String {
    let started = Instant::now();
    loop {
        let letters = fs::read_dir(place.path("mail")).into_iter().flatten();
        let texts = letters.filter_map(|letter| fs::read_to_string(letter.ok()?.path()).ok());
        let found = texts
            .filter(|text| text.contains(&format!("To: {address}")))
            .find_map(|text| {
                let line = text.lines().find(|line| line.starts_with(purpose))?;
                Some(line.trim().to_owned())
            });
        if let Some(token) = found {
            return token;
        }
        assert!(started.elapsed() < PATIENCE, "no {purpose} for {address}");
        std::thread::yield_now();
    }
}

/// What somebody of the town keeps.
struct Town {
    neighbor: String,
    volunteer: String,
    admin: String,
}

/// A town in which something of everything has happened.
fn town(place: &Place) -> Town {
    let admin = [
        "coordinator",
        "add",
        "Cora",
        "--email",
        "cora@example.org",
        "--scope",
        "admin",
    ];
    let admin = place.run(admin).code(0).out().trim().to_owned();
    let service = place.serve();
    let at = service.public;
    let hook = json!({"url": "https://hook.invalid/town"});
    parsed(post_as(at, "/v1/webhooks", &admin, &hook));
    let here = json!({"lat": 44.95, "lon": -93.26});
    let offer = json!({
        "contact": {"name": "Ana Alvarez", "email": "ana@example.org", "phone": "612 555 0199"},
        "location": here, "limits": {"nights": true},
        "offers": [{"category": "food", "capacity": 10, "provides": {"diet": ["halal"]}},
            {"category": "food", "capacity": 50, "note": "Soup",
             "site": {"title": "Corner Books", "address": "2410 Public Ave", "walk_in": true}}],
    });
    let offers = parsed(post(at, "/v1/offers", &offer));
    let confirm = token_in_letter(place, "ana@example.org", "mho_");
    let confirmed = parsed(post_as(at, "/v1/confirm", &confirm, &json!({})));
    let site = offers["offers"][1]["id"].as_str().unwrap();
    let listed = json!({"title": "Corner Books", "address": "2410 Public Ave"});
    parsed(post_as(
        at,
        &format!("/v1/offers/{site}/list"),
        &admin,
        &listed,
    ));
    let need = json!({
        "contact": {"name": "Mo \u{1f9e3} Farah", "phone": "612 555 0123", "channels": ["text"]},
        "location": here, "needs": [{"category": "food", "quantity": 4, "urgency": "now"}],
    });
    let posted = parsed(post(at, "/v1/requests", &need));
    let answer = token_in_letter(place, "ana@example.org", "mha_");
    parsed(post_as(at, "/v1/matches/self/accept", &answer, &json!({})));
    let problem = json!({"problem": "unsafe", "statement": "Shouted"});
    parsed(post_as(at, "/v1/matches/self/report", &answer, &problem));
    let child = json!({
        "contact": {"name": "Lin", "phone": "612 555 0145"}, "location": here,
        "needs": [{"category": "childcare", "quantity": 1, "urgency": "now"}],
    });
    parsed(post(at, "/v1/requests", &child));
    let frozen =
        json!({"location": {"lat": 45.5, "lon": -93.0}, "radius_m": 500, "reason": "threat"});
    parsed(post_as(at, "/v1/areas", &admin, &frozen));
    stop(service);
    Town {
        neighbor: posted["manage_token"].as_str().unwrap().to_owned(),
        volunteer: confirmed["manage_token"].as_str().unwrap().to_owned(),
        admin,
    }
}

/// Lets what was done be sealed, and adds what only time brings.
fn age(place: &Place) {
    execute(
        place,
        "INSERT INTO statistics (day, category, close_reason, requests, quantity, covered) VALUES
            (0, 'food', 'unmet', 1, 2, 0), (0, 'food_b', 'unmet', 1, 2, 0), (0, 'Food', 'unmet', 1, 2, 1),
            (0, 'foo', 'helped_here', 9000000000, 9000000000, 1), (-86400000000, 'z', 'unmet', 1, 1, 1)",
    );
    let service = place.serve();
    let started = Instant::now();
    while place.run(["audit", "verify", "--json"]).code(0).json()["waiting"] != 0 {
        assert!(started.elapsed() < PATIENCE, "the audit is not sealed");
    }
    stop(service);
    // Plans are kept for a week, and this one is old: the service would forget it.
    execute(
        place,
        r#"INSERT INTO plans VALUES (x'0123456789abcdef0123456789abcdef', 'food', NULL, 1, 96, '{"requests": 1}', 1,
            (SELECT id FROM coordinators LIMIT 1), 2)"#,
    );
    execute(
        place,
        "INSERT INTO plan_pairs SELECT x'fedcba9876543210fedcba9876543210', x'0123456789abcdef0123456789abcdef',
            request_id, offer_id, 0, 1, 1, 700, 'planned', NULL, NULL, 1 FROM matches LIMIT 1",
    );
    // So is what is told of an import, after a day.
    execute(
        place,
        "INSERT INTO imported_rows VALUES (randomblob(32), randomblob(32), randomblob(16), 1,
            x'0123456789abcdef0123456789abcdef');
         INSERT INTO imports SELECT x'0123456789abcdef0123456789abcdef', 'offers', 'done', 0, '{\"rows\": 1}', id, 1, 2,
            '{\"closed\": 1, \"accepted\": 0, \"changed\": 0}', 3 FROM coordinators LIMIT 1;
         INSERT INTO distinct_requests SELECT one.id, other.id, 1 FROM requests AS one, requests AS other
            WHERE one.id <> other.id;
         INSERT INTO import_parts VALUES (x'0123456789abcdef0123456789abcdef', 2, '[]')",
    );
}

fn copy(place: &Place, to: &Database, more: &[&str]) -> super::program::Ended {
    let arguments = ["copy", "--from", SQLITE, "--to", &to.url];
    place.run(arguments.iter().chain(more))
}

#[test]
fn a_town_moves_up_lives_on_and_moves_down() {
    let mut place = Place::new();
    let people = town(&place);
    age(&place);
    let head = place.run(["audit", "verify", "--json"]).code(0).json()["head"].clone();
    let server = Database::new();
    let copied = copy(&place, &server, &["--json"]).code(0).json();
    assert_eq!(
        (&copied["copied"], &copied["different"]),
        (&json!(true), &json!(0))
    );
    // All but what takes days: nothing was asked under a key, and nothing went to a mail server.
    for (table, rows) in copied["tables"].as_object().unwrap() {
        let is_empty = ["idempotency"].contains(&table.as_str());
        assert_eq!(rows == 0, is_empty, "{table}: {rows}");
    }
    assert_eq!(copied["source_locked"], true);
    // Whoever starts on the source all the same gets no keys, and is never ready.
    let locked = place.run(["audit", "verify"]).code(1);
    assert!(
        locked.err().contains("the keys are locked"),
        "{}",
        locked.err()
    );

    // The old key ring, the old tokens.
    place.set("DATABASE__URL", &server.url);
    let moved = place.run(["audit", "verify", "--head", head.as_str().unwrap()]);
    moved.code(0);
    let service = place.serve();
    let at = service.public;
    let mo = parsed(get_as(at, "/v1/neighbors/self", &people.neighbor));
    assert_eq!(mo["contact"]["name"], "Mo \u{1f9e3} Farah");
    parsed(get_as(at, "/v1/volunteers/self", &people.volunteer));
    let entries = parsed(get_as(at, "/v1/audit", &people.admin));
    let need = json!({
        "contact": {"name": "Ida", "phone": "612 555 0177"}, "location": {"lat": 44.95, "lon": -93.26},
        "needs": [{"category": "food", "quantity": 1}],
    });
    let ida = parsed(post(at, "/v1/requests", &need));
    let later = parsed(get_as(at, "/v1/audit", &people.admin));
    assert_ne!(
        entries["items"][0], later["items"][0],
        "new entries come behind the old ones"
    );
    // Nobody is copied behind their back.
    let running = place
        .run(["copy", "--to", "sqlite:back/manyhands.db"])
        .code(1);
    assert!(running.err().contains("stop it"), "{}", running.err());
    stop(service);

    // And back, from where the settings are.
    let back = place
        .run(["copy", "--to", "sqlite:back/manyhands.db"])
        .code(0);
    assert!(
        back.out().contains("Copied, read back and compared"),
        "{}",
        back.out()
    );
    assert!(back.err().contains("manyhands unlock"), "{}", back.err());
    assert_eq!(server.text(LOCKS), "1");
    place.set("DATABASE__URL", "sqlite:back/manyhands.db");
    let service = place.serve();
    let token = ida["manage_token"].as_str().unwrap();
    let ida = parsed(get_as(service.public, "/v1/neighbors/self", token));
    assert_eq!(ida["contact"]["name"], "Ida");
    place
        .run(["audit", "verify", "--head", head.as_str().unwrap()])
        .code(0);
    stop(service);
    place.run(["doctor"]).code(0);
}

#[test]
fn what_was_changed_in_the_copy_is_found() {
    let place = Place::new();
    town(&place);
    let server = Database::new();
    let same = [
        copy(&place, &server, &[]),
        copy(&place, &server, &["--verify-only"]),
    ];
    for ended in same {
        ended.code(0);
    }
    server.execute(
        "UPDATE requests SET requires = '{\"diet\": [\"vegan\"]}' WHERE category = 'food';
         UPDATE neighbors SET sealed = set_byte(sealed, 60, get_byte(sealed, 60) # 1) WHERE phone_hash IS NOT NULL;
         UPDATE offers SET expires_at = expires_at + interval '1 microsecond' WHERE is_site;
         DELETE FROM areas;
         INSERT INTO meta (key, value) VALUES ('stranger', '\\x00')",
    );
    let found = copy(&place, &server, &["--verify-only", "--json"])
        .code(3)
        .json();
    assert_eq!(found["copied"], false);
    let mut kinds: Vec<_> = found["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            format!(
                "{} {}",
                d["table"].as_str().unwrap(),
                d["kind"].as_str().unwrap()
            )
        })
        .collect();
    kinds.dedup();
    let expected = [
        "meta added",
        "neighbors differs",
        "requests differs",
        "offers differs",
        "areas missing",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(found["differences"][0]["key"], "stranger");
    assert_eq!(
        found["different"],
        found["differences"].as_array().unwrap().len()
    );
    let told = copy(&place, &server, &["--verify-only"]).code(3);
    assert!(
        told.err().contains("meta stranger: added"),
        "{}",
        told.err()
    );
}

#[test]
fn a_target_that_is_not_empty_is_refused() {
    let place = Place::new();
    place
        .run(["coordinator", "add", "Cora", "--email", "cora@example.org"])
        .code(0);
    let server = Database::new();
    copy(&place, &server, &[]).code(0);
    let rows = server.text("SELECT count(*) FROM audit");
    let refused = copy(&place, &server, &[]).code(1);
    assert!(
        refused.err().contains("coordinators (1)"),
        "{}",
        refused.err()
    );
    assert!(
        refused.err().contains("not empty; nothing was changed"),
        "{}",
        refused.err()
    );
    assert_eq!(server.text("SELECT count(*) FROM audit"), rows);

    let here = ["copy", "--from", SQLITE, "--to", SQLITE];
    assert!(place.run(here).code(2).err().contains("one database"));
    let nowhere = ["copy", "--from", "sqlite:nowhere.db", "--to", &server.url];
    assert!(
        place
            .run(nowhere)
            .code(1)
            .err()
            .contains("no database at nowhere.db")
    );
    assert!(!place.path("nowhere.db").exists());
    place.run(["copy", "--to", "mysql://x"]).code(2);
}

#[test]
fn a_rehearsal_leaves_the_source_open_and_a_locked_town_stays_locked() {
    let place = Place::new();
    place
        .run(["coordinator", "add", "Cora", "--email", "cora@example.org"])
        .code(0);
    let (rehearsal, server, late) = (Database::new(), Database::new(), Database::new());
    let copied = copy(&place, &rehearsal, &["--keep-open", "--json"]).code(0);
    assert_eq!(copied.json()["source_locked"], false);
    copy(&place, &server, &[]).code(0);
    let same = copy(&place, &server, &["--verify-only", "--json"]).code(0);
    assert_eq!(same.json()["different"], 0);
    assert_eq!(
        (rehearsal.text(LOCKS), server.text(LOCKS)),
        ("0".to_owned(), "0".to_owned())
    );
    // From a source that is locked already, by a copy or by an operator.
    let copied = copy(&place, &late, &[]).code(0);
    assert!(copied.err().contains("both are"), "{}", copied.err());
    assert_eq!(late.text(LOCKS), "1");
    copy(&place, &late, &["--verify-only"]).code(0);

    place.run(["unlock"]).code(0);
    let service = place.serve();
    assert_eq!(get(service.public, "/v1/categories").0, 200);
    stop(service);
}

#[test]
fn a_source_that_is_served_is_refused() {
    let place = Place::new();
    let service = place.serve();
    let server = Database::new();
    let refused = copy(&place, &server, &[]).code(1);
    assert!(refused.err().contains("stop it"), "{}", refused.err());
    assert_eq!(server.text("SELECT count(*) FROM meta"), "0");
    stop(service);
    copy(&place, &server, &[]).code(0);
}

#[test]
fn a_copy_that_is_killed_leaves_nothing_and_runs_again() {
    let place = Place::new();
    place
        .run(["coordinator", "add", "Cora", "--email", "cora@example.org"])
        .code(0);
    execute(
        &place,
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 40000)
         INSERT INTO blocks SELECT randomblob(32), n FROM n",
    );
    let server = Database::new();
    let mut command = place.command(["copy", "--from", SQLITE, "--to", &server.url]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.starts_with("Copying: "), "{first}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(server.text("SELECT count(*) FROM blocks"), "0");
    let copied = copy(&place, &server, &["--json"]).code(0).json();
    assert_eq!(copied["tables"]["blocks"], 40_000);
}
