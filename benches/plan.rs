//! How fast a plan for a whole city is solved and checked. `cargo bench --bench plan`
//!
//! Each of the requests has 20 candidates; costs are whole meters.
//!
//! * `Clustered`: people live around 40 centers, candidates are the nearest.
//! * `Random`: candidates and costs are drawn, which is the harder the larger the town.
//! * `Scarce`, `ScarceRandom`: the same, where there are offers for 60 % of the requests only.
//!
//! Beside it an independent solver, which must come to the same optimum (OR-Tools' cost scaling in C++, which
//! is Apache-2.0 and no part of this project):
//!
//! ```text
//! python3 -m venv ENVIRONMENT && ENVIRONMENT/bin/pip install ortools
//! MANYHANDS_BENCH_INSTANCES=FOLDER cargo bench --bench plan
//! ENVIRONMENT/bin/python benches/plan_ortools.py FOLDER/*.txt
//! ```

#![expect(clippy::expect_used, reason = "a bench may panic, as a test may")]

use std::fmt::Write as _;
use std::path::PathBuf;

use divan::Bencher;
use manyhands::matching::flow::{Arc, Instance, Need, Solution, Supply};

fn main() {
    if let Some(folder) = std::env::var_os("MANYHANDS_BENCH_INSTANCES") {
        write_instances(&PathBuf::from(folder));
    }
    divan::main();
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Clustered,
    Random,
    Scarce,
    ScarceRandom,
}

const KINDS: [Kind; 4] = [
    Kind::Clustered,
    Kind::Random,
    Kind::Scarce,
    Kind::ScarceRandom,
];
const REQUESTS: usize = 10_000;
const CANDIDATES: usize = 20;
const STEPS: u64 = u64::MAX;

#[divan::bench(args = KINDS, sample_count = 3, sample_size = 1)]
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
    let mut instance = Instance::default();
    for (need, at) in asking.iter().enumerate() {
        let urgency = [96, 48, 24][dice.below(3)];
        let waited = i64::try_from(dice.below(25)).expect("small");
        instance.needs.push(Need {
            demand: 1,
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
            Kind::Clustered | Kind::Scarce => giving
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
            capacity: 1,
            cost: *cost,
        }));
    }
    let supply = Supply {
        capacity: 1,
        group: None,
    };
    instance.supplies = vec![supply; offers];
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

/// Each with its optimum in the first line.
fn write_instances(folder: &std::path::Path) {
    for kind in KINDS {
        let instance = instance(kind, REQUESTS);
        let solution = instance.solve(STEPS).expect("solved");
        let (served, cost) = worth(&instance, &solution);
        let mut text = String::new();
        let sizes = (instance.needs.len(), instance.supplies.len());
        writeln!(text, "{} {} {served} {cost}", sizes.0, sizes.1).expect("written");
        for need in &instance.needs {
            writeln!(text, "{}", need.weight).expect("written");
        }
        for arc in &instance.arcs {
            writeln!(text, "{} {} {}", arc.need, arc.supply, arc.cost).expect("written");
        }
        std::fs::write(folder.join(format!("{kind:?}.txt")), text).expect("written");
    }
}
