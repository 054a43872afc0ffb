//! What is looked at when a town is given up: everybody and everything in it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::acts::text;
use super::crowd::{Crowd, lock};
use super::mailbox::files;
use super::model::{Id, Who};
use super::place::Place;
use crate::process::{Server, call, wait_for};

/// All items of a list.
fn all(server: &Server, path: &str, token: &str) -> Vec<Value> {
    let (mut items, mut next) = (Vec::new(), String::new());
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = server
            .get(&format!("{path}{joint}limit=100{next}"), Some(token))
            .unwrap()
            .ok();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return items,
        }
    }
}

impl Crowd {
    /// Everybody is looked after; nothing is there of which nobody was told; no letter is forgotten; index,
    /// files, audit and keys are in order.
    #[track_caller]
    pub fn audit(&self, server: &Server, place: &Place) {
        let everybody: Vec<Who> = {
            let world = lock(&self.world);
            let neighbors = (0..world.neighbors.len()).map(Who::Neighbor);
            neighbors
                .chain((0..world.volunteers.len()).map(Who::Volunteer))
                .collect()
        };
        self.check(server, &everybody);
        self.nothing_else(server);
        self.letters(server, place);
        wait_for("an index that is as the database is", || {
            drift(server).filter(|n| *n == 0.0)
        });
        for finding in place.json(&["doctor", "--json"]).as_array().unwrap() {
            assert_ne!(finding["level"], "fail", "{finding}");
        }
        place.said(&["audit", "verify"]);
    }

    fn nothing_else(&self, server: &Server) {
        let ids = |path: &str| -> BTreeSet<Id> {
            all(server, path, &self.coordinator)
                .iter()
                .map(|item| text(&item["id"]))
                .collect()
        };
        let world = lock(&self.world);
        assert_eq!(
            ids("/v1/requests"),
            world.requests.keys().cloned().collect()
        );
        assert_eq!(ids("/v1/offers"), world.offers.keys().cloned().collect());
    }

    /// Letters that were on their way at a kill come again once their lease has run out; then each that is
    /// owed has left, as one file, or is not wanted any more.
    fn letters(&self, server: &Server, place: &Place) {
        let queued = "/v1/letters?state=queued&limit=1";
        wait_for("the end of all letters", || {
            let page = server.get(queued, Some(&self.coordinator)).unwrap().ok();
            page["items"].as_array().unwrap().is_empty().then_some(())
        });
        let shown: Vec<String> = files(place.dir())
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let mut left: BTreeMap<(String, String), Vec<Value>> = BTreeMap::new();
        let mut sent = 0;
        for letter in all(server, "/v1/letters", &self.coordinator) {
            let id = text(&letter["id"]);
            match letter["state"].as_str() {
                Some("sent") => {
                    let file = shown.iter().filter(|name| name.contains(&id)).count();
                    assert_eq!(file, 1, "{letter}");
                    sent += 1;
                }
                Some("dropped") => {}
                _ => panic!("neither sent nor dropped: {letter}"),
            }
            let key = (text(&letter["kind"]), text(&letter["to"]["id"]));
            left.entry(key).or_default().push(letter);
        }
        // One that was written, and whose process was killed before it could say so, was written once more in its place;
        // but its subject may be over by then.
        assert!(
            shown.len() >= sent,
            "{} files of {sent} letters",
            shown.len()
        );
        let world = lock(&self.world);
        for owed in &world.owed {
            let (id, erased) = match owed.to {
                Who::Neighbor(n) => (&world.neighbors[n].id, world.neighbors[n].erased),
                Who::Volunteer(v) => (&world.volunteers[v].id, world.volunteers[v].erased),
            };
            // Of whoever never confirmed, the letter is in the mailbox or nowhere.
            let Some(id) = id.as_ref().filter(|_| !erased) else {
                continue;
            };
            let there = left.get(&(owed.kind.to_owned(), id.clone()));
            let is_about = |letter: &&Value| {
                let about = owed.about.as_deref().filter(|about| !about.is_empty());
                let of = [letter["request"].as_str(), letter["match"].as_str()];
                about.is_none() || of.contains(&about) || of == [None, None]
            };
            assert!(
                there.iter().copied().flatten().any(|l| is_about(&l)),
                "no letter: {owed:?}, {there:?}"
            );
        }
        let mut mailbox = lock(&self.mailbox);
        mailbox.read(place.dir());
        for her in world.volunteers.iter().filter(|her| !her.offers.is_empty()) {
            let has_it = mailbox.confirm.contains_key(&her.email);
            assert!(has_it || her.erased, "no letter to confirm: {}", her.email);
        }
    }
}

/// By how much the index differs from the database, as the service has found itself.
fn drift(server: &Server) -> Option<f64> {
    let metrics = call(server.admin, "GET", "/metrics", &[], None).unwrap();
    let text = metrics.body.as_str()?.to_owned();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("manyhands_index_drift "))?;
    line.trim().parse().ok()
}
