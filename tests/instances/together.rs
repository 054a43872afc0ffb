//! Three real processes over one server: they meet, they race, they are killed and paused.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;

use diesel::{Connection, PgConnection};
use serde_json::{Value, json};

use super::database::{lines, number};
use super::fleet::{Call, Fleet, SIZE, token_in};
use super::load::Load;
use super::truth;
use crate::cluster::{Cluster, Stop};
use crate::process::wait_for;

/// Places so far apart that nobody in one is asked for another.
fn place(n: usize) -> Value {
    let degrees = u32::try_from(n).unwrap();
    json!({"lat": 20.0 + f64::from(degrees), "lon": -93.265})
}

fn volunteer(email: &str, at: &Value, offers: &Value) -> Value {
    let limits = json!({"nights": true, "open_asks": 20, "daily_asks": 100});
    json!({"contact": {"name": "Ana", "email": email}, "location": at, "limits": limits, "offers": offers})
}

fn need(email: &str, at: &Value) -> Value {
    let need = json!({"category": "food", "quantity": 1, "urgency": "now"});
    json!({"contact": {"name": "Mo", "email": email}, "location": at, "needs": [need]})
}

/// The tokens of a kind in the letters to an address, oldest first.
fn letters(fleet: &Fleet, email: &str, prefix: &str) -> Vec<String> {
    let mails = fleet.sink.after(0).into_iter();
    mails
        .filter(|mail| mail.to == email)
        .filter_map(|mail| token_in(&mail.text, prefix))
        .collect()
}

/// The token of the newest letter to an address, if it asks for something that is still open.
fn open_ask(fleet: &Fleet, email: &str) -> Option<String> {
    let token = letters(fleet, email, "mha_").pop()?;
    let seen = fleet
        .ask(0, &Call::get("/v1/matches/self", &token))
        .unwrap()
        .ok();
    (seen["state"] == "notified").then_some(token)
}

/// Volunteers who have confirmed an offer: their manage tokens.
fn volunteers(fleet: &Fleet, posts: &[(String, Value, Value)]) -> Vec<String> {
    for (n, (email, at, offers)) in posts.iter().enumerate() {
        let body = volunteer(email, at, offers);
        fleet
            .ask(n, &Call::post("/v1/offers", None, &body))
            .unwrap()
            .ok();
    }
    let confirm = |(n, (email, _, _)): (usize, &(String, Value, Value))| {
        let token = wait_for("a confirm letter", || letters(fleet, email, "mho_").pop());
        let confirmed = fleet.ask(n, &Call::post("/v1/confirm", Some(&token), &json!({})));
        confirmed.unwrap().ok()["manage_token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    posts.iter().enumerate().map(confirm).collect()
}

/// A request and an offer that arrive at the same instant at different instances.
fn posts_that_arrive_together_meet(fleet: &Fleet) {
    const ROUNDS: usize = 9;
    let email = |n: usize| format!("meet{n}@example.org");
    // Each has confirmed the address with something that nobody needs.
    let other = json!([{"category": "pet_care", "capacity": 1}]);
    let posts: Vec<_> = (0..ROUNDS)
        .map(|n| (email(n), place(n), other.clone()))
        .collect();
    let tokens = volunteers(fleet, &posts);
    for (n, token) in tokens.iter().enumerate() {
        let both = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let body = need(&format!("mo{n}@example.org"), &place(n));
                both.wait();
                fleet
                    .ask(n, &Call::post("/v1/requests", None, &body))
                    .unwrap()
                    .ok();
            });
            let offers =
                json!({"location": place(n), "offers": [{"category": "food", "capacity": 1}]});
            let call = Call::post("/v1/volunteers/self/offers", Some(token), &offers);
            both.wait();
            fleet.ask(n + 1, &call).unwrap().ok();
        });
    }
    for n in 0..ROUNDS {
        wait_for("the two to meet", || {
            letters(fleet, &email(n), "mha_").pop()
        });
    }
}

/// Several who accept the last place at the same instant at different instances.
fn one_gets_the_last_place(fleet: &Fleet) {
    const ROUNDS: usize = 15;
    let at = place(40);
    let email = |n: usize| format!("race{n}@example.org");
    let offer = json!([{"category": "food", "capacity": 50}]);
    let posts: Vec<_> = (0..SIZE)
        .map(|n| (email(n), at.clone(), offer.clone()))
        .collect();
    volunteers(fleet, &posts);
    for round in 0..ROUNDS {
        let posted = need(&format!("last{round}@example.org"), &at);
        fleet
            .ask(round, &Call::post("/v1/requests", None, &posted))
            .unwrap()
            .ok();
        let tokens: Vec<String> = (0..SIZE)
            .map(|n| wait_for("an ask", || open_ask(fleet, &email(n))))
            .collect();
        let all = Barrier::new(SIZE);
        let statuses: Vec<u16> = thread::scope(|scope| {
            let accept = |n: usize| {
                let (all, token) = (&all, &tokens[n]);
                scope.spawn(move || {
                    let nothing = json!({});
                    let accept = Call::post("/v1/matches/self/accept", Some(token), &nothing);
                    all.wait();
                    fleet.ask(n + round, &accept).unwrap().status
                })
            };
            let running: Vec<_> = (0..SIZE).map(accept).collect();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let won = statuses.iter().filter(|status| **status == 200).count();
        let lost = statuses.iter().filter(|status| **status == 409).count();
        assert_eq!((won, lost), (1, SIZE - 1), "round {round}: {statuses:?}");
        let winner = statuses.iter().position(|status| *status == 200).unwrap();
        let nothing = json!({});
        let done = Call::post("/v1/matches/self/done", Some(&tokens[winner]), &nothing);
        fleet.ask(round, &done).unwrap().ok();
    }
}

/// While people go on: one is killed, one is paused past its leases, and the server is restarted.
fn go_through_trouble(fleet: &mut Fleet, cluster: &Cluster, url: &str, posted: &dyn Fn(usize)) {
    posted(8);
    fleet.kill(0);
    posted(8);
    fleet.revive(0);
    fleet.signal(1, "-STOP");
    let mut conn = PgConnection::establish(url).unwrap();
    let clock = "SELECT extract(epoch FROM clock_timestamp())::bigint AS n";
    let paused_at = number(&mut conn, clock).unwrap();
    posted(8);
    cluster.down(Stop::Fast);
    cluster.up();
    let mut conn = PgConnection::establish(url).unwrap();
    posted(8);
    fleet.kill(2);
    cluster.down(Stop::Immediate);
    cluster.up();
    posted(8);
    wait_for("the end of what the paused one held", || {
        let now = number(&mut conn, clock).or_else(|_| {
            conn = PgConnection::establish(url).unwrap();
            number(&mut conn, clock)
        });
        (now.unwrap() > paused_at + 12).then_some(())
    });
    fleet.signal(1, "-CONT");
    fleet.revive(2);
    posted(8);
}

/// Nobody is busy any more, and all three indexes say what the database says.
fn come_to_rest(fleet: &Fleet, conn: &mut PgConnection) {
    wait_for("the end of all letters", || {
        let sql = "SELECT count(*) AS n FROM letters WHERE state = 'queued'";
        let due =
            "SELECT count(*) AS n FROM requests WHERE state = 'open' AND match_due_at <= now()";
        let is_quiet = number(conn, sql).unwrap() == 0 && number(conn, due).unwrap() == 0;
        is_quiet.then_some(())
    });
    let open = |conn: &mut PgConnection| {
        let sql = "SELECT count(*) AS n FROM requests WHERE state = 'open'";
        number(conn, sql).unwrap()
    };
    for n in 0..SIZE {
        wait_for("an index like the database", || {
            let same = fleet.metric(n, "manyhands_index_posts{kind=\"request\"}")? == open(conn);
            (same && fleet.metric(n, "manyhands_index_drift")? == 0).then_some(())
        });
    }
}

/// What was promised to people is there, and their letters went out.
fn promises_were_kept(fleet: &Fleet, load: &Load<'_>, conn: &mut PgConnection) {
    let requests = load.promises.requests.lock().unwrap();
    let there: HashSet<String> = lines(conn, "SELECT id::text AS line FROM requests")
        .unwrap()
        .into_iter()
        .collect();
    for (n, (token, id)) in requests.iter().enumerate() {
        assert!(
            there.contains(id),
            "a request that was acknowledged is missing"
        );
        if n % 5 == 0 {
            let path = format!("/v1/requests/{id}");
            fleet.ask(n, &Call::get(&path, token)).unwrap().ok();
        }
    }
    for (n, (token, id)) in load.promises.closed.lock().unwrap().iter().enumerate() {
        let path = format!("/v1/requests/{id}");
        let seen = fleet.ask(n, &Call::get(&path, token)).unwrap().ok();
        assert_eq!(seen["state"], "closed");
    }
    for (n, token) in load.promises.accepted.lock().unwrap().iter().enumerate() {
        let seen = fleet
            .ask(n, &Call::get("/v1/matches/self", token))
            .unwrap()
            .ok();
        let state = seen["state"].as_str().unwrap();
        assert!(
            matches!(state, "accepted" | "fulfilled" | "fell_through"),
            "{state}"
        );
    }
    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for mail in fleet.sink.after(0) {
        let (id, _) = mail.message_id.split_once('@').unwrap();
        *copies.entry(id.to_owned()).or_default() += 1;
    }
    for (id, attempts) in truth::sent(conn) {
        let copies = copies.remove(&id).unwrap_or(0);
        assert!(copies >= 1, "a letter that was sent never arrived");
        assert!(copies <= attempts, "{copies} copies of {attempts} attempts");
    }
    let dead = number(
        conn,
        "SELECT count(*) AS n FROM letters WHERE state = 'dead'",
    )
    .unwrap();
    assert_eq!(dead, 0);
}

#[test]
fn three_instances_are_as_good_as_one() {
    let cluster = Cluster::start();
    let url = cluster.create("together");
    let mut fleet = Fleet::start(&url);
    posts_that_arrive_together_meet(&fleet);
    one_gets_the_last_place(&fleet);

    let (shared, sink) = (Arc::clone(&fleet.addresses), Arc::clone(&fleet.sink));
    let load = Load::new(&shared);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut paces = Vec::new();
        let mut pace = || {
            let (keep, wait) = channel::<()>();
            paces.push(keep);
            wait
        };
        for n in 0..3 {
            let (pace, load) = (pace(), &load);
            scope.spawn(move || load.post(&format!("p{n}"), n, &pace));
        }
        for (n, pace) in [(10, pace()), (11, pace())] {
            let load = &load;
            scope.spawn(move || load.edit(n, &pace));
        }
        for n in 20..23 {
            let load = &load;
            scope.spawn(move || load.answer(n));
        }
        let (pace, sink, reader) = (pace(), &sink, &load);
        scope.spawn(move || reader.read_letters(sink, &pace));
        let checks = scope.spawn(|| {
            let mut sampled = 0;
            while !is_over.load(Ordering::SeqCst) {
                let conn = PgConnection::establish(&url);
                sampled += usize::from(conn.is_ok_and(|mut conn| truth::check(&mut conn).is_ok()));
            }
            sampled
        });
        let posted = |more: usize| {
            let goal = load.posted.load(Ordering::SeqCst) + more;
            wait_for("people to get on", || {
                (load.posted.load(Ordering::SeqCst) >= goal).then_some(())
            });
        };
        go_through_trouble(&mut fleet, &cluster, &url, &posted);
        wait_for("somebody who helps, and somebody who closes", || {
            let helped = load.promises.accepted.lock().unwrap().len();
            let closed = load.promises.closed.lock().unwrap().len();
            (helped > 0 && closed > 0).then_some(())
        });
        load.stop();
        drop(paces);
        is_over.store(true, Ordering::SeqCst);
        let sampled = checks.join().unwrap();
        assert!(sampled > 0, "nobody looked");
    });

    let promises = &load.promises;
    assert!(
        !promises.accepted.lock().unwrap().is_empty(),
        "nobody helped"
    );
    assert!(
        !promises.closed.lock().unwrap().is_empty(),
        "nobody closed anything"
    );
    let mut conn = PgConnection::establish(&url).unwrap();
    come_to_rest(&fleet, &mut conn);
    truth::check(&mut conn).unwrap();
    promises_were_kept(&fleet, &load, &mut conn);
    for log in fleet.stop() {
        assert!(!log.contains("the index was wrong"), "{log}");
        assert!(!log.contains("panicked"), "{log}");
    }
}
