//! The same on a PostgreSQL of the test's own, which crashes as well: with and without the service.

use std::sync::atomic::Ordering;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::figures::Figures;
use super::place::Place;
use super::rounds::{Town, kill_on};
use super::{KILLS_ON_POSTGRES, SEED, number};
use crate::cluster::{Cluster, Stop};
use crate::process::{call, wait_for};

fn places(cluster: &Cluster) -> impl Fn(u64) -> Option<String> {
    |town| Some(cluster.create(&format!("town_{town}")))
}

#[test]
fn killed_on_a_server_it_keeps_what_it_has_acknowledged() {
    let cluster = Cluster::start();
    let kills = number("MANYHANDS_TEST_POSTGRES_KILLS");
    let seed = number("MANYHANDS_TEST_SEED").unwrap_or(SEED);
    let kills_to_do = kills.unwrap_or(KILLS_ON_POSTGRES);
    let figures = kill_on(kills_to_do, seed, places(&cluster), kills.is_some());
    figures.tell();
    assert!(figures.tally.contains_key("Accept"), "nobody said yes");
}

/// Everybody acts while the server goes; then it comes back, and the service has to find it by itself.
fn crash(town: &Town, cluster: &Cluster, seed: u64, figures: &mut Figures, how: impl FnOnce()) {
    town.act(seed, 40, |_| how());
    let server = town.server.as_ref().unwrap();
    cluster.up();
    wait_for("the database", || {
        let ready = call(server.admin, "GET", "/readyz", &[], None).ok()?;
        (ready.status == 200).then_some(())
    });
    let mut random = StdRng::seed_from_u64(seed);
    figures.add(town.crowd.check(server, &town.sample(&mut random)));
}

#[test]
fn a_database_server_that_crashes_loses_nothing_that_was_acknowledged() {
    let cluster = Cluster::start();
    let mut town = Town::new(Place::new(places(&cluster)(1)));
    let mut figures = Figures::default();
    town.until_a_yes(SEED + 1_000);
    crash(&town, &cluster, SEED, &mut figures, || {
        cluster.down(Stop::Immediate);
    });
    crash(&town, &cluster, SEED + 10, &mut figures, || cluster.kill());
    let server = town.server.take().unwrap();
    town.crowd.audit(&server, &town.place);
    let (status, log) = server.terminate();
    assert!(status.success(), "{log}");
    println!(
        "two crashes of the server: {} acts acknowledged, {} without an answer found done, {} not",
        town.crowd.acknowledged.load(Ordering::Relaxed),
        figures.doubt.done,
        figures.doubt.not_done
    );
}
