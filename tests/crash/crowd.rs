//! Everybody at once: each of a few hands does what somebody could do next, until the service is gone.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::acts::{Act, text};
use super::draw;
use super::mailbox::Mailbox;
use super::model::{Stage, World};
use super::said::Call;
use crate::process::{Answer, Server, call_within};

/// People who act at the same time.
pub const HANDS: u64 = 6;
/// Who waits longer than this counts as not answered.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is known while the service runs, and what came of the acts.
pub struct Crowd {
    pub world: Mutex<World>,
    pub unknown: Mutex<Vec<Act>>,
    pub mailbox: Mutex<Mailbox>,
    pub coordinator: String,
    pub acknowledged: AtomicU64,
    pub refused: AtomicU64,
    /// What was acknowledged, by what it was.
    pub tally: Mutex<BTreeMap<String, u64>>,
}

impl Crowd {
    pub fn new(coordinator: String) -> Self {
        Self {
            world: Mutex::default(),
            unknown: Mutex::default(),
            mailbox: Mutex::default(),
            coordinator,
            acknowledged: AtomicU64::default(),
            refused: AtomicU64::default(),
            tally: Mutex::default(),
        }
    }

    /// Acts until `stop`, or until nobody answers any more. Each answer is counted out loud.
    pub fn act_on(
        &self,
        server: &Server,
        dir: &Path,
        seed: u64,
        stop: &AtomicBool,
        told: &Sender<()>,
    ) {
        let mut random = StdRng::seed_from_u64(seed);
        while !stop.load(Ordering::Relaxed) {
            if random.random_bool(0.2) && self.look(server, dir).is_err() {
                return;
            }
            let Some((act, call)) = self.choose(&mut random) else {
                std::thread::yield_now();
                continue;
            };
            let answer = send(server, &call);
            let is_gone = answer.is_err();
            match answer {
                Ok(answer) if answer.status < 500 => {
                    self.answered(&act, answer);
                    // Nobody counts any more while it is being killed.
                    let _ = told.send(());
                }
                // Whoever takes part stays busy until it is known what came of it.
                _ => lock(&self.unknown).push(act),
            }
            if is_gone {
                return;
            }
        }
    }

    /// Takes over what was answered.
    #[track_caller]
    pub fn answered(&self, act: &Act, answer: Answer) {
        let mut world = lock(&self.world);
        let who = act.who(&world);
        if answer.status >= 400 {
            assert!(act.may_be_refused(), "{act:?}: {answer:?}");
            self.refused.fetch_add(1, Ordering::Relaxed);
        } else {
            act.apply(&mut world, &answer.ok());
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
            *lock(&self.tally).entry(act.name()).or_default() += 1;
        }
        for who in who {
            world.busy.remove(&who);
            world.touched.insert(who);
        }
    }

    /// Reads letters, and the desk's list of what waits for a coordinator.
    fn look(&self, server: &Server, dir: &Path) -> std::io::Result<()> {
        let asks = {
            let mut mailbox = lock(&self.mailbox);
            mailbox.read(dir);
            let newest = mailbox.asks.len().saturating_sub(8);
            mailbox.asks.split_off(newest)
        };
        for (n, code) in asks.iter().enumerate() {
            if let Err(gone) = self.look_behind(server, code) {
                lock(&self.mailbox).asks.extend_from_slice(&asks[n..]);
                return Err(gone);
            }
        }
        let path = "/v1/matches?state=proposed&limit=20";
        let proposed = server.get(path, Some(&self.coordinator))?;
        for sheet in proposed.body["items"].as_array().into_iter().flatten() {
            self.meet(sheet, Stage::Proposed, None);
        }
        Ok(())
    }

    /// A link that is dead by now is of somebody who is gone.
    fn look_behind(&self, server: &Server, code: &str) -> std::io::Result<()> {
        let seen = server.get("/v1/matches/self", Some(code))?;
        if seen.status >= 500 {
            return Err(std::io::ErrorKind::NotConnected.into());
        }
        if seen.status == 200 {
            let path = format!("/v1/matches/{}", text(&seen.body["id"]));
            let sheet = server.get(&path, Some(&self.coordinator))?;
            if sheet.status == 200 {
                self.meet(&sheet.body, Stage::Asked, Some(code));
            }
        }
        Ok(())
    }

    fn meet(&self, sheet: &Value, stage: Stage, code: Option<&str>) {
        let (request, offer) = (text(&sheet["request"]["id"]), text(&sheet["offer"]["id"]));
        let code = code.map(str::to_owned);
        lock(&self.world).meet(&text(&sheet["id"]), &request, &offer, stage, code);
    }

    /// Something that somebody could do who does nothing else now; they are busy from here on.
    fn choose(&self, random: &mut StdRng) -> Option<(Act, Call)> {
        let mut world = lock(&self.world);
        let act = draw::act(&mut world, &mut lock(&self.mailbox), random);
        let who = act.who(&world);
        if who.iter().any(|who| world.busy.contains(who)) {
            return None;
        }
        world.busy.extend(who);
        let call = act.call(&world, &self.coordinator);
        Some((act, call))
    }
}

/// # Errors
/// No whole answer came: whether it was done is not known.
pub fn send(server: &Server, call: &Call) -> std::io::Result<Answer> {
    let bearer = call.token.as_ref().map(|token| format!("Bearer {token}"));
    let mut headers: Vec<(&str, &str)> = Vec::new();
    headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
    headers.extend(call.key.as_deref().map(|key| ("Idempotency-Key", key)));
    let body = call.body.as_ref();
    call_within(
        PATIENCE,
        server.public,
        call.method,
        &call.path,
        &headers,
        body,
    )
}

pub fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
