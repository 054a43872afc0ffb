//! Somebody pressed the wrong button: a done, or a no-show, is taken back by a coordinator.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use super::hands::{cook, desk, id_of, undo};
use crate::support::people::{Neighbor, Volunteer, food, with};
use crate::support::{DAY, HOUR, MINUTE, TestApp};

/// A neighbor whose four meals, needed for days, a volunteer has promised; and a coordinator.
async fn promised(app: &mut TestApp) -> (Neighbor, Volunteer, String) {
    let coo = desk(app).await;
    let ana = cook(app, "ana@example.org").await;
    let days = json!({"needed": [{"from": app.now(), "until": app.now().after(4 * DAY)}]});
    let mo = app.neighbor(&[with(food(4), days)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    app.settle().await;
    (mo, ana, coo)
}

async fn path_of(app: &TestApp, coo: &str, who: &Neighbor) -> String {
    let newest = app.newest_match(coo, &who.requests[0]).await;
    format!("/v1/matches/{}", newest["id"].as_str().unwrap())
}

/// How often something was done to a record.
async fn times(app: &TestApp, action: &str) -> usize {
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let page = app.get(&format!("/v1/audit?action={action}"), &admin).await;
    page.ok()["items"].as_array().unwrap().len()
}

async fn volunteer_sees(app: &TestApp, who: &Volunteer) -> Value {
    let code = app.letter_to(&who.email, "mha_");
    app.get("/v1/matches/self", &code).await.ok()
}

#[actix_web::test]
async fn a_done_by_mistake_is_taken_back_and_the_promise_stands_as_before() {
    let mut app = TestApp::new();
    let (mo, ana, coo) = promised(&mut app).await;
    let closed = app.says(&mo, 0, "done").await.ok();
    assert_eq!(closed["close_reason"], "helped_here");
    let leaves = closed["undo"][0]["leaves"].as_str().unwrap();
    assert!(leaves.contains("nobody comes for it again"), "{leaves}");
    let path = path_of(&app, &coo, &mo).await;
    let done = app.get(&path, &coo).await.ok();
    assert_eq!(undo(&done), [format!("POST {path}/undo-done")]);
    assert_eq!(done["undo"][0]["until"], app.now().after(DAY).to_string());
    assert_eq!(done["can"], json!(["undo-done"]));
    assert_eq!(volunteer_sees(&app, &ana).await["contact"], Value::Null);

    app.advance(HOUR).await;
    for _ in 0..2 {
        let back = app.press(&format!("{path}/undo-done"), &coo).await.ok();
        assert_eq!(
            (&back["state"], &back["done_by"], &back["ended_at"]),
            (&json!("accepted"), &Value::Null, &Value::Null)
        );
        assert_eq!((&back["taken"], undo(&back).len()), (&json!(4), 0));
    }
    let open = app.request(&mo, 0).await;
    assert_eq!(
        (&open["state"], &open["covered"], &open["close_reason"]),
        (&json!("covered"), &json!(4), &Value::Null)
    );
    assert!(open["matches"][0]["contact"]["name"].is_string());
    assert_eq!(times(&app, "contacts_released").await, 2, "once more");
    assert_eq!(times(&app, "match_done_undone").await, 1);
    app.settle().await;
    let seen = volunteer_sees(&app, &ana).await;
    assert!(seen["contact"]["phone"].is_string(), "{seen}");
    let told = app.subjects_to(&ana.email);
    assert_eq!(
        told.last().unwrap(),
        "It is settled: how to reach your neighbor"
    );

    // And it goes on from there: to the end, or to somebody else.
    let ben = cook(&mut app, "ben@example.org").await;
    let code = app.letter_to(&ana.email, "mha_");
    app.post("/v1/matches/self/release", &code, &json!({}))
        .await
        .ok();
    app.settle().await;
    app.accept(&ben).await.ok();
    app.says(&mo, 0, "done").await.ok();
    assert_eq!(app.request(&mo, 0).await["close_reason"], "helped_here");
    let stats = app.get("/v1/stats?days=7", &coo).await.ok();
    assert_eq!(stats["total"]["helped"], 1, "it counts once");
}

#[actix_web::test]
async fn a_request_that_was_opened_again_is_no_dead_end() {
    let mut app = TestApp::new();
    let (mo, _, coo) = promised(&mut app).await;
    app.says(&mo, 0, "done").await.ok();
    let request = format!("/v1/requests/{}", mo.requests[0]);
    app.press(&format!("{request}/reopen"), &coo).await.ok();
    let path = path_of(&app, &coo, &mo).await;
    let sheet = app.get(&path, &coo).await.ok();
    assert_eq!(undo(&sheet), [format!("POST {path}/undo-done")]);
    app.press(&format!("{path}/undo-done"), &coo).await.ok();
    app.says(&mo, 0, "no-show").await.ok();
    assert_eq!(app.request(&mo, 0).await["state"], "open");
}

#[actix_web::test]
async fn who_was_believed_is_not_believed_again() {
    let mut app = TestApp::new();
    let (mo, ana, coo) = promised(&mut app).await;
    let code = app.letter_to(&ana.email, "mha_");
    app.post("/v1/matches/self/done", &code, &json!({}))
        .await
        .ok();
    app.sleep_over(2 * DAY + MINUTE).await;
    let path = path_of(&app, &coo, &mo).await;
    assert_eq!(app.get(&path, &coo).await.ok()["done_by"], "volunteer");
    let back = app.press(&format!("{path}/undo-done"), &coo).await.ok();
    assert_eq!(back["done_at"], Value::Null);
    app.sleep_over(DAY).await;
    assert_eq!(app.get(&path, &coo).await.ok()["state"], "accepted");
}

#[actix_web::test]
async fn where_the_time_is_over_somebody_says_what_became_of_it() {
    let mut app = TestApp::new();
    let (mo, ana, coo) = promised(&mut app).await;
    app.sleep_over(4 * DAY + HOUR).await;
    app.says(&mo, 0, "done").await.ok();
    let path = path_of(&app, &coo, &mo).await;
    app.sleep_over(HOUR).await;
    let before = app.subjects_to(&ana.email).len();
    app.press(&format!("{path}/undo-done"), &coo).await.ok();
    app.sleep_over(HOUR).await;
    assert_eq!(app.request(&mo, 0).await["state"], "covered");
    assert_eq!(app.subjects_to(&ana.email).len(), before, "nobody is sent");
    let said = json!({"for": "neighbor"});
    app.post(&format!("{path}/no-show"), &coo, &said).await.ok();
    app.sleep_over(HOUR).await;
    assert_eq!(app.request(&mo, 0).await["close_reason"], "unmet");
}

#[actix_web::test]
async fn a_place_that_somebody_else_has_is_not_taken_from_them() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let room = json!({"category": "warming_space", "capacity": 1});
    let ana = app.volunteer("ana@example.org", &[room]).await;
    let until = app.now().after(2 * DAY);
    let stay = json!({"category": "warming_space", "quantity": 1, "urgency": "now",
        "travel_m": 9000, "needed": [{"from": app.now(), "until": until}]});
    let mo = app.neighbor(std::slice::from_ref(&stay)).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    app.says(&mo, 0, "done").await.ok();
    let path = path_of(&app, &coo, &mo).await;
    let ida = app.neighbor(&[stay]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    assert_eq!(app.request(&ida, 0).await["state"], "covered");
    let refused = app.press(&format!("{path}/undo-done"), &coo).await;
    assert_eq!(refused.problem(409), "no-capacity");
    assert_eq!(app.request(&mo, 0).await["state"], "closed");

    let hers = path_of(&app, &coo, &ida).await;
    app.press(&format!("{hers}/release"), &coo).await.ok();
    app.press(&format!("{path}/undo-done"), &coo).await.ok();
    app.settle().await;
    let newest = app.newest_match(&coo, &ida.requests[0]).await;
    assert_eq!(
        newest["state"], "fell_through",
        "nobody else is asked for it"
    );
    assert_eq!(app.request(&mo, 0).await["state"], "covered");
}

/// What stands in the way.
const IN_THE_WAY: [&str; 7] = [
    "a day",
    "volunteer blocked",
    "neighbor blocked",
    "parted",
    "offer closed",
    "neighbor gone",
    "volunteer gone",
];

#[actix_web::test]
async fn nothing_is_taken_back_that_cannot_stand_again() {
    for what in IN_THE_WAY {
        let mut app = TestApp::new();
        let (mo, ana, coo) = promised(&mut app).await;
        let file = app.get("/v1/volunteers", &coo).await.ok();
        let volunteer = file["items"][0]["id"].as_str().unwrap().to_owned();
        let neighbor = id_of(&app, &mo).await;
        app.says(&mo, 0, "done").await.ok();
        let path = path_of(&app, &coo, &mo).await;
        match what {
            "a day" => app.sleep_over(DAY + MINUTE).await,
            "volunteer blocked" => {
                app.press(&format!("/v1/volunteers/{volunteer}/block"), &coo)
                    .await
                    .ok();
            }
            "neighbor blocked" => {
                app.press(&format!("/v1/neighbors/{neighbor}/block"), &coo)
                    .await
                    .ok();
            }
            "parted" => {
                let heard = json!({"about": "volunteer", "problem": "other"});
                app.post(&format!("{path}/report"), &coo, &heard).await.ok();
            }
            "offer closed" => {
                app.press(&format!("/v1/offers/{}/close", ana.offers[0]), &coo)
                    .await
                    .ok();
            }
            _ => {
                let (who, token) = match what {
                    "neighbor gone" => ("neighbors", &mo.token),
                    _ => ("volunteers", &ana.token),
                };
                let path = format!("/v1/{who}/self");
                app.call(Method::DELETE, &path, Some(token), None).await;
            }
        }
        let sheet = app.get(&path, &coo).await.ok();
        let offered = undo(&sheet).iter().any(|call| call.ends_with("undo-done"));
        assert!(!offered, "{what}");
        let refused = app.press(&format!("{path}/undo-done"), &coo).await;
        assert_eq!(refused.problem(409), "not-possible", "{what}");
        assert_eq!(app.get(&path, &coo).await.ok()["state"], "fulfilled");
    }
}

#[actix_web::test]
async fn a_volunteer_with_two_open_promises_gets_no_third() {
    let mut app = TestApp::new();
    let (mo, ana, coo) = promised(&mut app).await;
    app.says(&mo, 0, "done").await.ok();
    let path = path_of(&app, &coo, &mo).await;
    for email in ["ida@example.org", "kim@example.org"] {
        let who = json!({"contact": {"name": "Ida", "email": email}});
        let body = with(crate::support::people::post_of(&[food(1)]), who);
        app.neighbor_who(body).await;
        app.settle().await;
        app.accept(&ana).await.ok();
    }
    let refused = app.press(&format!("{path}/undo-done"), &coo).await;
    assert_eq!(refused.problem(409), "too-many-open");
    let other = app.press(&format!("{path}/undo-no-show"), &coo).await;
    assert_eq!(other.problem(409), "not-possible");
}

#[actix_web::test]
async fn a_no_show_by_mistake_counts_against_nobody_any_more() {
    let mut app = TestApp::new();
    let (mo, ana, coo) = promised(&mut app).await;
    let file = app.get("/v1/volunteers", &coo).await.ok();
    let file = format!(
        "/v1/volunteers/{}",
        file["items"][0]["id"].as_str().unwrap()
    );
    let no_shows = async |app: &TestApp| app.get(&file, &coo).await.ok()["no_shows"].clone();
    app.says(&mo, 0, "no-show").await.ok();
    let first = path_of(&app, &coo, &mo).await;
    let ida = app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    app.says(&ida, 0, "no-show").await.ok();
    assert_eq!(no_shows(&app).await, 2);
    let checks = "/v1/tasks?kind=volunteer_check&state=open";
    let open = app.get(checks, &coo).await.ok();
    assert_eq!(open["items"].as_array().unwrap().len(), 1);

    let sheet = app.get(&first, &coo).await.ok();
    assert_eq!(undo(&sheet), [format!("POST {first}/undo-no-show")]);
    assert_eq!(sheet["can"], json!(["undo-no-show"]));
    assert!(
        sheet["undo"][0]["leaves"]
            .as_str()
            .unwrap()
            .contains("stays ended")
    );
    for _ in 0..2 {
        let back = app.press(&format!("{first}/undo-no-show"), &coo).await.ok();
        assert_eq!(
            (&back["state"], &back["no_show_by"], &back["fall_reason"]),
            (&json!("fell_through"), &Value::Null, &json!("called_off"))
        );
        assert_eq!(back["no_show_undone_at"], app.now().to_string());
        assert!(undo(&back).is_empty());
    }
    assert_eq!(no_shows(&app).await, 1);
    assert_eq!(times(&app, "no_show_undone").await, 1);
    let open = app.get(checks, &coo).await.ok();
    assert_eq!(open["items"], json!([]), "nothing to look at is left");
    let done = app.press(&format!("{first}/undo-done"), &coo).await;
    assert_eq!(done.problem(409), "not-possible");
}
