//! One kill after the other: when, of what, and what is looked at in between.

use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::copies;
use super::crowd::{Crowd, HANDS, lock};
use super::figures::{Figures, Kill};
use super::model::Who;
use super::place::{Place, signal};
use crate::process::{PATIENCE, Server, wait_for};

/// So many kills, then another town: what was said long ago costs time to look at.
const TOWN: u64 = 50;
/// People looked at after each kill though nothing was said about them.
const SAMPLE: usize = 4;

/// A service in whose town people live.
pub struct Town {
    pub place: Place,
    pub crowd: Crowd,
    pub server: Option<Server>,
    /// The end of the audit's chain, as it was seen last.
    head: Option<String>,
}

impl Town {
    pub fn new(place: Place) -> Self {
        let server = place.serve();
        let crowd = Crowd::new(place.coordinator());
        Self {
            place,
            crowd,
            server: Some(server),
            head: None,
        }
    }

    /// Lets everybody act until `count` answers have come, then does `then`; gives what it gives when nobody
    /// acts any more.
    pub fn act<T>(&self, seed: u64, count: usize, then: impl FnOnce(&Server) -> T) -> T {
        let (server, stop) = (self.server.as_ref().unwrap(), AtomicBool::new(false));
        thread::scope(|scope| {
            let enough = Enough(&stop);
            let (told, counted) = channel();
            let hands: Vec<_> = (0..HANDS)
                .map(|n| {
                    let (told, stop, crowd, dir) =
                        (told.clone(), &stop, &self.crowd, self.place.dir());
                    scope.spawn(move || crowd.act_on(server, dir, seed + n, stop, &told))
                })
                .collect();
            drop(told);
            for nth in 0..count {
                match counted.recv_timeout(PATIENCE) {
                    Ok(()) => {}
                    // None come any more where a hand has failed.
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => panic!("answers have ceased after {nth}"),
                }
            }
            let result = then(server);
            drop(enough);
            for hand in hands {
                hand.join().unwrap();
            }
            result
        })
    }

    /// Lets everybody act until somebody has said yes: before that there is little to lose.
    pub fn until_a_yes(&self, seed: u64) {
        let mut seed = seed;
        wait_for("a yes", || {
            self.act(seed, 20, |_| ());
            seed += HANDS;
            lock(&self.crowd.tally).contains_key("Accept").then_some(())
        });
    }

    /// The service is gone without a word.
    pub fn bury(&mut self) {
        self.server.take().unwrap().kill();
    }

    /// The audit is what it was, and nothing of it is cut off that was there before.
    pub fn verify(&mut self) {
        let mut arguments = vec!["audit", "verify", "--json"];
        arguments.extend(self.head.iter().flat_map(|head| ["--head", head.as_str()]));
        let found = self.place.json(&arguments);
        self.head = found["head"].as_str().map(str::to_owned);
    }

    pub fn rise(&mut self) -> &Server {
        self.server.insert(self.place.serve())
    }

    /// Some people, by chance.
    pub fn sample(&self, random: &mut StdRng) -> Vec<Who> {
        let world = lock(&self.crowd.world);
        let (n, v) = (world.neighbors.len(), world.volunteers.len());
        let mut some = Vec::new();
        for _ in 0..SAMPLE / 2 {
            some.extend((n > 0).then(|| Who::Neighbor(random.random_range(0..n))));
            some.extend((v > 0).then(|| Who::Volunteer(random.random_range(0..v))));
        }
        some
    }
}

/// Nobody acts any more when this is dropped, also by a panic: the others would be waited for in vain.
struct Enough<'a>(&'a AtomicBool);

impl Drop for Enough<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a moment for a kill is a moment, and no condition"
)]
fn pause(random: &mut StdRng, most: Duration) {
    let most = u64::try_from(most.as_micros()).unwrap();
    thread::sleep(Duration::from_micros(random.random_range(0..most)));
}

fn end(mut child: Child) -> bool {
    signal(child.id(), "-KILL");
    child.wait().unwrap().success()
}

/// One round: some acts, a kill, and another start.
fn round(town: &mut Town, kill: Kill, seed: u64, figures: &mut Figures) {
    let mut random = StdRng::seed_from_u64(seed);
    // Sometimes within the first moments, sometimes in full swing.
    let count = random.random_range(1..=60);
    if matches!(kill, Kill::Rewrapping | Kill::Rotating) {
        town.bury();
        town.place.forget_the_dead();
        town.rise();
    }
    let mut moment = StdRng::seed_from_u64(seed ^ 1);
    let here = &town.place;
    match kill {
        Kill::Acting | Kill::Starting => town.act(seed, count, |server| {
            pause(&mut moment, Duration::from_millis(20));
            signal(server.id(), "-KILL");
        }),
        Kill::ServiceInBackup => {
            let before = copies::ids_of(&town.crowd);
            let taken = town.act(seed, count, |server| {
                let copying = here.spawn(&["backup", "copy.db"]);
                pause(&mut moment, Duration::from_millis(150));
                signal(server.id(), "-KILL");
                copying
            });
            copies::is_whole(here, taken, &before);
        }
        Kill::Backup => {
            let before = copies::ids_of(&town.crowd);
            town.act(seed, count, |server| {
                let copying = here.spawn(&["backup", "copy.db"]);
                pause(&mut moment, Duration::from_millis(150));
                end(copying);
                signal(server.id(), "-KILL");
            });
            copies::is_whole_or_none(here, &before);
        }
        Kill::Rewrapping => town.act(seed, count, |server| {
            here.said(&["key", "rotate"]);
            pause(&mut moment, Duration::from_millis(300));
            signal(server.id(), "-KILL");
        }),
        Kill::Rotating => town.act(seed, count, |server| {
            let rotating = here.spawn(&["key", "rotate"]);
            pause(&mut moment, Duration::from_millis(200));
            end(rotating);
            signal(server.id(), "-KILL");
        }),
    }
    town.bury();
    figures.count(kill);
    if kill == Kill::Starting {
        for _ in 0..random.random_range(1..=3) {
            let starting = town.place.spawn_service();
            pause(&mut moment, Duration::from_millis(500));
            end(starting);
            figures.count(kill);
        }
    }
    if town.place.postgres.is_none() && random.random_bool(0.2) {
        assert_eq!(town.place.integrity(), "ok");
    }
    town.rise();
    let sample = town.sample(&mut random);
    figures.add(town.crowd.check(town.server.as_ref().unwrap(), &sample));
    if town.place.postgres.is_none() && random.random_bool(0.1) {
        town.verify();
    }
}

fn next(random: &mut StdRng, nth: u64, is_file: bool) -> Kill {
    // Each kind comes early, so that a few rounds have all of them.
    let first = match is_file {
        true => [0, 60, 75, 0, 83, 91, 97, 60, 75, 83],
        false => [0, 91, 60, 97, 0, 60, 91, 0, 97, 0],
    };
    let early = usize::try_from(nth).ok().and_then(|nth| first.get(nth));
    let draw = match early {
        Some(draw) => *draw,
        None => random.random_range(0..100),
    };
    match draw {
        75..83 if is_file => Kill::ServiceInBackup,
        83..91 if is_file => Kill::Backup,
        91..96 => Kill::Rewrapping,
        96.. => Kill::Rotating,
        60..75 => Kill::Starting,
        _ => Kill::Acting,
    }
}

/// Kills until there were `kills`, in one town after the other.
pub fn kill_on(
    kills: u64,
    seed: u64,
    postgres: impl Fn(u64) -> Option<String>,
    is_told: bool,
) -> Figures {
    let mut figures = Figures::default();
    let mut random = StdRng::seed_from_u64(seed);
    let started = Instant::now();
    while figures.all() < kills {
        figures.towns += 1;
        let postgres = postgres(figures.towns);
        let is_file = postgres.is_none();
        let mut town = Town::new(Place::new(postgres));
        town.until_a_yes(seed ^ figures.towns);
        let until = kills.min(figures.all() + TOWN);
        let mut nth = 0;
        while figures.all() < until {
            let kill = next(
                &mut random,
                if figures.towns == 1 { nth } else { u64::MAX },
                is_file,
            );
            let of_round = seed + 1_000 * figures.all() + 100_000_000 * figures.towns;
            let told = Told {
                seed,
                round: of_round,
                kill,
            };
            round(&mut town, kill, of_round, &mut figures);
            drop(told);
            nth += 1;
            if is_told && nth % 10 == 0 {
                let seconds = started.elapsed().as_secs();
                println!(
                    "{} kills, {} acts answered, {seconds} s",
                    figures.all(),
                    acts(&figures, &town)
                );
            }
        }
        let server = town.server.take().unwrap();
        town.crowd.audit(&server, &town.place);
        town.verify();
        copies::keys_are_wrapped(&town.place);
        let (status, log) = server.terminate();
        assert!(status.success(), "{log}");
        figures.acknowledged += town.crowd.acknowledged.load(Ordering::Relaxed);
        figures.refused += town.crowd.refused.load(Ordering::Relaxed);
        for (act, times) in lock(&town.crowd.tally).iter() {
            *figures.tally.entry(act.clone()).or_default() += times;
        }
    }
    figures
}

fn acts(figures: &Figures, town: &Town) -> u64 {
    figures.acknowledged + town.crowd.acknowledged.load(Ordering::Relaxed)
}

/// Says where it failed, if it does.
struct Told {
    seed: u64,
    round: u64,
    kill: Kill,
}

impl Drop for Told {
    fn drop(&mut self) {
        if thread::panicking() {
            println!(
                "failed in the round {} ({:?}) of seed {}",
                self.round, self.kill, self.seed
            );
        }
    }
}
