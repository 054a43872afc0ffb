//! Vetting and blocking.

use std::time::Duration;

use serde_json::json;

use super::{Town, food, ids, post_of, text};
use crate::domain::lifecycle::MatchState;

const DAY: Duration = Duration::from_secs(86_400);

#[actix_web::test]
async fn a_volunteer_is_vetted_for_a_year_or_until_a_day() {
    let town = Town::new().await;
    let (id, _, _) = town.cook().await;
    let path = format!("/v1/volunteers/{id}");
    let year = town.press(&format!("{path}/vet")).await.ok();
    assert_eq!(year["vetted_until"], "2027-12-07T18:00:00Z");
    let until = json!({"until": "2026-12-31T00:00:00Z"});
    for _ in 0..2 {
        let day = town.post(&format!("{path}/vet"), until.clone()).await.ok();
        assert_eq!(day["vetted_until"], "2026-12-31T00:00:00Z");
    }
    let vetted = || town.get("/v1/volunteers?vetted=true&confirmed=true");
    assert_eq!(ids(&vetted().await.ok()), [id.to_string()]);
    town.clock.advance(DAY * 30);
    assert_eq!(ids(&vetted().await.ok()).len(), 0);
    assert_eq!(
        ids(&town.get("/v1/volunteers?vetted=false").await.ok()).len(),
        1
    );
    for _ in 0..2 {
        let none = town.press(&format!("{path}/unvet")).await.ok();
        assert_eq!(none["vetted_until"], json!(null));
    }
}

#[actix_web::test]
async fn a_vetting_ends_in_the_future_and_within_five_years() {
    let town = Town::new().await;
    let (id, _, _) = town.cook().await;
    let path = format!("/v1/volunteers/{id}/vet");
    for (until, why) in [
        ("2026-12-07T18:00:00Z", "is in the past"),
        ("2099-01-01T00:00:00Z", "must be within five years"),
        (
            "tomorrow",
            "must be an instant such as 2026-12-01T18:00:00Z",
        ),
    ] {
        let answer = town.post(&path, json!({ "until": until })).await;
        assert_eq!(answer.error(), ("/until", why));
    }
    assert_eq!(town.post(&path, json!({"for": 7})).await.error().0, "/for");
    assert_eq!(
        town.press("/v1/volunteers/self/vet").await.problem(404),
        "not-found"
    );
}

#[actix_web::test]
async fn a_blocked_volunteer_is_asked_no_more() {
    let town = Town::new().await;
    let (id, _, offer) = town.cook().await;
    let (_, asks) = town.neighbor(post_of(0.0, &[food()])).await;
    let matched = town.matched(&asks[0], &offer, MatchState::Notified).await;
    let path = format!("/v1/volunteers/{id}");
    let blocked = town.press(&format!("{path}/block")).await.ok();
    let since = text(&blocked["blocked_at"]).to_owned();
    town.clock.advance(DAY);
    let again = town.press(&format!("{path}/block")).await.ok();
    assert_eq!(text(&again["blocked_at"]), since);
    let matched = town.get(&format!("/v1/matches/{matched}")).await.ok();
    assert_eq!(
        (&matched["state"], &matched["volunteer"]["blocked"]),
        (&json!("superseded"), &json!(true))
    );
    let list = |query: &str| format!("/v1/volunteers?{query}");
    assert_eq!(
        ids(&town.get(&list("blocked=true")).await.ok()),
        [id.to_string()]
    );
    for _ in 0..2 {
        let free = town.press(&format!("{path}/unblock")).await.ok();
        assert_eq!(free["blocked_at"], json!(null));
    }
    assert_eq!(ids(&town.get(&list("blocked=true")).await.ok()).len(), 0);
}

#[actix_web::test]
async fn a_volunteer_comes_with_what_she_offers_and_the_erased_are_gone() {
    let town = Town::new().await;
    let (id, token, offer) = town.cook().await;
    let path = format!("/v1/volunteers/{id}");
    let file = town.get(&path).await.ok();
    assert_eq!(file["offers"][0]["id"], json!(offer));
    assert_eq!(file["offers"][0]["volunteer"]["id"], json!(id));
    let own = "/v1/volunteers/self";
    let method = actix_web::http::Method::DELETE;
    assert_eq!(
        town.call(method, own, Some(&token), None, None)
            .await
            .status,
        204
    );
    assert_eq!(town.get(&path).await.problem(404), "not-found");
    assert_eq!(
        town.press(&format!("{path}/vet")).await.problem(404),
        "not-found"
    );
    assert_eq!(ids(&town.get("/v1/volunteers").await.ok()).len(), 0);
}
