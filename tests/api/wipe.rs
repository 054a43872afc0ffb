//! "Wipe closed" destroys what is over and touches nothing else; and a coordinator's hold is stronger
//! than a neighbor's hide.

use actix_web::http::Method;
use manyhands::domain::remit::Remit;
use manyhands::storage::StorageError;
use manyhands::storage::coordinators::Scope;
use manyhands::storage::page::Page;
use manyhands::storage::{neighbors, offers, requests, volunteers};
use serde_json::json;

use crate::support::database::on_postgres;
use crate::support::people::{food, offer_of, post_of, with};
use crate::support::{MINUTE, TestApp, people::Volunteer};

/// How many requests, neighbors, offers and volunteers still have a sealed part.
async fn sealed(app: &TestApp) -> [usize; 4] {
    let page = || Page {
        after: None,
        limit: 500,
    };
    let now = app.now();
    app.ctx
        .db
        .read(move |conn| {
            let requests = requests::page(
                conn,
                Remit::All,
                &requests::RequestFilter::default(),
                page(),
            )?;
            let mut owners: Vec<_> = requests.iter().map(|r| r.neighbor_id).collect();
            owners.sort();
            owners.dedup();
            let owners = neighbors::find_all(conn, &owners)?;
            let offers = offers::page(conn, &offers::OfferFilter::default(), page())?;
            let all = volunteers::VolunteerFilter::default();
            let volunteers = volunteers::page(conn, &all, now, page())?;
            Ok::<_, StorageError>([
                requests.iter().filter(|r| r.sealed.is_some()).count(),
                owners.iter().filter(|n| n.sealed.is_some()).count(),
                offers.iter().filter(|o| o.sealed.is_some()).count(),
                volunteers.iter().filter(|v| v.sealed.is_some()).count(),
            ])
        })
        .await
        .expect("read")
}

async fn cook(app: &mut TestApp, email: &str) -> Volunteer {
    let offer = json!({"category": "food", "capacity": 5});
    let body = with(
        offer_of(email, &[offer]),
        json!({"contact": {"name": "Ana", "email": email}}),
    );
    app.volunteer_who(email, body).await
}

#[actix_web::test]
async fn what_is_closed_is_destroyed_at_once_and_the_rest_stays() {
    let mut app = TestApp::new();
    let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let helper = cook(&mut app, "helper@example.org").await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.accept(&helper).await.ok();
    let over = app
        .neighbor_who(with(
            post_of(&[food(1)]),
            json!({"contact": {"name": "Lin", "phone": "612 555 0145"}}),
        ))
        .await;
    let half = app.neighbor(&[food(1), food(2)]).await;
    for path in [&over.requests[0], &half.requests[0]] {
        let token = if path == &over.requests[0] {
            &over.token
        } else {
            &half.token
        };
        let why = json!({"reason": "not_needed"});
        app.post(&format!("/v1/requests/{path}/close"), token, &why)
            .await
            .ok();
    }
    let gone = cook(&mut app, "gone@example.org").await;
    app.advance(MINUTE).await;
    let banned = cook(&mut app, "banned@example.org").await;
    for who in [&gone, &banned] {
        app.post(
            &format!("/v1/offers/{}/close", who.offers[0]),
            &who.token,
            &json!({}),
        )
        .await
        .ok();
    }
    let all = app.get("/v1/volunteers", &coordinator).await.ok();
    let id = all["items"][0]["id"].as_str().expect("id").to_owned();
    app.post(
        &format!("/v1/volunteers/{id}/block"),
        &coordinator,
        &json!({}),
    )
    .await
    .ok();
    app.settle().await;
    assert_eq!(sealed(&app).await, [4, 3, 3, 3]);

    assert_eq!(
        app.post("/v1/wipe-closed", &coordinator, &json!({}))
            .await
            .status,
        403
    );
    let wiped = app
        .call(Method::POST, "/v1/wipe-closed", Some(&admin), None)
        .await
        .ok();
    assert_eq!(
        wiped,
        json!({"requests": 2, "offers": 2, "reports": 0, "notes": 0, "neighbors": 1, "volunteers": 1, "flushed": !on_postgres()})
    );
    assert_eq!(
        sealed(&app).await,
        [2, 2, 1, 2],
        "Mo, half of another; the helper and the banned"
    );
    assert_eq!(app.get("/v1/neighbors/self", &over.token).await.status, 404);
    assert_eq!(
        app.get("/v1/volunteers/self", &gone.token).await.status,
        404
    );
    let promised = app.request(&mo, 0).await;
    assert_eq!(
        promised["matches"][0]["contact"]["email"],
        "helper@example.org"
    );
    let again = app
        .call(Method::POST, "/v1/wipe-closed", Some(&admin), None)
        .await
        .ok();
    assert_eq!(again["requests"], 0);
    let entries = app.get("/v1/audit?action=closed_wiped", &admin).await.ok();
    assert_eq!(entries["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(entries["items"][0]["detail"]["neighbors"], 1);
}

#[actix_web::test]
async fn the_evidence_of_an_open_report_is_not_wiped() {
    let mut app = TestApp::new();
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let answer = app.letter_to(&ana.email, "mha_");
    let body = json!({"problem": "unsafe", "statement": "He was drunk"});
    app.post("/v1/matches/self/report", &answer, &body)
        .await
        .ok();
    app.settle().await;
    app.post(
        &format!("/v1/requests/{}/close", mo.requests[0]),
        &mo.token,
        &json!({"reason": "not_needed"}),
    )
    .await
    .ok();
    app.post(
        &format!("/v1/offers/{}/close", ana.offers[0]),
        &ana.token,
        &json!({}),
    )
    .await
    .ok();
    let wipe = async |app: &TestApp| {
        app.call(Method::POST, "/v1/wipe-closed", Some(&admin), None)
            .await
            .ok()
    };
    let wiped = wipe(&app).await;
    assert_eq!(
        (&wiped["neighbors"], &wiped["volunteers"]),
        (&json!(1), &json!(1))
    );
    let list = app.get("/v1/reports", &admin).await.ok();
    let id = list["items"][0]["id"].as_str().expect("id");
    let reveal = format!("/v1/reports/{id}/reveal");
    let reason = json!({"reason": "report"});
    let seen = app.post(&reveal, &admin, &reason).await.ok();
    assert_eq!(
        (&seen["contact"]["email"], &seen["statement"]),
        (&json!("mo@example.org"), &json!("He was drunk"))
    );
    app.post(&format!("/v1/reports/{id}/close"), &admin, &json!({}))
        .await
        .ok();
    assert_eq!(wipe(&app).await["reports"], 1);
    assert_eq!(
        app.post(&reveal, &admin, &reason).await.problem(410),
        "gone"
    );
}

#[actix_web::test]
async fn what_a_coordinator_holds_the_neighbor_cannot_show() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let mo = app.neighbor(&[food(1), food(2)]).await;
    let own = |what: &str| format!("/v1/neighbors/self/{what}");
    app.post(&own("hide"), &mo.token, &json!({})).await.ok();
    assert_eq!(app.request(&mo, 0).await["held_by"], "neighbor");
    let path = format!("/v1/requests/{}", mo.requests[0]);
    for _ in 0..2 {
        let held = app
            .post(&format!("{path}/hold"), &token, &json!({}))
            .await
            .ok();
        assert_eq!(held["held_by"], "coordinator");
    }
    app.post(&own("show"), &mo.token, &json!({})).await.ok();
    assert_eq!(app.request(&mo, 0).await["state"], "held");
    assert_eq!(app.request(&mo, 1).await["state"], "open");
    app.post(&own("hide"), &mo.token, &json!({})).await.ok();
    assert_eq!(app.request(&mo, 0).await["held_by"], "coordinator");
    let shown = app
        .post(&format!("{path}/unhold"), &token, &json!({}))
        .await
        .ok();
    assert_eq!(shown["state"], "open");
}
