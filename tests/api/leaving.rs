//! By phone somebody is corrected, hidden or erased as she would do it herself, and told from it in the audit.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use super::hands::{desk, id_of, undo};
use super::phone::{SARA, audited, entry, through_sara};
use crate::support::people::{food, north};
use crate::support::{Answer, TestApp};

async fn found(app: &TestApp, token: &str, phone: &str) -> usize {
    let sought = json!({"phone": phone});
    let found = app.post("/v1/people/find", token, &sought).await.ok();
    found["neighbors"].as_array().expect("neighbors").len()
}

async fn erase(app: &TestApp, token: &str, path: &str) -> Answer {
    app.call(Method::DELETE, path, Some(token), None).await
}

#[actix_web::test]
async fn whoever_calls_for_her_is_corrected_and_found_by_the_new_number_alone() {
    let app = TestApp::new();
    let coo = desk(&app).await;
    let halima = app.entered_by(&coo, through_sara(&[food(2)])).await;
    let path = format!("/v1/neighbors/{}", id_of(&app, &halima).await);
    let own = "/v1/neighbors/self";

    let number = json!({"caller": {"phone": "612 555 0177"}});
    app.patch(&path, &coo, &number).await.ok();
    assert_eq!(found(&app, &coo, SARA).await, 0);
    assert_eq!(found(&app, &coo, "612 555 0177").await, 1);
    let seen = app.get(own, &halima.token).await.ok();
    assert_eq!(seen["caller"]["name"], "Sara Ahmed");
    assert_eq!(seen["caller"]["phone"], "+16125550177");

    // She cannot be without anybody; with a phone of her own she can.
    let nobody = json!({"caller": null});
    let alone = app.patch(&path, &coo, &nobody).await;
    assert_eq!(alone.pointers(), ["/contact"]);
    let silent = json!({"caller": {"phone": null}});
    assert_eq!(
        app.patch(&path, &coo, &silent).await.pointers(),
        ["/caller"]
    );
    let wrong = json!({"caller": {"phone": "12"}, "contact": {"phone": "12"}});
    let wrong = app.patch(&path, &coo, &wrong).await;
    assert_eq!(wrong.pointers(), ["/caller/phone", "/contact/phone"]);
    let hers = json!({"caller": null, "contact": {"phone": "612 555 0178"}});
    app.patch(&path, &coo, &hers).await.ok();
    assert_eq!(found(&app, &coo, "612 555 0177").await, 0);
    assert_eq!(found(&app, &coo, "612 555 0178").await, 1);
    assert_eq!(
        app.get(own, &halima.token).await.ok()["caller"],
        Value::Null
    );

    // Somebody else calls for her from now on; she may say so herself.
    let yusuf = json!({"caller": {"name": "Yusuf", "email": "yusuf@example.org"}});
    let seen = app.patch(own, &halima.token, &yusuf).await.ok();
    assert_eq!(seen["caller"]["email"], "yusuf@example.org");
    let sought = json!({"email": "Yusuf@example.org"});
    let known = app.post("/v1/people/find", &coo, &sought).await.ok();
    assert_eq!(known["neighbors"][0]["by_caller"], true);
    let nameless = json!({"caller": {"name": null}});
    let nameless = app.patch(own, &halima.token, &nameless).await;
    assert_eq!(nameless.pointers(), ["/caller/name"]);
}

#[actix_web::test]
async fn she_hides_and_shows_by_phone() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let meals = json!({"category": "food", "capacity": 20});
    app.volunteer("ana@example.org", &[meals]).await;
    let mo = app.neighbor(&[food(4)]).await;
    app.settle().await;
    let id = id_of(&app, &mo).await;
    let path = format!("/v1/neighbors/{id}");
    let show = format!("POST {path}/show");
    for _ in 0..2 {
        let file = app.press(&format!("{path}/hide"), &coo).await.ok();
        assert_eq!(file["requests"][0]["held_by"], "neighbor");
        assert_eq!(undo(&file), [show.as_str()]);
    }
    let request = format!("/v1/requests/{}", mo.requests[0]);
    let file = app.get(&request, &coo).await.ok();
    assert_eq!(file["matches"][0]["state"], "superseded");
    assert_eq!(undo(&file), [show.as_str()]);
    let own = app.get("/v1/neighbors/self", &mo.token).await.ok();
    assert_eq!(own["requests"][0]["state"], "held");
    for _ in 0..2 {
        let file = app.press(&format!("{path}/show"), &coo).await.ok();
        assert_eq!(file["requests"][0]["state"], "open");
        assert_eq!(undo(&file), Vec::<&str>::new());
    }
    let all = audited(&app, &id).await;
    for action in ["neighbor_hidden", "neighbor_shown"] {
        assert!(all.contains(&entry(action, "neighbor")), "{all:?}");
    }
    // What a coordinator has hidden in her own right, it does not show.
    app.press(&format!("{request}/hold"), &coo).await.ok();
    app.press(&format!("{path}/show"), &coo).await.ok();
    assert_eq!(app.request(&mo, 0).await["state"], "held");
}

#[actix_web::test]
async fn who_says_so_by_phone_is_erased_as_by_her_own_page() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let meals = json!({"category": "food", "capacity": 20});
    let ana = app.volunteer("ana@example.org", &[meals]).await;
    let mo = app.neighbor(&[food(4)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let neighbor = id_of(&app, &mo).await;
    let volunteer = app.get("/v1/volunteers/self", &ana.token).await.ok();
    let volunteer = volunteer["id"].as_str().expect("id").to_owned();

    let path = format!("/v1/neighbors/{neighbor}");
    assert_eq!(erase(&app, &coo, &path).await.status, 204);
    assert_eq!(erase(&app, &coo, &path).await.problem(404), "not-found");
    assert_eq!(app.get("/v1/neighbors/self", &mo.token).await.status, 404);
    let request = app
        .get(&format!("/v1/requests/{}", mo.requests[0]), &coo)
        .await
        .ok();
    assert_eq!(request["close_reason"], "not_needed");
    app.settle().await;
    let told = app.subjects_to(&ana.email);
    assert!(
        told.iter().any(|s| s.contains("please do not go")),
        "{told:?}"
    );
    let left = app.database.rows();
    assert!(
        left.iter()
            .filter(|row| row.starts_with("neighbors:"))
            .all(|row| row.contains("phone_hash=NULL"))
    );
    let erased = entry("neighbor_erased", "neighbor");
    assert_eq!(audited(&app, &neighbor).await.pop(), Some(erased));

    let path = format!("/v1/volunteers/{volunteer}");
    assert_eq!(erase(&app, &coo, &path).await.status, 204);
    assert_eq!(erase(&app, &coo, &path).await.problem(404), "not-found");
    assert_eq!(app.get("/v1/volunteers/self", &ana.token).await.status, 404);
    let erased = entry("volunteer_erased", "volunteer");
    assert_eq!(audited(&app, &volunteer).await.pop(), Some(erased));
}

#[actix_web::test]
async fn at_the_phone_only_those_are_erased_whom_one_has_entered() {
    let app = TestApp::new();
    let (_, intake) = app.coordinator(Scope::Intake).await;
    let halima = app.entered_by(&intake, through_sara(&[food(2)])).await;
    let other = app.neighbor(&[food(1)]).await;
    let hers = format!("/v1/neighbors/{}", id_of(&app, &halima).await);
    let others = format!("/v1/neighbors/{}", id_of(&app, &other).await);
    assert_eq!(
        erase(&app, &intake, &others).await.problem(404),
        "not-found"
    );
    app.press(&format!("{hers}/hide"), &intake).await.ok();
    assert_eq!(erase(&app, &intake, &hers).await.status, 204);
    let place = json!({"location": north(1.0)});
    let gone = app.patch(&hers, &intake, &place).await;
    assert_eq!(gone.problem(404), "not-found");
}

#[actix_web::test]
async fn a_volunteer_is_taken_off_mail_by_phone_and_put_back() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let meals = json!({"category": "food", "capacity": 20});
    let ana = app.volunteer("ana@example.org", &[meals]).await;
    let own = app.get("/v1/volunteers/self", &ana.token).await.ok();
    let path = format!("/v1/volunteers/{}", own["id"].as_str().expect("id"));
    for mail in [false, false, true] {
        app.patch(&path, &coo, &json!({"mail": mail})).await.ok();
        let own = app.get("/v1/volunteers/self", &ana.token).await.ok();
        assert_eq!(own["mail"], mail, "{own}");
    }
}
