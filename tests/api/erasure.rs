//! What is erased is gone: from the files within a minute, from backups with the key that sealed it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use actix_web::http::Method;
use aho_corasick::AhoCorasick;
use manyhands::actions::add_key::add_key;
use manyhands::crypto::keyring::KeyRing;
use manyhands::crypto::lookup::KeyedHash;
use manyhands::crypto::seal::Sealed;
use manyhands::domain::ids::{NeighborId, OfferId, RequestId, VolunteerId};
use manyhands::storage::audit::Actor;
use manyhands::storage::coordinators::Scope;
use manyhands::storage::{
    Conn, StorageError, key_epochs, neighbors, offers, requests, sealed, statistics, volunteers,
};
use manyhands::workers::Worker;
use manyhands::workers::checkpoint::Checkpoint;
use serde_json::{Value, json};

use crate::support::database::is_left_out;
use crate::support::people::{Neighbor, Volunteer, food, offer_of, post_of, with};
use crate::support::{DAY, HOUR, TestApp};

/// What stands of people in the database, in pieces of 16 bytes: those are no chance.
#[derive(Default)]
struct Pieces {
    sealed: BTreeSet<Vec<u8>>,
    hashes: BTreeSet<Vec<u8>>,
}

impl Pieces {
    fn keep(&mut self, sealed: Option<Sealed>, hashes: [Option<KeyedHash>; 2]) {
        // The first five bytes of a sealed part say only which key sealed it.
        let sealed = sealed.map(|s| s.as_bytes()[5..].to_vec());
        let cut = |bytes: Vec<u8>| -> Vec<Vec<u8>> {
            bytes.chunks_exact(16).map(<[u8]>::to_vec).collect()
        };
        self.sealed.extend(sealed.into_iter().flat_map(cut));
        let hashes = hashes.iter().flatten().map(|h| h.as_bytes().to_vec());
        self.hashes.extend(hashes.flat_map(cut));
    }
}

/// Everything of these people.
async fn pieces(app: &TestApp, who: &[Neighbor], whom: &[Volunteer]) -> Pieces {
    let id = |text: &String| text.parse::<uuid::Uuid>().unwrap();
    let asked: Vec<RequestId> = who.iter().map(|n| id(&n.requests[0]).into()).collect();
    let offered: Vec<OfferId> = whom.iter().map(|v| id(&v.offers[0]).into()).collect();
    let read = move |conn: &mut Conn| {
        let mut all = Pieces::default();
        for id in asked {
            let request = requests::find(conn, id)?.unwrap();
            let who: NeighborId = request.neighbor_id;
            all.keep(request.sealed, [None; 2]);
            let neighbor = neighbors::find(conn, who)?.unwrap();
            all.keep(neighbor.sealed, [neighbor.email_hash, neighbor.phone_hash]);
        }
        for id in offered {
            let offer = offers::find(conn, id)?.unwrap();
            let who: VolunteerId = offer.volunteer_id;
            all.keep(offer.sealed, [None; 2]);
            let volunteer = volunteers::find(conn, who)?.unwrap();
            all.keep(
                volunteer.sealed,
                [volunteer.email_hash, volunteer.phone_hash],
            );
        }
        Ok::<_, StorageError>(all)
    };
    app.ctx.db.read(read).await.unwrap()
}

/// How many of the pieces stand in the files below the directory.
fn found(dir: &Path, pieces: &BTreeSet<Vec<u8>>) -> usize {
    let search = AhoCorasick::new(pieces).unwrap();
    let files = fs::read_dir(dir).unwrap();
    files
        .map(|file| {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            let found: BTreeSet<_> = search.find_iter(&bytes).map(|f| f.pattern()).collect();
            found.len()
        })
        .max()
        .unwrap()
}

/// Long enough to fill pages of its own.
fn long_note(n: usize) -> String {
    format!("{n} ").repeat(600)
}

#[actix_web::test]
async fn what_is_erased_is_in_no_file_after_the_next_checkpoint() {
    if is_left_out() {
        return;
    }
    let mut app = TestApp::new();
    let data = app.dir.path().join("data");
    let mut asking = Vec::new();
    let mut offering = Vec::new();
    for n in 0..25 {
        let need = with(food(2), json!({"private_note": long_note(n)}));
        asking.push(app.neighbor(&[need]).await);
        let email = format!("ana{n}@example.org");
        let offer = json!({"category": "food", "capacity": 5, "private_note": long_note(n)});
        offering.push(app.volunteer(&email, &[offer]).await);
    }
    let mut all = pieces(&app, &asking, &offering).await;
    // What was there before a change counts as well, and so does what was wrapped by an older key.
    for neighbor in &asking {
        let contact = json!({"contact": {"name": "Moira", "email": "moira@example.org"}});
        app.call(
            Method::PATCH,
            "/v1/neighbors/self",
            Some(&neighbor.token),
            Some(&contact),
        )
        .await
        .ok();
    }
    let changed = pieces(&app, &asking, &offering).await;
    all.sealed.extend(changed.sealed);
    all.hashes.extend(changed.hashes);
    assert!(all.sealed.len() > 4_000, "{}", all.sealed.len());
    assert!(
        found(&data, &all.sealed) > 2_000,
        "the search finds what is there"
    );
    assert!(found(&data, &all.hashes) > 50);

    for token in asking.iter().map(|n| &n.token) {
        app.call(Method::DELETE, "/v1/neighbors/self", Some(token), None)
            .await
            .ok();
    }
    for token in offering.iter().map(|v| &v.token) {
        app.call(Method::DELETE, "/v1/volunteers/self", Some(token), None)
            .await
            .ok();
    }
    assert_ne!(found(&data, &all.sealed), 0, "the log still has it");
    let mut checkpoint = Checkpoint::new(app.ctx.clone());
    checkpoint.tick(app.now()).await.unwrap();
    assert_eq!(found(&data, &all.sealed), 0);
    // That an address was written to is remembered for an hour, by its keyed hash, lest erasing and
    // posting again writes to it without end.
    app.sleep_over(2 * HOUR).await;
    checkpoint.tick(app.now()).await.unwrap();
    assert_eq!(found(&data, &all.hashes), 0);
}

#[actix_web::test]
async fn numbers_remain_of_the_erased_and_no_person() {
    let app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let mo = app.neighbor(&[food(2)]).await;
    app.call(Method::DELETE, "/v1/neighbors/self", Some(&mo.token), None)
        .await
        .ok();
    let path = format!("/v1/requests/{}", mo.requests[0]);
    let left = app.get(&path, &coordinator).await.ok();
    assert_eq!(
        (&left["category"], &left["state"]),
        (&json!("food"), &json!("closed"))
    );
    let reason = json!({"reason": "call"});
    let revealed = app
        .post(&format!("{path}/reveal"), &coordinator, &reason)
        .await;
    assert_ne!(revealed.status, 200, "{revealed:?}");
    assert_eq!(app.get("/v1/neighbors/self", &mo.token).await.status, 404);
}

#[actix_web::test]
async fn keys_renew_themselves_and_within_a_month_none_is_left_that_opens_what_was_erased() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5})],
        )
        .await;
    app.keep_keys().await;
    let epochs = async |app: &TestApp| -> Vec<i32> {
        let read = |conn: &mut Conn| Ok::<_, StorageError>(key_epochs::all(conn)?);
        let all = app.ctx.db.read(read).await.unwrap();
        all.iter().map(|key| key.epoch).collect()
    };
    let ring = app.dir.path().join("keys/keyring.toml");
    let first = fs::read_to_string(&ring).unwrap();
    let first = first.split("secret = ").nth(1).unwrap().trim().to_owned();
    let mut last_with_first = 0;
    for day in 1..=32 {
        app.sleep_over(12 * HOUR).await;
        app.sleep_over(12 * HOUR).await;
        assert_eq!(app.get("/v1/volunteers/self", &ana.token).await.status, 200);
        if fs::read_to_string(&ring).unwrap().contains(&first) {
            last_with_first = day;
        }
    }
    assert!((27..=30).contains(&last_with_first), "{last_with_first}");
    let left = epochs(&app).await;
    assert!(!left.contains(&1) && left.len() <= 3, "{left:?}");
    let read = |conn: &mut Conn| Ok::<_, StorageError>(sealed::count(conn, 1)?);
    assert_eq!(app.ctx.db.read(read).await.unwrap(), 0);
    assert!(app.ctx.vault.keys().unwrap().ring().master(1).is_none());
}

#[actix_web::test]
async fn two_who_add_a_key_at_once_add_one_and_both_know_it() {
    let app = TestApp::new();
    let add = || add_key(&app.ctx, Actor::OPERATOR);
    let (one, other, third) = tokio::join!(add(), add(), add());
    assert_eq!((one.unwrap(), other.unwrap(), third.unwrap()), (2, 2, 2));
    let ring = KeyRing::load(&app.ctx.settings.keys.path, None).unwrap();
    let read = |conn: &mut Conn| Ok::<_, StorageError>(key_epochs::all(conn)?);
    let known = app.ctx.db.read(read).await.unwrap();
    assert_eq!(
        known[1].key_check,
        ring.key_check(2).map(Vec::from),
        "the one on the ring is the one that is known"
    );
}

#[actix_web::test]
async fn a_clock_that_leaps_erases_nothing_and_destroys_no_key() {
    let mut app = TestApp::new();
    let mo = app.neighbor(&[food(2)]).await;
    let offer = json!({"category": "food", "capacity": 5});
    let ana = offer_of("ana@example.org", &[offer]);
    app.call(Method::POST, "/v1/offers", None, Some(&ana))
        .await
        .ok();
    app.sleep_over(HOUR).await;
    app.sleep_over(400 * DAY).await;
    app.keep_keys().await;
    assert_eq!(app.get("/v1/neighbors/self", &mo.token).await.status, 200);
    let ring = fs::read_to_string(app.dir.path().join("keys/keyring.toml")).unwrap();
    assert_eq!(ring.matches("epoch = ").count(), 1, "{ring}");
}

#[actix_web::test]
async fn sealed_parts_that_were_swapped_open_for_nobody_and_stop_nobody_else() {
    let mut app = TestApp::new();
    let body = |name: &str| {
        let contact = json!({"contact": {"name": name, "email": format!("{}@example.org", name.to_lowercase())}});
        with(post_of(&[food(2)]), contact)
    };
    let mo = app.neighbor_who(body("Mo")).await;
    let ida = app.neighbor_who(body("Ida")).await;
    app.clock.advance(HOUR);
    let eve = app.neighbor_who(body("Eve")).await;
    // A thief who can write to the database puts each one's sealed part in the place of the other's.
    app.database.connect().execute(
        "CREATE TEMP TABLE two AS SELECT n.id, n.sealed FROM neighbors n ORDER BY created_at, id LIMIT 2;
         UPDATE neighbors SET sealed = (SELECT sealed FROM two WHERE two.id <> neighbors.id)
         WHERE id IN (SELECT id FROM two);",
    );

    for token in [&mo.token, &ida.token] {
        let told = app.fails_to_get("/v1/neighbors/self", token).await;
        assert!(!told.contains("Mo") && !told.contains("Ida"), "{told}");
    }
    assert_eq!(app.get("/v1/neighbors/self", &eve.token).await.status, 200);
    // Her letter leaves, and the others' are put aside where an operator sees them.
    app.settle().await;
    assert!(!app.subjects_to("eve@example.org").is_empty());
    let (_, coordinator) = app.coordinator(Scope::Admin).await;
    let dead: Value = app.get("/v1/letters?state=dead", &coordinator).await.ok();
    // Of each the first letter, and the one that nobody was found.
    assert_eq!(dead["items"].as_array().unwrap().len(), 4, "{dead}");
}

#[actix_web::test]
async fn what_is_long_over_is_forgotten_and_counted() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5})],
        )
        .await;
    let mo = app.neighbor(&[food(2)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let answer = app.letter_to(&ana.email, "mha_");
    app.post("/v1/matches/self/done", &answer, &json!({})).await;
    let ida = app.neighbor(&[food(3)]).await;
    for neighbor in [&mo, &ida] {
        let path = format!("/v1/requests/{}/close", neighbor.requests[0]);
        let why = json!({"reason": "not_needed"});
        app.post(&path, &neighbor.token, &why).await.ok();
    }
    let closed_on = app.now();
    let path = format!("/v1/requests/{}", mo.requests[0]);
    for _ in 0..29 {
        app.sleep_over(DAY).await;
    }
    app.get(&path, &coordinator).await.ok();
    app.sleep_over(2 * DAY).await;
    assert_eq!(app.get(&path, &coordinator).await.status, 404);
    let read = move |conn: &mut Conn| {
        Ok::<_, StorageError>(statistics::since(conn, closed_on.before(DAY))?)
    };
    let left = app.ctx.db.read(read).await.unwrap();
    let counted = left.iter().fold((0, 0, 0), |sum, ended| {
        (
            sum.0 + ended.requests,
            sum.1 + ended.quantity,
            sum.2 + ended.covered,
        )
    });
    assert_eq!(counted, (2, 5, 2), "{left:?}");
    // Her offer stands until nobody renews it, and she herself as long again after its end.
    let mut days = 31;
    while app.get("/v1/volunteers/self", &ana.token).await.status == 200 {
        app.sleep_over(2 * DAY).await;
        days += 2;
    }
    assert!((180..185).contains(&days), "{days}");
}
