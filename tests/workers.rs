//! The workers, tick by tick.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use manyhands::actions::expire;
use manyhands::actions::trust_clock::trust_clock;
use manyhands::domain::clock::Ts;
use manyhands::domain::entropy::SeededEntropy;
use manyhands::domain::ids::{MatchId, OfferId, RequestId};
use manyhands::domain::letter::Lane;
use manyhands::domain::lifecycle::{Agreement, MatchState, RequestState};
use manyhands::domain::need::Quantity;
use manyhands::domain::place::DistanceBand;
use manyhands::domain::score::ScoreParts;
use manyhands::storage::audit::Actor;
use manyhands::storage::letters::{LetterFilter, LetterState};
use manyhands::storage::matches::Match;
use manyhands::storage::page::Page;
use manyhands::storage::sql_types::Json;
use manyhands::storage::{StorageError, TxError, changes, letters, matches, offers, requests};
use manyhands::workers::checkpoint::Checkpoint;
use manyhands::workers::feed::Feed;
use manyhands::workers::housekeeping::Housekeeping;
use manyhands::workers::outbox::Outbox;
use manyhands::workers::{Next, Stop, Worker};
use serde_json::json;
use support::database::is_left_out;
use support::people::food;
use support::{DAY, HOUR, MINUTE, TestApp};

fn indexed(app: &TestApp) -> (usize, usize) {
    app.ctx.index.read().unwrap().len()
}

async fn request(app: &TestApp, id: &str) -> manyhands::storage::requests::Request {
    let id: RequestId = id.parse().unwrap();
    let read = move |conn: &mut _| Ok::<_, StorageError>(requests::find(conn, id)?);
    app.ctx.db.read(read).await.unwrap().unwrap()
}

#[actix_web::test]
async fn workers_without_work_write_nothing() {
    let mut app = TestApp::new();
    app.volunteer(
        "ana@example.org",
        &[json!({"category": "food", "capacity": 5})],
    )
    .await;
    app.neighbor(&[food(2)]).await;
    app.settle().await;
    let before = *app.ctx.db.committed().borrow();
    app.settle().await;
    app.settle().await;
    assert_eq!(*app.ctx.db.committed().borrow(), before);
}

/// So many of each, in more than one page.
const CROWD: usize = 1_200;

#[actix_web::test]
async fn a_crowd_that_posts_at_one_instant_is_in_the_index_and_nobody_twice() {
    let mut app = TestApp::new();
    let ana = json!({"category": "food", "capacity": 5});
    let ana = app.volunteer("ana@example.org", &[ana]).await;
    let mo = app.neighbor(&[food(2)]).await;
    let entropy = SeededEntropy::new(1);
    let asked = request(&app, &mo.requests[0]).await;
    let id: OfferId = ana.offers[0].parse().unwrap();
    let read = move |conn: &mut _| Ok::<_, StorageError>(offers::find(conn, id)?);
    let offered = app.ctx.db.read(read).await.unwrap().unwrap();
    // The middle of the requests lies in the crowd, and one instant before and after it have some too.
    let instants = [-1, 0, 0, 0, 0, 0, 0, 1];
    let at =
        |n: usize| Ts::from_micros(asked.created_at.as_micros() + instants[n % instants.len()]);
    for from in (0..CROWD).step_by(100) {
        let (mut needs, mut gifts) = (Vec::new(), Vec::new());
        for n in from..from + 100 {
            needs.push(manyhands::storage::requests::Request {
                id: RequestId::new(&entropy),
                created_at: at(n),
                ..asked.clone()
            });
            gifts.push(offers::Offer {
                id: OfferId::new(&entropy),
                created_at: at(n),
                ..offered.clone()
            });
        }
        let write = move |conn: &mut _| -> Result<(), TxError<()>> {
            requests::insert(conn, &needs)?;
            Ok(offers::insert(conn, &gifts)?)
        };
        app.ctx.db.write(write).await.unwrap();
    }
    let mut feed = Feed::new(app.ctx.clone());
    feed.tick(app.now()).await.unwrap();
    assert_eq!(indexed(&app), (CROWD + 1, CROWD + 1));
}

#[actix_web::test]
async fn the_index_follows_the_database() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5})],
        )
        .await;
    let mo = app.neighbor(&[food(2), food(3)]).await;
    let mut feed = Feed::new(app.ctx.clone());
    assert_eq!(feed.loads(), 0);
    feed.tick(app.now()).await.unwrap();
    assert_eq!(feed.loads(), 1);
    assert_eq!(indexed(&app), (1, 2));

    let close = json!({"reason": "not_needed"});
    let path = format!("/v1/requests/{}/close", mo.requests[0]);
    app.post(&path, &mo.token, &close).await.ok();
    let path = format!("/v1/offers/{}/pause", ana.offers[0]);
    app.post(&path, &ana.token, &json!({})).await.ok();
    feed.tick(app.now()).await.unwrap();
    assert_eq!(indexed(&app), (0, 1));
}

#[actix_web::test]
async fn a_trimmed_feed_makes_the_index_anew() {
    let app = TestApp::new();
    let mut feed = Feed::new(app.ctx.clone());
    feed.tick(app.now()).await.unwrap();
    app.neighbor(&[food(1), food(2)]).await;
    app.neighbor(&[food(3)]).await;
    let later = app.now().after(DAY);
    let trim = move |conn: &mut _| Ok::<_, TxError<()>>(changes::trim(conn, later, 1000)?);
    assert_eq!(app.ctx.db.write(trim).await.unwrap(), 2);
    feed.tick(app.now()).await.unwrap();
    assert_eq!(indexed(&app), (0, 3), "the first two came by no change");
}

#[actix_web::test]
async fn offers_stand_as_far_ahead_as_ever_however_long_the_service_runs() {
    let mut app = TestApp::new();
    let hours = json!({"opening_hours": "Mo-Fr 08:00-18:00", "timezone": "America/Chicago"});
    let ana = app
        .volunteer(
            "ana@example.org",
            &[
                json!({"category": "food", "capacity": 5}),
                json!({"category": "food", "capacity": 5, "available": hours}),
            ],
        )
        .await;
    let mut feed = Feed::new(app.ctx.clone());
    feed.tick(app.now()).await.unwrap();
    app.clock.advance(20 * DAY);
    while feed.tick(app.now()).await.unwrap() == Next::Now {}
    let ends = |app: &TestApp| {
        let index = app.ctx.index.read().unwrap();
        let ids = ana.offers.iter().map(|id| id.parse::<OfferId>().unwrap());
        ids.map(|id| index.offer(id).unwrap().windows.end().unwrap())
            .collect::<Vec<_>>()
    };
    for end in ends(&app) {
        assert!(end > app.now().after(10 * DAY), "{end}");
    }

    // By a clock that is years ahead they stand years ahead, and when it is back as before.
    let right = app.now();
    app.clock.advance(3_650 * DAY);
    while feed.tick(app.now()).await.unwrap() == Next::Now {}
    app.clock.set(right);
    while feed.tick(app.now()).await.unwrap() == Next::Now {}
    for end in ends(&app) {
        assert!(end < right.after(365 * DAY), "{end}");
    }
}

#[actix_web::test]
async fn a_dead_mail_server_is_knocked_at_by_few_letters() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port().to_string();
    drop(closed);
    let app = TestApp::with(&[
        ("mail.transport", "smtp"),
        ("mail.smtp.host", "127.0.0.1"),
        ("mail.smtp.port", &port),
        ("mail.smtp.tls", "none"),
        ("outbox.parallel", "8"),
        ("mail.smtp.pool_size", "8"),
    ]);
    for _ in 0..10 {
        app.neighbor(&[food(1)]).await;
    }
    let (ctx, transport) = (app.ctx.clone(), app.transport.clone());
    let mut outbox = Outbox::new(ctx, transport, Lane::Unconfirmed, Stop::never());
    let Next::At(next) = outbox.tick(app.now()).await.unwrap() else {
        panic!("it must rest");
    };
    let rest = |from: Ts, seconds: u64| {
        let longest = Duration::from_secs(seconds);
        from.after(longest / 2)..=from.after(longest)
    };
    assert!(rest(app.now(), 5).contains(&next), "{next}");
    assert_eq!(attempts(&app).await, 1, "the others went back untouched");

    // Looking again before the rest is over changes nothing; then it is knocked at without a letter, and the rest grows.
    assert_eq!(outbox.tick(app.now()).await.unwrap(), Next::At(next));
    let tokens = tokens(&app);
    // The clock of the test is cut to microseconds.
    let mut over = next.after(Duration::from_millis(1));
    for longest in [10, 20, 40] {
        app.clock.set(over);
        let Next::At(again) = outbox.tick(app.now()).await.unwrap() else {
            panic!("it must rest");
        };
        assert!(rest(over, longest).contains(&again), "{again}");
        over = again.after(Duration::from_millis(1));
    }
    assert_eq!(attempts(&app).await, 1);
    assert_eq!(self::tokens(&app), tokens, "no letter was written for it");
}

#[actix_web::test]
async fn a_mail_server_that_greets_and_takes_nothing_is_tried_by_one_letter_at_a_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            std::thread::spawn(|| greet_and_refuse(socket.unwrap()));
        }
    });
    let app = TestApp::with(&[
        ("mail.transport", "smtp"),
        ("mail.smtp.host", "127.0.0.1"),
        ("mail.smtp.port", &port),
        ("mail.smtp.tls", "none"),
    ]);
    for _ in 0..10 {
        app.neighbor(&[food(1)]).await;
    }
    let (ctx, transport) = (app.ctx.clone(), app.transport.clone());
    let mut outbox = Outbox::new(ctx, transport, Lane::Unconfirmed, Stop::never());
    for nth in 1..=3 {
        let Next::At(next) = outbox.tick(app.now()).await.unwrap() else {
            panic!("it must rest");
        };
        assert_eq!(attempts(&app).await, nth, "one letter, and not a batch");
        app.clock.set(next.after(Duration::from_millis(1)));
    }
}

/// Speaks as mail servers do, and knows no sender.
fn greet_and_refuse(mut socket: std::net::TcpStream) {
    socket.write_all(b"220 welcome\r\n").unwrap();
    for line in BufReader::new(socket.try_clone().unwrap()).lines() {
        let answer: &[u8] = match line {
            Ok(line) if line.starts_with("MAIL") => b"550 5.1.0 we do not know this sender\r\n",
            Ok(_) => b"250 fine\r\n",
            Err(_) => return,
        };
        // Whoever was told no may be gone.
        if socket.write_all(answer).is_err() {
            return;
        }
    }
}

/// How many tokens there are.
fn tokens(app: &TestApp) -> Vec<String> {
    let mut database = app.database.connect();
    database.lines("SELECT CAST(count(*) AS text) AS line FROM tokens")
}

/// All attempts at all letters.
async fn attempts(app: &TestApp) -> i32 {
    let page = Page {
        after: None,
        limit: 100,
    };
    let all = move |conn: &mut _| {
        Ok::<_, StorageError>(letters::page(conn, &LetterFilter::default(), page)?)
    };
    let all = app.ctx.db.read(all).await.unwrap();
    assert!(
        all.iter()
            .all(|l| l.state == LetterState::Queued && l.lease_id.is_none())
    );
    all.iter().map(|l| l.attempts).sum()
}

#[actix_web::test]
async fn a_clock_that_leaps_erases_nothing_until_somebody_confirms_it() {
    let app = TestApp::new();
    let mut housekeeping = Housekeeping::new(app.ctx.clone(), Stop::never());
    housekeeping.tick(app.now()).await.unwrap();
    let mo = app.neighbor(&[food(1)]).await;
    app.clock.advance(8 * DAY);
    housekeeping.tick(app.now()).await.unwrap();
    // Nor does a restart confirm it.
    let mut housekeeping = Housekeeping::new(app.ctx.clone(), Stop::never());
    housekeeping.tick(app.now()).await.unwrap();
    let state = request(&app, &mo.requests[0]).await.state;
    assert_eq!(state, RequestState::Open);

    trust_clock(&app.ctx, Actor::OPERATOR).await.unwrap();
    app.clock.advance(2 * MINUTE);
    housekeeping.tick(app.now()).await.unwrap();
    let state = request(&app, &mo.requests[0]).await.state;
    assert_eq!(state, RequestState::Closed);
}

#[actix_web::test]
async fn housekeeping_looks_once_a_minute() {
    let app = TestApp::new();
    let mut housekeeping = Housekeeping::new(app.ctx.clone(), Stop::never());
    let due = app.now().after(MINUTE);
    assert_eq!(housekeeping.tick(app.now()).await.unwrap(), Next::At(due));
    app.clock.advance(Duration::from_secs(30));
    let before = *app.ctx.db.committed().borrow();
    assert_eq!(housekeeping.tick(app.now()).await.unwrap(), Next::At(due));
    assert_eq!(*app.ctx.db.committed().borrow(), before);
}

#[actix_web::test]
async fn requests_that_wait_for_their_aftermath_hold_up_no_others() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 100})],
        )
        .await;
    let mut promised = Vec::new();
    for _ in 0..3 {
        promised.extend(app.neighbor(&vec![food(1); 20]).await.requests);
    }
    let forgotten = app.neighbor(&[food(1)]).await;
    let offer: OfferId = ana.offers[0].parse().unwrap();
    let rows: Vec<Match> = (0..)
        .zip(&promised)
        .map(|(nth, id)| accepted(nth, id.parse().unwrap(), offer, app.now()))
        .collect();
    let insert = move |conn: &mut _| Ok::<_, TxError<()>>(matches::insert(conn, &rows)?);
    app.ctx.db.write(insert).await.unwrap();

    let until = request(&app, &forgotten.requests[0]).await.needed_until;
    app.clock.set(until.after(HOUR));
    assert_eq!(expire::past_requests(&app.ctx).await.unwrap(), 1);
    let state = request(&app, &forgotten.requests[0]).await.state;
    assert_eq!(state, RequestState::Closed);
    app.clock.advance(5 * DAY);
    assert_eq!(expire::past_requests(&app.ctx).await.unwrap(), 50);
    assert_eq!(expire::past_requests(&app.ctx).await.unwrap(), 10);
}

/// A match that was accepted, as if by magic.
fn accepted(nth: u128, request_id: RequestId, offer_id: OfferId, now: Ts) -> Match {
    Match {
        id: MatchId::from(uuid::Uuid::from_u128(nth)),
        request_id,
        offer_id,
        quantity: Quantity::ONE,
        taken: 1,
        period_start: Ts::EPOCH,
        state: MatchState::Accepted,
        decline_reason: None,
        fall_reason: None,
        agreement: Agreement::None,
        agree_by: None,
        band: DistanceBand::of(1000.0),
        score: 0.0,
        parts: Json(ScoreParts::default()),
        wave: 1,
        request_version: 1,
        by_hand: false,
        max_wait_at: None,
        asked_at: Some(now),
        respond_by: None,
        answered_at: Some(now),
        arrival_at: None,
        released_at: None,
        done_by: None,
        ended_at: None,
        created_at: now,
        updated_at: now,
        further_periods: Json(Vec::new()),
        veto_undone_at: None,
        done_at: None,
        followed_up_at: None,
        no_show_by: None,
        returned_at: None,
        remind_at: None,
        no_show_undone_at: None,
    }
}

#[actix_web::test]
async fn a_checkpoint_empties_the_log() {
    if is_left_out() {
        return;
    }
    let app = TestApp::new();
    app.neighbor(&[food(1)]).await;
    let mut log = app.ctx.db.path().unwrap().as_os_str().to_owned();
    log.push("-wal");
    assert!(std::fs::metadata(&log).unwrap().len() > 0);
    let mut checkpoint = Checkpoint::new(app.ctx.clone());
    assert_eq!(checkpoint.tick(app.now()).await.unwrap(), Next::Later);
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
    assert!(app.ctx.db.schema_is_current().await.unwrap(), "it goes on");
}
