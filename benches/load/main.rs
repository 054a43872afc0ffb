//! What the service bears: `cargo bench --bench load -- peak`, `-- steady`, `-- floor`, `-- flood`, `-- million`;
//! `--help` has the rest. `benches/load/run` does the same on a PostgreSQL of its own.
//!
//! The mix is a city's on its worst day: of 100 calls 30 post a request, 10 an offer, 20 answer a letter (confirm an
//! offer, accept, decline), 30 look for open places and 10 are coordinators'. People live where people live: their
//! posts are spread as the population of the postal codes within 60 km of a center (`benches/population.tsv`).
//! Answers need letters, so the letters are read as they are written, and nobody answers what was not asked.
//!
//! * `peak` is closed: so many callers, each with one call at a time. How much is done is what is measured.
//! * `steady` and `flood` are open: calls begin when their time has come, whether or not earlier ones are over, and
//!   latency counts from then on (coordinated omission: G. Tene, *How NOT to Measure Latency*, 2013). `steady` is a
//!   part of the peak that it measures first. `flood` is ten times that; it ends with a kill, after which everything
//!   that was acknowledged has to be there.
//! * `million` compares a service with a million posts with one of ten thousand ([`million`]).
//! * `floor` compares posting a request with the bare cost of writing the same rows ([`floor`]).
//!
//! The service, the floor and what calls them share the machine, so only figures of one run say something of each
//! other.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may panic, as a test may, and its output is what it is for"
)]

mod client;
mod figures;
mod floor;
mod letters;
mod million;
mod mix;
mod people;
mod service;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use serde_json::{Value, json};
use tokio::time::sleep;

use self::client::{Load, Mix};
use self::service::Service;

/// Loads a service that it starts for itself.
///
/// Example: cargo bench --bench load -- steady --share 0.7 --for 60s --json steady.json
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    how: How,
    /// The database of the service that is started: `sqlite` in a directory of its own, or a URL of PostgreSQL.
    #[arg(long, global = true, default_value = "sqlite")]
    database: String,
    /// What is random.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    /// Writes the figures as JSON too.
    #[arg(long, global = true)]
    json: Option<PathBuf>,
    /// As cargo says it.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Debug, Subcommand)]
enum How {
    /// As much as so many callers get done.
    Peak {
        #[command(flatten)]
        callers: Callers,
        #[command(flatten)]
        span: Span,
    },
    /// So many calls a second, whatever becomes of them.
    Steady {
        /// Calls a second; without it, a share of the peak, which is measured first.
        #[arg(long)]
        rate: Option<f64>,
        /// The share.
        #[arg(long, default_value_t = 0.7)]
        share: f64,
        #[command(flatten)]
        callers: Callers,
        #[command(flatten)]
        span: Span,
    },
    /// Posts of requests, beside the bare cost of writing what they write.
    Floor {
        /// How often each is measured, in turns.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        #[command(flatten)]
        callers: Callers,
        #[command(flatten)]
        span: Span,
    },
    /// Ten times what it can do; then whether it is well again, and whether everything is there.
    Flood {
        /// How many times.
        #[arg(long, default_value_t = 10.0)]
        times: f64,
        #[command(flatten)]
        callers: Callers,
        #[command(flatten)]
        span: Span,
    },
    /// A service with ten thousand posts beside one with a million: start, memory, and how long calls take.
    Million {
        /// As many as a million.
        #[arg(long, default_value_t = 1_000_000)]
        posts: usize,
        #[command(flatten)]
        span: Span,
    },
    /// The floor itself, in a process of its own.
    #[command(hide = true)]
    ServeFloor(floor::Arguments),
}

#[derive(Debug, Args)]
struct Callers {
    /// Callers, each with one call at a time.
    #[arg(long, default_value_t = 32)]
    callers: usize,
}

#[derive(Debug, Args)]
struct Span {
    /// For how long.
    #[arg(long = "for", value_parser = humantime_serde::re::humantime::parse_duration, default_value = "30s")]
    lasts: Duration,
}

/// For measuring the peak, where it is not what is asked for.
const SHORT: Duration = Duration::from_secs(15);
/// How long is watched how it is before the flood, and whether it is so again.
const AFTERWARD: Duration = Duration::from_secs(30);
/// From this second on what was before is worked off, and it is as it always is.
const CALM: u64 = 15;
/// Calls that are answered so quickly are answered well in any case.
const WELL: Duration = Duration::from_millis(50);

#[actix_web::main]
async fn main() {
    let arguments = Arguments::parse();
    let (database, seed) = (arguments.database.as_str(), arguments.seed);
    let json = match arguments.how {
        How::ServeFloor(arguments) => return floor::serve(arguments).await,
        How::Peak { callers, span } => {
            let service = Service::start(database, "all").await;
            let load = Load::of_city(&service, seed).await;
            let figures = load.closed(Mix::City, callers.callers, span.lasts).await;
            println!("{figures}{}", service.told());
            service.stop().await;
            figures.json()
        }
        How::Steady {
            rate,
            share,
            callers,
            span,
        } => {
            let service = Service::start(database, "all").await;
            let load = Load::of_city(&service, seed).await;
            let rate = if let Some(rate) = rate {
                rate
            } else {
                let peak = load.closed(Mix::City, callers.callers, SHORT).await;
                println!("the peak\n{peak}");
                peak.rate() * share
            };
            let figures = load.open(rate, span.lasts, true).await;
            println!("{rate:.0} calls a second\n{figures}{}", service.told());
            service.stop().await;
            figures.json()
        }
        How::Floor {
            rounds,
            callers,
            span,
        } => floor::compare(database, seed, rounds, callers.callers, span.lasts).await,
        How::Million { posts, span } => million::compare(database, seed, posts, span.lasts).await,
        How::Flood {
            times,
            callers,
            span,
        } => flood(database, seed, times, callers.callers, span.lasts).await,
    };
    if let Some(path) = arguments.json {
        let text = serde_json::to_vec_pretty(&json).expect("numbers and words");
        std::fs::write(path, text).expect("a file that can be written");
    }
}

async fn flood(database: &str, seed: u64, times: f64, callers: usize, lasts: Duration) -> Value {
    let mut service = Service::start(database, "all").await;
    let load = Load::of_city(&service, seed).await;
    let peak = load.closed(Mix::City, callers, SHORT).await;
    println!("before\n{peak}{}", service.told());
    let calm = load.open(peak.rate() * 0.5, AFTERWARD, true).await;
    let normal = calm.worst_second(CALM);
    println!(
        "at half of it\n{calm}99 of 100 within ms, by second: {}",
        calm.by_second()
    );
    let flooded = load.open(peak.rate() * times, lasts, false).await;
    println!("flooded\n{flooded}{}", service.told());
    let after = load.open(peak.rate() * 0.5, AFTERWARD, true).await;
    println!(
        "afterward\n{after}{}by second: {}",
        service.told(),
        after.by_second()
    );
    let [as_before, well_after] = [normal, WELL].map(|well| after.well_after(well));
    for (within, after) in [(normal, as_before), (WELL, well_after)] {
        let within = within.as_millis();
        let told = after.map_or_else(
            || format!("not within {} s", AFTERWARD.as_secs()),
            |seconds| format!("after {seconds} s"),
        );
        println!("nobody refused and 99 of 100 within {within} ms: {told}");
    }
    // What is acknowledged at the very moment of the kill is looked for too.
    let again = load.open(peak.rate() * times, Duration::from_secs(5), false);
    let killed = async {
        sleep(Duration::from_secs(4)).await;
        service.kill().await;
    };
    tokio::join!(again, killed);
    service.start_again().await;
    let (there, missing) = load.look_for_acknowledged().await;
    println!("after a kill: {there} acknowledged posts are there; answers for others: {missing:?}");
    assert!(missing.is_empty(), "a post was lost");
    service.stop().await;
    json!({
        "before": peak.json(), "calm": calm.json(), "flooded": flooded.json(), "afterward": after.json(),
        "as_before_after_seconds": as_before, "well_after_seconds": well_after,
        "acknowledged_there": there, "acknowledged_missing": missing.values().sum::<usize>(),
    })
}
