//! Clocks that are changed in spring and fall, and clocks that are wrong: an hour behind, ten years ahead, and back again.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::Method;
use manyhands::actions::activate_key::activate_key;
use manyhands::actions::add_key::add_key;
use manyhands::actions::claim_letters::claim_letters;
use manyhands::actions::claim_posts::claim_posts;
use manyhands::domain::clock::{Clock, Ts};
use manyhands::domain::ids::LeaseId;
use manyhands::domain::letter::Lane;
use manyhands::storage::audit::Actor;
use manyhands::storage::coordinators::Scope;
use manyhands::storage::letters::{LetterFilter, LetterState};
use manyhands::storage::page::Page;
use manyhands::storage::{StorageError, key_epochs, letters};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::support::people::{Neighbor, food, offer_of, post_of, with};
use crate::support::{DAY, HOUR, MINUTE, TestApp};

const TEN_YEARS: Duration = Duration::from_hours(24 * 3_653);

fn at(text: &str) -> Ts {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

fn meals(capacity: i64) -> Value {
    json!({"category": "food", "capacity": capacity})
}

/// Lets time go by as it does, a minute at a time, with housekeeping.
async fn live(app: &mut TestApp, minutes: u32) {
    for _ in 0..minutes {
        app.sleep_over(MINUTE).await;
    }
}

/// Which letters wait, and until when.
async fn waiting(app: &TestApp) -> String {
    let filter = LetterFilter {
        state: Some(LetterState::Queued),
        ..LetterFilter::default()
    };
    let page = Page {
        after: None,
        limit: 9,
    };
    let read = move |conn: &mut _| Ok::<_, StorageError>(letters::page(conn, &filter, page)?);
    let found = app.ctx.db.read(read).await.unwrap();
    let now = app.clock.now();
    let line = |l: &letters::Letter| {
        format!(
            "{now}: {} due {} held until {:?}\n",
            l.kind, l.due_at, l.lease_until
        )
    };
    found.iter().map(line).collect()
}

async fn queued(app: &TestApp) -> i64 {
    let count = |conn: &mut _| Ok::<_, StorageError>(letters::count(conn, LetterState::Queued)?);
    app.ctx.db.read(count).await.unwrap()
}

/// How often each letter was sent.
fn copies(app: &TestApp) -> BTreeMap<String, usize> {
    let mut copies = BTreeMap::new();
    for mail in app.transport.memory().unwrap().mails() {
        *copies.entry(mail.message.id.to_string()).or_default() += 1;
    }
    copies
}

#[track_caller]
fn assert_none_repeated(app: &TestApp) {
    let repeated: Vec<_> = copies(app).into_iter().filter(|(_, n)| *n > 1).collect();
    assert!(repeated.is_empty(), "{repeated:?}");
}

async fn asked(app: &TestApp, neighbor: &Neighbor) -> i64 {
    let request = app.request(neighbor, 0).await;
    request["progress"]["asked"].as_i64().unwrap()
}

#[actix_web::test]
async fn a_morning_that_begins_in_the_missing_hour_or_in_the_double_one_brings_one_letter() {
    for (time, start, looks) in [
        // 02:30 does not exist: the clocks go from 02:00 to 03:00 at 08:00Z.
        (
            "02:30",
            "2027-03-13T20:00:00Z",
            ["2027-03-14T07:59:00Z", "2027-03-14T08:30:00Z"],
        ),
        // 01:30 exists at 06:30Z and at 07:30Z.
        (
            "01:30",
            "2026-10-31T20:00:00Z",
            ["2026-11-01T06:29:00Z", "2026-11-01T06:30:00Z"],
        ),
    ] {
        let mut app = TestApp::with(&[("digest.at", time)]);
        app.clock.set(at(start));
        app.coordinator(Scope::Coordinator).await;
        let [before, after] = looks.map(at);
        app.sleep_over(before.since(app.clock.now())).await;
        let mails = |app: &TestApp| app.subjects_to("coo@example.org").len();
        assert_eq!(mails(&app), 0, "{time}");
        app.sleep_over(after.since(app.clock.now())).await;
        assert_eq!(mails(&app), 1, "{time}");
        for _ in 0..12 {
            app.sleep_over(HOUR / 2).await;
        }
        assert_eq!(mails(&app), 1, "{time}: one is enough");
        app.sleep_over(DAY).await;
        assert_eq!(mails(&app), 2, "{time}");
    }
}

#[actix_web::test]
async fn who_may_be_asked_from_eight_is_asked_at_eight_by_the_clock_on_the_wall() {
    // Saturday at 22:00 before either change, and eight on Sunday.
    for (start, eight) in [
        ("2027-03-14T04:00:00Z", "2027-03-14T13:00:00Z"),
        ("2026-11-01T03:00:00Z", "2026-11-01T14:00:00Z"),
    ] {
        let mut app = TestApp::new();
        app.clock.set(at(start));
        app.volunteer("ana@example.org", &[meals(5)]).await;
        let need = with(food(1), json!({"urgency": "soon"}));
        let mo = app.neighbor(&[need]).await;
        app.settle().await;
        let nearly = at(eight).before(MINUTE);
        app.advance(nearly.since(app.clock.now())).await;
        assert_eq!(asked(&app, &mo).await, 0, "{start}");
        app.advance(MINUTE).await;
        assert_eq!(asked(&app, &mo).await, 1, "{start}");
    }
}

#[actix_web::test]
async fn quiet_hours_end_by_the_clock_on_the_wall() {
    // From 22:00 to 07:00: nine hours that last eight, or ten.
    for (start, end) in [
        ("2027-03-14T03:00:00Z", "2027-03-14T12:00:00Z"),
        ("2026-11-01T02:00:00Z", "2026-11-01T13:00:00Z"),
    ] {
        let mut app = TestApp::new();
        app.clock.set(at(start));
        let quiet = json!({"from": "22:00", "until": "07:00", "timezone": "America/Chicago"});
        let body = with(
            offer_of("ana@example.org", &[meals(5)]),
            json!({"limits": {"quiet": quiet, "nights": true}}),
        );
        app.volunteer_who("ana@example.org", body).await;
        app.advance(2 * HOUR).await;
        let mo = app
            .neighbor(&[with(food(1), json!({"urgency": "today"}))])
            .await;
        app.settle().await;
        while app.clock.now() < at(end).before(MINUTE) {
            app.advance(MINUTE).await;
            assert_eq!(asked(&app, &mo).await, 0, "{}", app.clock.now());
        }
        for _ in 0..31 {
            app.advance(MINUTE).await;
        }
        assert_eq!(asked(&app, &mo).await, 1, "{start}");
    }
}

#[actix_web::test]
async fn opening_hours_in_the_night_of_a_change_are_open_for_as_long_as_they_last() {
    // Open from one to four: two hours in spring, four in fall. The need is in the last of them.
    for (start, from, until) in [
        (
            "2027-03-13T18:00:00Z",
            "2027-03-14T08:15:00Z",
            "2027-03-14T08:45:00Z",
        ),
        (
            "2026-10-31T18:00:00Z",
            "2026-11-01T09:15:00Z",
            "2026-11-01T09:45:00Z",
        ),
    ] {
        let mut app = TestApp::new();
        app.clock.set(at(start));
        let offer = with(
            meals(5),
            json!({"available": {"opening_hours": "Su 01:00-04:00", "timezone": "America/Chicago"}}),
        );
        app.volunteer("ana@example.org", &[offer]).await;
        let inside = json!({"needed": [{"from": from, "until": until}]});
        let mo = app.neighbor(&[with(food(1), inside)]).await;
        let end = at(until).after(2 * HOUR);
        let after =
            json!({"needed": [{"from": end.before(HOUR).to_string(), "until": end.to_string()}]});
        let lin = app.neighbor(&[with(food(1), after)]).await;
        app.settle().await;
        assert_eq!(asked(&app, &mo).await, 1, "{start}");
        assert_eq!(asked(&app, &lin).await, 0, "{start}");
    }
}

/// Somebody who has posted an offer with an address of her own.
async fn stranger(app: &TestApp, n: usize) {
    let body = offer_of(&format!("stranger{n}@example.org"), &[meals(1)]);
    app.call(Method::POST, "/v1/offers", None, Some(&body))
        .await
        .ok();
}

#[actix_web::test]
async fn a_clock_that_was_ten_years_ahead_leaves_nothing_stuck_when_it_is_back() {
    // Ten letters an hour to strangers.
    let mut app = TestApp::with(&[
        ("limits.mode", "on"),
        ("limits.posts.burst", "1000000"),
        ("limits.contacts.burst", "1000000"),
        ("mail.hourly_budget", "40"),
    ]);
    let (_, desk) = app.coordinator(Scope::Coordinator).await;
    let ana = app.volunteer("ana@example.org", &[meals(50)]).await;
    let before = app.neighbor(&[food(1)]).await;
    live(&mut app, 2).await;
    let token = app.letter_to(&ana.email, "mha_");
    let right = app.now();

    app.clock.advance(TEN_YEARS);
    live(&mut app, 2).await;
    // Everything that counts or holds is used up by that clock: the hour's letters, leases of who has died, a claim.
    for n in 0..30 {
        stranger(&app, n).await;
    }
    app.settle().await;
    let during = app.neighbor(&[food(1)]).await;
    claim_posts(&app.ctx, 10).await.unwrap();
    live(&mut app, 1).await;
    let contact = json!({"name": "Lin", "email": "lin@example.org"});
    let lin = with(post_of(&[food(1)]), json!({"contact": contact}));
    app.entered_by(&desk, lin).await;
    let lease = LeaseId::new(app.ctx.entropy.as_ref());
    let (held, _) = claim_letters(&app.ctx, Lane::Confirmed, lease, 50)
        .await
        .unwrap();
    assert!(!held.is_empty());
    drop(held);

    app.clock.set(right);
    assert!(queued(&app).await > 20);
    live(&mut app, 5).await;
    // The leases are over, and the letter of who died has left.
    assert_eq!(app.subjects_to("lin@example.org").len(), 1);
    // Nothing has come to an end by it: the ask from before can be answered.
    app.post("/v1/matches/self/accept", &token, &json!({}))
        .await
        .ok();
    assert_eq!(app.request(&before, 0).await["covered"], 1);
    // The budget of an hour lasts an hour.
    live(&mut app, 130).await;
    assert!(queued(&app).await < 10, "strangers get their letters");
    live(&mut app, 60).await;
    assert_eq!(waiting(&app).await, "");
    assert_none_repeated(&app);
    // Who posted by that clock is looked after like everybody else, and so is who posts now.
    let now = app.neighbor(&[food(1)]).await;
    live(&mut app, 3).await;
    assert_eq!(asked(&app, &during).await, 1);
    assert_eq!(asked(&app, &now).await, 1);
    let keys = app.dir.path().join("keys/keyring.toml");
    let ring = std::fs::read_to_string(keys).unwrap();
    assert_eq!(ring.matches("epoch = ").count(), 1, "no key is destroyed");
}

/// Whatever stands under a name in the items of a list.
async fn listed(app: &TestApp, token: &str, path: &str, name: &str) -> Vec<Ts> {
    let list = app.get(path, token).await.ok();
    let items = list["items"].as_array().unwrap().iter();
    items
        .filter_map(|item| item[name].as_str().map(at))
        .collect()
}

#[actix_web::test]
async fn what_was_done_by_a_clock_ten_years_ahead_has_its_time_from_when_it_is_back() {
    let mut app = TestApp::new();
    let (_, desk) = app.coordinator(Scope::Coordinator).await;
    let ana = app.volunteer("ana@example.org", &[meals(50)]).await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let ben = app.volunteer("ben@example.org", &[meals(50)]).await;
    let lin = app.neighbor(&[food(1)]).await;
    live(&mut app, 2).await;
    app.accept(&ben).await.ok();
    let kept = app.letter_to(&ben.email, "mha_");
    let right = app.now();

    // By that clock Ben says that he has helped Lin, Mo reports Ana, somebody posts, and the keys are changed.
    app.clock.advance(TEN_YEARS);
    live(&mut app, 2).await;
    app.post("/v1/matches/self/done", &kept, &json!({}))
        .await
        .ok();
    let report = json!({"problem": "asked_for_money", "statement": "Twenty dollars"});
    let matched = app.newest_match(&desk, &mo.requests[0]).await["id"].clone();
    let path = format!(
        "/v1/requests/{}/matches/{}/report",
        mo.requests[0],
        matched.as_str().unwrap()
    );
    app.post(&path, &mo.token, &report).await.ok();
    stranger(&app, 1).await;
    let tasks = app.get("/v1/tasks?state=open", &desk).await.ok();
    assert!(!tasks["items"].as_array().unwrap().is_empty());
    for report in app.get("/v1/reports", &desk).await.ok()["items"]
        .as_array()
        .unwrap()
    {
        let path = format!("/v1/reports/{}/close", report["id"].as_str().unwrap());
        app.press(&path, &desk).await.ok();
    }
    assert_eq!(add_key(&app.ctx, Actor::OPERATOR).await.unwrap(), 2);
    app.keep_keys().await;
    activate_key(&app.ctx, 2, Actor::OPERATOR).await.unwrap();

    app.clock.set(right);
    live(&mut app, 5).await;
    let soon = right.after(DAY);
    for (path, name, within) in [
        ("/v1/volunteers", "created_at", DAY),
        ("/v1/offers", "expires_at", 91 * DAY),
        ("/v1/matches", "done_at", DAY),
        ("/v1/matches", "created_at", DAY),
        ("/v1/reports", "created_at", DAY),
        ("/v1/reports", "evidence_until", 31 * DAY),
        ("/v1/tasks", "done_at", DAY),
        ("/v1/letters", "created_at", DAY),
    ] {
        let found = listed(&app, &desk, path, name).await;
        assert!(!found.is_empty(), "{path} {name}");
        for instant in found {
            assert!(instant <= right.after(within), "{path} {name}: {instant}");
        }
    }
    let known = |conn: &mut _| Ok::<_, StorageError>(key_epochs::all(conn)?);
    for key in app.ctx.db.read(known).await.unwrap() {
        assert!(key.activated_at.unwrap() <= soon, "{key:?}");
        assert!(key.retired_at.is_none_or(|at| at <= soon), "{key:?}");
    }

    // And so it goes on: who never confirmed is erased, the evidence destroyed, and Ben believed.
    for _ in 0..4 {
        app.sleep_over(DAY).await;
    }
    let left = listed(&app, &desk, "/v1/reports", "evidence_until").await;
    assert_eq!(left, []);
    let path = format!("/v1/matches?state=fulfilled&request={}", lin.requests[0]);
    assert_eq!(listed(&app, &desk, &path, "done_at").await.len(), 1);
    let path = "/v1/offers?state=unconfirmed";
    assert_eq!(listed(&app, &desk, path, "expires_at").await, []);
}

#[actix_web::test]
async fn what_is_over_stays_over_when_the_clock_goes_back_by_an_hour() {
    let mut app = TestApp::new();
    let ana = app.volunteer("ana@example.org", &[meals(5)]).await;
    let closed = app.neighbor(&[food(1)]).await;
    let erased = app.neighbor(&[food(1)]).await;
    live(&mut app, 1).await;
    let answer = app.letter_to(&ana.email, "mha_");
    let path = format!("/v1/requests/{}/close", closed.requests[0]);
    app.post(&path, &closed.token, &json!({"reason": "not_needed"}))
        .await
        .ok();
    app.erase(&erased.token).await;
    stranger(&app, 1).await;
    app.settle().await;
    let confirm = app.letter_to("stranger1@example.org", "mho_");
    app.sleep_over(24 * HOUR).await;
    live(&mut app, 2).await;
    let posted = app.neighbor(&[food(1)]).await;
    app.settle().await;
    let sent = copies(&app);

    app.clock.set(app.now().before(HOUR));
    live(&mut app, 5).await;
    // The one who closed is erased by now, too.
    for gone in [&closed, &erased] {
        let seen = app.get("/v1/neighbors/self", &gone.token).await;
        assert_eq!(seen.status, 404);
    }
    let confirmed = app
        .call(Method::POST, "/v1/confirm", Some(&confirm), None)
        .await;
    assert_eq!(confirmed.status, 404, "its time was over");
    let late = app
        .post("/v1/matches/self/accept", &answer, &json!({}))
        .await;
    assert!(late.status >= 400, "{late:?}");
    assert_eq!(copies(&app), sent, "no letter is repeated or written again");
    // What goes on, goes on.
    assert_eq!(app.request(&posted, 0).await["state"], "open");
    let token = app.letter_to(&ana.email, "mha_");
    app.post("/v1/matches/self/accept", &token, &json!({}))
        .await
        .ok();
}

/// A clock that leaps about while people post, accept, close and are erased. Each seed is one story.
#[actix_web::test]
async fn however_the_clock_leaps_nothing_is_lost_repeated_or_brought_back() {
    for seed in 0..4 {
        leaps(seed).await;
    }
}

async fn leaps(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut app = TestApp::new();
    let start = app.now();
    let ana = app.volunteer("ana@example.org", &[meals(500)]).await;
    // The first look is trusted, whatever the clock shows.
    live(&mut app, 1).await;
    let (mut open, mut closed, mut erased) = (Vec::new(), Vec::new(), Vec::<Neighbor>::new());
    for step in 0..20 {
        match random.random_range(0..10) {
            0 => app.clock.advance(TEN_YEARS),
            1 => app
                .clock
                .set(start.after(Duration::from_secs(random.random_range(0..100_000)))),
            2 => app.clock.set(app.now().before(HOUR)),
            // Nearly the end of time, and a machine whose battery is empty.
            3 if random.random_bool(0.5) => app.clock.set(at("9000-01-01T00:00:00Z")),
            3 => app.clock.set(Ts::EPOCH),
            4 | 5 => open.push(app.neighbor(&[food(1)]).await),
            6 => {
                if let Some(neighbor) = open.pop() {
                    let path = format!("/v1/requests/{}/close", neighbor.requests[0]);
                    let why = json!({"reason": "not_needed"});
                    app.post(&path, &neighbor.token, &why).await;
                    closed.push(neighbor);
                }
            }
            7 => {
                if let Some(neighbor) = open.pop() {
                    app.erase(&neighbor.token).await;
                    erased.push(neighbor);
                }
            }
            8 => {
                if let Some(token) = app.find_letter(&ana.email, "mha_") {
                    app.post("/v1/matches/self/accept", &token, &json!({}))
                        .await;
                }
            }
            _ => live(&mut app, 3).await,
        }
        live(&mut app, 1).await;
        for neighbor in &erased {
            let gone = app.get("/v1/neighbors/self", &neighbor.token).await.status;
            assert_eq!(gone, 404, "{seed}, {step}");
        }
        for neighbor in &closed {
            let answer = app.get("/v1/neighbors/self", &neighbor.token).await;
            let state = &answer.body["requests"][0]["state"];
            assert!(
                answer.status == 404 || state == "closed",
                "{seed}, {step}: {answer:?}"
            );
        }
        assert_none_repeated(&app);
    }
    // The clock is right again, for an evening.
    app.clock.set(start.after(30 * HOUR));
    live(&mut app, 10).await;
    assert_eq!(waiting(&app).await, "", "{seed}");
    let mo = app.neighbor(&[food(1)]).await;
    live(&mut app, 1).await;
    assert_eq!(app.request(&mo, 0).await["state"], "open", "{seed}");
    let ring = std::fs::read_to_string(app.dir.path().join("keys/keyring.toml")).unwrap();
    assert_eq!(
        ring.matches("epoch = ").count(),
        1,
        "{seed}: a key is gone or new"
    );
}
