//! Somebody who posts where the disk may fail: what she was told is there, or she was told to come again.

use serde_json::{Value, json};

use crate::process::{Answer, Server};

/// So many needs at once, with long notes: enough to fill a log or a small disk soon.
pub const NEEDS: usize = 10;

/// What somebody posts.
pub fn post(contact: &Value) -> Value {
    let need =
        json!({"category": "food", "quantity": 2, "private_note": "Ring twice. ".repeat(80)});
    json!({
        "contact": contact,
        "location": {"lat": 44.9778, "lon": -93.2650},
        "needs": vec![need; NEEDS],
    })
}

/// What somebody was told whose post was taken.
pub struct Kept {
    token: String,
    requests: Vec<String>,
}

impl Kept {
    #[track_caller]
    pub fn new(answer: Answer) -> Self {
        let told = answer.ok();
        let requests = ids(&told);
        assert_eq!(requests.len(), NEEDS);
        let token = told["manage_token"].as_str().unwrap().to_owned();
        Self { token, requests }
    }

    #[track_caller]
    pub fn is_there(&self, server: &Server) {
        let seen = server.get("/v1/neighbors/self", Some(&self.token));
        assert_eq!(ids(&seen.unwrap().ok()), self.requests);
    }
}

fn ids(answer: &Value) -> Vec<String> {
    let requests = answer["requests"].as_array().unwrap().iter();
    let mut ids: Vec<_> = requests.map(|request| request["id"].to_string()).collect();
    ids.sort();
    ids
}

/// What could not be kept is refused in a way that clients understand.
#[track_caller]
pub fn is_a_kind_refusal(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    let problem = answer.header("Content-Type");
    assert_eq!(problem, Some("application/problem+json"));
    let after = answer.header("Retry-After");
    let is_number = after.is_some_and(|s| s.parse::<u32>().is_ok());
    assert!(is_number, "{answer:?}");
    assert_eq!(answer.body["type"], "urn:manyhands:problem:unavailable");
    assert_eq!(answer.body["status"], 503);
}
