//! Somebody calls, and is found by what they gave, whatever else is known of them stays sealed.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use super::phone::{SARA, through_sara};
use crate::support::people::{food, phone_of, post_of, with};
use crate::support::{Answer, HOUR, MINUTE, TestApp};

async fn find(app: &TestApp, token: &str, by: Value) -> Answer {
    app.post("/v1/people/find", token, &by).await
}

#[actix_web::test]
async fn who_calls_is_found_by_what_she_gave_however_it_is_said() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let meals = json!({"category": "food", "capacity": 20});
    let ana = app.volunteer("ana@example.org", &[meals]).await;
    let mo = app.neighbor(&[food(4), food(2)]).await;
    let halima = app.entered_by(&token, through_sara(&[food(1)])).await;
    let mos = [
        "612-555-0123",
        "(612) 555 0123",
        "+1 612 555 0123",
        "1.612.555.0123",
    ];
    for phone in mos {
        let found = find(&app, &token, json!({"phone": phone})).await.ok();
        let asked = &found["neighbors"][0]["requests"];
        assert_eq!(
            asked[0],
            json!({"id": mo.requests[0], "state": "open", "category": "food"})
        );
        assert_eq!(asked[1]["id"], mo.requests[1]);
        assert_eq!(found["neighbors"][0]["by_caller"], false);
        assert_eq!(
            (&found["neighbors"][1], &found["volunteers"]),
            (&Value::Null, &json!([]))
        );
    }
    let found = find(&app, &token, json!({"email": "MO@example.org"}))
        .await
        .ok();
    assert_eq!(found["neighbors"][0]["requests"][0]["id"], mo.requests[0]);
    let found = find(&app, &token, json!({"phone": SARA})).await.ok();
    assert_eq!(
        found["neighbors"][0]["requests"][0]["id"],
        halima.requests[0]
    );
    assert_eq!(found["neighbors"][0]["by_caller"], true);
    assert!(
        !found.to_string().contains("Sara") && !found.to_string().contains("0142"),
        "{found}"
    );

    let found = find(&app, &token, json!({"phone": phone_of(&ana.email)}))
        .await
        .ok();
    let offer = json!({"id": ana.offers[0], "state": "open", "category": "food"});
    assert_eq!(found["volunteers"][0]["offers"], json!([offer]));
    assert_eq!(
        (&found["blocked"], &found["neighbors"]),
        (&json!(false), &json!([]))
    );
    let volunteer = found["volunteers"][0]["id"].as_str().expect("id");
    let block = format!("/v1/volunteers/{volunteer}/block");
    app.post(&block, &token, &json!({})).await.ok();
    app.call(
        Method::DELETE,
        "/v1/volunteers/self",
        Some(&ana.token),
        None,
    )
    .await;
    let found = find(&app, &token, json!({"email": ana.email})).await.ok();
    assert_eq!(
        (&found["volunteers"], &found["blocked"]),
        (&json!([]), &json!(true))
    );

    let unknown = find(&app, &token, json!({"phone": "612 555 0199"}))
        .await
        .ok();
    let nobody = json!({"neighbors": [], "volunteers": [], "blocked": false,
        "neighbor_blocked": false, "more": false});
    assert_eq!(unknown, nobody);
    for (body, at) in [
        (json!({}), "/phone"),
        (json!({"phone": "ask Mo"}), "/phone"),
        (json!({"email": "mo"}), "/email"),
        (json!({"phone": SARA, "email": "mo@example.org"}), "/email"),
    ] {
        assert_eq!(find(&app, &token, body).await.pointers(), [at]);
    }
}

#[actix_web::test]
async fn who_is_erased_is_found_no_more_nor_who_called_for_her() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let halima = app.entered_by(&token, through_sara(&[food(1)])).await;
    let sara = json!({"phone": SARA});
    assert_eq!(
        find(&app, &token, sara.clone()).await.ok()["neighbors"][1],
        Value::Null
    );
    app.call(
        Method::DELETE,
        "/v1/neighbors/self",
        Some(&halima.token),
        None,
    )
    .await;
    assert_eq!(find(&app, &token, sara).await.ok()["neighbors"], json!([]));
    let left = app.database.rows();
    let is_empty = |row: &String| row.contains("caller_phone_hash=NULL");
    let mut hers = left.iter().filter(|row| row.starts_with("neighbors:"));
    assert!(hers.all(is_empty), "{left:?}");
}

#[actix_web::test]
async fn every_search_is_in_the_audit_without_what_was_sought_and_there_are_only_so_many() {
    let app = TestApp::new();
    let (id, token) = app.coordinator(Scope::Coordinator).await;
    let (_, admin) = app.coordinator(Scope::Admin).await;
    app.entered_by(&token, through_sara(&[food(1)])).await;
    for nth in 0..60 {
        let by = if nth == 0 {
            json!({"phone": SARA})
        } else {
            json!({"email": "x@example.org"})
        };
        find(&app, &token, by).await.ok();
    }
    let refused = find(&app, &token, json!({"phone": SARA})).await;
    assert_eq!(refused.problem(429), "too-many-searches");
    assert!(refused.header("Retry-After").is_some());
    find(&app, &admin, json!({"phone": SARA})).await.ok();
    let path = format!("/v1/audit?action=person_sought&actor={id}&limit=100");
    let all = app.get(&path, &admin).await.ok();
    let items = all["items"].as_array().expect("items");
    assert_eq!(items.len(), 60);
    let first = json!({"by": "phone", "neighbors": 1, "volunteers": 0});
    assert_eq!(items[59]["detail"], first);
    assert_eq!(
        items[0]["detail"],
        json!({"by": "email", "neighbors": 0, "volunteers": 0})
    );
    let subject = json!({"kind": "coordinator", "id": id});
    assert!(
        items
            .iter()
            .all(|e| e["subject"] == subject && !e.to_string().contains("0142"))
    );
    app.clock.advance(HOUR);
    find(&app, &token, json!({"phone": SARA})).await.ok();
}

#[actix_web::test]
async fn how_many_is_a_setting_and_whoever_waits_is_told_how_long() {
    let app = TestApp::with(&[("limits.searches", "2"), ("limits.reveals", "1")]);
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let halima = app.entered_by(&token, through_sara(&[food(1)])).await;
    let sara = json!({"phone": SARA});
    let again = async || find(&app, &token, sara.clone()).await;
    let wait = |answer: &Answer| answer.header("Retry-After").map(str::to_owned);
    again().await.ok();
    app.clock.advance(20 * MINUTE);
    again().await.ok();
    app.clock.advance(10 * MINUTE);
    // The first is half an hour old.
    let refused = again().await;
    assert_eq!(refused.problem(429), "too-many-searches");
    assert_eq!(wait(&refused).as_deref(), Some("1800"));
    app.clock.advance(30 * MINUTE);
    again().await.ok();
    assert_eq!(wait(&again().await).as_deref(), Some("1200"), "the second");

    let reveal = format!("/v1/requests/{}/reveal", halima.requests[0]);
    let look = async || app.post(&reveal, &token, &json!({"reason": "call"})).await;
    look().await.ok();
    app.clock.advance(59 * MINUTE);
    let refused = look().await;
    assert_eq!(refused.problem(429), "too-many-reveals");
    assert_eq!(wait(&refused).as_deref(), Some("60"));
    app.clock.advance(MINUTE);
    look().await.ok();
}

#[actix_web::test]
async fn who_is_blocked_is_in_one_list_and_known_when_she_calls_after_she_was_erased() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (_, intake) = app.coordinator(Scope::Intake).await;
    let mut blocked = Vec::new();
    for (by, phone) in [
        (&token, "612 555 0131"),
        (&intake, "612 555 0132"),
        (&token, "612 555 0133"),
    ] {
        let contact = json!({"contact": {"name": "Mo", "phone": phone}});
        let post = with(post_of(&[food(1)]), contact);
        let own = app.entered_by(by, post).await;
        let id = app.get("/v1/neighbors/self", &own.token).await.ok()["id"].clone();
        blocked.push((own.token, id));
        app.advance(MINUTE).await;
    }
    let listed = async |by: &str, query: &str| {
        let path = format!("/v1/neighbors{query}");
        let page = app.get(&path, by).await.ok();
        let items = page["items"].as_array().expect("items").clone();
        items
            .iter()
            .map(|n| n["id"].clone())
            .collect::<Vec<Value>>()
    };
    let ids: Vec<&Value> = blocked.iter().map(|(_, id)| id).collect();
    for id in &ids[..2] {
        let path = format!("/v1/neighbors/{}/block", id.as_str().expect("id"));
        app.press(&path, &token).await.ok();
    }
    let (first, second, third) = (ids[0].clone(), ids[1].clone(), ids[2].clone());
    assert_eq!(
        listed(&token, "?blocked=true").await,
        [second.clone(), first]
    );
    assert_eq!(listed(&token, "?blocked=false").await, [third]);
    assert_eq!(listed(&token, "").await.len(), 3);
    assert_eq!(
        listed(&intake, "?blocked=true").await,
        [second],
        "whom they entered"
    );
    app.erase(&blocked[0].0).await;
    let found = find(&app, &token, json!({"phone": "612 555 0131"}))
        .await
        .ok();
    assert_eq!(
        (
            &found["neighbors"],
            &found["neighbor_blocked"],
            &found["blocked"]
        ),
        (&json!([]), &json!(true), &json!(false))
    );
}
