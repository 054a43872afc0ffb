//! What neighbors and volunteers do with what is theirs.

use actix_web::http::Method;
use serde_json::json;

use crate::support::people::{food, post_of, with};
use crate::support::{HOUR, TestApp};

#[actix_web::test]
async fn a_neighbor_sees_changes_and_erases_what_she_said() {
    let mut app = TestApp::new();
    let mo = app
        .neighbor(&[with(food(1), json!({"note": "No stairs"}))])
        .await;
    let me = app.get("/v1/neighbors/self", &mo.token).await.ok();
    assert_eq!(me["contact"]["name"], "Mo Farah");
    assert_eq!(me["location"]["address"], "2410 Secret Ave");
    let patch = json!({"contact": {"phone": null, "other": "ask at the shelter's desk"}, "languages": ["en"]});
    let changed = app
        .call(
            Method::PATCH,
            "/v1/neighbors/self",
            Some(&mo.token),
            Some(&patch),
        )
        .await
        .ok();
    assert_eq!(changed["contact"]["phone"], json!(null));
    assert_eq!(changed["contact"]["other"], "ask at the shelter's desk");
    assert_eq!(changed["contact"]["name"], "Mo Farah");
    assert_eq!(changed["location"]["address"], "2410 Secret Ave");
    assert_eq!(
        app.call(Method::DELETE, "/v1/neighbors/self", Some(&mo.token), None)
            .await
            .status,
        204
    );
    assert_eq!(
        app.get("/v1/neighbors/self", &mo.token).await.problem(404),
        "not-found"
    );
    app.settle().await;
}

#[actix_web::test]
async fn a_material_change_starts_again_and_an_accepted_match_forbids_it() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 9})],
        )
        .await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    let path = format!("/v1/requests/{}", mo.requests[0]);
    assert_eq!(
        app.patch(&path, &mo.token, &json!({"note": "It is cold"}))
            .await
            .ok()["progress"]["waiting"],
        1,
        "a note disturbs nobody"
    );
    let changed = app
        .patch(&path, &mo.token, &json!({"quantity": 3}))
        .await
        .ok();
    assert_eq!(
        (
            changed["quantity"].as_i64(),
            changed["progress"]["waiting"].as_i64()
        ),
        (Some(3), Some(0))
    );
    assert_eq!(changed["note"], "It is cold");
    assert_eq!(
        app.patch(&path, &mo.token, &json!({"category": "towing"}))
            .await
            .pointers(),
        ["/category"]
    );
    assert_eq!(
        app.patch(&path, &mo.token, &json!({"quantity": null}))
            .await
            .pointers(),
        ["/quantity"]
    );
    app.settle().await;
    assert_eq!(app.accept(&ana).await.ok()["quantity"], 3);
    assert_eq!(
        app.patch(&path, &mo.token, &json!({"quantity": 5}))
            .await
            .problem(409),
        "has-accepted-match"
    );
    assert_eq!(
        app.patch(&path, &mo.token, &json!({"note": "Ground floor"}))
            .await
            .ok()["note"],
        "Ground floor"
    );
}

#[actix_web::test]
async fn hide_now_withdraws_the_asks_and_show_brings_them_back() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 9})],
        )
        .await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    let hidden = app
        .call(
            Method::POST,
            "/v1/neighbors/self/hide",
            Some(&mo.token),
            None,
        )
        .await
        .ok();
    assert_eq!(hidden["requests"][0]["state"], "held");
    assert_eq!(app.accept(&ana).await.status, 409);
    app.call(
        Method::POST,
        "/v1/neighbors/self/show",
        Some(&mo.token),
        None,
    )
    .await
    .ok();
    app.settle().await;
    assert_eq!(app.request(&mo, 0).await["progress"]["waiting"], 1);
    app.accept(&ana).await.ok();
}

#[actix_web::test]
async fn a_new_manage_token_ends_the_old_one() {
    let app = TestApp::new();
    let mo = app.neighbor(&[food(1)]).await;
    let new = app
        .call(
            Method::POST,
            "/v1/neighbors/self/rotate-token",
            Some(&mo.token),
            None,
        )
        .await
        .ok();
    assert_eq!(app.get("/v1/neighbors/self", &mo.token).await.status, 404);
    assert_eq!(
        app.get(
            "/v1/neighbors/self",
            new["manage_token"].as_str().expect("token")
        )
        .await
        .status,
        200
    );
}

#[actix_web::test]
async fn a_volunteer_rests_comes_back_and_leaves() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 9})],
        )
        .await;
    let offer = format!("/v1/offers/{}", ana.offers[0]);
    let post = |path: String| {
        let (app, token) = (&app, &ana.token);
        async move { app.call(Method::POST, &path, Some(token), None).await }
    };
    assert_eq!(post(format!("{offer}/pause")).await.ok()["state"], "paused");
    assert_eq!(
        post(format!("{offer}/pause")).await.ok()["state"],
        "paused",
        "the second click changes nothing"
    );
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    assert_eq!(app.request(&mo, 0).await["progress"]["asked"], 0);
    app.call(
        Method::POST,
        &format!("{offer}/resume"),
        Some(&ana.token),
        None,
    )
    .await
    .ok();
    app.settle().await;
    assert_eq!(
        app.request(&mo, 0).await["progress"]["asked"],
        1,
        "she is asked as soon as she is back"
    );
    app.accept(&ana).await.ok();
    app.settle().await;
    assert_eq!(
        app.call(
            Method::DELETE,
            "/v1/volunteers/self",
            Some(&ana.token),
            None
        )
        .await
        .status,
        204
    );
    app.settle().await;
    assert_eq!(app.get("/v1/volunteers/self", &ana.token).await.status, 404);
    let request = app.request(&mo, 0).await;
    assert_eq!(
        (request["state"].as_str(), request["covered"].as_i64()),
        (Some("open"), Some(0))
    );
    assert!(
        app.subjects_to("mo@example.org")
            .iter()
            .any(|s| s == "The help was called off")
    );
}

#[actix_web::test]
async fn a_volunteer_corrects_an_offer() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 9, "note": "Soup"})],
        )
        .await;
    let path = format!("/v1/offers/{}", ana.offers[0]);
    let body =
        json!({"reach_m": 100, "note": null, "available": {"opening_hours": "Mo-Su 08:00-20:00"}});
    let changed = app
        .call(Method::PATCH, &path, Some(&ana.token), Some(&body))
        .await
        .ok();
    assert_eq!(changed["reach_m"], 100);
    assert_eq!(changed["note"], json!(null));
    assert_eq!(changed["available"]["timezone"], "America/Chicago");
    app.neighbor(&[with(food(1), json!({"travel_m": 0}))]).await;
    app.settle().await;
    assert!(
        app.find_letter("ana@example.org", "mha_").is_none(),
        "out of reach now"
    );
    let bad = json!({"available": {"opening_hours": "whenever"}});
    let refused = app
        .call(Method::PATCH, &path, Some(&ana.token), Some(&bad))
        .await;
    assert_eq!(refused.pointers(), ["/available/opening_hours"]);
}

#[actix_web::test]
async fn strangers_and_wrong_tokens_get_one_and_the_same_answer() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 9})],
        )
        .await;
    let mo = app.neighbor(&[food(1)]).await;
    let other = app.neighbor_who(post_of(&[food(1)])).await;
    app.settle().await;
    let nobody = "mhn_00000000000000000000000000";
    let unknown = app
        .get(
            "/v1/requests/00000000-0000-4000-8000-000000000000",
            &mo.token,
        )
        .await;
    for answer in [
        app.get(&format!("/v1/requests/{}", mo.requests[0]), &other.token)
            .await,
        app.get(&format!("/v1/requests/{}", mo.requests[0]), &ana.token)
            .await,
        app.get("/v1/neighbors/self", nobody).await,
        app.get("/v1/neighbors/self", &ana.token).await,
        app.get("/v1/requests/not-an-id", &mo.token).await,
        app.get("/v1/nowhere", &mo.token).await,
        app.get("/v1/matches/self", &mo.token).await,
    ] {
        assert_eq!(answer.status, 404);
        assert_eq!(answer.bytes, unknown.bytes);
    }
    let none = app
        .call(Method::GET, "/v1/neighbors/self", None, None)
        .await;
    assert_eq!(none.problem(401), "no-token");
}

#[actix_web::test]
async fn sites_are_listed_when_checked_and_counts_hide_the_few() {
    let mut app = TestApp::new();
    let (_, coordinator) = app
        .coordinator(manyhands::storage::coordinators::Scope::Coordinator)
        .await;
    let site = json!({"category": "warming_space", "capacity": 30, "renews": "daily",
        "site": {"title": "Corner Books", "address": "2410 Public Ave", "walk_in": true},
        "available": {"opening_hours": "Mo-Su 08:00-22:00"}});
    let ana = app.volunteer("ana@example.org", &[site]).await;
    let sites = || {
        app.call(
            Method::GET,
            "/v1/sites?near=44.97,-93.26&open_now=true",
            None,
            None,
        )
    };
    assert_eq!(
        sites().await.ok()["features"],
        json!([]),
        "not before a coordinator has checked it"
    );
    app.post(
        &format!("/v1/offers/{}/list", ana.offers[0]),
        &coordinator,
        &json!({}),
    )
    .await
    .ok();
    let listed = sites().await;
    assert_eq!(listed.header("content-type"), Some("application/geo+json"));
    assert_eq!(listed.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(
        listed.body["features"][0]["properties"]["title"],
        "Corner Books"
    );
    assert_eq!(listed.body["features"][0]["properties"]["open_now"], true);
    let posted = app
        .neighbor(&[json!({"category": "warming_space", "quantity": 2})])
        .await
        .posted;
    assert_eq!(
        posted["sites"][0]["properties"]["title"], "Corner Books",
        "no match is needed to walk in"
    );

    let needs = || app.call(Method::GET, "/v1/needs?category=food", None, None);
    let lin = |n: i32| {
        let contact = json!({"name": "Lin", "phone": format!("612 555 020{n}")});
        with(post_of(&[food(1)]), json!({"contact": contact}))
    };
    for n in [1, 1, 2] {
        app.neighbor_who(lin(n)).await;
    }
    assert_eq!(needs().await.ok()["items"], json!([]), "one posted twice");
    app.neighbor_who(lin(3)).await;
    app.clock.advance(HOUR);
    assert_eq!(needs().await.ok()["items"][0]["open"], 3);
}
