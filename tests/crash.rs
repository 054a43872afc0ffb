//! The service is killed again and again while people do what they do: what was acknowledged is there, what was
//! not is there as a whole or not at all, and no letter is forgotten.
//!
//! ```text
//! cargo test --test crash                                                     some kills of each kind
//! MANYHANDS_TEST_KILLS=1000 cargo test --test crash killed_again -- --nocapture   as many, with a table
//! MANYHANDS_TEST_SEED=7                                                       other acts and other moments
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]
#![expect(clippy::print_stdout, reason = "the figures are there to be read")]

#[expect(dead_code, reason = "every kind of test uses another part of it")]
#[path = "support/cluster.rs"]
mod cluster;
#[path = "support/kept.rs"]
mod kept;
#[expect(dead_code, reason = "every kind of test uses another part of it")]
#[path = "support/process.rs"]
mod process;

#[path = "crash/acts.rs"]
mod acts;
#[path = "crash/audit.rs"]
mod audit;
#[path = "crash/check.rs"]
mod check;
#[path = "crash/copies.rs"]
mod copies;
#[path = "crash/crowd.rs"]
mod crowd;
#[path = "crash/draw.rs"]
mod draw;
#[path = "crash/eyes.rs"]
mod eyes;
#[path = "crash/faults.rs"]
mod faults;
#[path = "crash/figures.rs"]
mod figures;
#[path = "crash/mailbox.rs"]
mod mailbox;
#[path = "crash/meant.rs"]
mod meant;
#[path = "crash/model.rs"]
mod model;
#[path = "crash/noticed.rs"]
mod noticed;
#[path = "crash/on_postgres.rs"]
mod on_postgres;
#[path = "crash/place.rs"]
mod place;
#[path = "crash/rounds.rs"]
mod rounds;
#[path = "crash/said.rs"]
mod said;
#[path = "crash/stage.rs"]
mod stage;
#[path = "crash/strace.rs"]
mod strace;
#[path = "crash/synced.rs"]
mod synced;

use rounds::kill_on;

/// Kills where nobody asks for more.
const KILLS: u64 = 16;
const KILLS_ON_POSTGRES: u64 = 5;
const SEED: u64 = 20_261_207;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn killed_again_and_again_it_keeps_what_it_has_acknowledged() {
    let kills = number("MANYHANDS_TEST_KILLS");
    let seed = number("MANYHANDS_TEST_SEED").unwrap_or(SEED);
    let figures = kill_on(kills.unwrap_or(KILLS), seed, |_| None, kills.is_some());
    figures.tell();
    assert!(figures.tally.contains_key("Accept"), "nobody said yes");
}
