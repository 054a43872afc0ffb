//! What is promised is never more than there is.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::people::{Volunteer, food, with};
use crate::support::{DAY, TestApp};

#[actix_web::test]
async fn of_many_who_accept_the_last_place_at_once_one_succeeds() {
    let mut app = TestApp::new();
    let mut all: Vec<Volunteer> = Vec::new();
    for i in 0..7 {
        all.push(
            app.volunteer(
                &format!("v{i}@example.org"),
                &[json!({"category": "food", "capacity": 1})],
            )
            .await,
        );
    }
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    let answers = join_all(all.iter().map(|v| app.accept(v))).await;
    let winners = answers.iter().filter(|a| a.status == 200).count();
    assert_eq!(winners, 1, "{answers:?}");
    assert!(
        answers
            .iter()
            .filter(|a| a.status != 200)
            .all(|a| a.problem(409) == "already-covered")
    );
    app.settle().await;
    let told: usize = all
        .iter()
        .map(|v| {
            app.subjects_to(&v.email)
                .iter()
                .filter(|s| s.starts_with("It is settled"))
                .count()
        })
        .sum();
    assert_eq!(told, 1, "nobody else is ever told that it is settled");
    let request = app.request(&mo, 0).await;
    assert_eq!(
        (
            request["covered"].as_i64(),
            request["matches"].as_array().map(Vec::len)
        ),
        (Some(1), Some(1))
    );
}

#[actix_web::test]
async fn accepting_against_closing_leaves_one_truth() {
    for round in 0..5 {
        let mut app = TestApp::new();
        let ana = app
            .volunteer(
                "ana@example.org",
                &[json!({"category": "food", "capacity": 1})],
            )
            .await;
        let mo = app.neighbor(&[food(1)]).await;
        app.settle().await;
        let path = format!("/v1/requests/{}/close", mo.requests[0]);
        let body = json!({});
        let (accepted, closed) = if round % 2 == 0 {
            futures_util::future::join(app.accept(&ana), app.post(&path, &mo.token, &body)).await
        } else {
            let (c, a) =
                futures_util::future::join(app.post(&path, &mo.token, &body), app.accept(&ana))
                    .await;
            (a, c)
        };
        assert_eq!(closed.status, 200);
        app.settle().await;
        let token = app.letter_to("ana@example.org", "mha_");
        let state = app.get("/v1/matches/self", &token).await.ok()["state"].clone();
        let called_off = app
            .subjects_to("ana@example.org")
            .iter()
            .any(|s| s.contains("please do not go"));
        if accepted.status == 200 {
            assert_eq!((state.as_str(), called_off), (Some("fell_through"), true));
        } else {
            assert_eq!((state.as_str(), called_off), (Some("superseded"), false));
        }
    }
}

#[actix_web::test]
async fn a_need_can_be_shared_by_as_many_as_it_says() {
    let mut app = TestApp::new();
    let mut all = Vec::new();
    for i in 0..3 {
        all.push(
            app.volunteer(
                &format!("v{i}@example.org"),
                &[json!({"category": "food", "capacity": 4})],
            )
            .await,
        );
    }
    let mo = app
        .neighbor(&[with(
            food(10),
            json!({"splittable": true, "max_helpers": 3}),
        )])
        .await;
    app.settle().await;
    for (i, covered) in [(0, 4), (1, 8), (2, 10)] {
        app.accept(&all[i]).await.ok();
        app.settle().await;
        assert_eq!(app.request(&mo, 0).await["covered"], covered);
    }
    assert_eq!(app.request(&mo, 0).await["state"], "covered");
}

#[actix_web::test]
async fn a_place_that_renews_is_free_again_the_next_day() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 1, "renews": "daily"})],
        )
        .await;
    let today = with(
        food(1),
        json!({"needed": [{"from": "2026-12-07T18:00:00Z", "until": "2026-12-07T23:00:00Z"}]}),
    );
    app.neighbor(std::slice::from_ref(&today)).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let second = app.neighbor(&[today]).await;
    app.settle().await;
    assert_eq!(
        app.request(&second, 0).await["progress"]["asked"],
        0,
        "nothing is left for today"
    );
    let token = app.letter_to("ana@example.org", "mha_");
    app.post("/v1/matches/self/done", &token, &json!({}))
        .await
        .ok();
    app.advance(DAY).await;
    let tomorrow = app.neighbor(&[food(1)]).await;
    app.settle().await;
    assert_eq!(app.request(&tomorrow, 0).await["progress"]["asked"], 1);
}

#[actix_web::test]
async fn nobody_carries_more_than_two_at_a_time() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 9})],
        )
        .await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        app.neighbor(&[food(1)]).await;
        app.settle().await;
        tokens.push(app.letter_to(&ana.email, "mha_"));
    }
    for token in &tokens[..2] {
        app.post("/v1/matches/self/accept", token, &json!({}))
            .await
            .ok();
    }
    let third = app
        .post("/v1/matches/self/accept", &tokens[2], &json!({}))
        .await;
    assert_eq!(third.problem(409), "too-many-open");
    app.post("/v1/matches/self/done", &tokens[0], &json!({}))
        .await
        .ok();
    app.post("/v1/matches/self/accept", &tokens[2], &json!({}))
        .await
        .ok();
}
