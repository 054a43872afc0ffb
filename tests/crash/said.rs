//! How an act is said to the service: which call, with whose token.

use serde_json::{Value, json};

use super::acts::{Act, Post};
use super::model::{Id, World};

/// How it is said.
#[derive(Debug)]
pub struct Call {
    pub method: &'static str,
    pub path: String,
    pub token: Option<String>,
    pub key: Option<String>,
    pub body: Option<Value>,
}

impl Call {
    fn new(method: &'static str, path: String, token: &str) -> Self {
        let token = Some(token.to_owned());
        let (key, body) = (None, None);
        Self {
            method,
            path,
            token,
            key,
            body,
        }
    }

    fn post(path: String, token: &str) -> Self {
        Self::new("POST", path, token)
    }

    fn with(self, body: Value) -> Self {
        let body = Some(body);
        Self { body, ..self }
    }
}

impl Post {
    fn items(&self, what: &str) -> Vec<Value> {
        let item = |n: &i64| match what {
            "needs" => json!({"category": self.category, "quantity": n, "urgency": "now"}),
            _ => json!({"category": self.category, "capacity": n}),
        };
        self.quantities.iter().map(item).collect()
    }

    fn call(&self, path: &str, token: Option<&str>, body: Value) -> Call {
        Call {
            method: "POST",
            path: path.to_owned(),
            token: token.map(str::to_owned),
            key: Some(self.key.clone()),
            body: Some(body),
        }
    }
}

const PLACE: (f64, f64) = (44.9778, -93.2650);

impl Act {
    /// What is called, and with whose token.
    pub fn call(&self, world: &World, coordinator: &str) -> Call {
        let neighbor = |n: usize| world.neighbors[n].token.as_str();
        let volunteer = |v: usize| world.volunteers[v].token.as_deref().unwrap_or_default();
        let code = |m: &Id| world.matches[m].code.clone().unwrap_or_default();
        let answer = |m: &Id, what: &str| {
            Call::post(format!("/v1/matches/self/{what}"), &code(m)).with(json!({}))
        };
        let hers = |m: &Id, what: &str| {
            let request = &world.matches[m].request;
            let path = format!("/v1/requests/{request}/matches/{m}/{what}");
            Call::post(path, neighbor(world.requests[request].of)).with(json!({}))
        };
        let offer = |o: &Id, what: &str| {
            Call::post(
                format!("/v1/offers/{o}/{what}"),
                volunteer(world.offers[o].of),
            )
        };
        let desk = |v: &usize, what: &str| {
            let id = world.volunteers[*v].id.as_deref().unwrap_or_default();
            Call::post(format!("/v1/volunteers/{id}/{what}"), coordinator).with(json!({}))
        };
        match self {
            Self::PostNeeds(n, post) => {
                let email = world.neighbors[*n]
                    .has_mail
                    .then(|| format!("n{n}@example.org"));
                let contact = json!({"name": "Mo", "phone": "612 555 0123", "email": email});
                let mut body = json!({"contact": contact, "location": {"lat": PLACE.0, "lon": PLACE.1},
                    "needs": post.items("needs")});
                if post.entered {
                    body["verified"] = json!("called");
                }
                post.call("/v1/requests", post.entered.then_some(coordinator), body)
            }
            Self::MoreNeeds(n, post) => {
                let body = json!({"needs": post.items("needs")});
                post.call("/v1/neighbors/self/requests", Some(neighbor(*n)), body)
            }
            Self::PostOffers(v, post) => {
                let contact = json!({"name": "Ana", "email": world.volunteers[*v].email});
                let limits =
                    json!({"nights": true, "open_asks": 20, "daily_asks": 100, "weekly_asks": 50});
                let body = json!({"contact": contact, "location": {"lat": PLACE.0, "lon": PLACE.1},
                    "limits": limits, "offers": post.items("offers")});
                post.call("/v1/offers", None, body)
            }
            Self::MoreOffers(v, post) => {
                let body = json!({"location": {"lat": PLACE.0, "lon": PLACE.1}, "offers": post.items("offers")});
                post.call("/v1/volunteers/self/offers", Some(volunteer(*v)), body)
            }
            Self::Confirm(_, code) => Call::post("/v1/confirm".to_owned(), code),
            Self::Accept(m) => answer(m, "accept"),
            Self::Decline(m) => answer(m, "decline"),
            Self::Release(m) => answer(m, "release"),
            Self::SayDone(m) => answer(m, "done"),
            Self::Done(m) => hers(m, "done"),
            Self::NoShow(m) => hers(m, "no-show"),
            Self::Agree(m) => hers(m, "agree"),
            Self::Refuse(m) => hers(m, "refuse"),
            Self::Approve(m) => Call::post(format!("/v1/matches/{m}/approve"), coordinator),
            Self::Veto(m) => Call::post(format!("/v1/matches/{m}/veto"), coordinator),
            Self::Note(r, note) => {
                let path = format!("/v1/requests/{r}");
                let token = neighbor(world.requests[r].of);
                Call::new("PATCH", path, token).with(json!({"note": note}))
            }
            Self::Close(r, reason) => {
                let path = format!("/v1/requests/{r}/close");
                let token = neighbor(world.requests[r].of);
                Call::post(path, token).with(json!({"reason": reason}))
            }
            Self::Hide(n) => Call::post("/v1/neighbors/self/hide".to_owned(), neighbor(*n)),
            Self::Show(n) => Call::post("/v1/neighbors/self/show".to_owned(), neighbor(*n)),
            Self::EraseNeighbor(n) => {
                Call::new("DELETE", "/v1/neighbors/self".to_owned(), neighbor(*n))
            }
            Self::Pause(o) => offer(o, "pause"),
            Self::Resume(o) => offer(o, "resume"),
            Self::CloseOffer(o) => offer(o, "close"),
            Self::Vet(v) => desk(v, "vet"),
            Self::Block(v) => desk(v, "block"),
            Self::Unblock(v) => desk(v, "unblock"),
            Self::EraseVolunteer(v) => {
                Call::new("DELETE", "/v1/volunteers/self".to_owned(), volunteer(*v))
            }
        }
    }
}
