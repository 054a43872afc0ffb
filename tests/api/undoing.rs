//! What was done is taken back: a close, a veto, a parting; until there is nothing left to take back.

use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use super::hands::{cook, desk, undo};
use crate::support::people::{Neighbor, Volunteer, food, with};
use crate::support::{DAY, HOUR, MINUTE, TestApp};

fn why() -> Value {
    json!({"reason": "not_needed"})
}

/// Somebody who needs meals for days.
async fn patient(app: &TestApp, quantity: i64) -> Neighbor {
    let needed = json!({"needed": [{"from": app.now(), "until": app.now().after(4 * DAY)}]});
    app.neighbor(&[with(food(quantity), needed)]).await
}

#[actix_web::test]
async fn a_close_is_undone_and_what_was_called_off_stays_so() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let mo = patient(&app, 4).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let path = format!("/v1/requests/{}", mo.requests[0]);
    let closed = app
        .post(&format!("{path}/close"), &mo.token, &why())
        .await
        .ok();
    let until = app.now().after(DAY).to_string();
    assert_eq!(
        (&closed["undo"][0]["call"], &closed["undo"][0]["until"]),
        (&json!(format!("POST {path}/reopen")), &json!(until))
    );
    assert!(
        closed["undo"][0]["leaves"]
            .as_str()
            .unwrap()
            .contains("called off")
    );
    app.settle().await;
    let ben = cook(&mut app, "ben@example.org").await;
    app.advance(HOUR).await;
    for who in [&mo.token, &coo] {
        let open = app.press(&format!("{path}/reopen"), who).await.ok();
        assert_eq!(
            (&open["state"], &open["close_reason"]),
            (&json!("open"), &Value::Null)
        );
        assert_eq!(open["undo"], json!([]));
    }
    app.settle().await;
    let file = app.get(&path, &coo).await.ok();
    let states: Vec<&Value> = file["matches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["state"])
        .collect();
    assert_eq!(states[0], "fell_through", "it does not come back");
    assert_eq!(states[1..], ["notified"], "others are asked at once");
    app.accept(&ben).await.ok();
    assert_eq!(app.request(&mo, 0).await["state"], "covered");
}

#[actix_web::test]
async fn what_was_given_counts_after_a_reopening_too() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let mo = patient(&app, 4).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let path = format!("/v1/requests/{}", mo.requests[0]);
    let helped = json!({"reason": "helped_here"});
    app.post(&format!("{path}/close"), &mo.token, &helped)
        .await
        .ok();
    let open = app.press(&format!("{path}/reopen"), &coo).await.ok();
    assert_eq!(
        (&open["state"], &open["covered"]),
        (&json!("covered"), &json!(4))
    );
    assert_eq!(open["matches"][0]["state"], "fulfilled");
}

#[actix_web::test]
async fn nothing_is_reopened_after_its_time_or_without_what_was_sealed() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    // Her time goes by before the day is over.
    let short = json!({"needed": [{"from": app.now(), "until": app.now().after(2 * HOUR)}]});
    let short = app.neighbor(&[with(food(1), short)]).await;
    let path = format!("/v1/requests/{}", short.requests[0]);
    let closed = app.post(&format!("{path}/close"), &coo, &why()).await.ok();
    assert_eq!(
        closed["undo"][0]["until"],
        app.now().after(2 * HOUR).to_string()
    );
    app.advance(2 * HOUR).await;
    assert_eq!(
        app.press(&format!("{path}/reopen"), &coo)
            .await
            .problem(409),
        "not-possible"
    );
    assert!(undo(&app.get(&path, &coo).await.ok()).is_empty());

    let mo = patient(&app, 1).await;
    let body = json!({"needs": [{"category": "food", "quantity": 1}]});
    app.post("/v1/neighbors/self/requests", &mo.token, &body)
        .await
        .ok();
    let path = format!("/v1/requests/{}", mo.requests[0]);
    app.post(&format!("{path}/close"), &mo.token, &why())
        .await
        .ok();
    app.clock.advance(DAY);
    let late = app.press(&format!("{path}/reopen"), &mo.token).await;
    assert_eq!(
        late.problem(409),
        "not-possible",
        "it may be destroyed at any moment"
    );
    assert_eq!(app.request(&mo, 0).await["undo"], json!([]));
    app.sleep_over(MINUTE).await;
    for who in [&mo.token, &coo] {
        assert_eq!(
            app.press(&format!("{path}/reopen"), who).await.problem(410),
            "gone"
        );
    }
}

#[actix_web::test]
async fn a_reopened_need_of_a_home_waits_for_its_call_again() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let need = json!({"category": "pet_care", "quantity": 1, "handover": "home"});
    let mo = app.neighbor(&[need]).await;
    let path = format!("/v1/requests/{}", mo.requests[0]);
    app.post(&format!("{path}/close"), &mo.token, &why())
        .await
        .ok();
    let calls = "/v1/tasks?kind=call&state=open";
    let count = |page: Value| page["items"].as_array().unwrap().len();
    assert_eq!(count(app.get(calls, &coo).await.ok()), 0);
    let open = app.press(&format!("{path}/reopen"), &mo.token).await.ok();
    assert_eq!(open["progress"]["attention"], "call_back");
    assert_eq!(count(app.get(calls, &coo).await.ok()), 1);
    let sitter = json!({"category": "pet_care", "capacity": 2});
    app.volunteer("ana@example.org", &[sitter]).await;
    app.settle().await;
    assert!(app.newest_match(&coo, &mo.requests[0]).await.is_null());
}

#[actix_web::test]
async fn an_offer_is_reopened_by_its_volunteer_or_a_coordinator() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let site = json!({"category": "food", "capacity": 20,
        "site": {"title": "Corner Books", "address": "2410 Example Ave", "walk_in": false}});
    let ana = app.volunteer("ana@example.org", &[site]).await;
    let path = format!("/v1/offers/{}", ana.offers[0]);
    app.press(&format!("{path}/list"), &coo).await.ok();
    let closed = app.press(&format!("{path}/close"), &ana.token).await.ok();
    assert_eq!(undo(&closed), [format!("POST {path}/reopen")]);
    for who in [&ana.token, &coo] {
        let open = app.press(&format!("{path}/reopen"), who).await.ok();
        assert_eq!(open["state"], "open");
    }
    let sheet = app.get(&path, &coo).await.ok();
    assert_eq!(sheet["listed"], Value::Null, "to be checked again");
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    assert_eq!(
        app.newest_match(&coo, &mo.requests[0]).await["state"],
        "notified"
    );

    app.press(&format!("{path}/close"), &ana.token).await.ok();
    app.sleep_over(25 * HOUR).await;
    assert_eq!(
        app.press(&format!("{path}/reopen"), &ana.token)
            .await
            .problem(410),
        "gone"
    );
    let ben = cook(&mut app, "ben@example.org").await;
    let other = app.press(&format!("{path}/reopen"), &ben.token).await;
    assert_eq!(other.problem(404), "not-found");
}

/// Meals that are asked of one volunteer, whom a coordinator then stops.
async fn vetoed(app: &mut TestApp, coo: &str) -> (Volunteer, Neighbor, String) {
    let ana = cook(app, "ana@example.org").await;
    let mo = patient(app, 4).await;
    app.settle().await;
    let asked = app.newest_match(coo, &mo.requests[0]).await;
    let path = format!("/v1/matches/{}", asked["id"].as_str().unwrap());
    assert_eq!(undo(&asked), [format!("POST {path}/veto")]);
    let stopped = app.press(&format!("{path}/veto"), coo).await.ok();
    assert_eq!(undo(&stopped), [format!("POST {path}/unveto")]);
    app.settle().await;
    (ana, mo, path)
}

#[actix_web::test]
async fn a_veto_is_taken_back_and_the_pair_may_be_proposed_again() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let (ana, mo, path) = vetoed(&mut app, &coo).await;
    app.advance(MINUTE).await;
    let by_hand = json!({"request": mo.requests[0], "offer": ana.offers[0]});
    assert_eq!(
        app.post("/v1/matches", &coo, &by_hand).await.problem(409),
        "pair-taken"
    );
    for _ in 0..2 {
        let back = app.press(&format!("{path}/unveto"), &coo).await.ok();
        assert_eq!((&back["state"], undo(&back).len()), (&json!("vetoed"), 0));
        assert_eq!(back["veto_undone_at"], app.now().to_string());
    }
    app.settle().await;
    let new = app.newest_match(&coo, &mo.requests[0]).await;
    assert_eq!(
        (&new["state"], &new["offer"]["id"]),
        (&json!("notified"), &json!(ana.offers[0]))
    );
    assert!(
        !path.ends_with(new["id"].as_str().unwrap()),
        "another match"
    );

    // And it may be repeated.
    app.press(&format!("{path}/veto"), &coo).await.ok();
    let file = app.get(&path, &coo).await.ok();
    assert_eq!(undo(&file), [format!("POST {path}/unveto")]);
    let new = format!("/v1/matches/{}/unveto", new["id"].as_str().unwrap());
    assert_eq!(app.press(&new, &coo).await.problem(409), "not-possible");
}

#[actix_web::test]
async fn who_was_parted_may_be_brought_together_again() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let mo = app.neighbor(&[food(4)]).await;
    app.settle().await;
    let answer = app.letter_to("ana@example.org", "mha_");
    let no = json!({"reason": "not_this_person"});
    app.post("/v1/matches/self/decline", &answer, &no)
        .await
        .ok();
    let more = json!({"needs": [food(1)]});
    let more = app
        .post("/v1/neighbors/self/requests", &mo.token, &more)
        .await
        .ok();
    let more = more["requests"][0]["id"].as_str().unwrap().to_owned();
    app.settle().await;
    assert!(app.newest_match(&coo, &more).await.is_null());
    let declined = app.newest_match(&coo, &mo.requests[0]).await;
    let path = format!("/v1/matches/{}", declined["id"].as_str().unwrap());
    assert_eq!(undo(&declined), [format!("POST {path}/unpart")]);
    for _ in 0..2 {
        let back = app.press(&format!("{path}/unpart"), &coo).await.ok();
        assert_eq!((&back["parted"], undo(&back).len()), (&json!(false), 0));
    }
    let by_hand = json!({"request": more, "offer": ana.offers[0]});
    app.post("/v1/matches", &coo, &by_hand).await.ok();

    // With one of them gone there is nothing to undo any more.
    app.call(
        actix_web::http::Method::DELETE,
        "/v1/volunteers/self",
        Some(&ana.token),
        None,
    )
    .await;
    assert_eq!(
        app.press(&format!("{path}/unpart"), &coo)
            .await
            .problem(404),
        "not-found"
    );
}

#[actix_web::test]
async fn what_is_hidden_says_who_shows_it_again() {
    let app = TestApp::new();
    let (_, coo) = app.coordinator(Scope::Admin).await;
    let mo = app.neighbor(&[food(1)]).await;
    let path = format!("/v1/requests/{}", mo.requests[0]);
    app.press("/v1/neighbors/self/hide", &mo.token).await.ok();
    assert_eq!(
        undo(&app.request(&mo, 0).await),
        ["POST /v1/neighbors/self/show"]
    );
    let own = app.get("/v1/neighbors/self", &mo.token).await.ok();
    let by_phone = format!("POST /v1/neighbors/{}/show", own["id"].as_str().unwrap());
    assert_eq!(
        undo(&app.get(&path, &coo).await.ok()),
        [by_phone],
        "if she says so"
    );
    let held = app.press(&format!("{path}/hold"), &coo).await.ok();
    assert_eq!(undo(&held), [format!("POST {path}/unhold")]);
    assert!(undo(&app.request(&mo, 0).await).is_empty(), "not hers");
}
