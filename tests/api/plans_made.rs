//! How a plan is made and applied: without an index, one at a time, whoever hangs up, and with patience for
//! volunteers who are busy.

use std::pin::pin;
use std::sync::PoisonError;
use std::time::Duration;

use actix_web::http::Method;
use manyhands::actions::make_plan::{Scope as For, make_plan};
use manyhands::matching::index::PostIndex;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{Neighbor, Volunteer, food, north, offer_of, post_of, with};
use crate::support::{Answer, TestApp};

async fn cook(app: &mut TestApp, email: &str, km: f64) -> Volunteer {
    let offer = json!({"category": "food", "capacity": 2, "reach_m": 5_000});
    let limits = json!({"open_asks": 1, "nights": true});
    let body = json!({"location": north(km), "limits": limits});
    app.volunteer_who(email, with(offer_of(email, &[offer]), body))
        .await
}

async fn neighbor(app: &TestApp, name: &str, phone: &str, km: f64) -> Neighbor {
    let contact = json!({"name": name, "phone": phone});
    let body = json!({"contact": contact, "location": north(km)});
    app.neighbor_who(with(post_of(&[food(1)]), body)).await
}

/// Ana can cook for Mo. No round has looked at him, and this process has no index.
async fn town() -> (TestApp, Volunteer, Neighbor) {
    let mut app = TestApp::new();
    let ana = cook(&mut app, "ana@example.org", 1.0).await;
    let mo = neighbor(&app, "Mo", "612 555 0123", 0.0).await;
    let mut index = app
        .ctx
        .index
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    *index = PostIndex::default();
    drop(index);
    (app, ana, mo)
}

async fn plan_with_key(app: &TestApp, token: &str, key: &str) -> Answer {
    let key = [("Idempotency-Key", key)];
    let body = Some(b"{}".to_vec());
    app.raw(Method::POST, "/v1/plans", Some(token), body, &key)
        .await
}

async fn plans(app: &TestApp, token: &str) -> Vec<Value> {
    let page = app.get("/v1/plans", token).await.ok();
    page["items"].as_array().expect("items").clone()
}

#[actix_web::test]
async fn a_process_without_an_index_plans_from_the_database() {
    let (app, ..) = town().await;
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    for body in [json!({}), json!({"category": "food"})] {
        let plan = app.post("/v1/plans", &token, &body).await.ok();
        assert_eq!(
            (&plan["requests"], &plan["stranded"]),
            (&json!(1), &json!(0))
        );
        assert_eq!(plan["pairs"]["planned"], 1);
    }
    let other = json!({"category": "towing"});
    let plan = app.post("/v1/plans", &token, &other).await.ok();
    assert_eq!(plan["requests"], 0);
}

#[actix_web::test]
async fn plans_are_made_one_at_a_time_and_a_repeated_call_waits_for_none() {
    let (app, ..) = town().await;
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let first = plan_with_key(&app, &token, "once").await.ok();
    let turn = app.ctx.planning.lock().await;
    let refused = plan_with_key(&app, &token, "another").await;
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert_eq!(refused.problem(503), "plan-under-way");
    assert_eq!(plan_with_key(&app, &token, "once").await.ok(), first);
    drop(turn);
    plan_with_key(&app, &token, "another").await.ok();
    assert_eq!(plans(&app, &token).await.len(), 2);
}

#[actix_web::test]
async fn a_plan_is_finished_though_its_caller_hangs_up() {
    let (app, ..) = town().await;
    let (by, token) = app.coordinator(Scope::Coordinator).await;
    let scope = For {
        category: None,
        area: None,
        candidates: 20,
    };
    {
        let mut call = pin!(make_plan(&app.ctx, scope, by, None));
        assert!(
            futures_util::future::poll_immediate(call.as_mut())
                .await
                .is_none()
        );
    }
    // Its turn ends when the plan is there.
    let _turn = app.ctx.planning.lock().await;
    let made = plans(&app, &token).await;
    assert_eq!(made.len(), 1);
    assert_eq!(
        (&made[0]["ready"], &made[0]["pairs"]["planned"]),
        (&json!(true), &json!(1))
    );
}

#[actix_web::test]
async fn a_pair_waits_for_a_volunteer_who_is_busy() {
    let (mut app, ana, _) = town().await;
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let plan = app.post("/v1/plans", &token, &json!({})).await.ok();
    let path = format!("/v1/plans/{}/apply", plan["id"].as_str().expect("id"));
    // A coordinator asks her for somebody else.
    app.clock.advance(Duration::from_mins(1));
    let lin = neighbor(&app, "Lin", "612 555 0111", 0.5).await;
    let pair = json!({"request": lin.requests[0], "offer": ana.offers[0]});
    app.post("/v1/matches", &token, &pair).await.ok();
    let applied = app.post(&path, &token, &json!({})).await.ok();
    let waiting = json!([{"reason": "volunteer_busy", "pairs": 1}]);
    let expected = json!({"applied": 0, "skipped": [], "waiting": waiting, "left": 1});
    assert_eq!(applied, expected);
    // The rounds find her busy too.
    app.settle().await;
    let ask = app.letter_to(&ana.email, "mha_");
    app.post("/v1/matches/self/decline", &ask, &json!({}))
        .await
        .ok();
    let applied = app.post(&path, &token, &json!({})).await.ok();
    let expected = json!({"applied": 1, "skipped": [], "waiting": [], "left": 0});
    assert_eq!(applied, expected);
}
