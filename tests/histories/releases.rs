//! Who gets what when, under random histories of everybody: no name, contact or address reaches a
//! volunteer before acceptance, approval, agreement and vetting as the policy says, none while the area
//! is frozen, and none after the end; the parted never meet again. Names and addresses are canaries, so
//! that a search over the bytes of the answers is the check.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use actix_web::http::Method;
use manyhands::domain::ids::{MatchId, NeighborId, OfferId, RequestId, VolunteerId};
use manyhands::domain::lifecycle::{Agreement, MatchState};
use manyhands::domain::need::{Handover, Verified};
use manyhands::domain::remit::Remit;
use manyhands::storage::audit::AuditFilter;
use manyhands::storage::coordinators::Scope;
use manyhands::storage::matches::{Match, MatchFilter};
use manyhands::storage::neighbors::Neighbor;
use manyhands::storage::offers::Offer;
use manyhands::storage::page::Page;
use manyhands::storage::requests::{Request, RequestFilter};
use manyhands::storage::volunteers::Volunteer;
use manyhands::storage::{StorageError, audit, matches, neighbors, offers, requests, volunteers};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::people::{north, with};

/// Neighbors 0 to 2 and volunteers 0 to 2 are at home, the others eight kilometers north.
const NEIGHBORS: usize = 5;
const VOLUNTEERS: usize = 4;

#[derive(Clone, Debug)]
enum Act {
    Post {
        who: usize,
        kind: usize,
        agree_first: bool,
    },
    Answer {
        who: usize,
        what: &'static str,
    },
    Neighbor {
        who: usize,
        what: &'static str,
    },
    Volunteer {
        who: usize,
        what: &'static str,
    },
    Desk {
        nth: usize,
        what: &'static str,
    },
    Wait {
        minutes: u64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let answers = prop::sample::select(vec![
        "accept", "accept", "accept", "accept", "decline", "part", "release", "done", "no-show",
        "report",
    ]);
    let wishes = prop::sample::select(vec![
        "agree", "agree", "agree", "refuse", "done", "no-show", "close", "reopen", "hide", "show",
        "report", "erase",
    ]);
    let moves = prop::sample::select(vec!["pause", "resume", "erase", "return", "return"]);
    let desk = prop::sample::select(vec![
        "approve",
        "approve",
        "approve",
        "approve",
        "call",
        "call",
        "veto",
        "vet",
        "unvet",
        "unvet",
        "undo-done",
        "undo-done",
        "hold",
        "unhold",
        "block",
        "unblock",
        "report",
        "freeze",
        "freeze",
        "lift",
    ]);
    prop_oneof![
        5 => (0..NEIGHBORS, 0..5_usize, any::<bool>())
            .prop_map(|(who, kind, agree_first)| Act::Post { who, kind, agree_first }),
        8 => (0..VOLUNTEERS, answers).prop_map(|(who, what)| Act::Answer { who, what }),
        5 => (0..NEIGHBORS, wishes).prop_map(|(who, what)| Act::Neighbor { who, what }),
        1 => (0..VOLUNTEERS, moves).prop_map(|(who, what)| Act::Volunteer { who, what }),
        6 => (0..VOLUNTEERS, desk).prop_map(|(nth, what)| Act::Desk { nth, what }),
        1 => (1..90_u64).prop_map(|minutes| Act::Wait { minutes }),
    ]
}

/// How every history begins: help at the door, help for a child, and help up north are promised, so
/// that what comes after meets something that can be told too early or too long.
fn begin() -> Vec<Act> {
    let post = |who, kind| Act::Post {
        who,
        kind,
        agree_first: false,
    };
    let desk = |what| Act::Desk { nth: 0, what };
    let accept = |who| Act::Answer {
        who,
        what: "accept",
    };
    vec![
        post(0, 0),
        accept(2),
        post(1, 3),
        desk("approve"),
        desk("approve"),
        accept(0),
        accept(1),
        Act::Neighbor {
            who: 1,
            what: "agree",
        },
        post(3, 0),
        accept(3),
    ]
}

/// What nobody may read too early: name, phone, e-mail, address, note for the helper.
fn canaries(who: usize) -> [String; 5] {
    [
        format!("Nightingale{who}"),
        format!("+1612555040{who}"),
        format!("canary{who}@nest.example"),
        format!("Hidden Lane {who}"),
        format!("under the mat {who}"),
    ]
}

const ADDRESS: usize = 3;

fn email(who: usize) -> String {
    format!("helper{who}@example.org")
}

struct Town {
    app: TestApp,
    desk: String,
    /// Manage tokens of those who are there.
    neighbors: Vec<Option<String>>,
    volunteers: Vec<Option<String>>,
    /// Whose a record is, also after its erasure.
    of_request: HashMap<RequestId, usize>,
    of_offer: HashMap<OfferId, usize>,
    /// Pairs that were parted, with the matches they had had until then.
    parted: HashMap<(usize, usize), HashSet<MatchId>>,
    /// Those of them of whom one reported the other.
    reported: HashSet<(usize, usize)>,
    /// The frozen area, with the matches that were there before.
    frozen: Option<(String, HashSet<MatchId>)>,
    letters_read: usize,
}

/// Everything there is, as the database knows it.
struct Facts {
    matches: Vec<Match>,
    requests: HashMap<RequestId, Request>,
    offers: HashMap<OfferId, Offer>,
    neighbors: HashMap<NeighborId, Neighbor>,
    volunteers: HashMap<VolunteerId, Volunteer>,
    deeds: Vec<(String, String)>,
}

impl Facts {
    /// How often something was done to a match, by the audit.
    fn times(&self, action: &str, id: MatchId) -> usize {
        let id = id.to_string();
        let deeds = self.deeds.iter();
        deeds.filter(|(a, s)| a == action && *s == id).count()
    }
}

fn all() -> Page {
    Page {
        after: None,
        limit: 2000,
    }
}

impl Town {
    async fn new() -> Self {
        let mut app = TestApp::new();
        let (_, desk) = app.coordinator(Scope::Coordinator).await;
        let _ = &mut app;
        let mut town = Self {
            app,
            desk,
            neighbors: vec![None; NEIGHBORS],
            volunteers: vec![None; VOLUNTEERS],
            of_request: HashMap::new(),
            of_offer: HashMap::new(),
            parted: HashMap::new(),
            reported: HashSet::new(),
            frozen: None,
            letters_read: 0,
        };
        for who in 0..VOLUNTEERS {
            town.arrive(who).await;
        }
        for who in 0..2 {
            town.desk("vet", who).await;
        }
        town
    }

    async fn facts(&self) -> Facts {
        let read = |conn: &mut _| {
            let requests = requests::page(conn, Remit::All, &RequestFilter::default(), all())?;
            let offers = offers::page(conn, &offers::OfferFilter::default(), all())?;
            let owners: Vec<NeighborId> = requests.iter().map(|r| r.neighbor_id).collect();
            let helpers: Vec<VolunteerId> = offers.iter().map(|o| o.volunteer_id).collect();
            let deeds = audit::page(conn, &AuditFilter::default(), None, 10_000)?;
            Ok::<_, StorageError>(Facts {
                matches: matches::page(conn, &MatchFilter::default(), all())?,
                neighbors: neighbors::find_all(conn, &owners)?
                    .into_iter()
                    .map(|n| (n.id, n))
                    .collect(),
                volunteers: volunteers::find_all(conn, &helpers)?
                    .into_iter()
                    .map(|v| (v.id, v))
                    .collect(),
                requests: requests.into_iter().map(|r| (r.id, r)).collect(),
                offers: offers.into_iter().map(|o| (o.id, o)).collect(),
                deeds: deeds
                    .into_iter()
                    .map(|e| (e.action, e.subject_id.to_string()))
                    .collect(),
            })
        };
        self.app.ctx.db.read(read).await.unwrap()
    }

    fn pair(&self, m: &Match) -> (usize, usize) {
        (self.of_request[&m.request_id], self.of_offer[&m.offer_id])
    }

    fn between(&self, facts: &Facts, pair: (usize, usize)) -> HashSet<MatchId> {
        let matches = facts.matches.iter();
        matches
            .filter(|m| self.pair(m) == pair)
            .map(|m| m.id)
            .collect()
    }

    /// Whether one of the two is where the freeze is.
    fn is_at_home((neighbor, volunteer): (usize, usize)) -> bool {
        neighbor < 3 || volunteer < 3
    }

    /// A volunteer posts offers, for the first time or after an erasure.
    async fn arrive(&mut self, who: usize) {
        let km = if who < 3 { 0.5 } else { 8.0 };
        let of = |category| json!({"category": category, "capacity": 9, "reach_m": 30000});
        let body = json!({
            "contact": {"name": format!("Heron{who}"), "email": email(who)},
            "location": north(km), "languages": ["en"],
            "limits": {"nights": true, "open_asks": 5},
            "offers": [of("food"), of("childcare")],
        });
        let volunteer = self.app.volunteer_who(&email(who), body).await;
        for offer in &volunteer.offers {
            self.of_offer.insert(offer.parse().unwrap(), who);
        }
        self.volunteers[who] = Some(volunteer.token);
    }

    async fn call(&self, path: &str, token: &str, body: &Value) -> bool {
        let answer = self.app.post(path, token, body).await;
        assert!(
            [200, 201, 404, 409].contains(&answer.status),
            "{path}: {}",
            answer.body
        );
        answer.status < 300
    }

    async fn post(&mut self, who: usize, kind: usize, agree_first: bool) {
        let [name, phone, email, address, note] = canaries(who);
        let (category, handover) = [
            ("food", "door"),
            ("food", "pickup"),
            ("childcare", "home"),
            ("childcare", "meet"),
            ("food", "meet"),
        ][kind];
        let need = json!({"category": category, "handover": handover, "quantity": 1,
            "urgency": "now", "travel_m": 30000, "private_note": note});
        let posted = if let Some(token) = &self.neighbors[who] {
            let more = json!({"needs": [need]});
            let added = self
                .app
                .post("/v1/neighbors/self/requests", token, &more)
                .await;
            added.ok()["requests"].clone()
        } else {
            let km = if who < 3 { 0.0 } else { 8.0 };
            let body = json!({
                "contact": {"name": format!("{name} Nest"), "phone": phone, "email": email},
                "location": with(north(km), json!({"address": address})),
                "languages": ["en"], "agree_first": agree_first, "needs": [need],
            });
            let neighbor = self.app.neighbor_who(body).await;
            self.neighbors[who] = Some(neighbor.token);
            neighbor.posted["requests"].clone()
        };
        for request in posted.as_array().unwrap() {
            let id = request["id"].as_str().unwrap().parse().unwrap();
            self.of_request.insert(id, who);
        }
    }

    async fn part(&mut self, pair: (usize, usize), is_report: bool) {
        if is_report {
            self.reported.insert(pair);
        }
        let had = self.between(&self.facts().await, pair);
        self.parted.entry(pair).or_insert(had);
    }

    async fn answer(&mut self, who: usize, what: &str) {
        let Some(token) = self.app.find_letter(&email(who), "mha_") else {
            return;
        };
        let seen = self.app.get("/v1/matches/self", &token).await;
        let Some(id) = seen.body["id"].as_str() else {
            return;
        };
        let facts = self.facts().await;
        let matched = facts
            .matches
            .iter()
            .find(|m| m.id.to_string() == id)
            .unwrap();
        let pair = self.pair(matched);
        let (path, body) = match what {
            "part" => ("decline", json!({"reason": "not_this_person"})),
            "report" => (
                "report",
                json!({"problem": "other", "statement": "So it was"}),
            ),
            _ => (what, json!({})),
        };
        let was_declined = matched.state == MatchState::Declined;
        let done = self
            .call(&format!("/v1/matches/self/{path}"), &token, &body)
            .await;
        if done && (what == "report" || what == "part" && !was_declined) {
            self.part(pair, what == "report").await;
        }
    }

    async fn neighbor(&mut self, who: usize, what: &str) {
        let Some(token) = self.neighbors[who].clone() else {
            return;
        };
        match what {
            "hide" | "show" => {
                self.call(&format!("/v1/neighbors/self/{what}"), &token, &json!({}))
                    .await;
            }
            "erase" => {
                let path = "/v1/neighbors/self";
                let gone = self
                    .app
                    .call(Method::DELETE, path, Some(&token), None)
                    .await;
                assert_eq!(gone.status, 204);
                self.neighbors[who] = None;
            }
            _ => {
                let seen = self.app.get("/v1/neighbors/self", &token).await.ok();
                let requests = seen["requests"].as_array().unwrap();
                if what == "reopen" {
                    let id = requests[0]["id"].as_str().unwrap();
                    self.call(&format!("/v1/requests/{id}/reopen"), &token, &json!({}))
                        .await;
                    return;
                }
                if what == "close" {
                    let id = requests[0]["id"].as_str().unwrap();
                    let why = json!({"reason": "not_needed"});
                    self.call(&format!("/v1/requests/{id}/close"), &token, &why)
                        .await;
                    return;
                }
                let with_match = requests.iter().rev().find_map(|r| {
                    let m = r["matches"].as_array().unwrap().last()?;
                    Some((r["id"].as_str().unwrap(), m["id"].as_str().unwrap()))
                });
                let Some((request, id)) = with_match else {
                    return;
                };
                let path = format!("/v1/requests/{request}/matches/{id}/{what}");
                if self
                    .call(&path, &token, &json!({"problem": "unsafe"}))
                    .await
                    && what == "report"
                {
                    let facts = self.facts().await;
                    let matched = facts
                        .matches
                        .iter()
                        .find(|m| m.id.to_string() == id)
                        .unwrap();
                    self.part(self.pair(matched), true).await;
                }
            }
        }
    }

    async fn volunteer(&mut self, who: usize, what: &str) {
        match (self.volunteers[who].clone(), what) {
            (None, "return") => self.arrive(who).await,
            (Some(token), "pause" | "resume") => {
                self.call(&format!("/v1/volunteers/self/{what}"), &token, &json!({}))
                    .await;
            }
            (Some(token), "erase") => {
                let path = "/v1/volunteers/self";
                let gone = self
                    .app
                    .call(Method::DELETE, path, Some(&token), None)
                    .await;
                assert_eq!(gone.status, 204);
                self.volunteers[who] = None;
            }
            _ => {}
        }
    }

    async fn desk(&mut self, what: &str, nth: usize) {
        let facts = self.facts().await;
        let desk = self.desk.clone();
        let in_state = |state| facts.matches.iter().filter(move |m| m.state == state);
        match what {
            "approve" | "veto" => {
                if let Some(m) = in_state(MatchState::Proposed).nth(nth % 2) {
                    self.call(&format!("/v1/matches/{}/{what}", m.id), &desk, &json!({}))
                        .await;
                }
            }
            "undo-done" => {
                if let Some(m) = in_state(MatchState::Fulfilled).nth(nth % 2) {
                    self.call(&format!("/v1/matches/{}/{what}", m.id), &desk, &json!({}))
                        .await;
                }
            }
            "report" => {
                if let Some(m) = in_state(MatchState::Accepted).nth(nth % 2) {
                    let heard = json!({"about": "volunteer", "problem": "other"});
                    let path = format!("/v1/matches/{}/report", m.id);
                    if self.call(&path, &desk, &heard).await {
                        self.part(self.pair(m), true).await;
                    }
                }
            }
            "call" => self.app.called(&desk).await,
            "hold" | "unhold" => {
                if let Some(id) = facts.requests.keys().min() {
                    self.call(&format!("/v1/requests/{id}/{what}"), &desk, &json!({}))
                        .await;
                }
            }
            "freeze" if self.frozen.is_none() => {
                let body = json!({"location": north(0.0), "radius_m": 3000, "reason": "threat"});
                let area = self.app.post("/v1/areas", &desk, &body).await.ok();
                let before = facts.matches.iter().map(|m| m.id).collect();
                self.frozen = Some((area["id"].as_str().unwrap().to_owned(), before));
            }
            "lift" => {
                if let Some((id, _)) = self.frozen.take() {
                    self.call(&format!("/v1/areas/{id}/lift"), &desk, &json!({}))
                        .await;
                }
            }
            _ => {
                let mut own = facts
                    .offers
                    .values()
                    .filter(|o| self.of_offer[&o.id] == nth);
                if let Some(offer) =
                    own.find(|o| facts.volunteers[&o.volunteer_id].erased_at.is_none())
                {
                    let path = format!("/v1/volunteers/{}/{what}", offer.volunteer_id);
                    if ["vet", "unvet", "block", "unblock"].contains(&what) {
                        self.call(&path, &desk, &json!({})).await;
                    }
                }
            }
        }
    }

    async fn play(&mut self, act: &Act) {
        match *act {
            Act::Post {
                who,
                kind,
                agree_first,
            } => self.post(who, kind, agree_first).await,
            Act::Answer { who, what } => self.answer(who, what).await,
            Act::Neighbor { who, what } => self.neighbor(who, what).await,
            Act::Volunteer { who, what } => self.volunteer(who, what).await,
            Act::Desk { nth, what } => self.desk(what, nth).await,
            Act::Wait { minutes } => self.app.clock.advance(Duration::from_secs(minutes * 60)),
        }
        self.app.settle().await;
    }

    /// Whether the volunteer of this match may know how to reach the neighbor now, by everything that
    /// was done; and whether also where.
    fn may_know(&self, facts: &Facts, m: &Match) -> (bool, bool) {
        let request = &facts.requests[&m.request_id];
        let neighbor = &facts.neighbors[&request.neighbor_id];
        let volunteer = &facts.volunteers[&facts.offers[&m.offer_id].volunteer_id];
        let agreed = facts.times("match_agreed", m.id) > 0;
        let vetted = volunteer.is_vetted(self.app.now());
        let is_sensitive = request.category.as_str() == "childcare";
        let is_frozen = self.frozen.is_some() && Self::is_at_home(self.pair(m));
        let reviewed = facts.times("match_approved", m.id) == 1;
        let contact = m.state == MatchState::Accepted
            && m.done_at.is_none()
            && facts.times("match_accepted", m.id) > 0
            && m.agreement != Agreement::Pending
            && !is_frozen
            && (!neighbor.agree_first || agreed)
            && (!is_sensitive || reviewed && vetted && agreed);
        let brought = matches!(request.handover, Handover::Door | Handover::Home);
        (contact, contact && brought && (vetted || agreed))
    }

    async fn nobody_knows_too_much(&self, facts: &Facts) {
        for (who, token) in self.volunteers.iter().enumerate() {
            let Some(token) = token else { continue };
            let seen = self.app.get("/v1/volunteers/self/matches", token).await;
            if seen.status == 404 {
                continue;
            }
            let raw = String::from_utf8(seen.bytes.clone()).unwrap();
            let mut known = HashSet::new();
            for item in seen.ok()["items"].as_array().unwrap() {
                let id = item["id"].as_str().unwrap();
                let matched = facts
                    .matches
                    .iter()
                    .find(|m| m.id.to_string() == id)
                    .unwrap();
                let (contact, place) = self.may_know(facts, matched);
                let neighbor = self.pair(matched).0;
                let text = item.to_string();
                for (i, canary) in canaries(neighbor).iter().enumerate() {
                    let may = if i == ADDRESS { place } else { contact };
                    assert!(
                        may || !text.contains(canary),
                        "helper {who} reads {canary}: {text}"
                    );
                }
                assert!(place || item["contact"]["point"].is_null(), "{text}");
                if contact {
                    known.insert(neighbor);
                    assert!(
                        text.contains(&canaries(neighbor)[0]),
                        "who is released is shown: {text}"
                    );
                }
            }
            for neighbor in (0..NEIGHBORS).filter(|n| !known.contains(n)) {
                for canary in canaries(neighbor) {
                    assert!(!raw.contains(&canary), "helper {who} reads {canary}: {raw}");
                }
            }
        }
        for (who, token) in self.neighbors.iter().enumerate() {
            let Some(token) = token else { continue };
            let seen = self.app.get("/v1/neighbors/self", token).await;
            let raw = String::from_utf8(seen.bytes).unwrap();
            for helper in (0..VOLUNTEERS).filter(|v| raw.contains(&email(*v))) {
                let is_released = facts.matches.iter().any(|m| {
                    let is_frozen = self.frozen.is_some() && Self::is_at_home((who, helper));
                    self.pair(m) == (who, helper) && m.is_released() && !is_frozen
                });
                assert!(
                    is_released,
                    "neighbor {who} reads the address of helper {helper}: {raw}"
                );
            }
        }
    }

    fn rules_hold(&self, facts: &Facts) {
        let mut open: HashMap<VolunteerId, usize> = HashMap::new();
        for m in &facts.matches {
            let pair = self.pair(m);
            let released = facts.times("contacts_released", m.id);
            assert_eq!(
                released,
                usize::from(m.released_at.is_some()) + facts.times("match_done_undone", m.id),
                "one entry a release"
            );
            if m.is_released_to_volunteer() {
                *open
                    .entry(facts.offers[&m.offer_id].volunteer_id)
                    .or_default() += 1;
            }
            let request = &facts.requests[&m.request_id];
            if request.handover == Handover::Home {
                let neighbor = &facts.neighbors[&request.neighbor_id];
                assert_ne!(
                    neighbor.verified,
                    Verified::None,
                    "nobody is sent to her home yet"
                );
            }
            if let Some(had) = self.parted.get(&pair) {
                assert!(had.contains(&m.id), "{pair:?} were parted");
                let is_ask = matches!(m.state, MatchState::Proposed | MatchState::Notified);
                assert!(!is_ask, "{pair:?} were parted");
                let is_over = !self.reported.contains(&pair) || !m.state.is_active();
                assert!(is_over, "everything between {pair:?} has ended");
            }
            if let Some((_, before)) = &self.frozen
                && Self::is_at_home(pair)
            {
                assert!(before.contains(&m.id), "nothing new in a frozen area");
                let is_ask = matches!(m.state, MatchState::Proposed | MatchState::Notified);
                assert!(!is_ask, "no ask in a frozen area");
            }
        }
        let most = self.app.ctx.settings.matching.open_releases;
        assert!(open.values().all(|n| *n <= usize::from(most)), "{open:?}");
    }

    /// No letter to a volunteer tells who or where somebody is.
    fn letters_tell_nothing(&mut self) {
        let mails = self.app.transport.memory().unwrap().mails();
        for mail in &mails[self.letters_read..] {
            if mail.message.to.expose().starts_with("helper") {
                for canary in (0..NEIGHBORS).flat_map(canaries) {
                    assert!(
                        !mail.message.text.contains(&canary),
                        "{}",
                        mail.message.text
                    );
                }
            }
        }
        self.letters_read = mails.len();
    }
}

/// Acts that touch every rule, one after another.
fn every_rule() -> Vec<Act> {
    let desk = |nth, what| Act::Desk { nth, what };
    let post = |who, kind| Act::Post {
        who,
        kind,
        agree_first: false,
    };
    let accept = |who| Act::Answer {
        who,
        what: "accept",
    };
    vec![
        desk(0, "unvet"),
        desk(1, "unvet"),
        desk(0, "vet"),
        desk(1, "vet"),
        desk(0, "freeze"),
        post(2, 0),
        desk(0, "lift"),
        accept(2),
        post(0, 1),
        accept(2),
        post(2, 4),
        accept(2),
        accept(1),
        Act::Neighbor {
            who: 0,
            what: "report",
        },
        Act::Volunteer {
            who: 2,
            what: "erase",
        },
        Act::Neighbor {
            who: 0,
            what: "erase",
        },
        Act::Volunteer {
            who: 2,
            what: "return",
        },
        post(0, 0),
        post(2, 2),
        desk(0, "call"),
        Act::Wait { minutes: 40 },
    ]
}

async fn story(acts: &[Act]) {
    let mut town = Town::new().await;
    for act in acts {
        town.play(act).await;
        let facts = town.facts().await;
        town.rules_hold(&facts);
        town.nobody_knows_too_much(&facts).await;
        town.letters_tell_nothing();
    }
}

#[actix_web::test]
async fn every_rule_is_met_once() {
    let acts: Vec<Act> = begin().into_iter().chain(every_rule()).collect();
    Box::pin(story(&acts)).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 14, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn nobody_learns_anything_before_its_time(acts in prop::collection::vec(act(), 5..30)) {
        let acts: Vec<Act> = begin().into_iter().chain(acts).collect();
        actix_web::rt::System::new().block_on(story(&acts));
    }
}
