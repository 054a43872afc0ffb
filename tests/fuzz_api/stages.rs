//! Records for calls that only do something where something else has happened before: each has one of its own, on which
//! nothing else is tried.

use serde_json::{Map, Value, json};

use crate::process::wait_for;
use crate::world::{World, here};

/// By operation: what stands in its path, and its body where the document's example cannot fit.
#[derive(Default)]
pub struct Stages(Map<String, Value>);

impl Stages {
    fn set(&mut self, call: &str, id: &Value) {
        self.0.insert(call.to_owned(), json!({"path": {"id": id}}));
    }

    fn set_with(&mut self, call: &str, id: &Value, body: &Value) {
        let both = json!({"path": {"id": id}, "body": body});
        self.0.insert(call.to_owned(), both);
    }
}

/// What the helpers of a coordinator's stages are called.
const FOOD: usize = 0;
const OTHER_FOOD: usize = 1;
const PAUSED: usize = 2;
const RENEWED: usize = 3;
const LISTED: usize = 4;
const UNLISTED: usize = 5;

impl World {
    /// Those of the calls of a tag.
    pub fn staged(&self, tag: &str) -> Value {
        let mut stages = Stages::default();
        match tag {
            "anyone" => self.of_anyone(&mut stages),
            "neighbor" => self.of_neighbors(&mut stages),
            "volunteer" => of_sites(&mut stages, &self.ana[3]),
            "coordinator" => {
                of_sites(&mut stages, &self.bea[LISTED]);
                self.of_matches(&mut stages);
                self.of_posts(&mut stages);
                self.of_tasks(&mut stages);
            }
            _ => {}
        }
        stages.0.into()
    }

    fn of_anyone(&self, stages: &mut Stages) {
        for method in ["GET", "POST"] {
            let call = format!("{method} /v1/unsubscribe/{{token}}");
            let path = json!({"path": {"token": self.unsubscribe}});
            stages.0.insert(call, path);
        }
    }

    /// Mo's, who wants to be asked before anybody learns how to reach her.
    fn of_neighbors(&self, stages: &mut Stages) {
        for act in ["agree", "refuse", "done", "no-show", "report"] {
            let need = json!({"needs": [food()]});
            let token = self.token("neighbor");
            let posted = self.post("/v1/neighbors/self/requests", Some(token), &need);
            let request = &posted["requests"][0]["id"];
            let matched = self.accepted(request);
            if ["done", "no-show"].contains(&act) {
                self.said(&matched, "agree", &json!({}));
            }
            let call = format!("POST /v1/requests/{{id}}/matches/{{mid}}/{act}");
            let path = json!({"path": {"id": request, "mid": matched}});
            stages.0.insert(call, path);
        }
    }

    fn of_matches(&self, stages: &mut Stages) {
        let call = |act: &str| format!("POST /v1/matches/{{id}}/{act}");
        let made = json!({"request": self.request(false), "offer": self.bea[FOOD]});
        stages
            .0
            .insert("POST /v1/matches".to_owned(), json!({"body": made}));
        for act in ["accept", "decline"] {
            let asked = self.asked(&self.request(false));
            stages.set_with(&call(act), &asked, &json!({}));
        }
        let asked = self.asked(&self.request(false));
        let other = json!({"offer": self.bea[OTHER_FOOD]});
        stages.set_with(&call("reassign"), &asked, &other);
        for act in ["agree", "refuse"] {
            let accepted = self.accepted(&self.request(true));
            stages.set(&call(act), &accepted);
        }
        let said = json!({"for": "neighbor"});
        for (act, before) in [
            ("done", None),
            ("undo-done", Some("done")),
            ("undo-no-show", Some("no-show")),
        ] {
            let accepted = self.accepted(&self.request(false));
            if let Some(before) = before {
                self.said(&accepted, before, &said);
                stages.set(&call(act), &accepted);
            } else {
                stages.set_with(&call(act), &accepted, &said);
            }
        }
        let [approve, veto, unveto] = &self.proposed;
        stages.set(&call("approve"), approve);
        stages.set(&call("veto"), veto);
        self.said(unveto, "veto", &json!({}));
        stages.set(&call("unveto"), unveto);
    }

    fn of_posts(&self, stages: &mut Stages) {
        let call = |act: &str| format!("POST /v1/requests/{{id}}/{act}");
        let mine = || self.request(false);
        for act in ["hold", "hand-over"] {
            stages.set(&call(act), &mine());
        }
        stages.set_with(&call("renew"), &mine(), &json!({}));
        stages.set_with(&call("merge"), &mine(), &json!({"into": mine()}));
        stages.set_with(&call("distinct"), &mine(), &json!({"from": mine()}));
        for (act, nth) in [("pause", PAUSED), ("renew", RENEWED), ("list", UNLISTED)] {
            stages.set(&format!("POST /v1/offers/{{id}}/{act}"), &self.bea[nth]);
        }
    }

    /// Calls to neighbors who leave a child, and the news of help to one who has no address.
    fn of_tasks(&self, stages: &mut Stages) {
        let call = |act: &str| format!("POST /v1/tasks/{{id}}/{act}");
        let of = |request: &Value, kind: &str| {
            let path = format!("/v1/tasks?kind={kind}");
            wait_for(kind, || {
                let list = self.get(&path);
                let mut tasks = list["items"].as_array()?.iter();
                let task = tasks.find(|task| task["request"] == *request)?;
                Some(task["id"].clone())
            })
        };
        let to_call = || {
            let body = json!({
                "contact": {"name": "Liv", "phone": "612 555 0155"}, "location": here(),
                "needs": [{"category": "childcare", "quantity": 1, "urgency": "now"}],
            });
            let posted = self.post("/v1/requests", None, &body);
            of(&posted["requests"][0]["id"], "call")
        };
        let me = json!({"to": self.get("/v1/coordinators/self")["id"]});
        stages.set_with(&call("assign"), &to_call(), &me);
        stages.set(&call("claim"), &to_call());
        stages.set_with(&call("done"), &to_call(), &json!({"outcome": "reached"}));
        let request = self.request(false);
        self.accepted(&request);
        let told = of(&request, "tell");
        let path = format!("/v1/tasks/{}/done", told.as_str().unwrap());
        self.desk(&path, &json!({"outcome": "reached"}));
        stages.set(&call("reopen"), &told);
    }

    fn get(&self, path: &str) -> Value {
        let desk = Some(self.token("coordinator"));
        self.server.get(path, desk).unwrap().ok()
    }

    fn desk(&self, path: &str, body: &Value) -> Value {
        self.post(path, Some(self.token("coordinator")), body)
    }

    /// A request of somebody who has called, has no address, and may want to be asked first.
    fn request(&self, agree_first: bool) -> Value {
        let body = json!({
            "contact": {"name": "Kim", "phone": "612 555 0111"}, "location": here(),
            "verified": "called", "agree_first": agree_first, "needs": [food()],
        });
        self.desk("/v1/requests", &body)["requests"][0]["id"].clone()
    }

    /// Bea is asked.
    fn asked(&self, request: &Value) -> Value {
        let pair = json!({"request": request, "offer": self.bea[FOOD]});
        self.desk("/v1/matches", &pair)["id"].clone()
    }

    /// Bea says yes.
    fn accepted(&self, request: &Value) -> Value {
        let asked = self.asked(request);
        self.said(&asked, "accept", &json!({}));
        asked
    }

    fn said(&self, matched: &Value, act: &str, body: &Value) {
        let id = matched.as_str().unwrap();
        self.desk(&format!("/v1/matches/{id}/{act}"), body);
    }
}

fn food() -> Value {
    json!({"category": "food", "quantity": 1, "urgency": "now"})
}

fn of_sites(stages: &mut Stages, listed: &Value) {
    let full = json!({"taken": 3});
    stages.set_with("POST /v1/offers/{id}/occupancy", listed, &full);
    stages.set("DELETE /v1/offers/{id}/occupancy", listed);
}
