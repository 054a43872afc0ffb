//! A volunteer who calls offers something more, and more or less of what she gives: never less than is promised.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::hands::desk;
use super::phone::{audited, entry};
use crate::support::people::{Volunteer, food, north, offer_of, post_of, with};
use crate::support::{DAY, HOUR, TestApp};

fn meals(capacity: i64) -> Value {
    json!({"category": "food", "capacity": capacity})
}

async fn volunteer_of(app: &TestApp, coo: &str, offer: &str) -> String {
    let sheet = app.get(&format!("/v1/offers/{offer}"), coo).await.ok();
    sheet["volunteer"]["id"].as_str().expect("id").to_owned()
}

async fn asked(app: &mut TestApp, ana: &Volunteer) -> bool {
    app.settle().await;
    app.find_letter(&ana.email, "mha_").is_some()
}

#[actix_web::test]
async fn a_volunteer_who_calls_offers_something_more() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let ana = app.volunteer("ana@example.org", &[meals(4)]).await;
    let id = volunteer_of(&app, &coo, &ana.offers[0]).await;
    let path = format!("/v1/volunteers/{id}/offers");
    let tow = json!({"category": "towing", "capacity": 2, "private_note": "Ring the bell"});
    let more = json!({"location": north(1.0), "offers": [tow]});
    let body = serde_json::to_vec(&more).expect("json");
    let key = [("Idempotency-Key", "again")];
    let mut made = Vec::new();
    for _ in 0..2 {
        let added = app
            .raw(Method::POST, &path, Some(&coo), Some(body.clone()), &key)
            .await;
        assert_eq!(added.status, 201);
        assert_eq!(added.body["offers"][0]["state"], "open");
        assert!(
            !added.body.to_string().contains("bell"),
            "what is sealed stays so"
        );
        made.push(added.body["offers"][0]["id"].clone());
    }
    assert_eq!(made[0], made[1]);
    let own = app.get("/v1/volunteers/self", &ana.token).await.ok();
    assert_eq!(own["offers"].as_array().expect("offers").len(), 2);
    assert_eq!(own["offers"][1]["private_note"], "Ring the bell");
    let posted = entry("offers_posted", "volunteer");
    let all = audited(&app, &id).await;
    assert_eq!(all.iter().filter(|e| **e == posted).count(), 1, "{all:?}");
    let empty = app.post(&path, &coo, &json!({})).await;
    assert_eq!(empty.pointers(), ["/location", "/offers"]);
    let tow = json!({"category": "towing", "quantity": 1, "urgency": "now"});
    app.neighbor(&[tow]).await;
    assert!(asked(&mut app, &ana).await);
}

#[actix_web::test]
async fn what_is_added_before_the_letter_is_answered_waits_for_it() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let post = offer_of("cem@example.org", &[meals(4)]);
    let entered = app.post("/v1/offers", &coo, &post).await.ok();
    let offer = entered["offers"][0]["id"].as_str().expect("id");
    let id = volunteer_of(&app, &coo, offer).await;
    let more = json!({"location": north(1.0), "offers": [{"category": "towing", "capacity": 2}]});
    let path = format!("/v1/volunteers/{id}/offers");
    let added = app.post(&path, &coo, &more).await.ok();
    assert_eq!(added["offers"][0]["state"], "unconfirmed");
    app.settle().await;
    let letter = app.letter_to("cem@example.org", "mho_");
    let confirmed = app.post("/v1/confirm", &letter, &json!({})).await.ok();
    let offers = confirmed["offers"].as_array().expect("offers");
    assert!(offers.iter().all(|o| o["state"] == "open") && offers.len() == 2);
}

#[actix_web::test]
async fn a_desk_enters_offers_of_many_under_one_number_and_is_named_for_each() {
    let app = TestApp::with(&[("limits.mode", "on")]);
    let coo = desk(&app).await;
    let post = |n: usize| {
        let contact =
            json!({"name": "Ana", "email": format!("a{n}@example.org"), "phone": "612 555 0150"});
        with(
            offer_of("x@example.org", &[meals(1)]),
            json!({ "contact": contact }),
        )
    };
    for n in 0..25 {
        app.post("/v1/offers", &coo, &post(n)).await.ok();
    }
    let entered = app.post("/v1/offers", &coo, &post(30)).await.ok();
    let offer = entered["offers"][0]["id"].as_str().expect("id");
    let id = volunteer_of(&app, &coo, offer).await;
    assert_eq!(
        audited(&app, &id).await,
        [entry("offers_posted", "volunteer")]
    );
    let mut statuses = Vec::new();
    for n in 40..62 {
        let alone = app
            .call(Method::POST, "/v1/offers", None, Some(&post(n)))
            .await;
        statuses.push(alone.status);
    }
    assert_eq!(statuses[19..], [201, 429, 429], "without a desk's token");
    let revoked = app
        .post("/v1/offers", "mhc_0123456789ABCDEFGHJKMNPQRSTV", &post(70))
        .await;
    assert_eq!(revoked.problem(404), "not-found");
}

#[actix_web::test]
async fn an_offer_can_have_more_and_whoever_waits_is_looked_for() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let ana = app.volunteer("ana@example.org", &[meals(2)]).await;
    let mo = app.neighbor(&[food(4)]).await;
    assert!(!asked(&mut app, &ana).await, "too little");
    let path = format!("/v1/offers/{}", ana.offers[0]);
    for (token, body) in [
        (&ana.token, json!({"capacity": 0})),
        (&coo, json!({"capacity": null})),
    ] {
        assert_eq!(
            app.patch(&path, token, &body).await.pointers(),
            ["/capacity"]
        );
    }
    let changed = app.patch(&path, &coo, &json!({"capacity": 4})).await.ok();
    assert_eq!(changed["capacity"], 4);
    assert!(asked(&mut app, &ana).await, "enough now");
    let last = audited(&app, &ana.offers[0]).await.pop();
    assert_eq!(last, Some(entry("offer_updated", "volunteer")));

    // Less than what was asked for: the ask is withdrawn, and nothing is promised twice.
    let changed = app
        .patch(&path, &ana.token, &json!({"capacity": 3}))
        .await
        .ok();
    assert_eq!(changed["capacity"], 3);
    let file = app
        .get(&format!("/v1/requests/{}", mo.requests[0]), &coo)
        .await
        .ok();
    assert_eq!(file["matches"][0]["state"], "superseded");
}

#[actix_web::test]
async fn it_has_no_less_than_is_promised() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let ana = app.volunteer("ana@example.org", &[meals(10)]).await;
    let mo = app.neighbor(&[food(4)]).await;
    assert!(asked(&mut app, &ana).await);
    app.accept(&ana).await.ok();
    let path = format!("/v1/offers/{}", ana.offers[0]);
    for token in [&ana.token, &coo] {
        let refused = app.patch(&path, token, &json!({"capacity": 3})).await;
        assert_eq!(refused.problem(409), "more-taken");
        assert!(
            refused.body["detail"]
                .as_str()
                .expect("detail")
                .starts_with("4 of it")
        );
        let offer = app.get(&path, token).await.ok();
        assert_eq!(offer["capacity"], 10, "nothing has changed");
    }
    // A promise does not stand in the way of the rest.
    for capacity in [4, 6, 5] {
        let changed = app
            .patch(&path, &ana.token, &json!({"capacity": capacity}))
            .await;
        assert_eq!(changed.ok()["capacity"], capacity);
    }
    let lin = json!({"contact": {"name": "Lin", "phone": "612 555 0111"}});
    let lin = app.neighbor_who(with(post_of(&[food(1)]), lin)).await;
    assert!(asked(&mut app, &ana).await);
    app.accept(&ana).await.ok();
    for neighbor in [&mo, &lin] {
        assert_eq!(app.request(neighbor, 0).await["state"], "covered");
    }
    let refused = app.patch(&path, &ana.token, &json!({"capacity": 4})).await;
    assert!(
        refused.body["detail"]
            .as_str()
            .expect("detail")
            .starts_with("5 of it")
    );
}

#[actix_web::test]
async fn of_what_renews_only_periods_that_are_not_over_count() {
    let mut app = TestApp::new();
    let daily = with(meals(10), json!({"renews": "daily"}));
    let ana = app.volunteer("ana@example.org", &[daily]).await;
    let today = app.now();
    let at = |from: u32| json!([{"from": today.after(from * HOUR), "until": today.after((from + 3) * HOUR)}]);
    app.neighbor(&[with(food(8), json!({"needed": at(1)}))])
        .await;
    assert!(asked(&mut app, &ana).await);
    app.accept(&ana).await.ok();
    let path = format!("/v1/offers/{}", ana.offers[0]);
    let less = json!({"capacity": 5});
    let refused = app.patch(&path, &ana.token, &less).await;
    assert_eq!(refused.problem(409), "more-taken");
    app.advance(2 * DAY).await;
    let changed = app.patch(&path, &ana.token, &less).await.ok();
    assert_eq!(changed["capacity"], 5, "that day is over");
}
