//! Backups and keys that were in the making at a kill.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Child;

use super::crowd::{Crowd, lock};
use super::place::{self, Place};
use crate::process::wait_for;

const COPY: &str = "copy.db";

/// What a copy that is begun now must have: everything that is acknowledged.
pub fn ids_of(crowd: &Crowd) -> BTreeSet<String> {
    let world = lock(&crowd.world);
    let all = world.requests.keys().chain(world.offers.keys());
    all.map(|id| id.replace('-', "")).collect()
}

/// The service was killed, the copying was not.
#[track_caller]
pub fn is_whole(here: &Place, mut copying: Child, before: &BTreeSet<String>) {
    assert!(copying.wait().unwrap().success());
    restored(here, before);
}

/// The copying was killed: there is no copy, or all of it. What it had begun is taken for none.
#[track_caller]
pub fn is_whole_or_none(here: &Place, before: &BTreeSet<String>) {
    if here.dir().join(COPY).exists() {
        restored(here, before);
    }
    // Another one can be made under the same name, whatever was left.
    here.said(&["backup", COPY]);
    restored(here, before);
    let of_copy = |path: &Path| path.display().to_string().contains(COPY);
    let left: Vec<_> = std::fs::read_dir(here.dir())
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert_eq!(
        left.iter().filter(|path| of_copy(path)).count(),
        0,
        "{left:?}"
    );
}

/// Restored somewhere else it has everything; then it is thrown away.
#[track_caller]
fn restored(here: &Place, before: &BTreeSet<String>) {
    let ring = here.dir().join("keys/keyring.toml");
    let there = Place::new(None).set("KEYS__PATH", &ring.display().to_string());
    let copy = here.dir().join(COPY);
    there.said(&["restore", copy.to_str().unwrap()]);
    let mut has = place::ids(&there.database(), "requests");
    has.append(&mut place::ids(&there.database(), "offers"));
    let missing: Vec<_> = before.difference(&has).collect();
    assert!(missing.is_empty(), "not in the copy: {missing:?}");
    std::fs::remove_file(copy).unwrap();
}

/// However often it was killed meanwhile: in the end nothing is sealed under an older key.
pub fn keys_are_wrapped(here: &Place) {
    wait_for("everything under the newest key", || {
        let status = here.json(&["key", "status", "--json"]);
        let keys = status["keys"].as_array().unwrap().clone();
        let active = keys.iter().find(|key| key["active"] == true).unwrap()["epoch"].as_i64();
        let older = keys.iter().filter(|key| key["epoch"].as_i64() < active);
        older
            .into_iter()
            .all(|key| key["records"] == 0)
            .then_some(())
    });
}
