//! Requests and sites in a coordinator's hands.

use actix_web::http::Method;
use serde_json::json;

use super::{SEALED, Town, food, post_of};
use crate::domain::lifecycle::MatchState;

#[actix_web::test]
async fn a_held_request_is_hidden_until_it_is_shown_again() {
    let town = Town::new().await;
    let (_, _, offer) = town.cook().await;
    let (_, asks) = town.neighbor(post_of(0.0, &[food()])).await;
    town.matched(&asks[0], &offer, MatchState::Notified).await;
    let path = format!("/v1/requests/{}", asks[0]);
    for _ in 0..2 {
        let held = town.press(&format!("{path}/hold")).await.ok();
        assert_eq!(
            (&held["state"], &held["held_by"]),
            (&json!("held"), &json!("coordinator"))
        );
        assert_eq!(held["matches"][0]["state"], "superseded");
    }
    for _ in 0..2 {
        let shown = town.press(&format!("{path}/unhold")).await.ok();
        assert_eq!(
            (&shown["state"], &shown["held_by"]),
            (&json!("open"), &json!(null))
        );
    }
}

#[actix_web::test]
async fn what_a_neighbor_has_hidden_only_she_shows_again() {
    let town = Town::new().await;
    let (token, asks) = town.neighbor(post_of(0.0, &[food()])).await;
    let hide = "/v1/neighbors/self/hide";
    town.call(Method::POST, hide, Some(&token), None, None)
        .await
        .ok();
    let path = format!("/v1/requests/{}/unhold", asks[0]);
    assert_eq!(town.press(&path).await.problem(409), "not-possible");
}

#[actix_web::test]
async fn one_address_serves_neighbor_and_coordinator_each_with_their_own_view() {
    let town = Town::new().await;
    let (_, _, offer) = town.cook().await;
    let (token, asks) = town.neighbor(post_of(0.0, &[food()])).await;
    town.matched(&asks[0], &offer, MatchState::Notified).await;
    let path = format!("/v1/requests/{}", asks[0]);
    let hers = town
        .call(Method::GET, &path, Some(&token), None, None)
        .await
        .ok();
    assert_eq!(hers["note"], "No stairs");
    assert_eq!(hers["matches"], json!([]), "asks are not hers to see");
    let theirs = town.get(&path).await.ok();
    assert_eq!(theirs["matches"][0]["state"], "notified");
    assert_eq!(theirs["neighbor"]["languages"], json!(["so", "en"]));
    assert!(theirs.get("note").is_none() && theirs.get("private_note").is_none());
}

#[actix_web::test]
async fn a_coordinator_corrects_and_closes_a_request() {
    let town = Town::new().await;
    let (token, asks) = town.neighbor(post_of(0.0, &[food()])).await;
    let path = format!("/v1/requests/{}", asks[0]);
    let patch = json!({"quantity": 6, "note": "Ground floor"});
    let call = |body| {
        let token = Some(town.token.as_str());
        (Method::PATCH, path.as_str(), token, Some(body), None)
    };
    let (method, at, by, body, key) = call(&patch);
    let changed = town.call(method, at, by, body, key).await.ok();
    assert_eq!(changed["quantity"], 6);
    assert!(!changed.to_string().contains("Ground floor"));
    let hers = town
        .call(Method::GET, &path, Some(&token), None, None)
        .await
        .ok();
    assert_eq!(
        (&hers["note"], &hers["private_note"]),
        (&json!("Ground floor"), &json!("In the cellar"))
    );
    let wrong = json!({"quantity": 0});
    let (method, at, by, body, key) = call(&wrong);
    assert_eq!(
        town.call(method, at, by, body, key).await.error().0,
        "/quantity"
    );
    for _ in 0..2 {
        let body = json!({"reason": "unreachable"});
        let closed = town.post(&format!("{path}/close"), body).await.ok();
        assert_eq!(closed["close_reason"], "unreachable");
    }
    let (method, at, by, body, key) = call(&patch);
    assert_eq!(
        town.call(method, at, by, body, key).await.problem(409),
        "not-possible"
    );
}

#[actix_web::test]
async fn a_site_is_listed_when_checked_and_never_a_blocked_volunteers() {
    let town = Town::new().await;
    let site = json!({"category": "warming_space", "capacity": 30,
        "site": {"title": "Corner Books", "address": "1 Public Ave"}});
    let (volunteer, token, offer) = town.volunteer(site).await;
    let path = format!("/v1/offers/{offer}");
    assert!(
        !town.get(&path).await.ok().to_string().contains("Corner"),
        "sealed until listed"
    );
    for _ in 0..2 {
        let listed = town.press(&format!("{path}/list")).await.ok();
        assert_eq!(listed["listed"]["title"], "Corner Books");
    }
    let off = town.press(&format!("{path}/unlist")).await.ok();
    assert_eq!((&off["listed"], &off["site"]), (&json!(null), &json!(true)));
    town.press(&format!("{path}/list")).await.ok();
    town.press(&format!("/v1/volunteers/{volunteer}/block"))
        .await
        .ok();
    assert_eq!(town.get(&path).await.ok()["listed"], json!(null));
    assert_eq!(
        town.press(&format!("{path}/list")).await.problem(409),
        "not-possible"
    );
    let hers = town
        .call(Method::GET, &path, Some(&token), None, None)
        .await
        .ok();
    assert_eq!(hers["site"]["title"], "Corner Books");
    let (_, _, soup) = town.cook().await;
    let none = town.press(&format!("/v1/offers/{soup}/list")).await;
    assert_eq!(
        none.problem(409),
        "not-possible",
        "the same volunteer, still blocked"
    );
}

#[actix_web::test]
async fn reads_show_nothing_that_is_sealed() {
    let town = Town::new().await;
    let (volunteer, _, offer) = town.cook().await;
    let (_, asks) = town.neighbor(post_of(0.0, &[food()])).await;
    let matched = town.matched(&asks[0], &offer, MatchState::Proposed).await;
    let letters = town.get("/v1/letters").await.ok();
    let letter = letters["items"][0]["id"].as_str().unwrap().to_owned();
    for path in [
        "/v1/matches".to_owned(),
        format!("/v1/matches/{matched}"),
        "/v1/requests".to_owned(),
        format!("/v1/requests/{}", asks[0]),
        "/v1/offers".to_owned(),
        format!("/v1/offers/{offer}"),
        "/v1/volunteers".to_owned(),
        format!("/v1/volunteers/{volunteer}"),
        "/v1/letters".to_owned(),
        format!("/v1/letters/{letter}"),
    ] {
        let shown = town.get(&path).await.ok().to_string();
        for word in SEALED {
            assert!(!shown.contains(word), "{word} in {path}: {shown}");
        }
    }
}
