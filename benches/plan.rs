//! How fast a plan for a whole city is solved and checked. `cargo bench --bench plan`
//!
//! Each of the requests has 20 candidates; costs are whole meters.
//!
//! * `Clustered`: people live around 40 centers, candidates are the nearest.
//! * `Random`: candidates and costs are drawn, which is the harder the larger the town.
//! * `Scarce`, `ScarceRandom`: the same, where there are offers for 60 % of the requests only.
//! * `Quantities`: as clustered, each request and offer for 1 to 8 units.
//!
//! Beside an independent solver, which must come to the same optimum (OR-Tools' cost scaling in C++, which is
//! Apache-2.0 and no part of this project): both by turns in one run, the best of three each, in processor
//! time, from the instance to the flow. It stops if an optimum differs.
//!
//! ```text
//! python3 -m venv ENVIRONMENT && ENVIRONMENT/bin/pip install ortools
//! MANYHANDS_BENCH_ORTOOLS=ENVIRONMENT/bin/python cargo bench --bench plan
//! ```

#![expect(clippy::expect_used, reason = "a bench may panic, as a test may")]

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use divan::Bencher;
use manyhands::matching::flow::{Arc, Instance, Need, Solution, Supply};

fn main() {
    match std::env::var_os("MANYHANDS_BENCH_ORTOOLS") {
        Some(python) => compare(&python),
        None => divan::main(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Clustered,
    Random,
    Scarce,
    ScarceRandom,
    Quantities,
}

const KINDS: [Kind; 5] = [
    Kind::Clustered,
    Kind::Random,
    Kind::Scarce,
    Kind::ScarceRandom,
    Kind::Quantities,
];
const REQUESTS: usize = 10_000;
const CANDIDATES: usize = 20;
const MOST_UNITS: usize = 8;
const STEPS: u64 = u64::MAX;

#[divan::bench(args = KINDS, sample_count = 5, sample_size = 1)]
fn solved(bencher: Bencher, kind: Kind) {
    let instance = instance(kind, REQUESTS);
    bencher.bench_local(|| instance.solve(STEPS).expect("solved"));
}

#[divan::bench(args = KINDS, sample_count = 10)]
fn verified(bencher: Bencher, kind: Kind) {
    let instance = instance(kind, REQUESTS);
    let solution = instance.solve(STEPS).expect("solved");
    bencher.bench_local(|| instance.verify(&solution).expect("proven"));
}

/// A xorshift generator: the same towns everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % n as u64).expect("small")
    }

    fn part(&mut self) -> f64 {
        (self.roll() % 1_000_000) as f64 / 1e6
    }
}

/// Somewhere around one of the centers, in meters.
fn place(centers: &[(f64, f64)], dice: &mut Dice) -> (f64, f64) {
    let (x, y) = centers[dice.below(centers.len())];
    let far = -(1.0 - dice.part()).max(1e-9).ln() * 1_500.0;
    let (sin, cos) = (dice.part() * std::f64::consts::TAU).sin_cos();
    (x + far * cos, y + far * sin)
}

fn instance(kind: Kind, requests: usize) -> Instance {
    let mut dice = Dice(88_172_645_463_325_252);
    let is_scarce = matches!(kind, Kind::Scarce | Kind::ScarceRandom);
    let offers = if is_scarce {
        requests * 6 / 10
    } else {
        requests
    };
    let centers: Vec<_> = (0..40)
        .map(|_| (dice.part() * 40_000.0, dice.part() * 40_000.0))
        .collect();
    let asking: Vec<_> = (0..requests).map(|_| place(&centers, &mut dice)).collect();
    let giving: Vec<_> = (0..offers).map(|_| place(&centers, &mut dice)).collect();
    let units = |dice: &mut Dice| match kind {
        Kind::Quantities => i32::try_from(1 + dice.below(MOST_UNITS)).expect("small"),
        _ => 1,
    };
    let mut instance = Instance::default();
    for (need, at) in asking.iter().enumerate() {
        let urgency = [96, 48, 24][dice.below(3)];
        let waited = i64::try_from(dice.below(25)).expect("small");
        let demand = units(&mut dice);
        instance.needs.push(Need {
            demand,
            weight: urgency + waited,
        });
        let mut candidates: Vec<(i64, usize)> = match kind {
            Kind::Random | Kind::ScarceRandom => (0..CANDIDATES)
                .map(|_| {
                    (
                        i64::try_from(dice.below(30_000)).expect("small"),
                        dice.below(offers),
                    )
                })
                .collect(),
            _ => giving
                .iter()
                .enumerate()
                .map(|(supply, to)| {
                    #[expect(clippy::cast_possible_truncation, reason = "within a city")]
                    ((at.0 - to.0).hypot(at.1 - to.1) as i64, supply)
                })
                .collect(),
        };
        candidates.select_nth_unstable(CANDIDATES - 1);
        let nearest = candidates[..CANDIDATES].iter();
        instance.arcs.extend(nearest.map(|(cost, supply)| Arc {
            need,
            supply: *supply,
            capacity: demand,
            cost: *cost,
        }));
    }
    let supplies = (0..offers).map(|_| Supply {
        capacity: units(&mut dice),
        group: None,
    });
    instance.supplies = supplies.collect();
    instance
}

/// What is served, weighted, and over how many meters.
fn worth(instance: &Instance, solution: &Solution) -> (i64, i64) {
    let arcs = instance.arcs.iter().zip(&solution.flow);
    arcs.fold((0, 0), |(served, cost), (arc, amount)| {
        let amount = i64::from(*amount);
        let weight = instance.needs[arc.need].weight;
        (served + weight * amount, cost + arc.cost * amount)
    })
}

/// How often each solver tries; the best counts.
const TRIES: usize = 3;

#[expect(clippy::print_stdout, reason = "a table is what is asked for")]
fn compare(python: &OsStr) {
    let folder = tempfile::tempdir().expect("a folder");
    println!("processor seconds, best of {TRIES}\n");
    println!("instance      served  meters    ours   theirs  ours / theirs");
    for kind in KINDS {
        let instance = instance(kind, REQUESTS);
        let file = folder.path().join(format!("{kind:?}.txt"));
        std::fs::write(&file, text_of(&instance)).expect("written");
        let (mut ours, mut theirs) = (f64::MAX, f64::MAX);
        let mut optimum = (0, 0);
        for _ in 0..TRIES {
            let start = processor_seconds();
            let solution = instance.solve(STEPS).expect("solved");
            ours = ours.min(processor_seconds() - start);
            instance.verify(&solution).expect("proven");
            optimum = worth(&instance, &solution);
            let (took, same) = by_or_tools(python, &file);
            assert_eq!(optimum, same, "{kind:?}: one of the two is wrong");
            theirs = theirs.min(took);
        }
        let (name, (served, meters)) = (format!("{kind:?}"), optimum);
        let ratio = ours / theirs;
        println!("{name:<12} {served:>8} {meters:>8} {ours:>6.3} {theirs:>8.3} {ratio:>8.2}");
    }
}

/// What this thread has used so far, as Linux counts it.
fn processor_seconds() -> f64 {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = counted.split(' ').next().expect("a number");
    nanoseconds.parse::<f64>().expect("a number") / 1e9
}

/// The seconds that it took, and what is served over how many meters.
fn by_or_tools(python: &OsStr, file: &Path) -> (f64, (i64, i64)) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/plan_ortools.py");
    let run = Command::new(python).arg(script).arg(file).output();
    let run = run.expect("Python runs");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let said = String::from_utf8(run.stdout).expect("text");
    let mut said = said.split_whitespace();
    let took = said.next().and_then(|took| took.parse().ok());
    let mut next = || said.next()?.parse().ok();
    let optimum = next().zip(next());
    (took.expect("seconds"), optimum.expect("an optimum"))
}

/// How many needs and supplies, then a line for each of them, then one for each arc.
fn text_of(instance: &Instance) -> String {
    let mut text = String::new();
    let (needs, supplies) = (&instance.needs, &instance.supplies);
    writeln!(text, "{} {}", needs.len(), supplies.len()).expect("written");
    for need in needs {
        writeln!(text, "{} {}", need.demand, need.weight).expect("written");
    }
    for supply in supplies {
        writeln!(text, "{}", supply.capacity).expect("written");
    }
    for arc in &instance.arcs {
        let Arc {
            need,
            supply,
            capacity,
            cost,
        } = arc;
        writeln!(text, "{need} {supply} {capacity} {cost}").expect("written");
    }
    text
}
