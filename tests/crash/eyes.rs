//! Looks at people and posts by the ways that people have, and compares with what they were told.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::acts::text;
use super::model::{Stage, Who, World};
use crate::process::Server;

/// What differs from what was promised.
pub type Seen = Result<(), String>;

macro_rules! same {
    ($what:expr, $seen:expr, $told:expr) => {
        let (seen, told) = (&$seen, &$told);
        if *seen != *told {
            return Err(format!(
                "{}: it is {:?}, and was told {:?}",
                $what, seen, told
            ));
        }
    };
}

/// Looks at the service, at each thing once.
pub struct Eyes<'a> {
    server: &'a Server,
    coordinator: &'a str,
    seen: RefCell<BTreeMap<(String, String), (u16, Value)>>,
}

impl<'a> Eyes<'a> {
    pub fn new(server: &'a Server, coordinator: &'a str) -> Self {
        let seen = RefCell::default();
        Self {
            server,
            coordinator,
            seen,
        }
    }

    pub fn server(&self) -> &Server {
        self.server
    }

    #[track_caller]
    fn at(&self, path: &str, token: &str) -> (u16, Value) {
        let key = (path.to_owned(), token.to_owned());
        if let Some(seen) = self.seen.borrow().get(&key) {
            return seen.clone();
        }
        let answer = self.server.get(path, Some(token)).unwrap();
        assert!(answer.status < 500, "{path}: {answer:?}");
        let seen = (answer.status, answer.body);
        self.seen.borrow_mut().insert(key, seen.clone());
        seen
    }

    pub fn of_all(&self, world: &World, who: &[Who]) -> Seen {
        who.iter().try_for_each(|who| match who {
            Who::Neighbor(n) => self.neighbor(world, *n),
            Who::Volunteer(v) => self.volunteer(world, *v),
        })
    }

    fn neighbor(&self, world: &World, n: usize) -> Seen {
        let her = &world.neighbors[n];
        if her.token.is_empty() {
            return Ok(());
        }
        let (status, seen) = self.at("/v1/neighbors/self", &her.token);
        if her.erased {
            same!(format!("erased neighbor {n}"), status, 404);
            for id in &her.requests {
                let (_, sheet) = self.at(&format!("/v1/requests/{id}"), self.coordinator);
                same!(
                    format!("state of the erased request {id}"),
                    sheet["state"],
                    "closed"
                );
            }
            return Ok(());
        }
        same!(format!("neighbor {n}"), status, 200);
        let all = seen["requests"].as_array().cloned().unwrap_or_default();
        same!(
            format!("requests of neighbor {n}"),
            ids(&all),
            sorted(&her.requests)
        );
        all.iter()
            .try_for_each(|request| of_request(world, request))
    }

    fn volunteer(&self, world: &World, v: usize) -> Seen {
        let her = &world.volunteers[v];
        if let Some(token) = her.token.as_deref().filter(|_| !her.blocked) {
            let (status, seen) = self.at("/v1/volunteers/self", token);
            same!(
                format!("volunteer {v} is there"),
                status == 200,
                !her.erased
            );
            if !her.erased {
                let offers = seen["offers"].as_array().cloned().unwrap_or_default();
                same!(
                    format!("offers of volunteer {v}"),
                    ids(&offers),
                    sorted(&her.offers)
                );
                same!(
                    format!("volunteer {v} vetted"),
                    !seen["vetted_until"].is_null(),
                    her.vetted
                );
                let (_, matches) = self.at("/v1/volunteers/self/matches", token);
                let matches = matches["items"].as_array().cloned().unwrap_or_default();
                matches.iter().try_for_each(|m| of_match(world, m))?;
            }
        }
        let mut sheets = Vec::new();
        if let Some(id) = her.id.as_ref().filter(|_| !her.erased) {
            let (_, file) = self.at(&format!("/v1/volunteers/{id}"), self.coordinator);
            let is_blocked = !file["blocked_at"].is_null();
            same!(format!("volunteer {v} blocked"), is_blocked, her.blocked);
            sheets = file["offers"].as_array().cloned().unwrap_or_default();
            same!(
                format!("sheets of volunteer {v}"),
                ids(&sheets),
                sorted(&her.offers)
            );
        } else {
            for id in &her.offers {
                let (status, sheet) = self.at(&format!("/v1/offers/{id}"), self.coordinator);
                same!(format!("sheet of offer {id}"), status, 200);
                sheets.push(sheet);
            }
        }
        sheets.iter().try_for_each(|sheet| of_offer(world, sheet))?;
        self.vetoes(world, v)
    }

    /// By which name the service's lists have those whom it has let in.
    pub fn learn_ids(&self, world: &mut World) {
        for her in world
            .neighbors
            .iter_mut()
            .filter(|n| n.id.is_none() && !n.erased)
        {
            if !her.token.is_empty() {
                let (_, seen) = self.at("/v1/neighbors/self", &her.token);
                her.id = Some(text(&seen["id"]));
            }
        }
        for her in &mut world.volunteers {
            if let (None, Some(token), false) = (&her.id, &her.token, her.erased) {
                let (_, seen) = self.at("/v1/volunteers/self", token);
                her.id = Some(text(&seen["id"]));
            }
        }
    }

    fn vetoes(&self, world: &World, v: usize) -> Seen {
        for (id, known) in world.matches_in(Stage::Vetoed) {
            if world.offers[&known.offer].of == v {
                let (_, sheet) = self.at(&format!("/v1/matches/{id}"), self.coordinator);
                same!(format!("state of match {id}"), sheet["state"], "vetoed");
            }
        }
        Ok(())
    }
}

pub fn ids(items: &[Value]) -> Vec<String> {
    sorted(
        &items
            .iter()
            .map(|item| text(&item["id"]))
            .collect::<Vec<_>>(),
    )
}

fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids
}

/// A request as its neighbor sees it.
fn of_request(world: &World, seen: &Value) -> Seen {
    let id = text(&seen["id"]);
    let told = &world.requests[&id];
    same!(format!("state of request {id}"), seen["state"], told.state);
    same!(
        format!("reason of request {id}"),
        seen["close_reason"].as_str(),
        told.reason
    );
    same!(
        format!("note of request {id}"),
        seen["note"].as_str(),
        told.note.as_deref()
    );
    same!(
        format!("quantity of request {id}"),
        seen["quantity"],
        told.quantity
    );
    let covered = seen["covered"].as_i64().unwrap_or(-1);
    same!(
        format!("cover of request {id}"),
        covered,
        world.covered(&id)
    );
    assert!((0..=told.quantity).contains(&covered), "{seen}");
    let matches = seen["matches"].as_array().cloned().unwrap_or_default();
    matches.iter().try_for_each(|m| of_match(world, m))?;
    let promised = |m: &&super::model::Match| {
        m.request == id && matches!(m.stage, Stage::Accepted | Stage::Fulfilled | Stage::Fell(_))
    };
    let told = world.matches.values().filter(promised).count();
    same!(format!("promises to request {id}"), matches.len(), told);
    Ok(())
}

/// An offer as coordinators see it.
fn of_offer(world: &World, seen: &Value) -> Seen {
    let id = text(&seen["id"]);
    let told = &world.offers[&id];
    same!(format!("state of offer {id}"), seen["state"], told.state);
    same!(
        format!("capacity of offer {id}"),
        seen["capacity"],
        told.capacity
    );
    let taken = seen["taken"].as_array().into_iter().flatten();
    let taken: i64 = taken.filter_map(|period| period["taken"].as_i64()).sum();
    same!(format!("taken of offer {id}"), taken, world.taken(&id));
    assert!((0..=told.capacity).contains(&taken), "{seen}");
    Ok(())
}

/// A match as either side sees it.
fn of_match(world: &World, seen: &Value) -> Seen {
    let id = text(&seen["id"]);
    let state = text(&seen["state"]);
    let is_told = !["proposed", "notified", "lapsed", "superseded"].contains(&state.as_str());
    let Some(told) = world.matches.get(&id) else {
        // Nobody who could have said so has heard of it.
        same!(
            format!("match {id} of which nobody knows: {state}"),
            is_told,
            false
        );
        return Ok(());
    };
    if !is_told && !told.stage.is_told() {
        return Ok(());
    }
    same!(format!("state of match {id}"), state, told.stage.word());
    if let Stage::Fell(why) = told.stage {
        same!(format!("reason of match {id}"), seen["fall_reason"], why);
    }
    if told.stage == Stage::Accepted {
        same!(
            format!("agreement of match {id}"),
            seen["agreement"],
            told.agreement
        );
        same!(
            format!("word of match {id}"),
            !seen["done_at"].is_null(),
            told.said_done
        );
    }
    Ok(())
}
