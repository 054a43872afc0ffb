//! What a coordinator does with her own hands: she corrects what people told her by phone, closes with a
//! reason, gives a request to somebody else, and keeps somebody out; and each answer says what undoes it.

use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{Neighbor, Volunteer, food, north, post_of, with};
use crate::support::{MINUTE, TestApp};

/// What a coordinator can undo of it.
pub fn undo(file: &Value) -> Vec<&str> {
    let calls = file["undo"].as_array().expect("undo");
    calls.iter().map(|u| u["call"].as_str().unwrap()).collect()
}

pub async fn cook(app: &mut TestApp, email: &str) -> Volunteer {
    let meals = json!({"category": "food", "capacity": 20});
    app.volunteer(email, &[meals]).await
}

pub async fn desk(app: &TestApp) -> String {
    app.coordinator(Scope::Coordinator).await.1
}

/// The id of who asks.
pub async fn id_of(app: &TestApp, neighbor: &Neighbor) -> String {
    let own = app.get("/v1/neighbors/self", &neighbor.token).await.ok();
    own["id"].as_str().unwrap().to_owned()
}

pub fn as_lin(body: Value) -> Value {
    let contact = json!({"contact": {"name": "Lin", "phone": "612 555 0111"}});
    with(body, contact)
}

#[actix_web::test]
async fn by_phone_a_coordinator_corrects_a_neighbor_and_sees_nothing_sealed() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let mo = app.neighbor(&[food(4)]).await;
    app.settle().await;
    let mailed = app.letter_to("mo@example.org", "mhn_");
    let path = format!("/v1/neighbors/{}", id_of(&app, &mo).await);

    let contact = json!({"contact": {"phone": "612 555 0188", "email": "new@example.org"},
        "languages": ["es"], "agree_first": true, "location": north(9.0)});
    let file = app.patch(&path, &coo, &contact).await.ok();
    assert_eq!(
        (&file["languages"], &file["agree_first"], &file["verified"]),
        (&json!(["es"]), &json!(true), &json!("none"))
    );
    for sealed in ["0188", "new@example", "Mo", "Secret"] {
        assert!(!file.to_string().contains(sealed), "{sealed}");
    }
    let own = app.get("/v1/neighbors/self", &mo.token).await.ok();
    assert_eq!(own["contact"]["email"], "new@example.org");
    assert_eq!(own["contact"]["name"], "Mo Farah");
    assert_ne!(own["cell"], mo.posted["requests"][0]["cell"], "she moved");
    // What went to the former address opens nothing any more; the new one gets its own.
    let former = app.get("/v1/neighbors/self", &mailed).await;
    assert_eq!(former.problem(404), "not-found");
    app.settle().await;
    let link = app.letter_to("new@example.org", "mhn_");
    app.get("/v1/neighbors/self", &link).await.ok();
    // The same rules as for herself, and the fields that are wrong.
    let wrong = json!({"contact": {"email": "nowhere"}, "locale": "?"});
    let answer = app.patch(&path, &coo, &wrong).await;
    assert_eq!(answer.pointers(), ["/contact/email", "/locale"]);
    let audit = audited(&app, "neighbor_updated").await;
    assert_eq!(audit, "coordinator");

    app.erase(&mo.token).await;
    assert_eq!(app.get(&path, &coo).await.problem(404), "not-found");
    assert_eq!(
        app.patch(&path, &coo, &contact).await.problem(404),
        "not-found"
    );
}

/// Who did it last.
async fn audited(app: &TestApp, action: &str) -> String {
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let path = format!("/v1/audit?action={action}&limit=1");
    let page = app.get(&path, &admin).await.ok();
    page["items"][0]["actor"]["kind"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[actix_web::test]
async fn by_phone_a_coordinator_corrects_a_volunteer_and_an_offer() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let offer = format!("/v1/offers/{}", ana.offers[0]);
    let change = json!({"reach_m": 1234, "private_note": "Ring at the side"});
    let sheet = app.patch(&offer, &coo, &change).await.ok();
    assert_eq!(sheet["reach_m"], 1234);
    assert!(!sheet.to_string().contains("Ring"));
    let own = app.get(&offer, &ana.token).await.ok();
    assert_eq!(
        (&own["reach_m"], &own["private_note"]),
        (&json!(1234), &json!("Ring at the side"))
    );
    assert_eq!(audited(&app, "offer_updated").await, "coordinator");

    let volunteer = format!(
        "/v1/volunteers/{}",
        sheet["volunteer"]["id"].as_str().unwrap()
    );
    let change = json!({"contact": {"phone": "612 555 0177"}, "limits": {"open_asks": 1}});
    let file = app.patch(&volunteer, &coo, &change).await.ok();
    assert_eq!(file["limits"]["open_asks"], 1);
    assert!(!file.to_string().contains("0177"));
    let own = app.get("/v1/volunteers/self", &ana.token).await.ok();
    assert!(own["contact"]["phone"].as_str().unwrap().ends_with("0177"));
    let another = json!({"contact": {"email": "other@example.org"}});
    let answer = app.patch(&volunteer, &coo, &another).await;
    assert_eq!(answer.pointers(), ["/contact/email"]);
    assert_eq!(audited(&app, "volunteer_updated").await, "coordinator");
}

#[actix_web::test]
async fn a_close_says_why() {
    let app = TestApp::new();
    let coo = desk(&app).await;
    let mo = app.neighbor(&[food(4), food(2)]).await;
    let path = format!("/v1/requests/{}/close", mo.requests[0]);
    assert_eq!(app.press(&path, &mo.token).await.pointers(), ["/reason"]);
    assert_eq!(app.press(&path, &coo).await.pointers(), ["/reason"]);
    let why =
        async |token: &str, reason: &str| app.post(&path, token, &json!({"reason": reason})).await;
    for not_hers in ["unmet", "unreachable", "duplicate", "handed_over"] {
        assert_eq!(
            why(&mo.token, not_hers).await.pointers(),
            ["/reason"],
            "{not_hers}"
        );
    }
    for by_another_act in ["duplicate", "handed_over"] {
        assert_eq!(why(&coo, by_another_act).await.pointers(), ["/reason"]);
    }
    for _ in 0..2 {
        let closed = why(&coo, "unreachable").await.ok();
        assert_eq!(closed["close_reason"], "unreachable");
    }
    let other = format!("/v1/requests/{}/close", mo.requests[1]);
    let closed = app
        .post(&other, &mo.token, &json!({"reason": "helped_elsewhere"}))
        .await
        .ok();
    assert_eq!(closed["close_reason"], "helped_elsewhere");
}

#[actix_web::test]
async fn a_match_goes_to_another_offer_or_stays_as_it_is() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let mo = app.neighbor(&[food(4)]).await;
    app.settle().await;
    let asked = app.newest_match(&coo, &mo.requests[0]).await;
    let path = format!("/v1/matches/{}/reassign", asked["id"].as_str().unwrap());
    let ben = cook(&mut app, "ben@example.org").await;
    let tow = json!({"category": "towing", "capacity": 2});
    let tow = app.volunteer("tow@example.org", &[tow]).await;
    app.accept(&ana).await.ok();
    app.settle().await;

    // Nothing happens where the new one does not fit.
    let to = |offer: &str| json!({"offer": offer});
    let before = app.request(&mo, 0).await;
    let own = app.post(&path, &coo, &to(&ana.offers[0])).await;
    assert_eq!(own.problem(409), "pair-taken");
    let other_kind = app.post(&path, &coo, &to(&tow.offers[0])).await;
    assert_eq!(other_kind.problem(409), "does-not-fit");
    let nothing = app.post(&path, &coo, &json!({})).await;
    assert_eq!(nothing.pointers(), ["/offer"]);
    assert_eq!(app.request(&mo, 0).await, before);
    assert_eq!(before["state"], "covered");

    let made = app.post(&path, &coo, &to(&ben.offers[0])).await.ok();
    assert_eq!(
        (&made["state"], &made["by_hand"], &made["offer"]["id"]),
        (&json!("notified"), &json!(true), &json!(ben.offers[0]))
    );
    let again = app.post(&path, &coo, &to(&ben.offers[0])).await.ok();
    assert_eq!(again["id"], made["id"]);
    app.settle().await;
    let subjects = app.subjects_to("ana@example.org");
    assert_eq!(
        subjects.last().unwrap(),
        "You are not needed any more: please do not go"
    );
    let subjects = app.subjects_to("mo@example.org");
    assert_eq!(subjects.last().unwrap(), "The help was called off");
    let subjects = app.subjects_to("ben@example.org");
    assert_eq!(subjects.last().unwrap(), "Can you help a neighbor?");
    let old = app.get(path.trim_end_matches("/reassign"), &coo).await.ok();
    assert_eq!(
        (&old["state"], &old["fall_reason"]),
        (&json!("fell_through"), &json!("called_off"))
    );

    // From somebody who was only asked: she is thanked. There is no way back from an end.
    let path = format!("/v1/matches/{}/reassign", made["id"].as_str().unwrap());
    let back = app.post(&path, &coo, &to(&ana.offers[0])).await.ok();
    assert_eq!(back["offer"]["id"], json!(ana.offers[0]));
    app.settle().await;
    let subjects = app.subjects_to("ben@example.org");
    assert_eq!(
        subjects.last().unwrap(),
        "Thank you: somebody is helping already"
    );
    let over = app.post(&path, &coo, &to(&tow.offers[0])).await;
    assert_eq!(over.problem(409), "not-possible");
}

#[actix_web::test]
async fn a_blocked_neighbor_is_helped_by_nobody_and_cannot_see_why() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let mo = app.neighbor(&[food(4)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    app.settle().await;
    let path = format!("/v1/neighbors/{}", id_of(&app, &mo).await);
    for _ in 0..2 {
        let body = json!({"reason": "asked_for_money"});
        let file = app.post(&format!("{path}/block"), &coo, &body).await.ok();
        assert_eq!(undo(&file), [format!("POST {path}/unblock")]);
        assert_eq!(file["requests"][0]["neighbor"]["blocked"], true);
    }
    app.settle().await;
    for (who, told) in [
        (
            "ana@example.org",
            "You are not needed any more: please do not go",
        ),
        ("mo@example.org", "The help was called off"),
    ] {
        let subjects = app.subjects_to(who);
        assert!(subjects.contains(&told.to_owned()), "{subjects:?}");
    }
    // Nobody is asked, not by hand, and "I can, after all" is none.
    let asks = app.subjects_to("ana@example.org").len();
    app.advance(60 * MINUTE).await;
    assert_eq!(app.subjects_to("ana@example.org").len(), asks);
    let by_hand = json!({"request": mo.requests[0], "offer": ana.offers[0]});
    let answer = app.post("/v1/matches", &coo, &by_hand).await;
    assert_eq!(answer.problem(409), "pair-taken");

    // What she posts now is answered as anybody's is, and waits for a coordinator.
    let stranger = app.neighbor_who(as_lin(post_of(&[food(4)]))).await;
    let other_mail =
        json!({"contact": {"name": "Mo", "phone": "612 555 0123", "email": "else@example.org"}});
    let again = app
        .neighbor_who(with(post_of(&[food(4)]), other_mail))
        .await;
    let looks = |posted: &Value| {
        let mut shown = posted["requests"][0].clone();
        let hers = shown.as_object_mut().unwrap();
        hers.retain(|field, _| field != "id");
        shown
    };
    assert_eq!(looks(&again.posted), looks(&stranger.posted));
    app.settle().await;
    let tasks = app.get("/v1/tasks?kind=look&state=open", &coo).await.ok();
    assert!(tasks.to_string().contains(&again.requests[0]), "{tasks}");
    assert_eq!(asked(&app, &coo, &stranger).await, 1);
    assert_eq!(asked(&app, &coo, &again).await, 0);

    // Neither another contact nor erasure is a way around it.
    let contact = json!({"contact": {"phone": "612 555 0199", "email": null}});
    app.patch("/v1/neighbors/self", &again.token, &contact)
        .await
        .ok();
    for token in [&again.token, &mo.token] {
        app.erase(token).await;
    }
    assert_eq!(
        app.press(&format!("{path}/unblock"), &coo)
            .await
            .problem(404),
        "not-found"
    );
    for phone in ["612 555 0123", "612 555 0199"] {
        let contact = json!({"contact": {"name": "Mo", "phone": phone}});
        let back = app.neighbor_who(with(post_of(&[food(1)]), contact)).await;
        app.settle().await;
        assert_eq!(asked(&app, &coo, &back).await, 0, "{phone}");
        let path = format!("/v1/neighbors/{}/unblock", id_of(&app, &back).await);
        for _ in 0..2 {
            let file = app.press(&path, &coo).await.ok();
            assert_eq!(file["blocked_at"], Value::Null);
        }
        app.settle().await;
        assert_eq!(asked(&app, &coo, &back).await, 1, "let in again: {phone}");
    }
}

async fn asked(app: &TestApp, coo: &str, who: &Neighbor) -> usize {
    let path = format!("/v1/matches?request={}", who.requests[0]);
    app.get(&path, coo).await.ok()["items"]
        .as_array()
        .unwrap()
        .len()
}

#[actix_web::test]
async fn a_block_is_of_the_person_not_of_the_record() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let mo = app.neighbor(&[food(4)]).await;
    let twice = app.neighbor(&[food(1)]).await;
    let lin = app.neighbor_who(as_lin(post_of(&[food(1)]))).await;
    let path = format!("/v1/neighbors/{}", id_of(&app, &mo).await);
    let file = app.get(&path, &coo).await.ok();
    assert_eq!(file["same_contact"], json!([id_of(&app, &twice).await]));
    app.press(&format!("{path}/block"), &coo).await.ok();
    cook(&mut app, "ana@example.org").await;
    app.settle().await;
    for (who, count) in [(&mo, 0), (&twice, 0), (&lin, 1)] {
        assert_eq!(asked(&app, &coo, who).await, count);
    }
    app.press(&format!("{path}/unblock"), &coo).await.ok();
    app.settle().await;
    for who in [&mo, &twice] {
        assert_eq!(asked(&app, &coo, who).await, 1);
    }
}

#[actix_web::test]
async fn sites_that_wait_to_be_checked_and_vettings_that_end_are_found() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let site = json!({"category": "warming_space", "capacity": 20,
        "site": {"title": "Corner Books", "address": "2410 Example Ave", "walk_in": true}});
    let ana = app.volunteer("ana@example.org", &[site]).await;
    cook(&mut app, "ben@example.org").await;
    let offers = async |query: &str| {
        let page = app.get(&format!("/v1/offers?{query}"), &coo).await.ok();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(offers("site=true&listed=false").await, 1);
    let path = format!("/v1/offers/{}", ana.offers[0]);
    let sheet = app.press(&format!("{path}/list"), &coo).await.ok();
    assert_eq!(undo(&sheet), [format!("POST {path}/unlist")]);
    assert_eq!(offers("site=true&listed=false").await, 0);
    assert_eq!(offers("listed=true").await, 1);
    let sheet = app.press(&format!("{path}/unlist"), &coo).await.ok();
    assert!(undo(&sheet).is_empty());

    let volunteer = format!(
        "/v1/volunteers/{}",
        sheet["volunteer"]["id"].as_str().unwrap()
    );
    let until = json!({"until": "2026-12-24T12:00:00Z"});
    let file = app
        .post(&format!("{volunteer}/vet"), &coo, &until)
        .await
        .ok();
    assert_eq!(undo(&file), [format!("POST {volunteer}/unvet")]);
    assert_eq!(file["undo"][0]["until"], "2026-12-24T12:00:00Z");
    for (before, count) in [("2026-12-24T12:00:00Z", 0), ("2026-12-25T00:00:00Z", 1)] {
        let path = format!("/v1/volunteers?vetting_ends_before={before}");
        let page = app.get(&path, &coo).await.ok();
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{before}");
    }
    for bad in ["2026-12-07T18:00:00Z", "2032-01-01T00:00:00Z"] {
        let answer = app
            .post(&format!("{volunteer}/vet"), &coo, &json!({"until": bad}))
            .await;
        assert_eq!(answer.pointers(), ["/until"], "{bad}");
    }
    let wrong = app
        .get("/v1/volunteers?vetting_ends_before=soon", &coo)
        .await;
    assert_eq!(wrong.pointers(), ["vetting_ends_before"]);
    let file = app.press(&format!("{volunteer}/block"), &coo).await.ok();
    assert_eq!(
        undo(&file),
        [
            format!("POST {volunteer}/unblock"),
            format!("POST {volunteer}/unvet")
        ]
    );
}
