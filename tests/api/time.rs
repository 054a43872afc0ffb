//! When help is needed and given: nights, notice, whole shifts.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{Neighbor, Volunteer, food, offer_of, post_of, with};
use crate::support::{HOUR, TestApp};

fn places(from: &str, until: &str) -> Value {
    json!({"category": "warming_space", "quantity": 1, "urgency": "now",
        "needed": [{"from": from, "until": until}]})
}

/// A place for one, open at these hours.
async fn room(app: &mut TestApp, hours: &str) -> Volunteer {
    let offer = json!({"category": "warming_space", "capacity": 1, "renews": "daily",
        "available": {"opening_hours": hours}});
    app.volunteer("ana@example.org", &[offer]).await
}

async fn asked(app: &TestApp, neighbor: &Neighbor) -> i64 {
    app.request(neighbor, 0).await["progress"]["asked"]
        .as_i64()
        .unwrap()
}

#[actix_web::test]
async fn who_comes_after_midnight_finds_the_places_of_the_same_night_taken() {
    let mut app = TestApp::new();
    let ana = room(&mut app, "18:00-08:00").await;
    app.advance(8 * HOUR).await; // 20:00
    app.neighbor(&[places("2026-12-08T02:00:00Z", "2026-12-08T14:00:00Z")])
        .await;
    app.settle().await;
    app.accept(&ana).await.ok();
    app.advance(5 * HOUR).await; // 01:00
    let late = app
        .neighbor(&[places("2026-12-08T07:00:00Z", "2026-12-08T13:00:00Z")])
        .await;
    app.settle().await;
    assert_eq!(asked(&app, &late).await, 0, "it is still the same night");
    let next = app
        .neighbor(&[places("2026-12-09T02:00:00Z", "2026-12-09T13:00:00Z")])
        .await;
    app.settle().await;
    assert_eq!(asked(&app, &next).await, 1, "the night after is another");
}

#[actix_web::test]
async fn who_finds_tonight_full_is_given_tomorrow() {
    for hours in ["18:00-08:00", "24/7"] {
        let mut app = TestApp::with(&[("matching.open_releases", "5")]);
        let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
        let ana = room(&mut app, hours).await;
        app.neighbor(&[places("2026-12-08T02:00:00Z", "2026-12-08T14:00:00Z")])
            .await;
        app.settle().await;
        app.accept(&ana).await.ok();
        // Until tomorrow evening.
        let patient = places("2026-12-08T02:00:00Z", "2026-12-09T02:00:00Z");
        let lin = app.neighbor(std::slice::from_ref(&patient)).await;
        app.settle().await;
        assert_eq!(asked(&app, &lin).await, 1, "{hours}");
        app.accept(&ana).await.ok();
        let path = format!("/v1/offers/{}", ana.offers[0]);
        let offer = app.get(&path, &coordinator).await.ok();
        let nights = offer["taken"].as_array().unwrap().iter();
        let nights: Vec<_> = nights
            .map(|t| &t["period_start"].as_str().unwrap()[..10])
            .collect();
        assert_eq!(nights, ["2026-12-07", "2026-12-08"], "{hours}");
        let third = app.neighbor(&[patient]).await;
        app.settle().await;
        assert_eq!(asked(&app, &third).await, 0, "{hours}: both are full");
    }
}

#[actix_web::test]
async fn a_stay_of_several_days_takes_a_place_in_each_of_them() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let ana = room(&mut app, "24/7").await;
    let stay = |from: &str, until: &str| with(places(from, until), json!({"throughout": true}));
    // Monday noon to Thursday morning, and Wednesday noon to Friday: both are asked for before either is
    // promised.
    app.neighbor(&[stay("2026-12-07T18:00:00Z", "2026-12-10T14:00:00Z")])
        .await;
    app.settle().await;
    let first = app.letter_to(&ana.email, "mha_");
    let lin = app
        .neighbor(&[stay("2026-12-09T18:00:00Z", "2026-12-11T18:00:00Z")])
        .await;
    app.settle().await;
    let second = app.letter_to(&ana.email, "mha_");
    assert_ne!(first, second);
    let yes = async |token: &str| app.post("/v1/matches/self/accept", token, &json!({})).await;
    yes(&first).await.ok();
    let taken = async || {
        let path = format!("/v1/offers/{}", ana.offers[0]);
        let offer = app.get(&path, &coordinator).await.ok();
        let taken = offer["taken"].as_array().unwrap().clone();
        taken
            .iter()
            .map(|t| {
                assert_eq!(t["taken"], 1);
                t["period_start"].as_str().unwrap()[..10].to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        taken().await,
        ["2026-12-07", "2026-12-08", "2026-12-09", "2026-12-10"]
    );
    assert_eq!(yes(&second).await.problem(409), "not-possible");
    assert_eq!(app.request(&lin, 0).await["progress"]["waiting"], 0);
    // Given back, all of it is free.
    app.post("/v1/matches/self/release", &first, &json!({}))
        .await
        .ok();
    assert_eq!(taken().await, Vec::<String>::new());
    app.settle().await;
    assert_eq!(app.request(&lin, 0).await["progress"]["waiting"], 1);
}

#[actix_web::test]
async fn who_needs_notice_is_not_asked_too_late() {
    let mut app = TestApp::new();
    let offer = json!({"category": "food", "capacity": 9, "lead_minutes": 120});
    let ana = app.volunteer("ana@example.org", &[offer]).await;
    let path = format!("/v1/offers/{}", ana.offers[0]);
    assert_eq!(app.get(&path, &ana.token).await.ok()["lead_minutes"], 120);
    let until = |until: &str| {
        with(
            food(1),
            json!({"needed": [{"from": "2026-12-07T18:00:00Z", "until": until}]}),
        )
    };
    let hurried = app.neighbor(&[until("2026-12-07T20:00:00Z")]).await;
    let patient = app.neighbor(&[until("2026-12-07T20:00:01Z")]).await;
    app.settle().await;
    assert_eq!(asked(&app, &hurried).await, 0);
    assert_eq!(asked(&app, &patient).await, 1);
    let changed = app
        .patch(&path, &ana.token, &json!({"lead_minutes": 0}))
        .await
        .ok();
    assert_eq!(changed["lead_minutes"], 0);
    app.settle().await;
    assert_eq!(asked(&app, &hurried).await, 1, "a change counts at once");
    for bad in [json!(-1), json!(10081), json!("an hour")] {
        let offer = json!({"category": "food", "capacity": 1, "lead_minutes": bad});
        let body = offer_of("bea@example.org", &[offer]);
        let answer = app
            .call(Method::POST, "/v1/offers", None, Some(&body))
            .await;
        assert_eq!(answer.pointers(), ["/offers/0/lead_minutes"], "{bad}");
    }
}

#[actix_web::test]
async fn a_shift_wants_somebody_for_the_whole_of_it() {
    let mut app = TestApp::new();
    let watch = |hours: &str| json!({"category": "watch_shift", "capacity": 1, "available": {"opening_hours": hours}});
    app.volunteer("early@example.org", &[watch("08:00-20:00")])
        .await;
    app.volunteer("late@example.org", &[watch("17:00-23:00")])
        .await;
    let shift = json!({"category": "watch_shift", "quantity": 1, "urgency": "now",
        "needed": [{"from": "2026-12-08T00:00:00Z", "until": "2026-12-08T04:00:00Z"}]});
    let mo = app.neighbor(std::slice::from_ref(&shift)).await;
    assert_eq!(mo.posted["requests"][0]["throughout"], true);
    app.settle().await;
    assert!(app.find_letter("late@example.org", "mha_").is_some());
    assert!(app.find_letter("early@example.org", "mha_").is_none());
    // Half of it is better than nothing: she changes her mind.
    let path = format!("/v1/requests/{}", mo.requests[0]);
    let changed = app
        .patch(&path, &mo.token, &json!({"throughout": false}))
        .await
        .ok();
    assert_eq!(changed["throughout"], false);
    app.settle().await;
    assert!(app.find_letter("early@example.org", "mha_").is_some());
}

#[actix_web::test]
async fn only_a_time_that_was_named_can_be_wanted_whole() {
    let app = TestApp::new();
    let throughout =
        async |need: Value| app.neighbor(&[need]).await.posted["requests"][0]["throughout"].clone();
    let usual = json!({"category": "watch_shift", "quantity": 1});
    assert_eq!(throughout(usual.clone()).await, false);
    let named = json!([{"from": "2026-12-08T00:00:00Z", "until": "2026-12-08T04:00:00Z"}]);
    let meals = with(food(1), json!({"needed": named}));
    assert_eq!(throughout(meals.clone()).await, false);
    let whole = json!({"throughout": true});
    assert_eq!(throughout(with(meals, whole.clone())).await, true);
    let body = post_of(&[with(usual, whole)]);
    let refused = app
        .call(Method::POST, "/v1/requests", None, Some(&body))
        .await;
    assert_eq!(refused.pointers(), ["/needs/0/throughout"]);
}

#[actix_web::test]
async fn a_site_is_open_through_the_night_in_which_clocks_are_set_back() {
    let mut app = TestApp::new();
    // Saturday, 15:00 in Minneapolis.
    app.clock.set(
        "2027-11-06T20:00:00Z"
            .parse::<jiff::Timestamp>()
            .unwrap()
            .into(),
    );
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let site = json!({"category": "warming_space", "capacity": 30, "renews": "daily",
        "site": {"title": "Corner Books", "address": "2410 Public Ave"},
        "available": {"opening_hours": "18:00-08:00"}});
    let ana = app.volunteer("ana@example.org", &[site]).await;
    let path = format!("/v1/offers/{}/list", ana.offers[0]);
    app.post(&path, &coordinator, &json!({})).await.ok();
    for (at, is_open) in [
        ("2027-11-06T22:59:59Z", false),
        ("2027-11-06T23:00:00Z", true),
        ("2027-11-07T05:30:00Z", true),
        // 01:30, and an hour later once more.
        ("2027-11-07T06:30:00Z", true),
        ("2027-11-07T07:30:00Z", true),
        // By yesterday's clock the night would be over by now.
        ("2027-11-07T13:59:59Z", true),
        ("2027-11-07T14:00:00Z", false),
        ("2027-11-08T00:00:00Z", true),
    ] {
        app.clock.set(at.parse::<jiff::Timestamp>().unwrap().into());
        let all = app.call(Method::GET, "/v1/sites", None, None).await.ok();
        assert_eq!(
            all["features"][0]["properties"]["open_now"], is_open,
            "{at}"
        );
        let open = app
            .call(Method::GET, "/v1/sites?open_now=true", None, None)
            .await
            .ok();
        let listed = open["features"].as_array().unwrap().len();
        assert_eq!(listed, usize::from(is_open), "{at}");
    }
}
