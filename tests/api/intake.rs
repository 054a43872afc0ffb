//! Whoever only takes calls: what they entered is theirs to see and to work on, and nothing else is there.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use super::phone::{audited, entry, matches, through_sara};
use crate::support::people::{Neighbor, Volunteer, food, phone_of};
use crate::support::{Answer, TestApp};

/// Somebody who takes calls, whom they entered, and who was entered by another desk; Ana is asked for both.
struct Calls {
    app: TestApp,
    intake: String,
    all: String,
    own: Neighbor,
    other: Neighbor,
    ana: Volunteer,
}

impl Calls {
    async fn new() -> Self {
        let mut app = TestApp::new();
        let (_, intake) = app.coordinator(Scope::Intake).await;
        let (_, colleague) = app.coordinator(Scope::Intake).await;
        let (_, all) = app.coordinator(Scope::Coordinator).await;
        let meals = json!({"category": "food", "capacity": 20});
        let ana = app.volunteer("ana@example.org", &[meals]).await;
        let own = app.entered_by(&intake, through_sara(&[food(1)])).await;
        let other = app.entered_by(&colleague, through_sara(&[food(2)])).await;
        app.settle().await;
        Self {
            app,
            intake,
            all,
            own,
            other,
            ana,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.app.get(path, &self.intake).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.app.post(path, &self.intake, &body).await
    }

    async fn neighbor_of(&self, request: &str) -> String {
        let path = format!("/v1/requests/{request}");
        let file = self.app.get(&path, &self.all).await.ok();
        file["neighbor"]["id"].as_str().expect("id").to_owned()
    }

    /// The ids of what the list shows them.
    async fn listed(&self, query: &str) -> Vec<String> {
        let list = self.get(&format!("/v1/requests{query}")).await.ok();
        let items = list["items"].as_array().expect("items");
        items
            .iter()
            .map(|r| r["id"].as_str().expect("id").to_owned())
            .collect()
    }

    async fn accepted(&self, request: &str) -> String {
        let id = matches(&self.app, &self.all, request).await.remove(0);
        let path = format!("/v1/matches/{id}/accept");
        self.app.post(&path, &self.all, &json!({})).await.ok();
        id
    }
}

#[actix_web::test]
async fn they_see_what_they_entered_and_nothing_of_an_ask_that_its_neighbor_does_not_know() {
    let calls = Calls::new().await;
    let (own, other) = (&calls.own.requests[0], &calls.other.requests[0]);
    assert_eq!(calls.listed("").await, std::slice::from_ref(own));
    assert_eq!(
        calls.listed("?state=open&category=food").await,
        std::slice::from_ref(own)
    );
    let theirs = calls.neighbor_of(other).await;
    assert_eq!(
        calls.listed(&format!("?neighbor={theirs}")).await,
        Vec::<String>::new()
    );
    let cell = calls.own.posted["requests"][0]["cell"]
        .as_str()
        .expect("cell");
    assert_eq!(
        calls.listed(&format!("?area={cell}")).await,
        std::slice::from_ref(own)
    );

    assert_eq!(
        matches(&calls.app, &calls.intake, own).await,
        Vec::<String>::new()
    );
    let asked = matches(&calls.app, &calls.all, own).await;
    assert_eq!(asked.len(), 1, "a coordinator sees that Ana is asked");
    let agree = format!("/v1/matches/{}/agree", asked[0]);
    assert_eq!(
        calls.post(&agree, json!({})).await.problem(404),
        "not-found"
    );
    let accepted = calls.accepted(own).await;
    assert_eq!(matches(&calls.app, &calls.intake, own).await, [accepted]);
}

#[actix_web::test]
async fn of_everybody_else_nothing_is_there_to_the_byte() {
    let calls = Calls::new().await;
    let request = &calls.other.requests[0];
    let (matched, neighbor) = (
        calls.accepted(request).await,
        calls.neighbor_of(request).await,
    );
    let before = calls.app.database.rows();
    let nowhere = calls.get("/v1/nowhere").await;
    let for_her = json!({"for": "neighbor"});
    let all = [
        (Method::GET, format!("/v1/requests/{request}"), None),
        (
            Method::PATCH,
            format!("/v1/requests/{request}"),
            Some(json!({"note": "Ring"})),
        ),
        (
            Method::POST,
            format!("/v1/requests/{request}/close"),
            Some(json!({})),
        ),
        (
            Method::POST,
            format!("/v1/requests/{request}/renew"),
            Some(json!({})),
        ),
        (
            Method::POST,
            format!("/v1/requests/{request}/reveal"),
            Some(json!({"reason": "call"})),
        ),
        (
            Method::POST,
            format!("/v1/neighbors/{neighbor}/requests"),
            Some(json!({"needs": [food(1)]})),
        ),
        (Method::GET, format!("/v1/neighbors/{neighbor}"), None),
        (
            Method::PATCH,
            format!("/v1/neighbors/{neighbor}"),
            Some(json!({"locale": "?"})),
        ),
        (Method::DELETE, format!("/v1/neighbors/{neighbor}"), None),
        (Method::POST, format!("/v1/neighbors/{neighbor}/hide"), None),
        (Method::POST, format!("/v1/neighbors/{neighbor}/show"), None),
        (
            Method::POST,
            format!("/v1/neighbors/{neighbor}/rotate-token"),
            None,
        ),
        (
            Method::POST,
            format!("/v1/matches/{matched}/report"),
            Some(json!({"about": "volunteer", "problem": "other"})),
        ),
        (
            Method::POST,
            format!("/v1/requests/{request}/reopen"),
            Some(json!({"for": "nobody"})),
        ),
        (
            Method::POST,
            format!("/v1/matches/{matched}/agree"),
            Some(json!({})),
        ),
        (
            Method::POST,
            format!("/v1/matches/{matched}/refuse"),
            Some(json!({})),
        ),
        (
            Method::POST,
            format!("/v1/matches/{matched}/done"),
            Some(for_her.clone()),
        ),
        (
            Method::POST,
            format!("/v1/matches/{matched}/no-show"),
            Some(for_her),
        ),
    ];
    for (method, path, body) in all {
        let answer = calls
            .app
            .call(method.clone(), &path, Some(&calls.intake), body.as_ref())
            .await;
        let seen = (answer.status, answer.bytes);
        assert_eq!(seen, (404, nowhere.bytes.clone()), "{method} {path}");
    }
    assert_eq!(calls.app.database.rows(), before, "and nothing has changed");
}

#[actix_web::test]
async fn what_is_beyond_taking_calls_is_refused() {
    let calls = Calls::new().await;
    let request = &calls.own.requests[0];
    let (matched, neighbor) = (
        calls.accepted(request).await,
        calls.neighbor_of(request).await,
    );
    let offer = &calls.ana.offers[0];
    for path in [
        format!("/v1/matches/{matched}/accept"),
        format!("/v1/matches/{matched}/decline"),
        format!("/v1/matches/{matched}/release"),
        format!("/v1/matches/{matched}/approve"),
        format!("/v1/requests/{request}/hold"),
        format!("/v1/neighbors/{neighbor}/verify"),
        format!("/v1/offers/{offer}/pause"),
        format!("/v1/offers/{offer}/reveal"),
    ] {
        assert_eq!(
            calls.post(&path, json!({})).await.problem(403),
            "scope",
            "{path}"
        );
    }
    for path in [
        "/v1/matches",
        "/v1/offers",
        "/v1/volunteers",
        "/v1/letters",
        "/v1/audit",
    ] {
        assert_eq!(calls.get(path).await.problem(403), "scope", "{path}");
    }
    let for_volunteer = json!({"for": "volunteer"});
    for what in ["done", "no-show"] {
        let path = format!("/v1/matches/{matched}/{what}");
        assert_eq!(
            calls.post(&path, for_volunteer.clone()).await.problem(403),
            "scope"
        );
    }
    let heard = json!({"about": "neighbor", "problem": "other"});
    let path = format!("/v1/matches/{matched}/report");
    assert_eq!(calls.post(&path, heard).await.problem(403), "scope");
}

#[actix_web::test]
async fn for_whom_they_entered_they_answer_change_and_close() {
    let calls = Calls::new().await;
    let request = &calls.own.requests[0];
    let (path, neighbor) = (
        format!("/v1/requests/{request}"),
        calls.neighbor_of(request).await,
    );
    let note = json!({"note": "No stairs"});
    calls.app.patch(&path, &calls.intake, &note).await.ok();
    calls.post(&format!("{path}/renew"), json!({})).await.ok();
    let matched = calls.accepted(request).await;
    let agreed = calls
        .post(&format!("/v1/matches/{matched}/agree"), json!({}))
        .await
        .ok();
    assert_eq!(agreed["agreement"], "agreed");
    let revealed = calls
        .post(&format!("{path}/reveal"), json!({"reason": "call"}))
        .await
        .ok();
    assert_eq!(revealed["caller"]["name"], "Sara Ahmed");
    let helper = &revealed["helpers"][0]["contact"];
    assert_eq!(helper["phone"], phone_of(&calls.ana.email));
    let done = calls
        .post(
            &format!("/v1/matches/{matched}/done"),
            json!({"for": "neighbor"}),
        )
        .await;
    assert_eq!(done.ok()["done_by"], "neighbor");
    let of_match = audited(&calls.app, &matched).await;
    let answered = of_match.iter().filter(|(_, of)| of == "neighbor");
    assert_eq!(
        answered.count(),
        3,
        "agreed, address released, fulfilled: {of_match:?}"
    );

    let more = format!("/v1/neighbors/{neighbor}/requests");
    let added = calls.post(&more, json!({"needs": [food(1)]})).await.ok();
    let added = added["requests"][0]["id"].as_str().expect("id");
    let close = format!("/v1/requests/{added}/close");
    let closed = calls
        .post(&close, json!({"reason": "helped_elsewhere"}))
        .await
        .ok();
    assert_eq!(closed["close_reason"], "helped_elsewhere");
}

#[actix_web::test]
async fn they_find_whom_they_entered_and_are_told_of_nobody_else() {
    let calls = Calls::new().await;
    let sara = json!({"phone": "612 555 0142"});
    let all = calls
        .app
        .post("/v1/people/find", &calls.all, &sara)
        .await
        .ok();
    assert_eq!(all["neighbors"].as_array().expect("neighbors").len(), 2);
    let found = calls.post("/v1/people/find", sara).await.ok();
    let neighbors = found["neighbors"].as_array().expect("neighbors");
    assert_eq!(neighbors.len(), 1);
    assert_eq!(neighbors[0]["requests"][0]["id"], calls.own.requests[0]);
    let ana = json!({"email": calls.ana.email});
    let found = calls.post("/v1/people/find", ana).await.ok();
    let nobody = json!({"neighbors": [], "volunteers": [], "blocked": null,
        "neighbor_blocked": null, "more": false});
    assert_eq!(found, nobody);
}

#[actix_web::test]
async fn for_whom_they_entered_they_correct_read_out_a_code_and_report() {
    let calls = Calls::new().await;
    let request = &calls.own.requests[0];
    let matched = calls.accepted(request).await;
    let neighbor = calls.neighbor_of(request).await;
    let path = format!("/v1/neighbors/{neighbor}");
    // The other desk's neighbor has the same caller; her request is none of theirs to know.
    let caller = json!({"caller": {"phone": "612 555 0177"}, "location": {"postal_code": "55408"}});
    let file = calls.app.patch(&path, &calls.intake, &caller).await.ok();
    assert_eq!(file, calls.get(&path).await.ok());
    assert!(!file.to_string().contains("0177"), "{file}");
    let reveal = format!("/v1/requests/{request}/reveal");
    let shown = calls.post(&reveal, json!({"reason": "call"})).await.ok();
    assert_eq!(shown["caller"]["phone"], "+16125550177");
    assert_eq!(shown["caller"]["name"], "Sara Ahmed", "as it was");

    let code = calls.post(&format!("{path}/rotate-token"), json!({})).await;
    let code = code.ok()["manage_token_spoken"].as_str().map(str::to_owned);
    let own = "/v1/neighbors/self";
    calls.app.get(own, &code.expect("code")).await.ok();
    assert_eq!(calls.app.get(own, &calls.own.token).await.status, 404);

    let report = format!("/v1/matches/{matched}/report");
    let heard =
        json!({"about": "volunteer", "problem": "asked_for_money", "statement": "20 dollars"});
    let parted = calls.post(&report, heard).await.ok();
    assert_eq!(parted["state"], "fell_through");
    let of_match = audited(&calls.app, &matched).await;
    assert!(
        of_match.contains(&entry("match_reported", "neighbor")),
        "{of_match:?}"
    );
    let of_her = audited(&calls.app, &neighbor).await;
    for action in ["requests_posted", "neighbor_updated", "token_rotated"] {
        assert!(of_her.contains(&entry(action, "neighbor")), "{of_her:?}");
    }
}

#[actix_web::test]
async fn a_twin_at_another_desk_is_not_theirs_to_know() {
    let calls = Calls::new().await;
    let twins = async |token: &str| {
        let path = format!("/v1/requests/{}", calls.own.requests[0]);
        calls.app.get(&path, token).await.ok()["possible_duplicates"].clone()
    };
    assert_eq!(twins(&calls.all).await, json!([calls.other.requests[0]]));
    assert_eq!(twins(&calls.intake).await, json!([]));
}
