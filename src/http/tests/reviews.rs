//! Proposals are approved or vetoed, and two are brought together by hand.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{Answer, Town, food, ids, post_of, text};
use crate::domain::lifecycle::MatchState;

/// A request and an offer that fit, and a proposal of the two.
async fn proposal(town: &Town) -> (String, String) {
    let (_, _, offer) = town.cook().await;
    let (_, asks) = town.neighbor(post_of(0.0, &[food()])).await;
    let id = town.matched(&asks[0], &offer, MatchState::Proposed).await;
    (format!("/v1/matches/{id}"), asks[0].clone())
}

#[actix_web::test]
async fn an_approved_match_is_asked_once() {
    let town = Town::new().await;
    let (path, _) = proposal(&town).await;
    let before = town.get(&path).await.ok();
    assert_eq!(before["can"], json!(["approve", "veto", "reassign"]));
    assert_eq!(before["request"]["category"], "food");
    assert_eq!(before["volunteer"]["blocked"], false);
    for _ in 0..2 {
        let now = town.press(&format!("{path}/approve")).await.ok();
        assert_eq!(
            (text(&now["state"]), &now["can"]),
            (
                "notified",
                &json!(["veto", "accept", "decline", "reassign"])
            )
        );
    }
    let asked = format!("/v1/letters?kind=asked&match={}", text(&before["id"]));
    assert_eq!(ids(&town.get(&asked).await.ok()).len(), 1, "one letter");
}

#[actix_web::test]
async fn a_vetoed_match_stays_so() {
    let town = Town::new().await;
    let (path, _) = proposal(&town).await;
    for _ in 0..2 {
        let now = town.press(&format!("{path}/veto")).await.ok();
        assert_eq!((text(&now["state"]), &now["can"]), ("vetoed", &json!([])));
    }
    let late = town.press(&format!("{path}/approve")).await;
    assert_eq!(late.problem(409), "not-possible");
}

#[actix_web::test]
async fn nothing_is_approved_while_the_request_is_hidden() {
    let town = Town::new().await;
    let (path, request) = proposal(&town).await;
    town.press(&format!("/v1/requests/{request}/hold"))
        .await
        .ok();
    assert_eq!(town.get(&path).await.ok()["state"], "superseded");
    let refused = town.press(&format!("{path}/approve")).await;
    assert_eq!(refused.problem(409), "not-possible");
}

async fn by_hand(town: &Town, body: &Value, key: Option<&str>) -> Answer {
    let token = Some(town.token.as_str());
    town.call(Method::POST, "/v1/matches", token, Some(body), key)
        .await
}

#[actix_web::test]
async fn a_match_by_hand_is_made_once_under_its_key() {
    let town = Town::new().await;
    let (_, _, offer) = town.cook().await;
    let (_, asks) = town.neighbor(post_of(0.0, &[food(), food()])).await;
    let pair = json!({"request": asks[0], "offer": offer});
    let made = by_hand(&town, &pair, Some("k")).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert_eq!(made.body["by_hand"], true);
    assert_eq!(made.body["state"], "notified");
    let again = by_hand(&town, &pair, Some("k")).await;
    assert_eq!((again.status, &again.body), (201, &made.body));
    let other = json!({"request": asks[1], "offer": offer});
    assert_eq!(
        by_hand(&town, &other, Some("k")).await.problem(422),
        "key-reused"
    );
    assert_eq!(by_hand(&town, &pair, None).await.problem(409), "pair-taken");
    assert_eq!(ids(&town.get("/v1/matches").await.ok()).len(), 1);
    assert_eq!(ids(&town.get("/v1/letters?kind=asked").await.ok()).len(), 1);
    let file = town.get(&format!("/v1/requests/{}", asks[0])).await.ok();
    assert_eq!(file["matches"], json!([made.body]));
}

#[actix_web::test]
async fn a_refused_match_by_hand_does_not_use_its_key_up() {
    let town = Town::new().await;
    let (_, token, offer) = town.cook().await;
    let (_, asks) = town.neighbor(post_of(0.0, &[food()])).await;
    let pair = json!({"request": asks[0], "offer": offer});
    let turn = |to: &str| format!("/v1/offers/{offer}/{to}");
    town.call(Method::POST, &turn("pause"), Some(&token), None, None)
        .await
        .ok();
    assert_eq!(
        by_hand(&town, &pair, Some("k")).await.problem(409),
        "does-not-fit"
    );
    town.call(Method::POST, &turn("resume"), Some(&token), None, None)
        .await
        .ok();
    assert_eq!(by_hand(&town, &pair, Some("k")).await.status, 201);
}

#[actix_web::test]
async fn what_cannot_be_brought_together_is_told_apart() {
    let town = Town::new().await;
    let (_, _, offer) = town.cook().await;
    let tow = json!({"category": "towing", "quantity": 1});
    let (_, asks) = town.neighbor(post_of(0.0, &[food(), tow, food()])).await;
    let nobody = "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a";
    let pair = |request: &str, offer: &str| json!({"request": request, "offer": offer});
    assert_eq!(
        by_hand(&town, &pair(&asks[1], &offer), None)
            .await
            .problem(409),
        "does-not-fit"
    );
    assert_eq!(
        by_hand(&town, &pair(nobody, &offer), None)
            .await
            .problem(404),
        "not-found"
    );
    assert_eq!(
        by_hand(&town, &pair(&asks[0], nobody), None)
            .await
            .problem(404),
        "not-found"
    );
    let vetoed = town.matched(&asks[0], &offer, MatchState::Proposed).await;
    town.press(&format!("/v1/matches/{vetoed}/veto")).await.ok();
    assert_eq!(
        by_hand(&town, &pair(&asks[0], &offer), None)
            .await
            .problem(409),
        "pair-taken"
    );
    let why = json!({"reason": "not_needed"});
    town.post(&format!("/v1/requests/{}/close", asks[2]), why)
        .await
        .ok();
    assert_eq!(
        by_hand(&town, &pair(&asks[2], &offer), None)
            .await
            .problem(409),
        "not-possible"
    );
    let wrong = by_hand(&town, &json!({"request": 5, "volunteer": "x"}), None).await;
    let pointers: Vec<&str> = wrong.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| text(&e["pointer"]))
        .collect();
    assert_eq!((wrong.problem(422), pointers.len()), ("invalid", 3));
    for pointer in ["/request", "/offer", "/volunteer"] {
        assert!(pointers.contains(&pointer), "{pointer} in {pointers:?}");
    }
}

#[actix_web::test]
async fn the_volunteers_own_address_comes_first() {
    use crate::crypto::token::Purpose;
    use crate::domain::ids::MatchId;
    let town = Town::new().await;
    let (_, _, offer) = town.cook().await;
    let (_, asks) = town.neighbor(post_of(0.0, &[food()])).await;
    let id = town.matched(&asks[0], &offer, MatchState::Notified).await;
    let answer = town
        .mint(Purpose::Answer, id.parse::<MatchId>().unwrap())
        .await;
    town.clock.advance(Duration::from_secs(1));
    let path = "/v1/matches/self";
    let seen = town
        .call(Method::GET, path, Some(&answer), None, None)
        .await
        .ok();
    assert_eq!(seen["id"], json!(id));
    let decline = "/v1/matches/self/decline";
    let said = town
        .call(Method::POST, decline, Some(&answer), None, None)
        .await
        .ok();
    assert_eq!(said["state"], "declined");
    assert_eq!(town.get(path).await.problem(404), "not-found");
}
