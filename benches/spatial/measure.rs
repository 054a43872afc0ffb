//! Times, and whether two answers are the same.

use std::hint::black_box;
use std::time::{Duration, Instant};

use manyhands::domain::place::GeoPoint;

use super::rivals::{Ours, Rival};
use super::world::{Dice, Kind, Offer, World};

/// No rival is asked for longer than this, but for the fewest queries that tell something.
const LONG: Duration = Duration::from_secs(10);
const FEWEST: usize = 40;
/// How often each query is asked; the shortest time counts.
const REPEATS: usize = 5;

/// What queries took.
#[derive(Clone, Copy)]
pub struct Times {
    pub queries: usize,
    pub median: Duration,
    pub worst: Duration,
}

impl Times {
    /// Asks from as many of the points as there is time for.
    pub fn of(rival: &mut impl Rival, points: &[GeoPoint]) -> Self {
        // Warm: caches, prepared statements, a plan that the server has settled on.
        for point in points.iter().take(10) {
            black_box(rival.nearest(*point));
        }
        let began = Instant::now();
        let mut times = Vec::new();
        for point in points {
            if times.len() >= FEWEST && began.elapsed() > LONG {
                break;
            }
            let tries = (0..REPEATS).map(|_| once(|| rival.nearest(*point)).1);
            times.push(tries.min().unwrap_or_default());
        }
        times.sort_unstable();
        Self {
            queries: times.len(),
            median: at(&times, 0.5),
            worst: at(&times, 1.0),
        }
    }
}

/// What changes took, in order of time.
pub struct Changes {
    pub insert: Vec<Duration>,
    pub moved: Vec<Duration>,
    pub remove: Vec<Duration>,
}

impl Changes {
    /// As many of each kind as there are offers, 100 000 at most.
    pub fn of(world: World, offers: &[Offer]) -> Self {
        let count = offers.len().min(100_000);
        let mut dice = Dice(4);
        let more: Vec<Offer> = (0..count)
            .map(|n| world.offer(offers.len() + n, &mut dice))
            .collect();
        let elsewhere: Vec<GeoPoint> = (0..count).map(|_| world.home(&mut dice).1).collect();
        let Ours(mut index) = Ours::new(offers);
        let sorted = |mut times: Vec<Duration>| {
            times.sort_unstable();
            times
        };
        let insert = more
            .iter()
            .map(|o| once(|| index.insert(o.key, o.point, o.reach_m)).1);
        let insert = sorted(insert.collect());
        let moved = offers.iter().step_by(offers.len() / count).zip(&elsewhere);
        let moved = moved.map(|(o, at)| {
            let to_there = || {
                index.remove(o.key, o.point, o.reach_m);
                index.insert(o.key, *at, o.reach_m);
            };
            once(to_there).1
        });
        let moved = sorted(moved.collect());
        let remove = more
            .iter()
            .map(|o| once(|| index.remove(o.key, o.point, o.reach_m)).1);
        let remove = sorted(remove.collect());
        Self {
            insert,
            moved,
            remove,
        }
    }
}

/// What it gives and how long it took.
pub fn once<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let result = black_box(work());
    (result, began.elapsed())
}

/// The time that this share of them keeps within.
pub fn at(sorted: &[Duration], share: f64) -> Duration {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is a place in the list"
    )]
    let place = (share * (sorted.len().saturating_sub(1)) as f64) as usize;
    sorted.get(place).copied().unwrap_or_default()
}

pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The word by which this program calls itself for [`bytes_an_offer`].
const MEMORY: &str = "memory-of";

/// By how much a new process grows when it loads so many offers, for each of them.
pub fn bytes_an_offer(size: usize) -> usize {
    let program = std::env::current_exe().expect("is running");
    let output = std::process::Command::new(program)
        .args([MEMORY, &size.to_string()])
        .output()
        .expect("starts");
    let told = String::from_utf8(output.stdout).expect("a number");
    told.trim().parse().expect("a number")
}

/// Whether this is that new process; then it has answered.
pub fn is_asked_for_memory() -> bool {
    let mut arguments = std::env::args().skip_while(|word| word != MEMORY);
    let Some(size) = arguments.nth(1).and_then(|size| size.parse().ok()) else {
        return false;
    };
    let offers = World {
        size,
        kind: Kind::Mixed,
    }
    .offers();
    let before = resident_bytes();
    let index = Ours::new(&offers);
    println!("{}", resident_bytes().saturating_sub(before) / size);
    drop(index);
    true
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kilobytes.unwrap_or(0_usize) * 1024
}

/// Panics unless both say the same.
pub fn compare(name: &str, answer: &[(usize, f64)], truth: &[(usize, f64)]) {
    // The servers' sphere is 4 parts in a thousand million smaller.
    let is_same = |a: f64, b: f64| (a - b).abs() <= 1e-6 + b * 1e-7;
    assert_eq!(answer.len(), truth.len(), "{name} finds another number");
    for (theirs, ours) in answer.iter().zip(truth) {
        assert!(
            is_same(theirs.1, ours.1),
            "{name} says {theirs:?}, the scan {ours:?}"
        );
    }
    let mut numbers: Vec<_> = answer.iter().map(|(number, _)| number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), answer.len(), "{name} names one twice");
}
