//! Whoever calls has her needs entered, is known from then on, and gets what people have who write: more,
//! a rest, another code.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use super::phone::{audited, entry, through_sara};
use crate::support::TestApp;
use crate::support::people::{food, post_of, with};

#[actix_web::test]
async fn she_calls_again_for_more_and_says_that_it_is_still_needed() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let halima = app.entered_by(&token, through_sara(&[food(4)])).await;
    let file = app
        .get(&format!("/v1/requests/{}", halima.requests[0]), &token)
        .await
        .ok();
    let id = file["neighbor"]["id"].as_str().expect("id");
    let path = format!("/v1/neighbors/{id}/requests");
    let body = serde_json::to_vec(&json!({"needs": [food(2)]})).expect("json");
    let key = [("Idempotency-Key", "again")];
    let mut made = Vec::new();
    for _ in 0..2 {
        let added = app
            .raw(Method::POST, &path, Some(&token), Some(body.clone()), &key)
            .await;
        assert_eq!(added.status, 201);
        made.push(added.body["requests"][0]["id"].clone());
    }
    assert_eq!(made[0], made[1]);
    let posted = entry("requests_posted", "neighbor");
    assert_eq!(
        audited(&app, id)
            .await
            .iter()
            .filter(|e| **e == posted)
            .count(),
        2,
        "what she called for first, and once for more"
    );

    let renew = format!("/v1/requests/{}/renew", halima.requests[0]);
    let until = json!({"until": "2026-12-10T18:00:00Z"});
    let renewed = app.post(&renew, &token, &until).await.ok();
    assert_eq!(renewed["needed"]["until"], until["until"]);
    assert_eq!(renewed["neighbor"]["id"], id, "the coordinators' view");
    let of_request = audited(&app, &halima.requests[0]).await;
    assert!(
        of_request.contains(&entry("request_renewed", "neighbor")),
        "{of_request:?}"
    );
}

#[actix_web::test]
async fn whoever_enters_a_post_says_how_far_they_know_her_and_nobody_else_can() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let visit = json!({"category": "pet_care", "quantity": 1, "handover": "home"});
    for (said, attention) in [
        (json!({}), Value::Null),
        (json!({"verified": "vouched"}), Value::Null),
        (json!({"verified": "none"}), json!("call_back")),
    ] {
        let body = with(through_sara(std::slice::from_ref(&visit)), said.clone());
        let entered = app.entered_by(&token, body).await;
        assert_eq!(
            entered.posted["requests"][0]["progress"]["attention"],
            attention
        );
        let seen = app.get("/v1/neighbors/self", &entered.token).await.ok();
        let known = said["verified"].as_str().unwrap_or("called");
        assert_eq!(seen["verified"], known);
    }
    let said = json!({"verified": "called", "contact": {"name": "Mo"}});
    let said = with(post_of(&[food(1)]), said);
    let alone = app
        .call(Method::POST, "/v1/requests", None, Some(&said))
        .await;
    assert_eq!(
        (alone.status, alone.pointers()),
        (422, vec!["/contact".to_owned(), "/verified".to_owned()])
    );
    let proved = with(post_of(&[food(1)]), json!({"verified": "email"}));
    let proved = app.post("/v1/requests", &token, &proved).await;
    assert_eq!(
        proved.pointers(),
        ["/verified"],
        "only a letter can prove that"
    );
    let own = app.neighbor(&[food(1)]).await;
    assert_eq!(own.posted["manage_token_spoken"], Value::Null);
}

#[actix_web::test]
async fn one_way_to_be_reached_is_enough_hers_or_the_callers() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let post = |more: Value| with(through_sara(&[food(1)]), more);
    let call = async |body: Value| app.post("/v1/requests", &token, &body).await;
    let none = call(post(json!({"caller": null}))).await;
    assert_eq!(none.pointers(), ["/contact"]);
    let silent = call(post(json!({"caller": {"name": "Sara"}}))).await;
    assert_eq!(silent.pointers(), ["/caller"]);
    let missing = call(post(json!({"caller": null, "contact": null}))).await;
    assert_eq!(missing.pointers(), ["/contact"]);
    let both = call(post(
        json!({"contact": {"phone": "12"}, "caller": {"phone": "12"}}),
    ))
    .await;
    let wrong = [
        "/caller/name",
        "/caller/phone",
        "/contact/name",
        "/contact/phone",
    ];
    assert_eq!(both.pointers(), wrong);

    let walked_in = app.entered_by(&token, post(json!({"contact": null}))).await;
    let seen = app.get("/v1/neighbors/self", &walked_in.token).await.ok();
    assert_eq!(
        seen["contact"]["name"], "Sara Ahmed",
        "there is no other name"
    );
    let renamed = json!({"contact": {"name": "Halima"}});
    let renamed = app
        .patch("/v1/neighbors/self", &walked_in.token, &renamed)
        .await
        .ok();
    assert_eq!(renamed["contact"]["name"], "Halima");
    let own = app.neighbor(&[food(1)]).await;
    let nameless = json!({"contact": {"phone": null, "email": null}});
    let unreachable = app.patch("/v1/neighbors/self", &own.token, &nameless).await;
    assert_eq!(unreachable.pointers(), ["/contact"]);
}

#[actix_web::test]
async fn a_volunteer_rests_and_comes_back_by_phone() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let meals = json!({"category": "food", "capacity": 20});
    let ana = app.volunteer("ana@example.org", &[meals]).await;
    let (offer, nothing) = (&ana.offers[0], json!({}));
    let own = app.get("/v1/volunteers/self", &ana.token).await.ok();
    let id = own["id"].as_str().expect("id");
    for (what, state) in [
        ("pause", "paused"),
        ("resume", "open"),
        ("renew", "open"),
        ("close", "closed"),
    ] {
        let path = format!("/v1/offers/{offer}/{what}");
        for _ in 0..2 {
            let said = app.post(&path, &token, &nothing).await.ok();
            assert_eq!(
                (&said["state"], &said["volunteer"]["id"]),
                (&json!(state), &json!(id))
            );
        }
    }
    for (what, rests) in [("pause", true), ("resume", false)] {
        let path = format!("/v1/volunteers/{id}/{what}");
        for _ in 0..2 {
            let said = app.post(&path, &token, &nothing).await.ok();
            assert_eq!(!said["paused_at"].is_null(), rests);
        }
    }
    let of_offer = audited(&app, offer).await;
    let by_phone: Vec<_> = of_offer
        .iter()
        .filter(|(_, of)| of == "volunteer")
        .collect();
    assert_eq!(by_phone.len(), 5, "{of_offer:?}");
    let of_volunteer = audited(&app, id).await;
    let rests = entry("volunteer_paused", "volunteer");
    assert_eq!(of_volunteer.iter().filter(|e| **e == rests).count(), 2);
    app.post("/v1/volunteers/self/pause", &ana.token, &nothing)
        .await
        .ok();
    let own = entry("volunteer_paused", Value::Null);
    assert_eq!(audited(&app, id).await.pop(), Some(own));
}

#[actix_web::test]
async fn who_has_lost_the_code_gets_another_and_the_old_one_ends() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let meals = json!({"category": "food", "capacity": 20});
    let ana = app.volunteer("ana@example.org", &[meals]).await;
    let mo = app.neighbor(&[food(4)]).await;
    for (kind, old, side) in [
        ("neighbors", &mo.token, "neighbor"),
        ("volunteers", &ana.token, "volunteer"),
    ] {
        let own = format!("/v1/{kind}/self");
        let id = app.get(&own, old).await.ok()["id"]
            .as_str()
            .expect("id")
            .to_owned();
        let path = format!("/v1/{kind}/{id}/rotate-token");
        let new = app.post(&path, &token, &json!({})).await.ok();
        assert_eq!(app.get(&own, old).await.status, 404);
        let (code, spoken) = (&new["manage_token"], &new["manage_token_spoken"]);
        for code in [code, spoken] {
            app.get(&own, code.as_str().expect("code")).await.ok();
        }
        assert!(
            audited(&app, &id)
                .await
                .contains(&entry("token_rotated", side))
        );
    }
}

#[actix_web::test]
async fn a_coordinator_who_knows_her_says_so_and_takes_it_back() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let pets = json!({"category": "pet_care", "capacity": 2});
    let ana = app.volunteer("ana@example.org", &[pets]).await;
    let visit =
        json!({"category": "pet_care", "quantity": 1, "urgency": "now", "handover": "home"});
    let mo = app.neighbor(&[visit]).await;
    app.settle().await;
    assert_eq!(
        app.request(&mo, 0).await["progress"]["attention"],
        "call_back"
    );
    let id = app.get("/v1/neighbors/self", &mo.token).await.ok()["id"]
        .as_str()
        .expect("id")
        .to_owned();
    let verify = format!("/v1/neighbors/{id}/verify");
    let odd = app.post(&verify, &token, &json!({"how": "email"})).await;
    assert_eq!(odd.pointers(), ["/how"]);
    for how in ["called", "vouched", "vouched"] {
        let seen = app.post(&verify, &token, &json!({"how": how})).await.ok();
        assert_eq!((&seen["verified"], &seen["id"]), (&json!(how), &json!(id)));
    }
    app.settle().await;
    assert!(app.find_letter(&ana.email, "mha_").is_some(), "matched now");
    let task = "/v1/tasks?state=open&kind=call";
    assert_eq!(app.get(task, &token).await.ok()["items"], json!([]));
    let unverify = format!("/v1/neighbors/{id}/unverify");
    for _ in 0..2 {
        let seen = app.post(&unverify, &token, &json!({})).await.ok();
        assert_eq!(seen["verified"], "none");
    }
    assert_eq!(
        app.request(&mo, 0).await["progress"]["attention"],
        "call_back"
    );
    let all = audited(&app, &id).await;
    let count = |action: &str| all.iter().filter(|(a, _)| a == action).count();
    assert_eq!(
        (count("neighbor_verified"), count("neighbor_unverified")),
        (2, 1)
    );
}
