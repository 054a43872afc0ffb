//! Everybody looks, by the ways that people have, whether everything is there that they were told of, and
//! nothing else.

use std::panic::resume_unwind;
use std::thread;

use serde_json::Value;

use super::acts::Act;
use super::crowd::{Crowd, lock, send};
use super::eyes::{Eyes, Seen, ids};
use super::model::{Who, World};
use crate::process::Server;

/// How many look at the same time.
const LOOKERS: usize = 6;

/// How many of the acts without an answer were done, and how many were not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Doubt {
    pub done: u64,
    pub not_done: u64,
}

impl Crowd {
    /// After a crash: finds out what became of the acts without an answer, each of which is whole or was
    /// never done; then looks after everybody about whom something was answered, and after `also`.
    #[track_caller]
    pub fn check(&self, server: &Server, also: &[Who]) -> Doubt {
        let mut doubt = Doubt::default();
        let unknown = std::mem::take(&mut *lock(&self.unknown));
        let eyes = self.eyes(server);
        for act in unknown {
            self.resolve(&eyes, &act, &mut doubt);
        }
        let mut world = lock(&self.world);
        assert!(world.busy.is_empty(), "{:?}", world.busy);
        let mut who: Vec<Who> = std::mem::take(&mut world.touched).into_iter().collect();
        who.extend(also);
        if let Err(lost) = self.look_after(server, &world, &who) {
            panic!("what was acknowledged is not as it was told: {lost}");
        }
        let eyes = self.eyes(server);
        eyes.learn_ids(&mut world);
        doubt
    }

    fn eyes<'a>(&'a self, server: &'a Server) -> Eyes<'a> {
        Eyes::new(server, &self.coordinator)
    }

    /// A few look at the same time.
    fn look_after(&self, server: &Server, world: &World, who: &[Who]) -> Seen {
        let each = who.len().div_ceil(LOOKERS).max(1);
        thread::scope(|scope| {
            let look = |some| scope.spawn(move || self.eyes(server).of_all(world, some));
            let all: Vec<_> = who.chunks(each).map(look).collect();
            let seen: Vec<Seen> = all
                .into_iter()
                .map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect();
            seen.into_iter().collect()
        })
    }

    #[track_caller]
    fn resolve(&self, eyes: &Eyes<'_>, act: &Act, doubt: &mut Doubt) {
        let who = act.who(&lock(&self.world));
        if act.is_repeated() {
            self.repeat(eyes, act);
        } else {
            let mut world = lock(&self.world);
            let before = eyes.of_all(&world, &who);
            let mut other = world.clone();
            act.apply(&mut other, &Value::Null);
            let after = eyes.of_all(&other, &who);
            match (before, after) {
                // Where both are true nothing shows of it.
                (Ok(()), _) => doubt.not_done += 1,
                (_, Ok(())) => {
                    doubt.done += 1;
                    *world = other;
                }
                (Err(before), Err(after)) => {
                    panic!(
                        "neither done nor not done: {act:?}\nas if not: {before}\nas if: {after}"
                    )
                }
            }
        }
        let mut world = lock(&self.world);
        for who in who {
            world.busy.remove(&who);
            world.touched.insert(who);
        }
    }

    /// What has a key is said again, twice: it is the same each time.
    #[track_caller]
    fn repeat(&self, eyes: &Eyes<'_>, act: &Act) {
        let call = act.call(&lock(&self.world), &self.coordinator);
        let first = send(eyes.server(), &call).unwrap().ok();
        if let Act::Confirm(..) = act {
            act.apply(&mut lock(&self.world), &first);
            return;
        }
        let again = send(eyes.server(), &call).unwrap().ok();
        let made = |answer: &Value| {
            let all = answer["requests"]
                .as_array()
                .or(answer["offers"].as_array());
            ids(all.map_or(&[], Vec::as_slice))
        };
        assert_eq!(made(&first), made(&again), "{act:?}");
        // The newest token is good in any case.
        act.apply(&mut lock(&self.world), &again);
    }
}
