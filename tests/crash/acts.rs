//! What people do. How it is said stands in `said`, what it means in `meant`.

use serde_json::Value;

use super::model::{Id, Match, Neighbor, Stage, Volunteer, Who, World};

/// Something that somebody does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Somebody posts needs; who that is stands in the model already.
    PostNeeds(usize, Post),
    MoreNeeds(usize, Post),
    PostOffers(usize, Post),
    MoreOffers(usize, Post),
    /// With the code of the letter.
    Confirm(usize, String),
    Accept(Id),
    Decline(Id),
    Release(Id),
    /// The volunteer's word.
    SayDone(Id),
    /// The neighbor's.
    Done(Id),
    NoShow(Id),
    Agree(Id),
    Refuse(Id),
    Approve(Id),
    Veto(Id),
    Note(Id, String),
    Close(Id, &'static str),
    Hide(usize),
    Show(usize),
    EraseNeighbor(usize),
    Pause(Id),
    Resume(Id),
    CloseOffer(Id),
    Vet(usize),
    Block(usize),
    Unblock(usize),
    EraseVolunteer(usize),
}

/// A call that makes something, with the key by which it is known when it is made again.
#[derive(Clone, Debug)]
pub struct Post {
    pub key: String,
    pub category: &'static str,
    pub quantities: Vec<i64>,
    /// A coordinator enters it for somebody who was called.
    pub entered: bool,
}

impl Post {
    /// The ids of what was made, which is all of it or wrong.
    #[track_caller]
    pub fn ids(&self, answer: &Value, what: &str) -> Vec<Id> {
        let items = answer[what]
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(items.len(), self.quantities.len(), "half a post: {answer}");
        items.iter().map(|item| text(&item["id"])).collect()
    }
}

#[track_caller]
pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

impl Act {
    /// Who takes part: nobody of these does anything else meanwhile.
    pub fn who(&self, world: &World) -> Vec<Who> {
        let sides = |ids: Vec<Id>| {
            ids.into_iter()
                .flat_map(|m| world.side_of(&world.matches[&m]))
        };
        let helpers = |request: &Id| sides(world.promises_to(request));
        let helped = |offer: &Id| sides(world.promises_of(offer));
        let mut all: Vec<Who> = match self {
            Self::PostNeeds(n, _) | Self::MoreNeeds(n, _) | Self::Show(n) | Self::Hide(n) => {
                vec![Who::Neighbor(*n)]
            }
            Self::PostOffers(v, _) | Self::MoreOffers(v, _) | Self::Confirm(v, _) => {
                vec![Who::Volunteer(*v)]
            }
            Self::Vet(v) | Self::Unblock(v) => vec![Who::Volunteer(*v)],
            Self::Accept(m)
            | Self::Decline(m)
            | Self::Release(m)
            | Self::SayDone(m)
            | Self::Done(m)
            | Self::NoShow(m)
            | Self::Agree(m)
            | Self::Refuse(m)
            | Self::Approve(m)
            | Self::Veto(m) => world.side_of(&world.matches[m]).to_vec(),
            Self::Note(r, _) => vec![Who::Neighbor(world.requests[r].of)],
            Self::Close(r, _) => helpers(r)
                .chain([Who::Neighbor(world.requests[r].of)])
                .collect(),
            Self::EraseNeighbor(n) => {
                let all = world.neighbors[*n].requests.iter().flat_map(helpers);
                all.chain([Who::Neighbor(*n)]).collect()
            }
            Self::Pause(o) | Self::Resume(o) => vec![Who::Volunteer(world.offers[o].of)],
            Self::CloseOffer(o) => helped(o)
                .chain([Who::Volunteer(world.offers[o].of)])
                .collect(),
            Self::Block(v) | Self::EraseVolunteer(v) => {
                let all = world.volunteers[*v].offers.iter().flat_map(helped);
                all.chain([Who::Volunteer(*v)]).collect()
            }
        };
        all.sort_unstable();
        all.dedup();
        all
    }

    /// In one word, for a table.
    pub fn name(&self) -> String {
        let text = format!("{self:?}");
        text.split('(').next().unwrap_or_default().to_owned()
    }

    /// Whether the service may say no to it: where it may have changed its mind by itself.
    pub fn may_be_refused(&self) -> bool {
        matches!(
            self,
            Self::Accept(_) | Self::Decline(_) | Self::Approve(_) | Self::Veto(_) | Self::Note(..)
        )
    }

    /// Whether it is known again by its key, or by its code.
    pub fn is_repeated(&self) -> bool {
        matches!(
            self,
            Self::PostNeeds(..)
                | Self::MoreNeeds(..)
                | Self::PostOffers(..)
                | Self::MoreOffers(..)
                | Self::Confirm(..)
        )
    }
}

impl World {
    /// Somebody who is about to post; gives her number.
    pub fn new_neighbor(&mut self, has_mail: bool) -> usize {
        let new = Neighbor {
            has_mail,
            ..Neighbor::default()
        };
        self.neighbors.push(new);
        self.neighbors.len() - 1
    }

    pub fn new_volunteer(&mut self) -> usize {
        let email = format!("v{}@example.org", self.volunteers.len());
        self.volunteers.push(Volunteer {
            email,
            ..Volunteer::default()
        });
        self.volunteers.len() - 1
    }

    /// A match that the service has told of.
    pub fn meet(
        &mut self,
        id: &str,
        request: &str,
        offer: &str,
        stage: Stage,
        code: Option<String>,
    ) {
        // Made for somebody whose own post was not answered before the crash.
        if !self.requests.contains_key(request) || !self.offers.contains_key(offer) {
            return;
        }
        let known = self.matches.entry(id.to_owned()).or_insert_with(|| Match {
            request: request.to_owned(),
            offer: offer.to_owned(),
            stage,
            agreement: "none",
            said_done: false,
            code: None,
        });
        if known.stage == Stage::Proposed && stage == Stage::Asked {
            known.stage = stage;
        }
        known.code = known.code.take().or(code);
    }
}
