//! People who post, confirm, answer, edit and close, over all instances, whatever becomes of them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::fleet::{Call, SIZE, token_in};
use crate::process::Answer;
use crate::sink::Sink;

/// Towns, out of each other's reach.
const TOWNS: u32 = 5;
/// How long somebody goes on trying.
const PATIENCE: Duration = Duration::from_mins(1);

/// What was promised to people, to be found again at the end.
#[derive(Default)]
pub struct Promises {
    /// Manage tokens of neighbors with the ids of their requests.
    pub requests: Mutex<Vec<(String, String)>>,
    /// Manage tokens of volunteers.
    pub volunteers: Mutex<Vec<String>>,
    /// Answer tokens by which somebody accepted.
    pub accepted: Mutex<Vec<String>>,
    /// Requests that were closed.
    pub closed: Mutex<Vec<(String, String)>>,
}

/// The people.
pub struct Load<'a> {
    pub addresses: &'a Mutex<Vec<SocketAddr>>,
    pub promises: Promises,
    /// Posts acknowledged so far.
    pub posted: AtomicUsize,
    stop: AtomicBool,
    letters: Mutex<VecDeque<String>>,
    arrived: Condvar,
}

impl<'a> Load<'a> {
    pub fn new(addresses: &'a Mutex<Vec<SocketAddr>>) -> Self {
        Self {
            addresses,
            promises: Promises::default(),
            posted: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            letters: Mutex::default(),
            arrived: Condvar::new(),
        }
    }

    /// Nobody begins anything more.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.arrived.notify_all();
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Tries one instance after the other until one says what became of it; none if nobody did in time.
    fn insist(&self, random: &mut StdRng, call: &Call<'_>) -> Option<Answer> {
        let begun = Instant::now();
        let mut n = random.random_range(0..SIZE);
        while begun.elapsed() < PATIENCE {
            let address = self.addresses.lock().unwrap()[n];
            match call.on(address) {
                // The process was paused before it had read the call.
                Ok(answer) if answer.status == 408 => {}
                Ok(answer) if answer.status != 503 => {
                    assert!(answer.status < 500, "{answer:?}");
                    return Some(answer);
                }
                Ok(answer) => assert!(answer.header("Retry-After").is_some(), "{answer:?}"),
                Err(_) => {}
            }
            n = (n + 1) % SIZE;
        }
        None
    }

    /// Posts needs and offers, one after the other; `pace` is told when it is over.
    pub fn post(&self, name: &str, seed: u64, pace: &Receiver<()>) {
        let mut random = StdRng::seed_from_u64(seed);
        for n in 0.. {
            if pace.recv_timeout(Duration::from_millis(60)) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let key = format!("{name}-{n}");
            let is_need = random.random_bool(0.6);
            let town = f64::from(random.random_range(0..TOWNS));
            let location = json!({"lat": 40.0 + town, "lon": -93.265});
            let email = format!("{key}@example.org");
            let contact = json!({"name": "Mo", "email": email});
            let (path, body) = if is_need {
                let quantity = random.random_range(1..4);
                let need = json!({"category": "food", "quantity": quantity, "urgency": "now", "splittable": true, "max_helpers": 3});
                (
                    "/v1/requests",
                    json!({"contact": contact, "location": location, "needs": [need]}),
                )
            } else {
                let capacity = random.random_range(1..6);
                let offer = json!({"category": "food", "capacity": capacity});
                let limits = json!({"nights": true, "open_asks": 20, "daily_asks": 100});
                (
                    "/v1/offers",
                    json!({"contact": contact, "location": location, "limits": limits, "offers": [offer]}),
                )
            };
            let call = Call {
                key: Some(&key),
                ..Call::post(path, None, &body)
            };
            let Some(answer) = self.insist(&mut random, &call) else {
                continue;
            };
            assert_eq!(answer.status, 201, "{answer:?}");
            self.posted.fetch_add(1, Ordering::SeqCst);
            if is_need {
                let text = |v: &Value| v.as_str().unwrap().to_owned();
                let (token, id) = (
                    &answer.body["manage_token"],
                    &answer.body["requests"][0]["id"],
                );
                let mut requests = self.promises.requests.lock().unwrap();
                requests.push((text(token), text(id)));
            }
        }
    }

    /// Hands letters on as they arrive.
    pub fn read_letters(&self, sink: &Sink, pace: &Receiver<()>) {
        let mut seen = 0;
        while pace.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Timeout) {
            let new = sink.after(seen);
            seen += new.len();
            let mut letters = self.letters.lock().unwrap();
            letters.extend(new.into_iter().map(|mail| mail.text));
            self.arrived.notify_all();
        }
    }

    fn next_letter(&self) -> Option<String> {
        let mut letters = self.letters.lock().unwrap();
        loop {
            if self.is_over() {
                return None;
            }
            if let Some(letter) = letters.pop_front() {
                return Some(letter);
            }
            letters = self.arrived.wait(letters).unwrap();
        }
    }

    /// Does what letters ask for.
    pub fn answer(&self, seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        let nothing = json!({});
        while let Some(letter) = self.next_letter() {
            if let Some(token) = token_in(&letter, "mho_") {
                let call = Call::post("/v1/confirm", Some(&token), &nothing);
                let answer = self.insist(&mut random, &call);
                if let Some(token) =
                    answer.and_then(|a| Some(a.body["manage_token"].as_str()?.to_owned()))
                {
                    self.promises.volunteers.lock().unwrap().push(token);
                }
            } else if let Some(token) = token_in(&letter, "mha_") {
                self.decide(&mut random, token);
            }
        }
    }

    fn decide(&self, random: &mut StdRng, token: String) {
        let nothing = json!({});
        let path = |what: &str| format!("/v1/matches/self/{what}");
        if random.random_bool(0.3) {
            let decline = json!({"reason": "not_now"});
            self.insist(
                random,
                &Call::post(&path("decline"), Some(&token), &decline),
            );
            return;
        }
        let accepted = self.insist(random, &Call::post(&path("accept"), Some(&token), &nothing));
        if accepted.is_none_or(|answer| answer.status != 200) {
            return;
        }
        let then = random.random_range(0..4);
        if then < 2 {
            let what = ["done", "release"][then];
            self.insist(random, &Call::post(&path(what), Some(&token), &nothing));
        }
        self.promises.accepted.lock().unwrap().push(token);
    }

    /// Changes and closes what was posted, pauses and resumes what is offered.
    pub fn edit(&self, seed: u64, pace: &Receiver<()>) {
        let mut random = StdRng::seed_from_u64(seed);
        let one = |from: &Mutex<Vec<(String, String)>>, random: &mut StdRng| {
            let all = from.lock().unwrap();
            (!all.is_empty()).then(|| all[random.random_range(0..all.len())].clone())
        };
        while pace.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
            let Some((token, id)) = one(&self.promises.requests, &mut random) else {
                continue;
            };
            if random.random_bool(0.3) {
                let close = json!({"reason": "not_needed"});
                let path = format!("/v1/requests/{id}/close");
                let answer = self.insist(&mut random, &Call::post(&path, Some(&token), &close));
                if answer.is_some_and(|answer| answer.status == 200) {
                    self.promises.closed.lock().unwrap().push((token, id));
                }
                continue;
            }
            let edit = json!({"quantity": random.random_range(1..5)});
            let path = format!("/v1/requests/{id}");
            let call = Call {
                method: "PATCH",
                ..Call::post(&path, Some(&token), &edit)
            };
            self.insist(&mut random, &call);
            let volunteer = {
                let all = self.promises.volunteers.lock().unwrap();
                (!all.is_empty()).then(|| all[random.random_range(0..all.len())].clone())
            };
            if let Some(token) = volunteer {
                let what = ["pause", "resume"][random.random_range(0..2)];
                let (path, nothing) = (format!("/v1/volunteers/self/{what}"), json!({}));
                self.insist(&mut random, &Call::post(&path, Some(&token), &nothing));
            }
        }
    }
}
