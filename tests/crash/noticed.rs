//! The look after a crash sees what it is there to see: each time something that was acknowledged is taken away
//! behind everybody's back, and between two times, when nothing is amiss, nobody complains.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

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

/// A town whose database is put back to what it was.
struct Stage {
    town: Town,
    data: PathBuf,
    newest: PathBuf,
}

impl Stage {
    /// What somebody complains of when everybody is looked after.
    fn complaint(&mut self) -> Option<String> {
        let town = &mut self.town;
        town.rise();
        let server = town.server.as_ref().unwrap();
        let looked = catch_unwind(AssertUnwindSafe(|| town.crowd.audit(server, &town.place)));
        town.bury();
        let panic = looked.err()?;
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Some(text.unwrap_or_default())
    }

    /// As it was, nobody complains.
    #[track_caller]
    fn is_in_order(&mut self) {
        copy(&self.newest, &self.data);
        assert_eq!(self.complaint(), None);
    }

    #[track_caller]
    fn is_noticed(&mut self, sabotage: &str, complaint: &str) {
        let said = self.complaint();
        let is_it = said.as_ref().is_some_and(|said| said.contains(complaint));
        assert!(is_it, "{sabotage}: {said:?}");
        self.is_in_order();
    }
}

#[test]
fn what_is_lost_or_half_done_is_noticed() {
    let mut town = Town::new(Place::new(None));
    let path = |name| town.place.dir().join(name);
    let (data, older, newest) = (path("data"), path("older"), path("newest"));
    town.until_a_yes(SEED);
    town.bury();
    copy(&data, &older);
    town.rise();
    town.crowd.check(town.server.as_ref().unwrap(), &[]);
    town.act(SEED + 1_000, 5, |_| ());
    town.bury();
    copy(&data, &newest);
    let mut stage = Stage { town, data, newest };
    stage.is_in_order();

    copy(&older, &stage.data);
    stage.is_noticed("the newest acts are gone", "what was acknowledged is not");
    for (sabotage, complaint) in [
        ("UPDATE offer_capacity SET taken = 0", ": taken of offer"),
        (
            "UPDATE requests SET covered = 0 WHERE covered > 0",
            ": cover of request",
        ),
        (
            "UPDATE offers SET state = 'paused' WHERE state = 'open'",
            ": state of offer",
        ),
        (
            "DELETE FROM letters WHERE kind = 'accepted'",
            "no letter: Owed",
        ),
    ] {
        assert!(stage.town.place.alter(sabotage) > 0, "{sabotage}");
        stage.is_noticed(sabotage, complaint);
    }
}
