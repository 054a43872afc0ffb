//! The people of the stories: neighbors who ask, volunteers who offer and answer.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{Answer, TestApp, token_in};

/// Downtown Minneapolis.
pub const HOME: (f64, f64) = (44.9778, -93.2650);

/// A neighbor who has posted.
#[derive(Clone, Debug)]
pub struct Neighbor {
    pub token: String,
    pub requests: Vec<String>,
    pub posted: Value,
}

/// A volunteer whose address is confirmed.
#[derive(Clone, Debug)]
pub struct Volunteer {
    pub email: String,
    pub token: String,
    pub offers: Vec<String>,
}

/// Some meals, urgently, so that they are asked for at any hour.
pub fn food(quantity: i64) -> Value {
    json!({"category": "food", "quantity": quantity, "urgency": "now"})
}

/// `value` with the members of `more` over it.
pub fn with(mut value: Value, more: Value) -> Value {
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}

/// A place some kilometers north of home.
pub fn north(km: f64) -> Value {
    json!({"lat": HOME.0 + km / 111.2, "lon": HOME.1})
}

/// The body of a post of needs.
pub fn post_of(needs: &[Value]) -> Value {
    json!({
        "contact": {"name": "Mo Farah", "phone": "612 555 0123", "email": "mo@example.org"},
        "location": with(north(0.0), json!({"address": "2410 Secret Ave"})),
        "languages": ["so", "en"],
        "needs": needs,
    })
}

/// The phone number of the volunteer with that address: others have others. 555-01xx rings nowhere.
pub fn phone_of(email: &str) -> String {
    const AREAS: [u32; 10] = [651, 763, 952, 320, 507, 218, 701, 605, 715, 920];
    let number = email.bytes().fold(0, |n, b| (n * 257 + u32::from(b)) % 997);
    format!("+1{}55501{:02}", AREAS[number as usize / 100], number % 100)
}

/// The body of a post of offers.
pub fn offer_of(email: &str, offers: &[Value]) -> Value {
    json!({
        "contact": {"name": "Ana Alvarez", "email": email, "phone": phone_of(email)},
        "location": north(1.0),
        "languages": ["en"],
        "limits": {"nights": true},
        "offers": offers,
    })
}

impl TestApp {
    /// A neighbor posts needs.
    pub async fn neighbor(&self, needs: &[Value]) -> Neighbor {
        self.neighbor_who(post_of(needs)).await
    }

    /// A neighbor posts this body.
    pub async fn neighbor_who(&self, body: Value) -> Neighbor {
        self.posted(None, body).await
    }

    /// A coordinator enters this body for somebody who calls.
    pub async fn entered_by(&self, token: &str, body: Value) -> Neighbor {
        self.posted(Some(token), body).await
    }

    async fn posted(&self, token: Option<&str>, body: Value) -> Neighbor {
        let posted = self
            .call(Method::POST, "/v1/requests", token, Some(&body))
            .await
            .ok();
        let requests = posted["requests"].as_array().expect("requests");
        Neighbor {
            token: posted["manage_token"].as_str().expect("token").to_owned(),
            requests: requests
                .iter()
                .map(|r| r["id"].as_str().expect("id").to_owned())
                .collect(),
            posted,
        }
    }

    /// A volunteer posts offers and confirms the address.
    pub async fn volunteer(&mut self, email: &str, offers: &[Value]) -> Volunteer {
        self.volunteer_who(email, offer_of(email, offers)).await
    }

    /// A volunteer posts this body and confirms the address.
    pub async fn volunteer_who(&mut self, email: &str, body: Value) -> Volunteer {
        self.call(Method::POST, "/v1/offers", None, Some(&body))
            .await
            .ok();
        self.settle().await;
        let letter = self.letter_to(email, "mho_");
        let confirmed = self
            .call(Method::POST, "/v1/confirm", Some(&letter), None)
            .await
            .ok();
        self.settle().await;
        let offers = confirmed["offers"].as_array().expect("offers");
        Volunteer {
            email: email.to_owned(),
            token: confirmed["manage_token"]
                .as_str()
                .expect("token")
                .to_owned(),
            offers: offers
                .iter()
                .map(|o| o["id"].as_str().expect("id").to_owned())
                .collect(),
        }
    }

    /// The token of that prefix in the newest letter to the address; forgets the letters.
    pub fn letter_to(&self, email: &str, prefix: &str) -> String {
        self.find_letter(email, prefix)
            .unwrap_or_else(|| panic!("no letter with {prefix} to {email}"))
    }

    /// As [`TestApp::letter_to`], if there is one.
    pub fn find_letter(&self, email: &str, prefix: &str) -> Option<String> {
        let mails = self.transport.memory().expect("memory transport").mails();
        mails
            .iter()
            .rev()
            .filter(|m| m.message.to.expose() == email)
            .find_map(|m| token_in(&m.message.text, prefix))
    }

    /// The subjects of all letters to the address, oldest first.
    pub fn subjects_to(&self, email: &str) -> Vec<String> {
        let mails = self.transport.memory().expect("memory transport").mails();
        mails
            .iter()
            .filter(|m| m.message.to.expose() == email)
            .map(|m| m.message.subject.as_str().to_owned())
            .collect()
    }

    /// What a mail program does for who presses its button: RFC 8058.
    pub async fn one_click(&self, path: &str) -> Answer {
        let body = b"List-Unsubscribe=One-Click".to_vec();
        let kind = [("Content-Type", "application/x-www-form-urlencoded")];
        self.raw(Method::POST, path, None, Some(body), &kind).await
    }

    /// A volunteer says yes to the newest ask.
    pub async fn accept(&self, volunteer: &Volunteer) -> Answer {
        let token = self.letter_to(&volunteer.email, "mha_");
        self.post("/v1/matches/self/accept", &token, &json!({}))
            .await
    }

    /// A neighbor says of the newest promise how it went: `done` or `no-show`.
    pub async fn says(&self, neighbor: &Neighbor, nth: usize, what: &str) -> Answer {
        let seen = self.request(neighbor, nth).await;
        let all = seen["matches"].as_array().expect("matches");
        let id = all.last().expect("a promise")["id"].as_str().expect("id");
        let path = format!(
            "/v1/requests/{}/matches/{id}/{what}",
            neighbor.requests[nth]
        );
        self.post(&path, &neighbor.token, &json!({})).await
    }

    /// The newest match of a request, as coordinators see it.
    pub async fn newest_match(&self, coordinator: &str, request: &str) -> Value {
        let path = format!("/v1/matches?request={request}&limit=1");
        self.get(&path, coordinator).await.ok()["items"][0].clone()
    }

    /// A neighbor takes everything back.
    pub async fn erase(&self, token: &str) {
        let path = "/v1/neighbors/self";
        let gone = self.call(Method::DELETE, path, Some(token), None).await;
        assert_eq!(gone.status, 204, "{}", gone.body);
    }

    /// A coordinator's act, or anybody's, that has no body.
    pub async fn press(&self, path: &str, token: &str) -> Answer {
        self.call(Method::POST, path, Some(token), None).await
    }

    /// A coordinator reaches everybody who waits for a call.
    pub async fn called(&self, coordinator: &str) {
        let waiting = self
            .get("/v1/tasks?state=open&kind=call", coordinator)
            .await
            .ok();
        for task in waiting["items"].as_array().expect("items") {
            let path = format!("/v1/tasks/{}/done", task["id"].as_str().expect("id"));
            self.post(&path, coordinator, &json!({"outcome": "reached"}))
                .await
                .ok();
        }
    }

    /// One request as its neighbor sees it.
    pub async fn request(&self, neighbor: &Neighbor, nth: usize) -> Value {
        self.get(
            &format!("/v1/requests/{}", neighbor.requests[nth]),
            &neighbor.token,
        )
        .await
        .ok()
    }
}
