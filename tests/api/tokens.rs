//! Tokens: how often and how long they work, and what ends them.

use std::time::Duration;

use actix_web::http::Method;
use manyhands::actions::add_coordinator::{NewCoordinator, add_coordinator};
use manyhands::actions::rotate_coordinator::rotate_coordinator;
use manyhands::crypto::token::{Purpose, Token};
use manyhands::domain::contact::{EmailAddress, PersonName};
use manyhands::domain::part::Part;
use manyhands::storage::audit::Actor;
use manyhands::storage::coordinators::Scope;
use manyhands::storage::tokens::TokenRow;
use manyhands::storage::{StorageError, TxError, tokens};
use serde_json::json;

use crate::support::people::{food, offer_of, post_of};
use crate::support::{DAY, HOUR, TestApp};

/// How many tokens of a purpose work now, over all subjects.
async fn live(app: &TestApp, purpose: Purpose) -> usize {
    let now = app.now();
    app.ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(tokens::ends(conn, purpose, now)?))
        .await
        .unwrap()
        .len()
}

#[actix_web::test]
async fn a_confirm_link_works_three_times_within_a_day() {
    let mut app = TestApp::new();
    let offer = offer_of(
        "ana@example.org",
        &[json!({"category": "food", "capacity": 5})],
    );
    let confirm = async |app: &TestApp, link: &str| {
        app.call(Method::POST, "/v1/confirm", Some(link), None)
            .await
    };
    app.call(Method::POST, "/v1/offers", None, Some(&offer))
        .await
        .ok();
    app.settle().await;
    let link = app.letter_to("ana@example.org", "mho_");
    let mut manage = String::new();
    for _ in 0..3 {
        let confirmed = confirm(&app, &link).await.ok();
        manage = confirmed["manage_token"].as_str().unwrap().to_owned();
    }
    let nowhere = app.call(Method::GET, "/v1/nowhere", None, None).await;
    let used_up = confirm(&app, &link).await;
    assert_eq!((used_up.status, &used_up.bytes), (404, &nowhere.bytes));
    let form = format!("code={link}&form=confirm&choice=confirm").into_bytes();
    let form_type = ("Content-Type", "application/x-www-form-urlencoded");
    let page = app
        .raw(Method::POST, "/confirm", None, Some(form), &[form_type])
        .await;
    assert_eq!(page.status, 404, "nor on the page");
    app.get("/v1/volunteers/self", &manage).await.ok();

    let late = offer_of(
        "ben@example.org",
        &[json!({"category": "food", "capacity": 5})],
    );
    app.call(Method::POST, "/v1/offers", None, Some(&late))
        .await
        .ok();
    app.settle().await;
    let link = app.letter_to("ben@example.org", "mho_");
    app.clock.advance(DAY);
    assert_eq!(confirm(&app, &link).await.bytes, nowhere.bytes);
}

#[actix_web::test]
async fn an_answer_token_ends_a_week_after_its_request() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5})],
        )
        .await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let first = app.letter_to(&ana.email, "mha_");
    app.advance(2 * HOUR).await;
    let close = format!("/v1/requests/{}/close", mo.requests[0]);
    let why = json!({"reason": "not_needed"});
    app.post(&close, &mo.token, &why).await.ok();
    app.settle().await;
    // The letter that calls it off leaves after the end, and its token has the same end.
    let last = app.letter_to(&ana.email, "mha_");
    assert_ne!(first, last);
    for token in [&first, &last] {
        app.get("/v1/matches/self", token).await.ok();
    }
    // While the neighbor is still there: a report is possible for some time.
    app.clock.advance(20 * HOUR);
    let report = json!({"problem": "asked_for_money"});
    app.post("/v1/matches/self/report", &first, &report)
        .await
        .ok();
    app.clock.advance(6 * DAY);
    app.get("/v1/matches/self", &last).await.ok();
    app.clock.advance(DAY);
    for token in [&first, &last] {
        let answer = app.get("/v1/matches/self", token).await;
        assert_eq!(answer.problem(404), "not-found");
    }
    assert_eq!(live(&app, Purpose::Answer).await, 0);
}

#[actix_web::test]
async fn an_erased_volunteer_leaves_no_key_behind() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5})],
        )
        .await;
    app.neighbor(&[food(1)]).await;
    app.settle().await;
    let answer = app.letter_to(&ana.email, "mha_");
    app.call(
        Method::DELETE,
        "/v1/volunteers/self",
        Some(&ana.token),
        None,
    )
    .await
    .ok();
    let gone = app.get("/v1/matches/self", &answer).await;
    assert_eq!(gone.problem(404), "not-found");
    for purpose in [Purpose::Volunteer, Purpose::Answer] {
        assert_eq!(live(&app, purpose).await, 0, "{purpose}");
    }
}

#[actix_web::test]
async fn fifty_keys_are_left_and_the_first_is_among_them() {
    let app = TestApp::new();
    let body = serde_json::to_vec(&post_of(&[food(1)])).unwrap();
    // A repeated call mints another key, as every letter does.
    let mut given = Vec::new();
    for _ in 0..70 {
        let key = [("Idempotency-Key", "again")];
        let again = app.raw(Method::POST, "/v1/requests", None, Some(body.clone()), &key);
        let token = again.await.ok()["manage_token"].clone();
        given.push(token.as_str().unwrap().to_owned());
        app.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(live(&app, Purpose::Neighbor).await, 50);
    let mut working = Vec::new();
    for token in &given {
        working.push(app.get("/v1/neighbors/self", token).await.status == 200);
    }
    // The one that she was shown when she posted, which may be on paper, and the newest.
    assert!(working[0] && !working[1] && !working[20] && working[21..].iter().all(|w| *w));
}

#[actix_web::test]
async fn a_volunteer_makes_her_code_new() {
    let mut app = TestApp::new();
    let ana = app
        .volunteer(
            "ana@example.org",
            &[json!({"category": "food", "capacity": 5})],
        )
        .await;
    let path = "/v1/volunteers/self/rotate-token";
    let new = app.post(path, &ana.token, &json!({})).await.ok();
    let new = new["manage_token"].as_str().unwrap();
    assert!(new.starts_with("mhv_"));
    let old = app.get("/v1/volunteers/self", &ana.token).await;
    assert_eq!(old.problem(404), "not-found");
    app.get("/v1/volunteers/self", new).await.ok();

    let form = format!("code={new}&form=all&choice=rotate").into_bytes();
    let form_type = ("Content-Type", "application/x-www-form-urlencoded");
    let page = app
        .raw(Method::POST, "/manage", None, Some(form), &[form_type])
        .await;
    let page = String::from_utf8(page.bytes).unwrap();
    let shown = page.split("mhv").nth(1).expect("a code");
    let shown = format!("mhv{}", shown.split('<').next().unwrap());
    let newest = Token::parse(&shown).expect("as it is written");
    let newest = newest.expose();
    assert_eq!(app.get("/v1/volunteers/self", new).await.status, 404);
    app.get("/v1/volunteers/self", newest).await.ok();
}

#[actix_web::test]
async fn a_coordinators_access_ends_when_it_was_to_end() {
    let app = TestApp::new();
    let new = NewCoordinator {
        name: PersonName::parse("Coo").unwrap(),
        email: EmailAddress::parse("coo@example.org").unwrap(),
        scope: Scope::Coordinator,
        expires: Some(90 * DAY),
        digest: true,
        part: Part::ALL,
    };
    let (id, token) = add_coordinator(&app.ctx, new, Actor::OPERATOR)
        .await
        .unwrap();
    let list = async |token: &Token| app.get("/v1/matches", token.expose()).await;
    list(&token).await.ok();
    // A new token has the end that the old one had.
    app.clock.advance(89 * DAY);
    let next = rotate_coordinator(&app.ctx, id, None, Actor::OPERATOR)
        .await
        .unwrap();
    assert_eq!(list(&token).await.problem(404), "not-found");
    list(&next).await.ok();
    app.clock.advance(DAY);
    assert_eq!(list(&next).await.problem(404), "not-found");
    let without_term = rotate_coordinator(&app.ctx, id, None, Actor::OPERATOR);
    without_term.await.unwrap_err();
    let again = rotate_coordinator(&app.ctx, id, Some(DAY), Actor::OPERATOR)
        .await
        .unwrap();
    list(&again).await.ok();
}

#[actix_web::test]
async fn what_has_expired_is_deleted_in_batches() {
    let mut app = TestApp::new();
    let until = app.now().after(HOUR);
    for n in 0..450_u64 {
        let row = TokenRow {
            hash: Token::mint(Purpose::Confirm, app.ctx.entropy.as_ref())
                .hash(&app.ctx.vault.keys().unwrap().hasher),
            purpose: Purpose::Confirm,
            subject_id: uuid::Uuid::from_u128(n.into()).into(),
            created_at: app.now(),
            expires_at: Some(until),
        };
        let write = app
            .ctx
            .db
            .write(move |conn| -> Result<(), TxError<()>> { Ok(tokens::insert(conn, &row)?) });
        write.await.unwrap();
    }
    let all = app.now();
    app.sleep_over(2 * HOUR).await;
    let left = app
        .ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(tokens::ends(conn, Purpose::Confirm, all)?))
        .await
        .unwrap();
    assert_eq!(left, []);
}
