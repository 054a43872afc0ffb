//! What everybody has been told, and so what has to be there after a crash: an account of the service's
//! promises that shares no code with it.
//!
//! Only acts that were answered change it. One whose answer never came is tried on a copy: the service has to
//! look like the one or like the other, and never like something in between.

use std::collections::{BTreeMap, BTreeSet};

/// A random id of the service.
pub type Id = String;

/// Who takes part in an act; nobody does two things at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Neighbor(usize),
    Volunteer(usize),
}

#[derive(Clone, Debug, Default)]
pub struct Neighbor {
    pub id: Option<Id>,
    pub token: String,
    pub has_mail: bool,
    pub requests: Vec<Id>,
    pub erased: bool,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub of: usize,
    pub category: &'static str,
    pub quantity: i64,
    /// In the service's words, as all states here.
    pub state: &'static str,
    pub reason: Option<&'static str>,
    pub note: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Volunteer {
    pub id: Option<Id>,
    pub email: String,
    /// None until she has confirmed.
    pub token: Option<String>,
    pub offers: Vec<Id>,
    pub vetted: bool,
    pub blocked: bool,
    pub erased: bool,
}

#[derive(Clone, Debug)]
pub struct Offer {
    pub of: usize,
    pub category: &'static str,
    pub capacity: i64,
    pub state: &'static str,
}

/// How far a match has come by what people did. What the service does by itself to one that nobody has
/// answered is its own business: to ask, to give up, to thank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Proposed,
    Asked,
    Declined,
    Vetoed,
    Accepted,
    Fulfilled,
    /// And why.
    Fell(&'static str),
}

impl Stage {
    /// Whether somebody's word made it what it is.
    pub fn is_told(self) -> bool {
        !matches!(self, Self::Proposed | Self::Asked)
    }

    /// In the service's words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Asked => "notified",
            Self::Declined => "declined",
            Self::Vetoed => "vetoed",
            Self::Accepted => "accepted",
            Self::Fulfilled => "fulfilled",
            Self::Fell(_) => "fell_through",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Match {
    pub request: Id,
    pub offer: Id,
    pub stage: Stage,
    pub agreement: &'static str,
    /// The volunteer has said that it was done.
    pub said_done: bool,
    /// Opens it for the volunteer, once her letter has come.
    pub code: Option<String>,
}

/// A letter that an act has promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    pub kind: &'static str,
    pub to: Who,
    pub about: Option<Id>,
}

#[derive(Clone, Debug, Default)]
pub struct World {
    pub neighbors: Vec<Neighbor>,
    pub volunteers: Vec<Volunteer>,
    pub requests: BTreeMap<Id, Request>,
    pub offers: BTreeMap<Id, Offer>,
    pub matches: BTreeMap<Id, Match>,
    /// Who is in an act whose answer has not come.
    pub busy: BTreeSet<Who>,
    /// About whom something was answered since the last check.
    pub touched: BTreeSet<Who>,
    pub owed: Vec<Owed>,
}

impl World {
    pub fn side_of(&self, matched: &Match) -> [Who; 2] {
        [
            Who::Neighbor(self.requests[&matched.request].of),
            Who::Volunteer(self.offers[&matched.offer].of),
        ]
    }

    /// Of a request or an offer, those that stand somewhere.
    pub fn matches_in(&self, stage: Stage) -> impl Iterator<Item = (&Id, &Match)> {
        self.matches.iter().filter(move |(_, m)| m.stage == stage)
    }

    fn promises(&self, is_meant: impl Fn(&Match) -> bool) -> Vec<Id> {
        self.matches_in(Stage::Accepted)
            .filter(|(_, m)| is_meant(m))
            .map(|(id, _)| id.clone())
            .collect()
    }

    pub fn promises_to(&self, request: &str) -> Vec<Id> {
        self.promises(|m| m.request == request)
    }

    pub fn promises_of(&self, offer: &str) -> Vec<Id> {
        self.promises(|m| m.offer == offer)
    }

    /// Units of a request that somebody gives or has given.
    pub fn covered(&self, request: &str) -> i64 {
        let counts = |m: &&Match| {
            m.request == request && matches!(m.stage, Stage::Accepted | Stage::Fulfilled)
        };
        let helpers = self.matches.values().filter(counts).count();
        self.requests[request].quantity * i64::try_from(helpers).unwrap_or(i64::MAX)
    }

    /// Units of an offer that are given away; a place with a child in it is free again afterward.
    pub fn taken(&self, offer: &str) -> i64 {
        let is_taken = |m: &&Match| {
            let returned = self.offers[offer].category == "childcare"
                && (m.said_done || m.stage != Stage::Accepted);
            m.offer == offer && matches!(m.stage, Stage::Accepted | Stage::Fulfilled) && !returned
        };
        let taken = self.matches.values().filter(is_taken);
        taken.map(|m| self.requests[&m.request].quantity).sum()
    }

    /// Somebody is owed a letter. Neighbors without an address are called instead.
    pub fn owe(&mut self, kind: &'static str, to: Who, about: &str) {
        let is_reached = match to {
            Who::Neighbor(n) => self.neighbors[n].has_mail,
            Who::Volunteer(_) => true,
        };
        if is_reached {
            let about = Some(about.to_owned());
            self.owed.push(Owed { kind, to, about });
        }
    }

    fn stage(&mut self, matched: &str) -> &mut Match {
        self.matches
            .get_mut(matched)
            .expect("a match that is known")
    }

    pub fn request(&mut self, request: &str) -> &mut Request {
        self.requests
            .get_mut(request)
            .expect("a request that is known")
    }

    pub fn accept(&mut self, matched: &str) {
        let m = self.matches[matched].clone();
        let request = self.requests[&m.request].clone();
        let waits = request.category == "childcare";
        let m = self.stage(matched);
        m.stage = Stage::Accepted;
        m.agreement = if waits { "pending" } else { "none" };
        let id = m.request.clone();
        self.request(&id).state = "covered";
        let [neighbor, volunteer] = self.side_of(&self.matches[matched]);
        self.owe(if waits { "agree" } else { "accepted" }, neighbor, matched);
        self.owe("accepted", volunteer, matched);
    }

    /// A promise comes to nothing; gives who was on either side.
    pub fn fall(&mut self, matched: &str, why: &'static str) -> [Who; 2] {
        let m = self.stage(matched);
        m.stage = Stage::Fell(why);
        if why == "refused" {
            m.agreement = "refused";
        }
        let id = m.request.clone();
        let request = self.request(&id);
        if request.state == "covered" {
            request.state = "open";
        }
        self.side_of(&self.matches[matched])
    }

    /// The help was given; with the last promise its request is over.
    pub fn fulfil(&mut self, matched: &str) {
        self.stage(matched).stage = Stage::Fulfilled;
        let id = self.matches[matched].request.clone();
        let request = self.request(&id);
        (request.state, request.reason) = ("closed", Some("helped_here"));
    }

    pub fn close(&mut self, request: &str, reason: &'static str) {
        if self.requests[request].state == "closed" {
            return;
        }
        for matched in self.promises_to(request) {
            if reason == "helped_here" || self.matches[&matched].said_done {
                self.stage(&matched).stage = Stage::Fulfilled;
            } else {
                let [_, volunteer] = self.fall(&matched, "called_off");
                self.owe("called_off", volunteer, &matched);
            }
        }
        let request = self.request(request);
        (request.state, request.reason) = ("closed", Some(reason));
    }

    /// An offer serves no more; of its promises those end that `ends` means.
    pub fn end_offer(&mut self, offer: &str, both_are_told: bool, ends: impl Fn(&Match) -> bool) {
        for matched in self.promises_of(offer) {
            if ends(&self.matches[&matched]) {
                let [neighbor, volunteer] = self.fall(&matched, "called_off");
                self.owe("called_off", neighbor, &matched);
                if both_are_told {
                    self.owe("called_off", volunteer, &matched);
                }
            }
        }
    }

    pub fn say_done(&mut self, matched: &str) {
        self.stage(matched).said_done = true;
        let [neighbor, _] = self.side_of(&self.matches[matched]);
        self.owe("did_it_work", neighbor, matched);
    }

    pub fn agree(&mut self, matched: &str) {
        self.stage(matched).agreement = "agreed";
        let [neighbor, volunteer] = self.side_of(&self.matches[matched]);
        self.owe("contact", neighbor, matched);
        self.owe("contact", volunteer, matched);
    }

    pub fn set_stage(&mut self, matched: &str, stage: Stage) {
        self.stage(matched).stage = stage;
    }
}
