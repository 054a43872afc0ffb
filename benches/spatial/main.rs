//! How fast the spatial index is beside what it could be replaced by, in one run, every answer compared.
//!
//! ```sh
//! benches/spatial/run                        # with PostGIS, in a private server (Debian; installs it as root)
//! cargo bench --bench spatial                # without, or with the one that MANYHANDS_BENCH_POSTGIS names
//! cargo bench --bench spatial -- 10000       # another number of offers than a million
//! ```
//!
//! The question is always which ten offers are nearest in whose own reach a point is. Each answer is
//! compared with that of a scan over all offers: as many, at the same distances (offers at one distance
//! may come in any order), each within its own reach.
//!
//! Every query is asked several times, from a new point each, and its shortest time counts: what else
//! runs on the machine only ever adds. "Worst" is the slowest query by that measure. Who takes long is
//! asked fewer questions, the first ones of the same list.

#![expect(clippy::expect_used, reason = "a bench may panic, as a test may")]
#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

mod databases;
mod measure;
mod rivals;
mod world;

use databases::{PostGis, PostGisBy, RStarTree};
use manyhands::domain::place::GeoPoint;
use measure::{Changes, Times};
use rivals::{NearestWalk, Ours, ReachClasses, Rival, Scan};
use world::{Dice, Kind, Offer, World};

/// Who takes long answers as many of them as fit into this.
const QUERIES: usize = 2_000;
/// Answers that are compared with the scan's, of each.
const COMPARED: usize = 100;

fn main() {
    if measure::is_asked_for_memory() {
        return;
    }
    let asked: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let largest = asked.first().copied().unwrap_or(1_000_000);
    let postgis = std::env::var("MANYHANDS_BENCH_POSTGIS").ok();
    if postgis.is_none() {
        println!("PostGIS is left out: MANYHANDS_BENCH_POSTGIS names none\n");
    }
    for kind in [Kind::Mixed, Kind::Hidden, Kind::Almost] {
        compare(
            World {
                size: largest,
                kind,
            },
            postgis.as_deref(),
        );
    }
    growth(largest);
    changes(largest);
}

/// One world, everyone.
fn compare(world: World, postgis: Option<&str>) {
    let offers = world.offers();
    println!("{world}: ten nearest in whose reach a point is\n");
    println!("| | loaded in s | queries | median µs | worst µs | median : ours | worst : ours |");
    println!("|---|---|---|---|---|---|---|");
    let mut table = Table {
        points: points(world),
        truth: Scan::new(&offers),
        ours: None,
    };
    table.row("this index", || Ours::new(&offers));
    table.row("plain nearest walk", || NearestWalk::new(&offers));
    table.row("a tree a class of reach", || ReachClasses::new(&offers));
    table.row("SQLite R*Tree, boxes of reach", || RStarTree::new(&offers));
    if let Some(url) = postgis {
        let by = |by| PostGis::new(url, by, &offers);
        table.row("PostGIS, by distance", || by(PostGisBy::Distance));
        table.row("PostGIS, boxes of reach", || by(PostGisBy::Boxes));
    }
    table.row("scan", || Scan::new(&offers));
    println!();
}

/// Where a world is asked from.
fn points(world: World) -> Vec<GeoPoint> {
    let mut dice = Dice(3);
    (0..QUERIES).map(|_| world.asked_from(&mut dice)).collect()
}

struct Table {
    points: Vec<GeoPoint>,
    truth: Scan,
    /// What all others stand beside.
    ours: Option<Times>,
}

impl Table {
    /// Measures one of them and compares its answers.
    fn row<R: Rival>(&mut self, name: &str, build: impl FnOnce() -> R) {
        let (mut rival, loaded) = measure::once(build);
        let times = Times::of(&mut rival, &self.points);
        for point in &self.points[..times.queries.min(COMPARED)] {
            measure::compare(name, &rival.nearest(*point), &self.truth.nearest(*point));
        }
        let ours = self.ours.get_or_insert(times);
        println!(
            "| {name} | {:.2} | {} | {:.1} | {:.1} | {:.1} | {:.1} |",
            loaded.as_secs_f64(),
            times.queries,
            measure::micros(times.median),
            measure::micros(times.worst),
            times.median.as_secs_f64() / ours.median.as_secs_f64(),
            times.worst.as_secs_f64() / ours.worst.as_secs_f64(),
        );
    }
}

/// How the index behaves as it grows.
fn growth(largest: usize) {
    println!("this index as it grows\n");
    println!("| | loaded in s | bytes an offer | median µs | worst µs |\n|---|---|---|---|---|");
    for size in [largest / 100, largest / 10, largest] {
        let world = World {
            size,
            kind: Kind::Mixed,
        };
        let offers = world.offers();
        let (mut index, loaded) = measure::once(|| Ours::new(&offers));
        let times = Times::of(&mut index, &points(world));
        println!(
            "| {size} offers | {:.3} | {} | {:.1} | {:.1} |",
            loaded.as_secs_f64(),
            measure::bytes_an_offer(size),
            measure::micros(times.median),
            measure::micros(times.worst),
        );
    }
    println!();
}

/// What a change costs.
fn changes(size: usize) {
    let world = World {
        size,
        kind: Kind::Mixed,
    };
    let offers: Vec<Offer> = world.offers();
    println!("one change among {size} offers\n");
    println!("| | median µs | 99 of 100 within µs |\n|---|---|---|");
    let Changes {
        insert,
        moved,
        remove,
    } = Changes::of(world, &offers);
    for (name, times) in [("insert", insert), ("move", moved), ("remove", remove)] {
        let within = |share: f64| measure::micros(measure::at(&times, share));
        println!("| {name} | {:.2} | {:.2} |", within(0.5), within(0.99));
    }
}
