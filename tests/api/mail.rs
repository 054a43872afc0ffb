//! Letters: which are written, what they say, and what stops them.

use actix_web::http::Method;
use serde_json::json;

use crate::support::people::{food, offer_of};
use crate::support::{HOUR, TestApp};

#[actix_web::test]
async fn one_click_stops_mail_and_nothing_else() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5})],
        )
        .await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    let ask = app.letter_to(&ana.email, "mha_");
    let stop = app.letter_to(&ana.email, "mhu_");
    let path = format!("/v1/unsubscribe/{stop}");
    for _ in 0..2 {
        assert_eq!(app.one_click(&path).await.status, 204);
    }
    let letters = app.subjects_to(&ana.email).len();
    app.post("/v1/matches/self/accept", &ask, &json!({}))
        .await
        .ok();
    app.settle().await;
    assert_eq!(app.subjects_to(&ana.email).len(), letters, "no more mail");
    assert_eq!(
        app.request(&mo, 0).await["state"],
        "covered",
        "but the yes stands"
    );
    app.neighbor(&[food(1)]).await;
    app.settle().await;
    let matches = app
        .get("/v1/volunteers/self/matches", &ana.token)
        .await
        .ok();
    assert_eq!(
        matches["items"].as_array().map(Vec::len),
        Some(1),
        "who gets no mail is not asked"
    );
    app.call(
        Method::PATCH,
        "/v1/volunteers/self",
        Some(&ana.token),
        Some(&json!({"mail": true})),
    )
    .await
    .ok();
    app.settle().await;
    assert!(
        app.subjects_to(&ana.email).len() > letters,
        "she may change her mind"
    );
}

#[actix_web::test]
async fn a_second_post_joins_the_first_when_it_is_confirmed() {
    let mut app = TestApp::new();
    let first = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5})],
        )
        .await;
    let second = app
        .volunteer(
            "Ana@Example.org",
            &[json!({"category": "towing", "capacity": 1})],
        )
        .await;
    assert_eq!(second.offers.len(), 2);
    assert_eq!(
        app.get("/v1/volunteers/self", &first.token).await.status,
        404,
        "the newest manage token counts"
    );
    let all = app.get("/v1/volunteers/self", &second.token).await.ok();
    assert_eq!(all["offers"].as_array().map(Vec::len), Some(2));
}

#[actix_web::test]
async fn what_nobody_confirms_is_never_matched_and_goes_away() {
    let mut app = TestApp::new();
    let body = offer_of(
        "ana@example.org",
        &[json!({"category": "food", "capacity": 5})],
    );
    app.call(Method::POST, "/v1/offers", None, Some(&body))
        .await
        .ok();
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    assert_eq!(app.request(&mo, 0).await["progress"]["asked"], 0);
    let confirm = app.letter_to("ana@example.org", "mho_");
    let stop = app.letter_to("ana@example.org", "mhu_");
    app.sleep_over(23 * HOUR).await;
    let (_, admin) = app
        .coordinator(manyhands::storage::coordinators::Scope::Admin)
        .await;
    let states = async |app: &TestApp| {
        let all = app.get("/v1/offers", &admin).await.ok();
        let all = all["items"].as_array().expect("offers").clone();
        all.iter().map(|o| o["state"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(states(&app).await, ["unconfirmed"]);
    app.sleep_over(2 * HOUR).await;
    assert_eq!(states(&app).await, ["closed"]);
    let path = format!("/v1/unsubscribe/{stop}");
    assert_eq!(
        app.call(Method::POST, &path, None, None).await.problem(404),
        "not-found",
        "no token of it is left"
    );
    assert_eq!(
        app.call(Method::POST, "/v1/confirm", Some(&confirm), None)
            .await
            .problem(404),
        "not-found"
    );
}

#[actix_web::test]
async fn the_confirm_link_works_again_for_who_has_lost_the_code() {
    let mut app = TestApp::new();
    let first = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5})],
        )
        .await;
    let confirm = app.letter_to("ana@example.org", "mho_");
    let again = app
        .call(Method::POST, "/v1/confirm", Some(&confirm), None)
        .await
        .ok();
    assert_ne!(again["manage_token"].as_str(), Some(first.token.as_str()));
    assert_eq!(again["offers"].as_array().map(Vec::len), Some(1));
}
