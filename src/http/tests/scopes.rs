//! Who may call what coordinators call.

use actix_web::http::Method;
use serde_json::json;

use super::{Town, food, post_of};
use crate::crypto::token::Purpose;
use crate::domain::ids::MatchId;
use crate::http::openapi::openapi_json;
use crate::storage::coordinators::Scope;

const NOBODY: &str = "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a";

/// Every documented call of coordinators, with an id that nobody has, and the least scope it takes.
fn calls() -> Vec<(Method, String, Scope)> {
    let document: serde_json::Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut calls = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let tags = operation["tags"].as_array().unwrap();
            if tags.contains(&json!("coordinator")) {
                let method = method.to_uppercase().parse().unwrap();
                let doors = operation["security"].as_array().unwrap();
                let asks = |scope: &str| doors.contains(&json!({"coordinator": [scope]}));
                let least = match () {
                    () if asks("intake") => Scope::Intake,
                    () if asks("admin") => Scope::Admin,
                    () => Scope::Coordinator,
                };
                calls.push((
                    method,
                    path.replace("{id}", NOBODY)
                        .replace("{other}", NOBODY)
                        .replace("{what}", "requests"),
                    least,
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
    for (method, path, least) in calls() {
        let is_for_intake = least == Scope::Intake;
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
async fn what_is_for_administrators_is_closed_to_coordinators_and_the_rest_open_to_them() {
    let town = Town::new().await;
    let (_, admin) = town.coordinator(Scope::Admin).await;
    let unknown = town.get("/v1/nowhere").await.bytes;
    for (method, path, least) in calls() {
        // A patch says something, at least that nothing changes.
        let body = (method == Method::PATCH).then(|| json!({}));
        let call = |token| town.call(method.clone(), &path, token, body.as_ref(), None);
        let (theirs, admins) = (call(Some(&town.token)).await, call(Some(&admin)).await);
        if least == Scope::Admin {
            assert_eq!(theirs.problem(403), "scope", "{method} {path}");
        }
        match (&method, path.contains(NOBODY)) {
            (&Method::GET | &Method::POST, false) if least == Scope::Admin => {
                let opened = matches!(admins.status, 200 | 400 | 422);
                assert!(opened, "{method} {path}: {}", admins.status);
            }
            (_, true) if least == Scope::Admin => {
                assert_eq!(admins.bytes, unknown, "{method} {path}");
            }
            (&Method::GET, false) => {
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
