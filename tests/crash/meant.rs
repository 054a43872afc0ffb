//! What an act means once it is answered.

use serde_json::Value;

use super::acts::{Act, Post, text};
use super::model::{Id, Offer, Request, Stage, Who, World};

impl Act {
    /// What it means: of a call that makes something, with its answer.
    #[track_caller]
    pub fn apply(&self, world: &mut World, answer: &Value) {
        match self {
            Self::PostNeeds(n, post) => {
                world.neighbors[*n].token = text(&answer["manage_token"]);
                let ids = post.ids(answer, "requests");
                world.owe("received", Who::Neighbor(*n), &ids[0]);
                add_needs(world, *n, post, ids);
            }
            Self::MoreNeeds(n, post) => add_needs(world, *n, post, post.ids(answer, "requests")),
            Self::PostOffers(v, post) => {
                let ids = post.ids(answer, "offers");
                world.owe("confirm", Who::Volunteer(*v), "");
                add_offers(world, *v, post, ids, "unconfirmed");
            }
            Self::MoreOffers(v, post) => {
                add_offers(world, *v, post, post.ids(answer, "offers"), "open");
            }
            Self::Confirm(v, _) => {
                world.volunteers[*v].token = Some(text(&answer["manage_token"]));
                for offer in world.volunteers[*v].offers.clone() {
                    set_offer(world, &offer, "open");
                }
            }
            Self::Accept(m) => world.accept(m),
            Self::Decline(m) => world.set_stage(m, Stage::Declined),
            Self::Veto(m) => world.set_stage(m, Stage::Vetoed),
            Self::Approve(m) => world.set_stage(m, Stage::Asked),
            Self::Release(m) => {
                let [neighbor, _] = world.fall(m, "released");
                world.owe("changed", neighbor, m);
            }
            Self::SayDone(m) => world.say_done(m),
            Self::Done(m) => world.fulfil(m),
            Self::NoShow(m) => {
                let [_, volunteer] = world.fall(m, "no_show");
                world.owe("called_off", volunteer, m);
            }
            Self::Agree(m) => world.agree(m),
            Self::Refuse(m) => {
                let [_, volunteer] = world.fall(m, "refused");
                world.owe("called_off", volunteer, m);
            }
            Self::Note(r, note) => world.request(r).note = Some(note.clone()),
            Self::Close(r, reason) => world.close(r, reason),
            Self::Hide(n) => turn(world, *n, "open", "held"),
            Self::Show(n) => turn(world, *n, "held", "open"),
            Self::EraseNeighbor(n) => {
                for request in world.neighbors[*n].requests.clone() {
                    world.close(&request, "not_needed");
                }
                world.neighbors[*n].erased = true;
            }
            Self::Pause(o) => set_offer(world, o, "paused"),
            Self::Resume(o) => set_offer(world, o, "open"),
            Self::CloseOffer(o) => {
                world.end_offer(o, false, |m| !m.said_done);
                set_offer(world, o, "closed");
            }
            Self::Vet(v) => world.volunteers[*v].vetted = true,
            Self::Unblock(v) => world.volunteers[*v].blocked = false,
            Self::Block(v) => {
                for offer in world.volunteers[*v].offers.clone() {
                    world.end_offer(&offer, true, |_| true);
                }
                world.volunteers[*v].blocked = true;
            }
            Self::EraseVolunteer(v) => {
                for offer in world.volunteers[*v].offers.clone() {
                    world.end_offer(&offer, false, |m| !m.said_done);
                    set_offer(world, &offer, "closed");
                }
                world.volunteers[*v].erased = true;
            }
        }
    }
}

fn add_needs(world: &mut World, of: usize, post: &Post, ids: Vec<Id>) {
    for (id, quantity) in ids.iter().zip(&post.quantities) {
        let request = Request {
            of,
            category: post.category,
            quantity: *quantity,
            state: "open",
            reason: None,
            note: None,
        };
        assert!(
            world.requests.insert(id.clone(), request).is_none(),
            "{id} twice"
        );
    }
    world.neighbors[of].requests.extend(ids);
}

fn add_offers(world: &mut World, of: usize, post: &Post, ids: Vec<Id>, state: &'static str) {
    for (id, capacity) in ids.iter().zip(&post.quantities) {
        let offer = Offer {
            of,
            category: post.category,
            capacity: *capacity,
            state,
        };
        assert!(
            world.offers.insert(id.clone(), offer).is_none(),
            "{id} twice"
        );
    }
    world.volunteers[of].offers.extend(ids);
}

fn set_offer(world: &mut World, offer: &str, state: &'static str) {
    world
        .offers
        .get_mut(offer)
        .expect("an offer that is known")
        .state = state;
}

fn turn(world: &mut World, neighbor: usize, from: &str, to: &'static str) {
    for request in world.neighbors[neighbor].requests.clone() {
        let request = world.request(&request);
        if request.state == from {
            request.state = to;
        }
    }
}
