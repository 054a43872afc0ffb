//! Who lives there: what they have posted, confirmed and answered, read out of their letters.

use std::fs;

use serde_json::{Value, json};

use crate::process::wait_for;
use crate::world::{World, here};

/// An offer of food, and one of a place that may be listed.
fn meals() -> Value {
    json!({"category": "food", "capacity": 100})
}

fn hall(title: &str) -> Value {
    json!({"category": "warming_space", "capacity": 20,
           "site": {"title": title, "address": "1 Oak Street", "walk_in": true}})
}

impl World {
    /// Ana offers, also places that are listed. Mo asks for several things; Ana says yes to one of them, and has not
    /// answered another. Of what Lin and Pat asked for each way to answer is open to her.
    pub fn people(&mut self) {
        let offers = [
            hall("Oak Hall"),
            meals(),
            json!({"category": "pet_care", "capacity": 5}),
            hall("Elm Hall"),
        ];
        let (token, offers) = self.volunteer("Ana", &offers);
        self.tokens.insert("volunteer", token);
        self.ana = offers;
        for hall in [&self.ana[0], &self.ana[3]] {
            self.list(hall);
        }
        let need =
            |category: &str, n| json!({"category": category, "quantity": n, "urgency": "now"});
        let mo = json!({
            "contact": {"name": "Mo", "email": "mo@example.org", "phone": "612 555 0123"},
            "location": here(), "languages": ["en"], "agree_first": true,
            "needs": [need("food", 2), need("pet_care", 1)],
        });
        let (mo, asks) = self.neighbor(&mo, 2);
        self.tokens.insert("neighbor", mo);
        self.post("/v1/matches/self/accept", Some(&asks[0]), &json!({}));
        let of = |name: &str, phone: &str, count| {
            json!({"contact": {"name": name, "phone": phone}, "location": here(),
                   "needs": vec![need("food", 1); count]})
        };
        let acts = ["accept", "decline", "release", "done", "no_show"];
        let (_, asks) = self.neighbor(&of("Lin", "612 555 0188", acts.len()), acts.len());
        for (act, ask) in acts.into_iter().zip(asks) {
            if !["accept", "decline"].contains(&act) {
                self.post("/v1/matches/self/accept", Some(&ask), &json!({}));
            }
            self.answers.push((act, ask));
        }
        // Nothing more is asked of two of whom one has reported the other: those are others.
        let (_, mut asks) = self.neighbor(&of("Pat", "612 555 0177", 1), 1);
        self.answers.push(("report", asks.remove(0)));
        let (_, asks) = self.neighbor(&of("Sam", "612 555 0144", 1), 1);
        let problem = json!({"problem": "other"});
        self.post("/v1/matches/self/report", Some(&asks[0]), &problem);
        self.unsubscribe = self.letter("mhu_");
        self.helpers();
    }

    /// Bea offers what nothing is tried on by itself; somebody asks to have children looked after, for which a
    /// coordinator has to be there. Cem has not confirmed.
    fn helpers(&mut self) {
        let child = json!({"category": "childcare", "capacity": 10});
        let offers = [
            meals(),
            meals(),
            meals(),
            meals(),
            hall("Ash Hall"),
            hall("Fir Hall"),
            child,
        ];
        let (token, offers) = self.volunteer("Bea", &offers);
        self.list(&offers[4]);
        self.bea = offers;
        let desk = Some(self.token("coordinator"));
        let bea = self
            .server
            .get("/v1/volunteers/self", Some(&token))
            .unwrap()
            .ok();
        let vet = format!("/v1/volunteers/{}/vet", bea["id"].as_str().unwrap());
        self.post(&vet, desk, &json!({}));
        let need = json!({"category": "childcare", "quantity": 1, "urgency": "now"});
        let kit = json!({"contact": {"name": "Kit", "phone": "612 555 0166"}, "location": here(),
                         "verified": "called", "needs": [need, need, need]});
        let kit = self.post("/v1/requests", desk, &kit);
        let token = kit["manage_token"].as_str();
        let kit = self.server.get("/v1/neighbors/self", token).unwrap().ok();
        let all = wait_for("proposals", || {
            let list = self
                .server
                .get("/v1/matches?state=proposed", desk)
                .unwrap()
                .ok();
            let ids = list["items"].as_array()?.iter().map(|m| m["id"].clone());
            <[Value; 3]>::try_from(ids.collect::<Vec<_>>()).ok()
        });
        self.proposed = all;
        self.kept = vec![bea["id"].clone(), kit["id"].clone()];
        let requests = kit["requests"].as_array().unwrap().iter();
        self.kept
            .extend(requests.map(|request| request["id"].clone()));
        let cem = json!({"contact": {"name": "Cem", "email": "cem@example.org"}, "location": here(),
                         "offers": [meals()]});
        self.post("/v1/offers", None, &cem);
        let confirm = self.letter("mho_");
        self.tokens.insert("confirm", confirm);
    }

    /// Somebody who offers and confirms: her token and her offers.
    fn volunteer(&mut self, name: &str, offers: &[Value]) -> (String, Vec<Value>) {
        let email = format!("{}@example.org", name.to_lowercase());
        let body = json!({
            "contact": {"name": name, "email": email, "phone": "612 555 0199"}, "location": here(),
            "languages": ["en"], "offers": offers,
            "limits": {"nights": true, "open_asks": 20, "daily_asks": 100, "weekly_asks": 50},
        });
        let offered = self.post("/v1/offers", None, &body);
        let offers = offered["offers"].as_array().unwrap().iter();
        let offers = offers.map(|offer| offer["id"].clone()).collect();
        let code = self.letter("mho_");
        let confirmed = self.post("/v1/confirm", Some(&code), &json!({}));
        (
            confirmed["manage_token"].as_str().unwrap().to_owned(),
            offers,
        )
    }

    fn list(&self, hall: &Value) {
        let path = format!("/v1/offers/{}/list", hall.as_str().unwrap());
        self.post(&path, Some(self.token("coordinator")), &json!({}));
    }

    /// Somebody who posts: her token, and those of the asks.
    fn neighbor(&mut self, body: &Value, asks: usize) -> (String, Vec<String>) {
        let posted = self.post("/v1/requests", None, body);
        let token = posted["manage_token"].as_str().unwrap().to_owned();
        (token, (0..asks).map(|_| self.ask()).collect())
    }

    /// The code of an ask. What tells of a match that is agreed has one too.
    fn ask(&mut self) -> String {
        loop {
            let code = self.letter("mha_");
            let seen = self.server.get("/v1/matches/self", Some(&code));
            if seen.unwrap().ok()["state"] == "notified" {
                return code;
            }
        }
    }

    /// A code out of a letter that nobody has read yet.
    fn letter(&mut self, prefix: &str) -> String {
        let code = wait_for(prefix, || {
            let files = fs::read_dir(self.path("mail")).into_iter().flatten();
            let mut letters = files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok());
            letters.find_map(|letter| {
                let from = letter.find(prefix)?;
                let code = letter[from..].split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let code = code.map(str::to_owned).next()?;
                (!self.read.contains(&code)).then_some(code)
            })
        });
        self.read.insert(code.clone());
        code
    }
}
