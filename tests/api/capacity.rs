//! What is promised is never more than there is.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::people::{Neighbor, Volunteer, food, with};
use crate::support::{DAY, TestApp};
use manyhands::storage::coordinators::Scope;

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
        let body = json!({"reason": "not_needed"});
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

async fn kitchens(app: &mut TestApp, count: usize, capacity: i64) -> Vec<Volunteer> {
    let mut all = Vec::new();
    for i in 0..count {
        let offer = json!({"category": "food", "capacity": capacity});
        all.push(app.volunteer(&format!("v{i}@example.org"), &[offer]).await);
    }
    all
}

fn shared(by: i64) -> serde_json::Value {
    with(food(10), json!({"splittable": true, "max_helpers": by}))
}

#[actix_web::test]
async fn a_fourth_kitchen_is_not_needed_for_what_three_have_shared() {
    let mut app = TestApp::new();
    let all = kitchens(&mut app, 4, 4).await;
    let mo = app.neighbor(&[shared(3)]).await;
    app.settle().await;
    let fourth = app.letter_to(&all[3].email, "mha_");
    for kitchen in &all[..3] {
        app.accept(kitchen).await.ok();
    }
    let request = app.request(&mo, 0).await;
    let given: Vec<_> = request["matches"].as_array().unwrap().clone();
    let mut given: Vec<_> = given.iter().map(|m| m["quantity"].as_i64()).collect();
    given.sort_unstable();
    assert_eq!(
        given,
        [Some(2), Some(4), Some(4)],
        "the third covers the rest"
    );
    assert_eq!(request["state"], "covered");
    let refused = app
        .post("/v1/matches/self/accept", &fourth, &json!({}))
        .await;
    assert_eq!(refused.problem(409), "already-covered");
}

#[actix_web::test]
async fn the_last_who_may_share_covers_all_that_is_left() {
    let mut app = TestApp::new();
    let all = kitchens(&mut app, 2, 4).await;
    let mo = app.neighbor(&[shared(2)]).await;
    app.settle().await;
    let second = app.letter_to(&all[1].email, "mha_");
    app.accept(&all[0]).await.ok();
    let refused = app
        .post("/v1/matches/self/accept", &second, &json!({}))
        .await;
    assert_eq!(refused.problem(409), "no-capacity", "four of six");
    let bea = json!({"category": "food", "capacity": 6});
    let bea = app.volunteer("bea@example.org", &[bea]).await;
    app.settle().await;
    let token = app.letter_to(&bea.email, "mha_");
    let five = json!({"quantity": 5});
    let refused = app.post("/v1/matches/self/accept", &token, &five).await;
    assert_eq!(refused.problem(409), "no-capacity", "five of six");
    app.accept(&bea).await.ok();
    assert_eq!(app.request(&mo, 0).await["state"], "covered");
}

/// How a promise comes to nothing.
#[derive(Clone, Copy, Debug)]
enum End {
    Release,
    NoShow,
    Refuse,
    CallOff,
}

async fn end(app: &TestApp, how: End, mo: &Neighbor, who: &Volunteer, token: &str) {
    let of_neighbor = async |what: &str| {
        let request = app.request(mo, 0).await;
        let m = request["matches"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/requests/{}/matches/{m}/{what}", mo.requests[0]);
        app.post(&path, &mo.token, &json!({})).await.ok();
    };
    match how {
        End::Release => {
            app.post("/v1/matches/self/release", token, &json!({}))
                .await
                .ok();
        }
        End::NoShow => of_neighbor("no-show").await,
        End::Refuse => of_neighbor("refuse").await,
        End::CallOff => {
            let path = format!("/v1/offers/{}/close", who.offers[0]);
            app.post(&path, &who.token, &json!({})).await.ok();
        }
    }
}

#[actix_web::test]
async fn what_comes_to_nothing_frees_the_place_and_the_next_are_asked_at_once() {
    for how in [End::Release, End::NoShow, End::Refuse, End::CallOff] {
        let mut app = TestApp::with(&[("matching.waves.now.size", "1")]);
        let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
        let all = kitchens(&mut app, 2, 3).await;
        let mut post = crate::support::people::post_of(&[food(3)]);
        post["agree_first"] = json!(matches!(how, End::Refuse));
        let mo = app.neighbor_who(post).await;
        app.settle().await;
        let is_asked = |i: &usize| app.find_letter(&all[*i].email, "mha_").is_some();
        let first = (0..2).find(is_asked).unwrap();
        let (who, other) = (&all[first], &all[1 - first]);
        let token = app.letter_to(&who.email, "mha_");
        app.accept(who).await.ok();
        app.settle().await;
        assert!(app.find_letter(&other.email, "mha_").is_none(), "{how:?}");
        let offer = format!("/v1/offers/{}", who.offers[0]);
        let taken = app.get(&offer, &coordinator).await.ok()["taken"].clone();
        assert_eq!(taken[0]["taken"], 3, "{how:?}");

        let at = app.now();
        end(&app, how, &mo, who, &token).await;
        let taken = app.get(&offer, &coordinator).await.ok()["taken"].clone();
        assert_eq!(taken, json!([]), "{how:?}");
        let request = app.request(&mo, 0).await;
        assert_eq!(
            (request["state"].as_str(), request["covered"].as_i64()),
            (Some("open"), Some(0)),
            "{how:?}"
        );
        app.settle().await;
        assert!(app.find_letter(&other.email, "mha_").is_some(), "{how:?}");
        assert_eq!(app.now(), at, "{how:?}: no time has gone by");
    }
}
