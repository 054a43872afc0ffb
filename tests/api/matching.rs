//! A need and an offer meet.

use serde_json::json;

use crate::support::people::{food, north, offer_of, phone_of, post_of, with};
use crate::support::{DAY, HOUR, TestApp};

#[actix_web::test]
async fn a_neighbor_asks_a_volunteer_says_yes_and_they_learn_how_to_reach_each_other() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 10})],
        )
        .await;
    let mo = app
        .neighbor(&[with(
            food(4),
            json!({"note": "Two adults, two children", "private_note": "Ring twice"}),
        )])
        .await;
    app.settle().await;

    let before = app.request(&mo, 0).await;
    assert_eq!(before["state"], "open");
    assert_eq!(before["progress"]["asked"], 1);
    assert_eq!(before["matches"], json!([]));

    let answer = app.letter_to("ana@example.org", "mha_");
    let asked = app.get("/v1/matches/self", &answer).await.ok();
    assert_eq!(asked["state"], "notified");
    assert_eq!(asked["quantity"], 4);
    assert_eq!(asked["distance"], "under_2_km");
    assert_eq!(asked["note"], "Two adults, two children");
    assert_eq!(asked["contact"], json!(null));
    assert!(!asked.to_string().contains("555") && !asked.to_string().contains("Ring twice"));

    let accepted = app.accept(&ana).await.ok();
    assert_eq!(accepted["state"], "accepted");
    assert_eq!(accepted["contact"]["name"], "Mo");
    assert_eq!(accepted["contact"]["phone"], "+16125550123");
    assert_eq!(accepted["contact"]["private_note"], "Ring twice");
    assert_eq!(
        accepted["contact"]["address"],
        json!(null),
        "an address only to vetted volunteers or by agreement"
    );

    let after = app.request(&mo, 0).await;
    assert_eq!(after["state"], "covered");
    let phone = phone_of("ana@example.org");
    assert_eq!(after["matches"][0]["contact"]["phone"], phone);

    app.post("/v1/matches/self/done", &answer, &json!({}))
        .await
        .ok();
    let over = app.get("/v1/matches/self", &answer).await.ok();
    assert_eq!(over["contact"], json!(null), "she needs it no more");
    let done = app.says(&mo, 0, "done").await.ok();
    assert_eq!(
        (done["state"].as_str(), done["close_reason"].as_str()),
        (Some("closed"), Some("helped_here"))
    );
    assert_eq!(
        done["matches"][0]["contact"],
        json!(null),
        "contacts vanish when the match ends"
    );
    let over = app.get("/v1/matches/self", &answer).await.ok();
    assert_eq!(over["contact"], json!(null));
}

#[actix_web::test]
async fn an_offer_that_comes_later_meets_an_old_request() {
    let mut app = TestApp::new();
    let mo = app.neighbor(&[food(2)]).await;
    app.settle().await;
    assert_eq!(
        app.request(&mo, 0).await["progress"]["attention"],
        "none_in_reach"
    );
    app.volunteer(
        "ana@example.org",
        &[json!({"category": "food", "capacity": 5})],
    )
    .await;
    assert_eq!(app.request(&mo, 0).await["progress"]["asked"], 1);
}

#[actix_web::test]
async fn the_category_says_who_travels() {
    let mut app = TestApp::new();
    // Towing: the volunteer comes, as far as the offer reaches.
    app.volunteer_who(
        "near@example.org",
        with(
            offer_of(
                "near@example.org",
                &[json!({"category": "towing", "capacity": 1, "reach_m": 2000})],
            ),
            json!({"location": north(5.0)}),
        ),
    )
    .await;
    app.volunteer_who(
        "far@example.org",
        with(
            offer_of(
                "far@example.org",
                &[json!({"category": "towing", "capacity": 1, "reach_m": 30000})],
            ),
            json!({"location": north(25.0)}),
        ),
    )
    .await;
    app.neighbor(&[
        json!({"category": "towing", "quantity": 1, "urgency": "now", "travel_m": 100_000}),
    ])
    .await;
    app.settle().await;
    assert!(app.find_letter("far@example.org", "mha_").is_some());
    assert!(
        app.find_letter("near@example.org", "mha_").is_none(),
        "the neighbor's travel does not count here"
    );
}

#[actix_web::test]
async fn attributes_languages_and_time_must_fit() {
    let mut app = TestApp::new();
    let offer = |more| with(json!({"category": "food", "capacity": 9}), more);
    app.volunteer(
        "halal@example.org",
        &[offer(
            json!({"provides": {"diet": ["halal", "vegan"], "delivery": true}}),
        )],
    )
    .await;
    app.volunteer("plain@example.org", &[offer(json!({}))])
        .await;
    app.volunteer(
        "tomorrow@example.org",
        &[offer(
            json!({"provides": {"diet": ["halal"]}, "available": {"from": "2026-12-20T00:00:00Z"}}),
        )],
    )
    .await;
    app.volunteer("closed@example.org", &[offer(json!({"provides": {"diet": ["halal"]}, "available": {"opening_hours": "Sa 01:00-02:00", "timezone": "America/Chicago"}}))]).await;
    let need = with(
        food(1),
        json!({"requires": {"diet": ["halal"]}, "needed": [{"from": "2026-12-07T18:00:00Z", "until": "2026-12-08T06:00:00Z"}]}),
    );
    app.neighbor(&[need]).await;
    app.settle().await;
    for (who, is_asked) in [
        ("halal", true),
        ("plain", false),
        ("tomorrow", false),
        ("closed", false),
    ] {
        assert_eq!(
            app.find_letter(&format!("{who}@example.org"), "mha_")
                .is_some(),
            is_asked,
            "{who}"
        );
    }
    let somali = with(
        post_of(&[with(food(1), json!({"language_must": true}))]),
        json!({"languages": ["so"]}),
    );
    app.neighbor_who(somali).await;
    app.settle().await;
    assert!(
        app.find_letter("plain@example.org", "mha_").is_none(),
        "she speaks no Somali"
    );
}

#[actix_web::test]
async fn matching_knows_cells_and_never_exact_points() {
    let mut app = TestApp::new();
    app.volunteer(
        "ana@example.org",
        &[json!({"category": "food", "capacity": 9})],
    )
    .await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    let cell = mo.posted["requests"][0]["cell"]
        .as_str()
        .expect("cell")
        .to_owned();
    let seen = app
        .get(
            "/v1/matches/self",
            &app.letter_to("ana@example.org", "mha_"),
        )
        .await;
    let text = String::from_utf8_lossy(&seen.bytes).into_owned();
    for secret in ["44.97", "-93.26", "Secret Ave", cell.as_str()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    // A correction within the same ring of cells changes nothing that others could see.
    let correction = json!({"location": {"lat": 44.9790, "lon": -93.2660}});
    let moved = app
        .patch("/v1/neighbors/self", &mo.token, &correction)
        .await
        .ok();
    assert_eq!(moved["cell"], cell.as_str());
}

#[actix_web::test]
async fn posts_end_by_themselves_and_take_their_secrets_along() {
    let mut app = TestApp::new();
    let mo = app
        .neighbor(&[with(
            food(1),
            json!({"needed": [{"from": "2026-12-07T18:00:00Z", "until": "2026-12-07T20:00:00Z"}]}),
        )])
        .await;
    app.sleep_over(3 * HOUR).await;
    let closed = app.request(&mo, 0).await;
    assert_eq!(
        (closed["state"].as_str(), closed["close_reason"].as_str()),
        (Some("closed"), Some("unmet"))
    );
    app.sleep_over(2 * DAY).await;
    assert_eq!(
        app.get("/v1/neighbors/self", &mo.token).await.status,
        404,
        "erased with the last request"
    );
}

#[actix_web::test]
async fn an_offer_that_ends_soon_is_asked_about_once_and_can_be_renewed() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 1})],
        )
        .await;
    let asked = |app: &TestApp| {
        app.subjects_to("ana@example.org")
            .iter()
            .filter(|s| s.as_str() == "Does your offer still stand?")
            .count()
    };
    for _ in 0..17 {
        app.sleep_over(5 * DAY).await;
    }
    assert_eq!(asked(&app), 1, "85 days later");
    app.sleep_over(2 * DAY).await;
    assert_eq!(asked(&app), 1, "once is enough");
    let path = format!("/v1/offers/{}/renew", ana.offers[0]);
    app.post(&path, &ana.token, &json!({})).await.ok();
    app.sleep_over(6 * DAY).await;
    let offer = app
        .get(&format!("/v1/offers/{}", ana.offers[0]), &ana.token)
        .await
        .ok();
    assert_eq!(offer["state"], "open");
}
