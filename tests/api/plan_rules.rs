//! A plan keeps to the rules of rounds (reviews, frozen areas, parted pairs, limits), and rounds leave to a plan
//! what it has chosen.

use manyhands::actions::decline_match::decline_match;
use manyhands::domain::lifecycle::DeclineReason;
use manyhands::storage::audit::Actor;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use super::plans::{Town, asks, cook, id, no_round_yet};
use crate::support::people::{Neighbor, Volunteer, north, with};
use crate::support::{MINUTE, TestApp};

async fn made_for(app: &TestApp, token: &str, category: &str) -> Value {
    let body = json!({"category": category});
    app.post("/v1/plans", token, &body).await.ok()
}

async fn applied(app: &TestApp, token: &str, plan: &Value) -> Value {
    let path = format!("/v1/plans/{}/apply", id(plan));
    app.post(&path, token, &json!({})).await.ok()
}

/// A coordinator brings the two together by hand; gives the match.
async fn by_hand(town: &Town, of: &Neighbor, with: &Volunteer) -> String {
    let pair = json!({"request": of.requests[0], "offer": with.offers[0]});
    let matched = town.app.post("/v1/matches", &town.token, &pair).await.ok();
    id(&matched).to_owned()
}

#[actix_web::test]
async fn what_wants_a_review_is_proposed_and_the_reviewers_get_one_letter() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    for email in ["ana@example.org", "ben@example.org"] {
        let offer = json!({"category": "childcare", "capacity": 1});
        app.volunteer(email, &[offer]).await;
    }
    let people = app.get("/v1/volunteers", &token).await.ok();
    for volunteer in people["items"].as_array().expect("items") {
        let path = format!("/v1/volunteers/{}/vet", id(volunteer));
        app.post(&path, &token, &json!({})).await.ok();
    }
    app.neighbor(&[json!({"category": "childcare", "quantity": 1, "urgency": "now"})])
        .await;
    app.called(&token).await;
    no_round_yet(&app).await;
    let plan = made_for(&app, &token, "childcare").await;
    let told = applied(&app, &token, &plan).await;
    assert_eq!(
        told,
        json!({"applied": 1, "skipped": [], "waiting": [], "left": 0})
    );
    app.settle().await;
    let matches = app.get("/v1/matches", &token).await.ok();
    let states = matches["items"].as_array().expect("items").iter();
    let states: Vec<_> = states.map(|m| &m["state"]).collect();
    assert_eq!(states, ["proposed"], "and no round adds the other");
    let to_reviewers = app.subjects_to("coo@example.org");
    let reviews = to_reviewers.iter().filter(|s| s.contains("review"));
    assert_eq!(reviews.count(), 1, "{to_reviewers:?}");
    let asked = ["ana@example.org", "ben@example.org"].map(|email| asks(&app, email));
    assert_eq!(asked, [0, 0]);
}

#[actix_web::test]
async fn nobody_is_asked_in_an_area_that_was_frozen_since() {
    let mut town = Town::new().await;
    let plan = town.plan().await;
    let area = json!({"location": north(0.0), "radius_m": 2000, "reason": "threat"});
    town.app.post("/v1/areas", &town.token, &area).await.ok();
    // Mo is in it, and so is Ben, who could have gone to Lin.
    let told = town.apply(&plan).await;
    let skipped = json!([{"reason": "area_frozen", "pairs": 2}]);
    assert_eq!((&told["applied"], &told["skipped"]), (&json!(0), &skipped));
    town.app.settle().await;
    for email in [&town.ana.email, &town.ben.email] {
        assert_eq!(asks(&town.app, email), 0);
    }
}

#[actix_web::test]
async fn a_pair_that_was_vetoed_or_parted_since_is_left_out() {
    let town = Town::new().await;
    let plan = town.plan().await;
    let vetoed = by_hand(&town, &town.mo, &town.ana).await;
    let path = format!("/v1/matches/{vetoed}/veto");
    town.app.post(&path, &town.token, &json!({})).await.ok();
    let parted = by_hand(&town, &town.lin, &town.ben).await;
    let never = Some(DeclineReason::NotThisPerson);
    let parted = parted.parse().expect("id");
    let no = decline_match(&town.app.ctx, parted, never, Actor::OPERATOR);
    no.await.expect("declined");
    let told = town.apply(&plan).await;
    let skipped = json!([{"reason": "pair_taken", "pairs": 2}]);
    assert_eq!((&told["applied"], &told["skipped"]), (&json!(0), &skipped));
    no_round_yet(&town.app).await;
    let next = town.plan().await;
    assert_eq!(next["plan"]["requests"], 1, "Ben for Mo: all that is left");
}

#[actix_web::test]
async fn who_is_at_her_limit_is_not_asked_and_not_planned_with() {
    let town = Town::new().await;
    let limits = json!({"limits": {"open_asks": 1, "nights": true}});
    let path = "/v1/volunteers/self";
    town.app.patch(path, &town.ben.token, &limits).await.ok();
    let plan = town.plan().await;
    by_hand(&town, &town.mo, &town.ben).await;
    let told = town.apply(&plan).await;
    let waiting = json!([{"reason": "volunteer_busy", "pairs": 1}]);
    assert_eq!((&told["applied"], &told["waiting"]), (&json!(1), &waiting));
    let next = town.plan().await;
    assert_eq!(
        (&next["stranded"], &next["requests"]),
        (&json!(2), &json!(2))
    );
}

#[actix_web::test]
async fn a_wave_of_a_plan_is_not_filled_up_and_a_no_is_replaced_once() {
    let mut town = Town::new().await;
    let plan = town.plan().await;
    town.apply(&plan).await;
    town.app.settle().await;
    // A new offer near makes Mo due.
    let (eva, fay) = ("eva@example.org", "fay@example.org");
    for email in [eva, fay] {
        cook(&mut town.app, email, 0.5, 3_000).await;
    }
    town.app.settle().await;
    assert_eq!([eva, fay].map(|email| asks(&town.app, email)), [0, 0]);
    let ask = town.app.letter_to(&town.ana.email, "mha_");
    let path = "/v1/matches/self/decline";
    town.app.post(path, &ask, &json!({})).await.ok();
    town.app.settle().await;
    let others = [eva, fay, &town.ben.email];
    let count = |app: &TestApp| -> usize { others.iter().map(|email| asks(app, email)).sum() };
    assert_eq!(count(&town.app), 2, "Ben for Lin, and one for Mo");
    // When the plan's wave has had its time, rounds are rounds.
    town.app.advance(5 * MINUTE).await;
    assert_eq!(count(&town.app), 4);
}

#[actix_web::test]
async fn nothing_is_proven_where_places_of_several_periods_are_needed_or_would_do() {
    for (from, until, throughout, is_exact) in [
        // A night, and two.
        ("2026-12-08T02:00:00Z", "2026-12-08T13:00:00Z", true, true),
        ("2026-12-08T02:00:00Z", "2026-12-09T13:00:00Z", true, false),
        // From one evening to the next one night would do: which, is open.
        ("2026-12-08T02:00:00Z", "2026-12-08T13:00:00Z", false, true),
        ("2026-12-08T02:00:00Z", "2026-12-09T02:00:00Z", false, false),
    ] {
        let mut app = TestApp::new();
        let (_, token) = app.coordinator(Scope::Coordinator).await;
        let hours = if throughout && !is_exact {
            "24/7"
        } else {
            "18:00-08:00"
        };
        let offer = json!({"category": "warming_space", "capacity": 2, "renews": "daily",
            "available": {"opening_hours": hours}});
        app.volunteer("ana@example.org", &[offer]).await;
        let place = json!({"category": "warming_space", "quantity": 1, "urgency": "now"});
        let time = json!({"needed": [{"from": from, "until": until}], "throughout": throughout});
        app.neighbor(&[with(place, time)]).await;
        no_round_yet(&app).await;
        let plan = made_for(&app, &token, "warming_space").await;
        assert_eq!(plan["plan"]["requests"], 1);
        assert_eq!(plan["exact"], is_exact, "{from} to {until}");
    }
}
