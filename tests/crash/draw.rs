//! What happens next: drawn from what the people of the model could do.

use rand::RngExt;
use rand::rngs::StdRng;

use super::acts::{Act, Post};
use super::mailbox::Mailbox;
use super::model::{Id, Match, Stage, Who, World};

/// An act that is possible as far as people know; whoever takes part may be busy with another.
pub fn act(world: &mut World, mailbox: &mut Mailbox, random: &mut StdRng) -> Act {
    let draw = random.random_range(0..100);
    let act = match draw {
        0..6 => confirm(world, mailbox, random),
        6..24 => asked(world, random),
        24..44 => promised(world, random),
        44..52 => reviewed(world, random),
        52..62 => of_request(world, random),
        62..70 => of_neighbor(world, random),
        70..80 => of_volunteer(world, random),
        _ => None,
    };
    act.unwrap_or_else(|| post(world, random))
}

fn one_of<T: Clone>(all: &[T], random: &mut StdRng) -> Option<T> {
    (!all.is_empty()).then(|| all[random.random_range(0..all.len())].clone())
}

/// A match whose people are free, in a stage.
fn matched(
    world: &World,
    stage: Stage,
    random: &mut StdRng,
    is_meant: impl Fn(&Match) -> bool,
) -> Option<Id> {
    let is_free = |m: &Match| {
        let sides = world.side_of(m);
        let at_work = |who: &Who| match who {
            Who::Neighbor(_) => true,
            Who::Volunteer(v) => !world.volunteers[*v].blocked && !world.volunteers[*v].erased,
        };
        sides
            .iter()
            .all(|who| !world.busy.contains(who) && at_work(who))
    };
    let all: Vec<Id> = world
        .matches_in(stage)
        .filter(|(_, m)| is_free(m) && is_meant(m))
        .map(|(id, _)| id.clone())
        .collect();
    one_of(&all, random)
}

fn confirm(world: &World, mailbox: &mut Mailbox, random: &mut StdRng) -> Option<Act> {
    let waits = |(v, code): (usize, &String)| {
        let is_free = !world.busy.contains(&Who::Volunteer(v));
        (is_free && world.volunteers[v].token.is_none()).then(|| Act::Confirm(v, code.clone()))
    };
    let all = world.volunteers.iter().enumerate();
    let known = all.filter_map(|(v, who)| Some((v, mailbox.confirm.get(&who.email)?)));
    one_of(&known.filter_map(waits).collect::<Vec<_>>(), random)
}

fn asked(world: &World, random: &mut StdRng) -> Option<Act> {
    let open = |m: &Match| m.code.is_some() && world.requests[&m.request].state == "open";
    let id = matched(world, Stage::Asked, random, open)?;
    Some(match random.random_range(0..10) {
        0..8 => Act::Accept(id),
        _ => Act::Decline(id),
    })
}

fn promised(world: &World, random: &mut StdRng) -> Option<Act> {
    let waits = |m: &Match| m.agreement == "pending";
    let first = matched(world, Stage::Accepted, random, waits);
    let id = first.or_else(|| matched(world, Stage::Accepted, random, |_| true))?;
    let known = &world.matches[&id];
    if known.agreement == "pending" {
        return Some(match random.random_range(0..4) {
            0..3 => Act::Agree(id),
            _ => Act::Refuse(id),
        });
    }
    let has_code = known.code.is_some() && !known.said_done;
    Some(match random.random_range(0..10) {
        0..3 if has_code => Act::Release(id),
        3..6 if has_code => Act::SayDone(id),
        0..7 => Act::Done(id),
        _ => Act::NoShow(id),
    })
}

fn reviewed(world: &World, random: &mut StdRng) -> Option<Act> {
    let id = matched(world, Stage::Proposed, random, |_| true)?;
    Some(match random.random_range(0..5) {
        0 => Act::Veto(id),
        _ => Act::Approve(id),
    })
}

fn of_request(world: &World, random: &mut StdRng) -> Option<Act> {
    let live = |(_, r): &(&Id, &super::model::Request)| {
        r.state != "closed" && !world.busy.contains(&Who::Neighbor(r.of))
    };
    let all: Vec<Id> = world
        .requests
        .iter()
        .filter(live)
        .map(|(id, _)| id.clone())
        .collect();
    let id = one_of(&all, random)?;
    Some(match random.random_range(0..10) {
        0..6 => Act::Note(id, format!("note {}", random.random_range(0..1000))),
        6 => Act::Close(id, "helped_here"),
        7 => Act::Close(id, "helped_elsewhere"),
        _ => Act::Close(id, "not_needed"),
    })
}

fn of_neighbor(world: &World, random: &mut StdRng) -> Option<Act> {
    let all: Vec<usize> = (0..world.neighbors.len())
        .filter(|n| {
            let her = &world.neighbors[*n];
            !her.erased && !her.requests.is_empty() && !world.busy.contains(&Who::Neighbor(*n))
        })
        .collect();
    let n = one_of(&all, random)?;
    let is = |state: &str| {
        world.neighbors[n]
            .requests
            .iter()
            .any(|r| world.requests[r].state == state)
    };
    Some(match random.random_range(0..10) {
        0..4 if is("open") => Act::Hide(n),
        0..6 if is("held") => Act::Show(n),
        6..8 => Act::EraseNeighbor(n),
        _ => Act::MoreNeeds(n, a_post("more", "food", 1, random)),
    })
}

fn of_volunteer(world: &World, random: &mut StdRng) -> Option<Act> {
    let all: Vec<usize> = (0..world.volunteers.len())
        .filter(|v| {
            let her = &world.volunteers[*v];
            let is_known = her.token.is_some() && her.id.is_some() && !her.erased;
            is_known && !world.busy.contains(&Who::Volunteer(*v))
        })
        .collect();
    let v = one_of(&all, random)?;
    let her = &world.volunteers[v];
    if her.blocked {
        return Some(Act::Unblock(v));
    }
    let offer = one_of(&her.offers, random)?;
    Some(
        match (random.random_range(0..20), world.offers[&offer].state) {
            (0..10, _) if !her.vetted => Act::Vet(v),
            (0..8, "open") => Act::Pause(offer),
            (0..14, "paused") => Act::Resume(offer),
            (14, "open" | "paused") => Act::CloseOffer(offer),
            (15, _) => Act::Block(v),
            (16, _) => Act::EraseVolunteer(v),
            _ => Act::MoreOffers(v, a_post("more", kind(random), 3, random)),
        },
    )
}

fn kind(random: &mut StdRng) -> &'static str {
    if random.random_bool(0.7) {
        "food"
    } else {
        "childcare"
    }
}

fn a_post(what: &str, category: &'static str, most: i64, random: &mut StdRng) -> Post {
    let quantity = |random: &mut StdRng| random.random_range(1..=most);
    let quantities = (0..random.random_range(1..=3))
        .map(|_| quantity(random))
        .collect();
    // By nobody else: what is drawn is as random as the key has to be.
    let key = format!("{what}-{:016x}", random.random::<u64>());
    Post {
        key,
        category,
        quantities,
        entered: false,
    }
}

fn post(world: &mut World, random: &mut StdRng) -> Act {
    if random.random_bool(0.6) {
        let category = kind(random);
        // Nobody is sent to the children of somebody with whom no one has spoken.
        let entered = category == "childcare";
        let post = Post {
            entered,
            ..a_post("needs", category, 2, random)
        };
        let n = world.new_neighbor(random.random_bool(0.8));
        Act::PostNeeds(n, post)
    } else {
        let post = a_post("offers", kind(random), 8, random);
        let v = world.new_volunteer();
        Act::PostOffers(v, post)
    }
}
