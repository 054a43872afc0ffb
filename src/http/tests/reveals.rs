//! What is sealed is shown for a reason, and every look is in the audit.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{Answer, Town, food, ids, post_of, text};
use crate::storage::coordinators::Scope;

#[actix_web::test]
async fn a_reason_opens_what_is_sealed() {
    let town = Town::new().await;
    let (volunteer, _, offer) = town.cook().await;
    let (_, asks) = town.neighbor(post_of(0.0, &[food()])).await;
    let reason = json!({"reason": "call"});
    let path = format!("/v1/requests/{}/reveal", asks[0]);
    let request = town.post(&path, reason.clone()).await.ok();
    assert_eq!(request["contact"]["phone"], "+16125550123");
    assert_eq!(request["location"]["address"], "2410 Secret Ave");
    assert_eq!(request["private_note"], "In the cellar");
    let path = format!("/v1/offers/{offer}/reveal");
    let offer = town.post(&path, reason.clone()).await.ok();
    assert_eq!(
        (&offer["contact"]["email"], &offer["note"]),
        (&json!("ana@example.org"), &json!("Ring the bell"))
    );
    let path = format!("/v1/volunteers/{volunteer}/reveal");
    let volunteer = town.post(&path, reason).await.ok();
    assert_eq!(volunteer["contact"]["name"], "Ana Alvarez");
}

#[actix_web::test]
async fn no_reason_no_look() {
    let town = Town::new().await;
    let (id, _, _) = town.cook().await;
    let path = format!("/v1/volunteers/{id}/reveal");
    assert_eq!(town.press(&path).await.error(), ("/reason", "is required"));
    let curious = town.post(&path, json!({"reason": "curiosity"})).await;
    let (pointer, allowed) = curious.error();
    assert_eq!(pointer, "/reason");
    assert!(
        allowed.contains("call") && allowed.contains("own_wish"),
        "{allowed}"
    );
    assert!(!curious.body.to_string().contains("curiosity"));
}

async fn audit(town: &Town, admin: &str, query: &str) -> Answer {
    let path = format!("/v1/audit?{query}");
    town.call(Method::GET, &path, Some(admin), None, None).await
}

fn seqs(listing: &Value) -> Vec<i64> {
    let items = listing["items"].as_array().unwrap();
    items.iter().map(|i| i["seq"].as_i64().unwrap()).collect()
}

#[actix_web::test]
async fn every_look_is_in_the_audit_and_there_are_only_so_many_an_hour() {
    let town = Town::new().await;
    let (_, admin) = town.coordinator(Scope::Admin).await;
    let (other, token) = town.coordinator(Scope::Coordinator).await;
    let (id, _, _) = town.cook().await;
    let path = format!("/v1/volunteers/{id}/reveal");
    let reason = json!({"reason": "vetting"});
    for _ in 0..60 {
        town.post(&path, reason.clone()).await.ok();
    }
    let refused = town.post(&path, reason.clone()).await;
    assert_eq!(refused.problem(429), "too-many-reveals");
    assert!(refused.retry_after.is_some());
    town.call(Method::POST, &path, Some(&token), Some(&reason), None)
        .await
        .ok();
    let query = format!("action=revealed&actor={other}");
    let looks = audit(&town, &admin, &query).await.ok();
    assert_eq!(seqs(&looks).len(), 1);
    let look = &looks["items"][0];
    assert_eq!(look["detail"], json!({"reason": "vetting"}));
    assert_eq!(look["subject"], json!({"kind": "volunteer", "id": id}));
    assert_eq!(look["actor"], json!({"kind": "coordinator", "id": other}));
    town.clock.advance(Duration::from_secs(3600));
    town.post(&path, reason).await.ok();
}

#[actix_web::test]
async fn the_audit_is_read_page_by_page_while_it_grows() {
    let town = Town::new().await;
    let (_, admin) = town.coordinator(Scope::Admin).await;
    let (id, _, _) = town.cook().await;
    let path = format!("/v1/volunteers/{id}/reveal");
    for _ in 0..7 {
        town.post(&path, json!({"reason": "call"})).await.ok();
    }
    let query = format!("subject={id}&action=revealed&limit=3");
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = audit(&town, &admin, &format!("{query}{cursor}")).await.ok();
        seen.extend(seqs(&page));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
        town.post(&path, json!({"reason": "call"})).await.ok();
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    let unbound = audit(&town, &admin, &format!("action=revealed{cursor}")).await;
    assert_eq!(unbound.error().0, "cursor");
    let wrong = audit(&town, &admin, "action=Drop%20table").await;
    assert_eq!(wrong.error().0, "action");
    let kinds = audit(&town, &admin, "action=offers_confirmed").await.ok();
    assert_eq!(text(&kinds["items"][0]["actor"]["kind"]), "volunteer");
    assert_eq!(ids(&json!({"items": []})).len(), 0);
}
