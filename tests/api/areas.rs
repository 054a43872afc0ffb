//! A frozen area: nothing in it is matched, asked, accepted, counted, listed or shown until it is lifted.

use actix_web::http::Method;
use manyhands::actions::Outcome;
use manyhands::domain::area::{AreaReason, Radius, Settling};
use manyhands::domain::ids::{AreaId, CoordinatorId};
use manyhands::domain::place::{Cell, GeoPoint};
use manyhands::storage::areas::{self, Area};
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{HOME, Neighbor, Volunteer, food, north, offer_of, post_of, with};
use crate::support::{HOUR, TestApp};

/// A volunteer some kilometers north who reaches home.
async fn cook(app: &mut TestApp, email: &str, km: f64) -> Volunteer {
    let offer = json!({"category": "food", "capacity": 20, "reach_m": 30000});
    let body = with(offer_of(email, &[offer]), json!({"location": north(km)}));
    app.volunteer_who(email, body).await
}

async fn freeze(app: &TestApp, token: &str) -> String {
    let body = json!({"location": north(0.0), "radius_m": 2000, "reason": "threat"});
    let area = app.post("/v1/areas", token, &body).await.ok();
    assert_eq!(
        (&area["frozen"], &area["settled"]),
        (&json!(true), &json!(true))
    );
    area["id"].as_str().expect("id").to_owned()
}

async fn lift(app: &mut TestApp, token: &str, id: &str) {
    for _ in 0..2 {
        let lifted = app
            .post(&format!("/v1/areas/{id}/lift"), token, &json!({}))
            .await
            .ok();
        assert_eq!(
            (&lifted["frozen"], &lifted["settled"]),
            (&json!(false), &json!(true))
        );
    }
    app.settle().await;
}

fn asks(app: &TestApp, email: &str) -> usize {
    let all = app.subjects_to(email);
    all.iter().filter(|s| s.starts_with("Can you help")).count()
}

async fn more(app: &mut TestApp, who: &Neighbor) -> Value {
    let body = json!({"needs": [food(1)]});
    let added = app
        .post("/v1/neighbors/self/requests", &who.token, &body)
        .await
        .ok();
    app.settle().await;
    added["requests"][0].clone()
}

#[actix_web::test]
async fn nothing_is_asked_accepted_or_shown_in_a_frozen_area() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let ana = cook(&mut app, "ana@example.org", 8.0).await;
    let door = with(food(1), json!({"handover": "door", "note": "Two children"}));
    let mo = app.neighbor(&[door]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let promised = app.letter_to(&ana.email, "mha_");
    more(&mut app, &mo).await;
    let declined = app.letter_to(&ana.email, "mha_");
    app.post("/v1/matches/self/decline", &declined, &json!({}))
        .await
        .ok();
    more(&mut app, &mo).await;
    let asked = app.letter_to(&ana.email, "mha_");

    let id = freeze(&app, &token).await;
    let seen = app.get("/v1/matches/self", &asked).await.ok();
    assert_eq!(
        (&seen["state"], &seen["frozen"]),
        (&json!("superseded"), &json!(true))
    );
    let seen = app.get("/v1/matches/self", &promised).await.ok();
    assert_eq!(
        (&seen["state"], &seen["contact"], &seen["note"]),
        (&json!("accepted"), &json!(null), &json!(null))
    );
    let request = app.request(&mo, 0).await;
    assert_eq!(request["progress"]["frozen"], true);
    assert_eq!(request["matches"][0]["contact"], json!(null));
    let late = app
        .post("/v1/matches/self/accept", &declined, &json!({}))
        .await;
    assert_eq!(late.problem(409), "area-frozen");
    let matched = request["matches"][0]["id"].as_str().expect("id");
    let agree = format!("/v1/requests/{}/matches/{matched}/agree", mo.requests[0]);
    assert_eq!(
        app.post(&agree, &mo.token, &json!({})).await.problem(409),
        "area-frozen"
    );

    let before = asks(&app, &ana.email);
    let posted = more(&mut app, &mo).await;
    assert_eq!(
        (&posted["state"], &posted["progress"]["frozen"]),
        (&json!("open"), &json!(true))
    );
    app.advance(12 * HOUR).await;
    app.sleep_over(HOUR).await;
    assert_eq!(asks(&app, &ana.email), before, "nobody new is asked");
    let pair = json!({"request": posted["id"], "offer": ana.offers[0]});
    let by_hand = app.post("/v1/matches", &token, &pair).await;
    assert_eq!(by_hand.problem(409), "area-frozen");

    lift(&mut app, &token, &id).await;
    assert!(asks(&app, &ana.email) > before, "at once");
    let seen = app.get("/v1/matches/self", &promised).await.ok();
    assert_eq!(seen["contact"]["phone"], "+16125550123");
    assert_eq!(seen["note"], "Two children");
    let (_, admin) = app.coordinator(Scope::Admin).await;
    for action in ["area_frozen", "area_asks_withdrawn", "area_lifted"] {
        let entries = app
            .get(&format!("/v1/audit?action={action}"), &admin)
            .await
            .ok();
        assert_eq!(
            entries["items"].as_array().map(Vec::len),
            Some(1),
            "{action}"
        );
    }
}

#[actix_web::test]
async fn a_volunteer_in_the_area_is_not_asked_and_others_are() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let ana = cook(&mut app, "ana@example.org", 0.0).await;
    let far = with(post_of(&[food(1)]), json!({"location": north(8.0)}));
    let mo = app.neighbor_who(far).await;
    app.settle().await;
    assert_eq!(asks(&app, &ana.email), 1);
    let id = freeze(&app, &token).await;
    let bea = cook(&mut app, "bea@example.org", 9.0).await;
    assert_eq!(asks(&app, &bea.email), 1, "others are asked instead");
    let request = app.request(&mo, 0).await;
    assert_eq!(
        (
            &request["progress"]["frozen"],
            &request["progress"]["waiting"]
        ),
        (&json!(false), &json!(1))
    );
    let bea_says_no = app.letter_to(&bea.email, "mha_");
    app.post("/v1/matches/self/decline", &bea_says_no, &json!({}))
        .await
        .ok();
    app.advance(HOUR).await;
    assert_eq!(asks(&app, &ana.email), 1);
    lift(&mut app, &token, &id).await;
    assert_eq!(
        asks(&app, &ana.email),
        2,
        "her offer looks for requests at once"
    );
}

#[actix_web::test]
async fn its_needs_are_not_counted_and_its_places_not_listed() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let site = json!({"category": "food", "capacity": 9, "site": {
        "title": "Corner kitchen", "address": "1 Public Square", "walk_in": true}});
    let body = with(
        offer_of("ana@example.org", &[site]),
        json!({"location": north(0.0)}),
    );
    let ana = app.volunteer_who("ana@example.org", body).await;
    app.post(
        &format!("/v1/offers/{}/list", ana.offers[0]),
        &token,
        &json!({}),
    )
    .await
    .ok();
    for n in 1..=3 {
        let contact = json!({"name": "Lin", "phone": format!("612 555 020{n}")});
        app.neighbor_who(with(post_of(&[food(n)]), json!({"contact": contact})))
            .await;
    }
    let seen = async |app: &TestApp| {
        let needs = app.call(Method::GET, "/v1/needs", None, None).await.ok();
        let sites = app.call(Method::GET, "/v1/sites", None, None).await.ok();
        let near = app.neighbor(&[food(1)]).await.posted["sites"].clone();
        let count = |list: &Value| list.as_array().expect("list").len();
        (
            count(&needs["items"]),
            count(&sites["features"]),
            count(&near),
        )
    };
    assert_eq!(seen(&app).await, (1, 1, 1));
    let id = freeze(&app, &token).await;
    assert_eq!(seen(&app).await, (0, 0, 0));
    lift(&mut app, &token, &id).await;
    assert_eq!(seen(&app).await, (1, 1, 1));
    app.post("/v1/volunteers/self/pause", &ana.token, &json!({}))
        .await
        .ok();
    assert_eq!(
        seen(&app).await,
        (1, 0, 0),
        "nor those of volunteers who pause"
    );
}

#[actix_web::test]
async fn what_a_freeze_began_is_finished_later() {
    let mut app = TestApp::new();
    let ana = cook(&mut app, "ana@example.org", 8.0).await;
    app.neighbor(&[food(1)]).await;
    app.settle().await;
    let asked = app.letter_to(&ana.email, "mha_");
    let area = Area {
        id: AreaId::new(app.ctx.entropy.as_ref()),
        cell: Cell::of(
            GeoPoint::parse(HOME.0, HOME.1).expect("point"),
            app.ctx.settings.area.cell_resolution,
        ),
        radius_m: Radius::try_from(500).expect("radius"),
        reason: AreaReason::Other,
        created_at: app.now(),
        created_by: CoordinatorId::new(app.ctx.entropy.as_ref()),
        lifted_at: None,
        lifted_by: None,
        settling: Some(Settling::Asks),
        settled_to: None,
    };
    let frozen: Outcome<()> = app
        .ctx
        .db
        .write(move |conn| Ok(areas::insert(conn, &area)?))
        .await;
    frozen.expect("written");
    let refused = app
        .post("/v1/matches/self/accept", &asked, &json!({}))
        .await;
    assert_eq!(
        refused.problem(409),
        "area-frozen",
        "from its own transaction on"
    );
    app.sleep_over(HOUR / 60).await;
    assert_eq!(
        app.get("/v1/matches/self", &asked).await.ok()["state"],
        "superseded"
    );
}

#[actix_web::test]
async fn an_area_is_frozen_once_under_its_key_and_told_what_is_wrong() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let wrong = json!({"location": {"lat": 91.0, "lon": 0.0}, "radius_m": 99, "reason": "rain"});
    let answer = app.post("/v1/areas", &token, &wrong).await;
    assert_eq!(answer.status, 422);
    let wrong = json!({"location": {"lat": 91.0, "lon": 0.0}, "radius_m": 99});
    let answer = app.post("/v1/areas", &token, &wrong).await;
    assert_eq!(answer.pointers(), ["/location/lat", "/radius_m", "/reason"]);
    let body = json!({"location": {"postal_code": "55407"}, "radius_m": 500, "reason": "roads"});
    let key = [("Idempotency-Key", "once")];
    let bytes = serde_json::to_vec(&body).expect("json");
    let call = || {
        app.raw(
            Method::POST,
            "/v1/areas",
            Some(&token),
            Some(bytes.clone()),
            &key,
        )
    };
    let (first, second) = (call().await.ok(), call().await.ok());
    assert_eq!(first, second);
    assert!(!first.to_string().contains("lat"));
    let frozen = app.get("/v1/areas?frozen=true", &token).await.ok();
    assert_eq!(frozen["items"], json!([first]));
    assert_eq!(
        app.get("/v1/areas?frozen=false", &token).await.ok()["items"],
        json!([])
    );
}
