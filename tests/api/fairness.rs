//! Scarce help goes to who needs it most and waits longest, asks are spread, and coordinators can see why
//! and how well.

use std::collections::BTreeMap;

use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{food, north, offer_of, with};
use crate::support::{HOUR, MINUTE, TestApp};

fn need(urgency: &str) -> Value {
    json!({"category": "food", "quantity": 1, "urgency": urgency})
}

#[actix_web::test]
async fn the_oldest_of_the_most_urgent_gets_the_only_slot() {
    let mut app = TestApp::new();
    let mut all = Vec::new();
    for i in 0..10 {
        all.push(app.neighbor(&[need(["soon", "today", "now"][i % 3])]).await);
        app.advance(MINUTE).await;
    }
    let body = offer_of(
        "ana@example.org",
        &[json!({"category": "food", "capacity": 50})],
    );
    let body = with(
        body,
        json!({"limits": {"open_asks": 1, "daily_asks": 9, "nights": true}}),
    );
    app.volunteer_who("ana@example.org", body).await;
    let mut asked = Vec::new();
    for (i, neighbor) in all.iter().enumerate() {
        if app.request(neighbor, 0).await["progress"]["waiting"] == 1 {
            asked.push(i);
        }
    }
    assert_eq!(asked, [2], "the third: the first of the urgent ones");

    // And so on, in that order, as she answers.
    let mut order = Vec::new();
    for _ in 0..8 {
        let token = app.letter_to("ana@example.org", "mha_");
        app.post("/v1/matches/self/decline", &token, &json!({}))
            .await
            .ok();
        app.settle().await;
        for (i, neighbor) in all.iter().enumerate() {
            if app.request(neighbor, 0).await["progress"]["waiting"] == 1 {
                order.push(i);
            }
        }
    }
    assert_eq!(
        order,
        [5, 8, 1, 4, 7, 0, 3, 6],
        "the last would be a fourth in this week"
    );
}

#[actix_web::test]
async fn asks_are_spread_over_those_who_are_equal() {
    let mut app = TestApp::with(&[
        ("matching.open_asks", "20"),
        ("matching.waves.today.size", "1"),
        ("matching.waves.today.next_wave_after", "1d"),
        ("matching.waves.today.respond_within", "1d"),
    ]);
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    for i in 0..10 {
        let email = format!("v{i}@example.org");
        let body = offer_of(&email, &[json!({"category": "food", "capacity": 50})]);
        let body = with(
            body,
            json!({"limits": {"open_asks": 20, "daily_asks": 100, "nights": true}}),
        );
        app.volunteer_who(&email, body).await;
    }
    for _ in 0..50 {
        app.neighbor(&[need("today")]).await;
        app.advance(MINUTE).await;
    }
    let asks: Vec<usize> = (0..10)
        .map(|i| {
            let subjects = app.subjects_to(&format!("v{i}@example.org"));
            let is_ask = |s: &&String| s.starts_with("Can you help");
            subjects.iter().filter(is_ask).count()
        })
        .collect();
    assert_eq!(asks.iter().sum::<usize>(), 50);
    let (least, most) = (asks.iter().min().unwrap(), asks.iter().max().unwrap());
    assert!(most - least <= 2, "{asks:?}");
    let stats = app.get("/v1/stats", &coordinator).await.ok();
    assert_eq!(stats["total"]["asks"], 50);
    assert_eq!(stats["total"]["volunteers"], 10);
    assert!(stats["total"]["gini"].as_f64().unwrap() < 0.1, "{stats}");
}

/// Offers around home that differ in one thing each; their ids, and what they are called here.
async fn town(app: &mut TestApp) -> BTreeMap<String, &'static str> {
    let halal = json!({"diet": ["halal"]});
    let offer = |more| {
        with(
            json!({"category": "food", "capacity": 9, "provides": halal, "reach_m": 5000}),
            more,
        )
    };
    let mut offers = BTreeMap::new();
    for (who, body, place) in [
        ("best", offer(json!({})), 0.2),
        ("second", offer(json!({})), 0.8),
        ("third", offer(json!({})), 3.0),
        ("plain", offer(json!({"provides": {}})), 0.5),
        ("small", offer(json!({"capacity": 2})), 0.5),
        (
            "late",
            offer(json!({"available": {"from": "2027-01-20T00:00:00Z"}})),
            0.5,
        ),
        ("far", offer(json!({})), 8.0),
        ("gone", offer(json!({})), 30.0),
    ] {
        let email = format!("{who}@example.org");
        let body = with(offer_of(&email, &[body]), json!({"location": north(place)}));
        let made = app.volunteer_who(&email, body).await;
        offers.insert(made.offers[0].clone(), who);
    }
    offers
}

/// What is told of each offer, by what it is called here.
fn by_name<'a>(
    why: &'a Value,
    offers: &BTreeMap<String, &'static str>,
) -> BTreeMap<&'static str, &'a Value> {
    let told = why["offers"].as_array().expect("offers");
    told.iter()
        .map(|o| (offers[o["offer"].as_str().expect("offer")], o))
        .collect()
}

fn all_have_their_reasons(found: &BTreeMap<&str, &Value>) {
    let passed = |who: &str| {
        found[who]["passed"]["why"]
            .as_str()
            .unwrap_or("")
            .to_owned()
    };
    for who in ["best", "second"] {
        assert_eq!(
            (&found[who]["regard"], &found[who]["state"]),
            (&json!("asked"), &json!("notified"))
        );
        assert_eq!(found[who]["wave"], 1);
        assert!(found[who]["parts"]["proximity"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(
        (passed("third").as_str(), &found["third"]["rank"]),
        ("lower_score", &json!(1))
    );
    assert_eq!(
        (
            passed("plain").as_str(),
            &found["plain"]["passed"]["attribute"]
        ),
        ("attribute_unmet", &json!("diet"))
    );
    assert_eq!(passed("small"), "no_capacity");
    assert_eq!(
        (
            &found["small"]["passed"]["free"],
            &found["small"]["passed"]["needed"]
        ),
        (&json!(2), &json!(4))
    );
    assert_eq!(passed("late"), "no_common_time");
    assert_eq!(
        (passed("far").as_str(), &found["far"]["distance"]),
        ("out_of_reach", &json!("under_10_km"))
    );
}

#[actix_web::test]
async fn coordinators_see_why_each_offer_near_is_asked_or_not() {
    let mut app = TestApp::with(&[("matching.waves.now.size", "2")]);
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let offers = town(&mut app).await;
    let mo = app
        .neighbor(&[with(food(4), json!({"requires": {"diet": ["halal"]}}))])
        .await;
    app.settle().await;
    let path = format!("/v1/requests/{}/why", mo.requests[0]);
    let why = app.get(&path, &coordinator).await.ok();
    let found = by_name(&why, &offers);
    all_have_their_reasons(&found);
    assert!(!found.contains_key("gone"), "more than twice too far");
    assert_eq!(why["weights"]["proximity"], 0.35);
    assert_eq!(why["round"]["in_reach"], 6);
    assert_eq!(
        (
            &why["round"]["asked"],
            &why["round"]["unfit"],
            &why["round"]["left"]
        ),
        (&json!(2), &json!(3), &json!(1))
    );
    let text = why.to_string();
    for secret in [
        "Ana",
        "Mo ",
        "example.org",
        "+1612",
        "44.9",
        "-93.2",
        "Secret",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }

    // What it says comes true: the one in line is asked when there is room for one more.
    let declines = app.letter_to("best@example.org", "mha_");
    app.post("/v1/matches/self/decline", &declines, &json!({}))
        .await
        .ok();
    let before = app.get(&path, &coordinator).await.ok();
    let third = before["offers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|o| offers[o["offer"].as_str().unwrap()] == "third");
    assert_eq!(third.unwrap()["regard"], "next");
    app.settle().await;
    assert!(app.find_letter("third@example.org", "mha_").is_some());

    let close = format!("/v1/requests/{}/close", mo.requests[0]);
    app.post(&close, &mo.token, &json!({"reason": "not_needed"}))
        .await
        .ok();
    let closed = app.get(&path, &coordinator).await.ok();
    let regards: Vec<&Value> = closed["offers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| &o["regard"])
        .collect();
    assert_eq!(
        regards,
        [&json!("asked"); 3],
        "of a closed one its matches only"
    );
}

#[actix_web::test]
async fn the_statistics_are_what_happened() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 50})],
        )
        .await;
    app.volunteer(
        "tow@example.org",
        &[json!({"category": "towing", "capacity": 1, "reach_m": 9000})],
    )
    .await;
    let first = app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.advance(10 * MINUTE).await;
    app.accept(&ana).await.ok();
    let token = app.letter_to("ana@example.org", "mha_");
    app.post("/v1/matches/self/done", &token, &json!({}))
        .await
        .ok();
    app.says(&first, 0, "done").await.ok();
    assert_eq!(app.request(&first, 0).await["state"], "closed");
    let soon =
        json!({"needed": [{"from": "2026-12-07T18:30:00Z", "until": "2026-12-07T20:00:00Z"}]});
    app.neighbor(&[with(food(1), soon)]).await;
    app.sleep_over(3 * HOUR).await;
    let open = app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.advance(2 * HOUR).await;
    assert_eq!(app.request(&open, 0).await["state"], "open");

    let stats = app.get("/v1/stats?days=1", &coordinator).await.ok();
    assert_eq!(stats["complete"], true);
    let food = &stats["categories"]["food"];
    for (figure, expected) in [
        ("posted", 3),
        ("covered", 1),
        ("helped", 1),
        ("unmet", 1),
        ("open", 1),
        ("wait_p50_s", 600),
        ("wait_p95_s", 600),
        ("waiting_p95_s", 7200),
        ("asks", 2),
        ("acceptances", 1),
        ("answer_p50_s", 600),
        ("volunteers", 1),
    ] {
        assert_eq!(food[figure], expected, "{figure} of {food}");
    }
    assert_eq!(food["asks_per_acceptance"], 2.0);
    assert_eq!(food["distances"], json!({"under_2_km": 1}));
    let total = &stats["total"];
    assert_eq!(
        (&total["volunteers"], &total["gini"]),
        (&json!(2), &json!(0.5)),
        "one has all, the other none"
    );
    let towing = app
        .get("/v1/stats?category=towing", &coordinator)
        .await
        .ok();
    assert_eq!(
        (&towing["total"]["posted"], &towing["total"]["wait_p50_s"]),
        (&json!(0), &json!(null))
    );

    app.advance(25 * HOUR).await;
    let later = app.get("/v1/stats?days=1", &coordinator).await.ok();
    assert_eq!(later["total"]["posted"], 0, "of yesterday");
    for wrong in ["days=0", "days=91", "days=x", "category=magic", "hours=1"] {
        let path = format!("/v1/stats?{wrong}");
        let refused = app.get(&path, &coordinator).await.status;
        assert!(refused == 400 || refused == 422, "{wrong}: {refused}");
    }
}
