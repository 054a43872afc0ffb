//! How the work goes: in areas of at least five requests, and on whose shoulders.

use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{food, north, post_of, with};
use crate::support::{HOUR, TestApp};

/// Somebody who needs food so far north of home, in kilometers.
async fn someone(app: &mut TestApp, km: f64) {
    let there = json!({"location": north(km)});
    app.neighbor_who(with(post_of(&[food(1)]), there)).await;
}

fn posted(area: &Value) -> (&str, &str, &Value) {
    (
        area["category"].as_str().unwrap(),
        area["area"].as_str().unwrap(),
        &area["posted"],
    )
}

#[actix_web::test]
async fn areas_show_five_requests_or_more_and_small_ones_are_counted_together() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    for _ in 0..6 {
        someone(&mut app, 0.0).await;
    }
    for _ in 0..4 {
        someone(&mut app, 40.0).await;
    }
    app.settle().await;
    let stats = app.get("/v1/stats", &coordinator).await.ok();
    let areas = stats["areas"].as_array().unwrap();
    assert_eq!(areas.len(), 1, "four are too few: {areas:?}");
    let (category, home, count) = posted(&areas[0]);
    assert_eq!((category, count), ("food", &json!(6)));
    assert_eq!(
        (&areas[0]["open"], &areas[0]["waiting"]),
        (&json!(6), &json!(6))
    );

    // One more over there: that is enough, though not in one cell.
    someone(&mut app, 55.0).await;
    let stats = app.get("/v1/stats", &coordinator).await.ok();
    let areas = stats["areas"].as_array().unwrap();
    let counts: Vec<_> = areas.iter().map(posted).collect();
    assert_eq!(counts.len(), 2, "{counts:?}");
    assert!(counts.contains(&("food", home, &json!(6))));
    assert!(counts.iter().any(|(.., count)| **count == json!(5)));
    assert_eq!(stats["total"]["posted"], 11);

    let here = app
        .get(&format!("/v1/stats?area={home}"), &coordinator)
        .await
        .ok();
    assert_eq!(here["total"]["posted"], 6);
    let wrong = app.get("/v1/stats?area=home", &coordinator).await;
    assert_eq!(wrong.problem(422), "invalid");
    app.settle().await;
}

#[actix_web::test]
async fn who_carries_how_much_is_told_by_id() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let meals = json!({"category": "food", "capacity": 9});
    let ana = app
        .volunteer("ana@example.org", std::slice::from_ref(&meals))
        .await;
    app.volunteer("ben@example.org", &[meals]).await;
    let mo = app.neighbor(&[food(2)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    app.settle().await;
    let stats = app.get("/v1/stats", &coordinator).await.ok();
    let carriers = stats["carriers"].as_array().unwrap();
    assert_eq!(carriers.len(), 1, "Ben said nothing: {carriers:?}");
    let me = app.get("/v1/volunteers/self", &ana.token).await.ok();
    assert_eq!(carriers[0]["volunteer"], me["id"]);
    assert_eq!(carriers[0]["acceptances"], 1);
    assert_eq!(carriers[0]["fulfilled"], 0);
    let done = app.letter_to("ana@example.org", "mha_");
    app.post("/v1/matches/self/done", &done, &json!({}))
        .await
        .ok();
    app.says(&mo, 0, "done").await.ok();
    app.advance(HOUR).await;
    let stats = app.get("/v1/stats", &coordinator).await.ok();
    assert_eq!(stats["carriers"][0]["fulfilled"], 1);
    app.settle().await;
}

#[actix_web::test]
async fn whatever_is_closed_is_counted_by_its_reason() {
    let app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let reasons = [
        "not_needed",
        "not_needed",
        "unreachable",
        "helped_elsewhere",
    ];
    for reason in reasons {
        let mo = app.neighbor(&[food(1)]).await;
        let path = format!("/v1/requests/{}/close", mo.requests[0]);
        app.post(&path, &coordinator, &json!({"reason": reason}))
            .await
            .ok();
    }
    let stats = app.get("/v1/stats", &coordinator).await.ok();
    let closed = json!({"not_needed": 2, "unreachable": 1, "helped_elsewhere": 1});
    assert_eq!(stats["total"]["closed"], closed);
    assert_eq!(stats["categories"]["food"]["closed"], closed);
    assert_eq!(
        (&stats["total"]["helped"], &stats["total"]["posted"]),
        (&json!(0), &json!(4))
    );
}
