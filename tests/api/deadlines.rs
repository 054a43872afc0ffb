//! What must be met soon is urgent, whatever was said of it.

use manyhands::actions::claim_posts::claim_posts;
use serde_json::json;

use crate::support::people::{Neighbor, offer_of, with};
use crate::support::{MINUTE, TestApp};

async fn asked(app: &TestApp, neighbor: &Neighbor) -> i64 {
    app.request(neighbor, 0).await["progress"]["asked"]
        .as_i64()
        .unwrap()
}

async fn kitchens(app: &mut TestApp, count: usize) {
    for i in 0..count {
        let offer = json!({"category": "food", "capacity": 5});
        app.volunteer(&format!("v{i}@example.org"), &[offer]).await;
    }
}

#[actix_web::test]
async fn a_deadline_that_nears_makes_a_request_urgent() {
    let mut app = TestApp::new();
    kitchens(&mut app, 16).await;
    let soon = json!({"category": "food", "quantity": 1, "urgency": "soon",
        "needed": [{"from": "2026-12-07T18:00:00Z", "until": "2026-12-08T20:00:00Z"}]});
    let mo = app.neighbor(&[soon]).await;
    app.settle().await;
    assert_eq!(
        asked(&app, &mo).await,
        3,
        "`soon` asks three, with four hours"
    );
    app.advance(119 * MINUTE).await;
    assert_eq!(asked(&app, &mo).await, 3);
    app.advance(MINUTE).await;
    assert_eq!(asked(&app, &mo).await, 5, "a day before, it is `today`");
    app.advance(30 * MINUTE).await;
    assert_eq!(asked(&app, &mo).await, 11, "and goes on as `today` does");
    assert_eq!(
        app.request(&mo, 0).await["urgency"],
        "soon",
        "what she said"
    );
}

#[actix_web::test]
async fn two_hours_before_its_deadline_a_request_is_as_urgent_as_can_be() {
    let mut app = TestApp::new();
    kitchens(&mut app, 9).await;
    let today = json!({"category": "food", "quantity": 1, "urgency": "today",
        "needed": [{"from": "2026-12-07T18:00:00Z", "until": "2026-12-07T20:10:00Z"}]});
    let mo = app.neighbor(&[today]).await;
    app.settle().await;
    assert_eq!(asked(&app, &mo).await, 5);
    app.advance(10 * MINUTE).await;
    assert_eq!(asked(&app, &mo).await, 7);
    app.advance(5 * MINUTE).await;
    assert_eq!(asked(&app, &mo).await, 9);
    // Those who were asked since have a quarter of an hour, as for any `now`.
    let mails = app.transport.memory().unwrap().mails();
    let newest = mails.iter().rev().find(|m| m.message.text.contains("mha_"));
    assert!(newest.unwrap().message.text.contains("It is urgent."));
    app.advance(15 * MINUTE).await;
    let waiting = app.request(&mo, 0).await["progress"]["waiting"].clone();
    assert_eq!(
        waiting, 5,
        "of nine, the four who were asked late have lapsed"
    );
}

#[actix_web::test]
async fn the_most_pressing_is_matched_first_and_then_who_waits_longest() {
    let app = TestApp::new();
    let need = |urgency: &str, until: &str| {
        json!({"category": "food", "quantity": 1, "urgency": urgency,
            "needed": [{"from": "2026-12-07T18:00:00Z", "until": until}]})
    };
    let shift = json!({"category": "watch_shift", "quantity": 1, "urgency": "soon",
        "needed": [{"from": "2026-12-07T19:00:00Z", "until": "2026-12-12T19:00:00Z"}]});
    let mut ids = Vec::new();
    for need in [
        need("soon", "2026-12-10T18:00:00Z"),
        need("today", "2026-12-10T18:00:00Z"),
        need("soon", "2026-12-08T18:00:00Z"),
        need("soon", "2026-12-07T20:00:00Z"),
        shift,
        need("now", "2026-12-10T18:00:00Z"),
    ] {
        ids.push(app.neighbor(&[need]).await.requests[0].clone());
        app.clock.advance(MINUTE / 60);
    }
    let claimed = claim_posts(&app.ctx, 5).await.unwrap().requests;
    let order: Vec<usize> = claimed
        .iter()
        .map(|r| ids.iter().position(|id| *id == r.id.to_string()).unwrap())
        .collect();
    assert_eq!(order, [3, 4, 5, 1, 2], "the first is not pressing at all");
}

/// Nothing is planned for a request for which nobody can be asked: the sweep looks again.
#[actix_web::test]
async fn a_request_for_which_nothing_is_planned_rises_with_the_next_sweep() {
    let mut app = TestApp::new();
    let offer = json!({"category": "food", "capacity": 5});
    let body = with(
        offer_of("ana@example.org", &[offer]),
        json!({"limits": {"weekly_asks": 1}}),
    );
    app.volunteer_who("ana@example.org", body).await;
    let soon = |until: &str| {
        json!({"category": "food", "quantity": 1, "urgency": "soon",
            "needed": [{"from": "2026-12-07T18:00:00Z", "until": until}]})
    };
    app.neighbor(&[soon("2026-12-12T18:00:00Z")]).await;
    app.settle().await;
    let mo = app.neighbor(&[soon("2026-12-08T19:00:00Z")]).await;
    app.settle().await;
    assert_eq!(asked(&app, &mo).await, 0, "one a week of what can wait");
    app.sleep_over(59 * MINUTE).await;
    assert_eq!(asked(&app, &mo).await, 0);
    app.sleep_over(11 * MINUTE).await;
    assert_eq!(asked(&app, &mo).await, 1, "it cannot wait any more");
}
