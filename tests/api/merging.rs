//! The same need posted twice: flagged by equal contacts, closed by a coordinator, never by itself.

use serde_json::{Value, json};

use super::hands::{as_lin, cook, desk, undo};
use crate::support::people::{food, post_of, with};
use crate::support::{HOUR, MINUTE, TestApp};

pub async fn flagged(app: &TestApp, coo: &str) -> Vec<String> {
    let page = app.get("/v1/requests?duplicates=true", coo).await.ok();
    let items = page["items"].as_array().unwrap().iter();
    let mut all: Vec<String> = items
        .map(|r| r["id"].as_str().unwrap().to_owned())
        .collect();
    all.sort();
    all
}

pub async fn twins(app: &TestApp, coo: &str, id: &str) -> Value {
    let file = app.get(&format!("/v1/requests/{id}"), coo).await.ok();
    file["possible_duplicates"].clone()
}

pub fn sorted(ids: &[&String]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
    ids.sort();
    ids
}

#[actix_web::test]
async fn equal_contacts_flag_the_same_need_and_nothing_else() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let towing = json!({"category": "towing", "quantity": 1});
    let mo = app.neighbor(&[food(4), towing]).await;
    assert!(flagged(&app, &coo).await.is_empty());
    let lin = app.neighbor_who(as_lin(post_of(&[food(4)]))).await;
    assert!(flagged(&app, &coo).await.is_empty(), "others need food too");
    // By phone alone, and by e-mail alone.
    let phone = json!({"contact": {"name": "Mohamed", "phone": "(612) 555-0123"}});
    let by_phone = app.neighbor_who(with(post_of(&[food(2)]), phone)).await;
    app.advance(MINUTE).await;
    let email = json!({"contact": {"name": "M", "email": "MO@example.org"}});
    let by_email = app.neighbor_who(with(post_of(&[food(3)]), email)).await;
    let (first, second, third) = (
        &mo.requests[0],
        &by_phone.requests[0],
        &by_email.requests[0],
    );
    assert_eq!(flagged(&app, &coo).await, sorted(&[first, second, third]));
    assert_eq!(twins(&app, &coo, first).await, json!([second, third]));
    assert_eq!(twins(&app, &coo, second).await, json!([first]));
    assert_eq!(twins(&app, &coo, &mo.requests[1]).await, json!([]));
    assert_eq!(twins(&app, &coo, &lin.requests[0]).await, json!([]));
    // What is closed is nobody's twin.
    let why = json!({"reason": "not_needed"});
    let close = format!("/v1/requests/{first}/close");
    app.post(&close, &mo.token, &why).await.ok();
    assert!(flagged(&app, &coo).await.is_empty());
    assert_eq!(twins(&app, &coo, first).await, json!([]));
}

#[actix_web::test]
async fn of_one_neighbor_times_that_overlap_are_flagged_but_no_slots_of_a_series() {
    let app = TestApp::new();
    let coo = desk(&app).await;
    let at = |from: u32, until: u32| {
        let at = |hours: u32| app.now().after(hours * HOUR);
        json!({"from": at(from), "until": at(until)})
    };
    let needed = |windows: &[Value]| with(food(1), json!({"needed": windows}));
    let series = needed(&[at(1, 4), at(3, 6)]);
    let mo = app.neighbor(&[series]).await;
    assert!(
        flagged(&app, &coo).await.is_empty(),
        "two slots of one plan"
    );
    let more = json!({"needs": [needed(&[at(5, 8)]), needed(&[at(8, 9)])]});
    let path = "/v1/neighbors/self/requests";
    let added = app.post(path, &mo.token, &more).await.ok();
    let added = added["requests"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        flagged(&app, &coo).await,
        sorted(&[&mo.requests[1], &added])
    );
    assert_eq!(twins(&app, &coo, &added).await, json!([mo.requests[1]]));
}

#[actix_web::test]
async fn a_merge_closes_the_one_and_leaves_the_other() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let mo = app.neighbor(&[food(4), food(3)]).await;
    let again = app.neighbor(&[food(4)]).await;
    app.settle().await;
    let path = format!("/v1/requests/{}", again.requests[0]);
    let into = |id: &str| json!({"into": id});
    let merge_path = format!("{path}/merge");
    let merge = async |app: &TestApp, id: &str| app.post(&merge_path, &coo, &into(id)).await;
    assert_eq!(
        merge(&app, &again.requests[0]).await.pointers(),
        ["/into"],
        "itself"
    );
    for _ in 0..2 {
        let file = merge(&app, &mo.requests[0]).await.ok();
        assert_eq!(
            (&file["state"], &file["close_reason"], &file["merged_into"]),
            (
                &json!("closed"),
                &json!("duplicate"),
                &json!(mo.requests[0])
            )
        );
        assert_eq!(file["matches"][0]["state"], "superseded");
        assert_eq!(undo(&file), [format!("POST {path}/reopen")]);
    }
    assert_eq!(
        merge(&app, &mo.requests[1]).await.problem(409),
        "not-possible"
    );
    let other = format!("/v1/requests/{}", mo.requests[0]);
    let back = app
        .post(&format!("{other}/merge"), &coo, &into(&again.requests[0]))
        .await;
    assert_eq!(back.problem(409), "not-possible", "no circle");
    let other = app.get(&other, &coo).await.ok();
    assert_eq!(
        (&other["state"], &other["matches"][0]["state"]),
        (&json!("open"), &json!("notified"))
    );

    // Her page says that it was posted twice, and nothing of another record; she undoes nothing there.
    let hers = app.request(&again, 0).await;
    assert_eq!(
        (&hers["close_reason"], &hers["merged_into"], &hers["undo"]),
        (&json!("duplicate"), &Value::Null, &json!([]))
    );
    assert!(!hers.to_string().contains(&mo.requests[0]));
    let reopen = format!("{path}/reopen");
    assert_eq!(
        app.press(&reopen, &again.token).await.problem(409),
        "not-possible"
    );
    let file = app.press(&reopen, &coo).await.ok();
    assert_eq!(
        (&file["state"], &file["merged_into"]),
        (&json!("open"), &Value::Null)
    );
    app.settle().await;
    let asked = app.newest_match(&coo, &again.requests[0]).await;
    assert_eq!(asked["state"], "notified", "it is looked for again");

    // Of one neighbor, it is hers to know.
    let own = format!("/v1/requests/{}/merge", mo.requests[1]);
    app.post(&own, &coo, &into(&mo.requests[0])).await.ok();
    assert_eq!(
        app.request(&mo, 1).await["merged_into"],
        json!(mo.requests[0])
    );

    // What is promised is not merged away.
    app.accept(&ana).await.ok();
    let promised = app.request(&again, 0).await["state"] == "covered";
    assert!(promised, "the newest ask");
    assert_eq!(
        merge(&app, &mo.requests[0]).await.problem(409),
        "has-accepted-match"
    );
}

#[actix_web::test]
async fn other_needs_and_the_erased_are_not_merged() {
    let app = TestApp::new();
    let coo = desk(&app).await;
    let towing = json!({"category": "towing", "quantity": 1});
    let mo = app.neighbor(&[food(4), towing]).await;
    let path = format!("/v1/requests/{}/merge", mo.requests[0]);
    let other = json!({"into": mo.requests[1]});
    assert_eq!(
        app.post(&path, &coo, &other).await.problem(409),
        "does-not-fit"
    );
    assert_eq!(
        app.post(&path, &coo, &json!({})).await.pointers(),
        ["/into"]
    );
    let nobody = json!({"into": "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a"});
    assert_eq!(
        app.post(&path, &coo, &nobody).await.problem(404),
        "not-found"
    );
    app.erase(&mo.token).await;
    let lin = app.neighbor_who(as_lin(post_of(&[food(1)]))).await;
    let into = json!({"into": lin.requests[0]});
    assert_eq!(
        app.post(&path, &coo, &into).await.problem(409),
        "not-possible"
    );
    let reopen = format!("/v1/requests/{}/reopen", mo.requests[0]);
    assert_eq!(app.press(&reopen, &coo).await.problem(404), "not-found");
}
