//! The look after a crash sees what it is there to see: each time something that was acknowledged is taken away
//! behind everybody's back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::SEED;
use super::place::Place;
use super::rounds::Town;

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// Whether somebody complains when everybody is looked after.
fn is_noticed(town: &mut Town) -> bool {
    town.rise();
    let server = town.server.as_ref().unwrap();
    let looked = catch_unwind(AssertUnwindSafe(|| town.crowd.audit(server, &town.place)));
    town.bury();
    looked.is_err()
}

#[test]
fn what_is_lost_or_half_done_is_noticed() {
    let mut town = Town::new(Place::new(None));
    let (data, older, newest) = (
        town.place.dir().join("data"),
        town.place.dir().join("older"),
        town.place.dir().join("newest"),
    );
    let mut seed = SEED;
    // Until somebody has said yes, and a little more.
    while !super::crowd::lock(&town.crowd.tally).contains_key("Accept") {
        town.act(seed, 20, |_| ());
        seed += 10;
    }
    town.bury();
    copy(&data, &older);
    town.rise();
    town.crowd.check(town.server.as_ref().unwrap(), &[]);
    town.act(seed, 5, |_| ());
    town.bury();
    copy(&data, &newest);

    assert!(!is_noticed(&mut town), "nothing is amiss yet");
    copy(&older, &data);
    assert!(is_noticed(&mut town), "the newest acts are gone");
    for sabotage in [
        "UPDATE offer_capacity SET taken = 0",
        "UPDATE requests SET covered = 0 WHERE covered > 0",
        "UPDATE offers SET state = 'paused' WHERE state = 'open'",
        "DELETE FROM letters WHERE kind = 'accepted'",
    ] {
        copy(&newest, &data);
        assert!(town.place.alter(sabotage) > 0, "{sabotage}");
        assert!(is_noticed(&mut town), "{sabotage}");
    }
}
