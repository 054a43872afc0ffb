//! Who may call what coordinators call.

use actix_web::http::Method;
use serde_json::json;

use super::{Town, food, post_of};
use crate::crypto::token::Purpose;
use crate::domain::ids::MatchId;
use crate::http::openapi::openapi_json;
use crate::storage::coordinators::Scope;

const NOBODY: &str = "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a";

/// Every documented call of coordinators, with an id that nobody has, and whether the scope `intake` is
/// enough.
fn calls() -> Vec<(Method, String, bool)> {
    let document: serde_json::Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut calls = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let tags = operation["tags"].as_array().unwrap();
            if tags.contains(&json!("coordinator")) {
                let method = method.to_uppercase().parse().unwrap();
                let doors = operation["security"].as_array().unwrap();
                let intake = doors.contains(&json!({"coordinator": ["intake"]}));
                calls.push((
                    method,
                    path.replace("{id}", NOBODY).replace("{what}", "requests"),
                    intake,
                ));
            }
        }
    }
    assert!(calls.len() > 25, "{calls:?}");
    calls
}

#[actix_web::test]
async fn no_token_is_401_too_small_a_scope_403_and_any_other_token_the_one_404() {
    let town = Town::new().await;
    let (neighbor, _) = town.neighbor(post_of(0.0, &[food()])).await;
    let (volunteer, token, _) = town.cook().await;
    let entropy = town.ctx.entropy.as_ref();
    let others = [
        neighbor,
        token,
        town.mint(Purpose::Confirm, volunteer).await,
        town.mint(Purpose::Answer, MatchId::new(entropy)).await,
        town.mint(Purpose::Unsubscribe, volunteer).await,
        "mhc_00000000000000000000000000".to_owned(),
        "nonsense".to_owned(),
    ];
    let (_, intake) = town.coordinator(Scope::Intake).await;
    let unknown = town.get("/v1/nowhere").await.bytes;
    for (method, path, is_for_intake) in calls() {
        let call = |token| town.call(method.clone(), &path, token, None, None);
        assert_eq!(call(None).await.problem(401), "no-token", "{method} {path}");
        let theirs = call(Some(&intake)).await;
        assert_eq!(theirs.status == 403, !is_for_intake, "{method} {path}");
        if !is_for_intake {
            assert_eq!(theirs.problem(403), "scope", "{method} {path}");
        }
        for other in &others {
            let answer = call(Some(other)).await;
            assert_eq!(
                (answer.status, &answer.bytes),
                (404, &unknown),
                "{method} {path}"
            );
        }
    }
}

#[actix_web::test]
async fn audit_and_wiping_are_for_administrators_and_the_rest_for_coordinators_too() {
    let town = Town::new().await;
    let (_, admin) = town.coordinator(Scope::Admin).await;
    let unknown = town.get("/v1/nowhere").await.bytes;
    for (method, path, _) in calls() {
        let call = |token| town.call(method.clone(), &path, token, None, None);
        let (theirs, admins) = (call(Some(&town.token)).await, call(Some(&admin)).await);
        match (&method, path.contains(NOBODY), path.as_str()) {
            (_, _, "/v1/audit" | "/v1/wipe-closed") => {
                assert_eq!((theirs.status, admins.status), (403, 200));
            }
            (&Method::POST, _, "/v1/exports/requests") => {
                assert_eq!((theirs.status, admins.status), (403, 422));
            }
            (&Method::GET, false, _) => {
                assert_eq!((theirs.status, admins.status), (200, 200), "{path}");
            }
            // What is wrong with the body comes first where there is one.
            _ if matches!(theirs.status, 400 | 422) => {
                assert_eq!(admins.status, theirs.status, "{path}");
            }
            _ => {
                assert_eq!((theirs.status, &theirs.bytes), (404, &unknown), "{path}");
                assert_eq!(admins.bytes, unknown, "{path}");
            }
        }
    }
}

#[actix_web::test]
async fn a_revoked_coordinator_is_nobody() {
    let town = Town::new().await;
    let (id, token) = town.coordinator(Scope::Admin).await;
    let now = town.ctx.now();
    town.write(move |conn| Ok(crate::storage::coordinators::revoke(conn, id, now)?))
        .await;
    let answer = town
        .call(Method::GET, "/v1/matches", Some(&token), None, None)
        .await;
    assert_eq!(answer.problem(404), "not-found");
}
