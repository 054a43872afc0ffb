//! Who went and comes back, or gave an address that was not hers.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::json;

use crate::support::TestApp;
use crate::support::people::{food, offer_of, post_of, with};

fn meals() -> [serde_json::Value; 1] {
    [json!({"category": "food", "capacity": 5})]
}

#[actix_web::test]
async fn erasing_oneself_is_no_way_around_a_block() {
    let mut app = TestApp::new();
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let eve = app.volunteer("eve@example.org", &meals()).await;
    let id = app.get("/v1/volunteers/self", &eve.token).await.ok()["id"].clone();
    let block = format!("/v1/volunteers/{}/block", id.as_str().unwrap());
    app.post(&block, &admin, &json!({})).await.ok();
    app.call(
        Method::DELETE,
        "/v1/volunteers/self",
        Some(&eve.token),
        None,
    )
    .await
    .ok();

    let again = app.volunteer("eve@example.org", &meals()).await;
    app.neighbor(&[food(2)]).await;
    app.settle().await;
    assert_eq!(app.find_letter(&again.email, "mha_"), None, "she is asked");
    // A coordinator can let her in again.
    let id = app.get("/v1/volunteers/self", &again.token).await.ok()["id"].clone();
    let unblock = format!("/v1/volunteers/{}/unblock", id.as_str().unwrap());
    app.post(&unblock, &admin, &json!({})).await.ok();
    app.settle().await;
    assert!(app.find_letter(&again.email, "mha_").is_some());
}

#[actix_web::test]
async fn a_link_in_a_mailbox_that_is_not_hers_ends_when_she_corrects_the_address() {
    let mut app = TestApp::new();
    let wrong = json!({"contact": {"name": "Mo", "email": "stranger@example.org"}});
    let mo = app.neighbor_who(with(post_of(&[food(2)]), wrong)).await;
    app.settle().await;
    let strangers = app.letter_to("stranger@example.org", "mhn_");
    let stop = app.letter_to("stranger@example.org", "mhu_");
    let own = "/v1/neighbors/self";
    assert_eq!(app.get(own, &strangers).await.status, 200);

    let right = json!({"contact": {"name": "Mo", "email": "mo@example.org"}});
    app.patch(own, &mo.token, &right).await.ok();
    app.settle().await;
    assert_eq!(app.get(own, &strangers).await.status, 404);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let one_click = Some(b"List-Unsubscribe=One-Click".to_vec());
    let path = format!("/v1/unsubscribe/{stop}");
    let stopped = app.raw(Method::POST, &path, None, one_click, &form).await;
    assert_eq!(stopped.status, 404);
    assert_eq!(
        app.get(own, &mo.token).await.status,
        200,
        "hers still works"
    );
}

#[actix_web::test]
async fn who_stopped_mail_gets_none_because_others_give_her_address() {
    let mut app = TestApp::new();
    let ana = app.volunteer("ana@example.org", &meals()).await;
    let stop = app.letter_to(&ana.email, "mhu_");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let one_click = Some(b"List-Unsubscribe=One-Click".to_vec());
    let path = format!("/v1/unsubscribe/{stop}");
    let stopped = app.raw(Method::POST, &path, None, one_click, &form).await;
    assert_eq!(stopped.status, 204);
    let before = app.subjects_to(&ana.email).len();

    let offer = offer_of(&ana.email, &meals());
    app.call(Method::POST, "/v1/offers", None, Some(&offer))
        .await
        .ok();
    let need = json!({"contact": {"name": "Mo", "email": ana.email}});
    app.neighbor_who(with(post_of(&[food(1)]), need)).await;
    app.settle().await;
    assert_eq!(app.subjects_to(&ana.email).len(), before);
}
