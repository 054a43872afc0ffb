//! A wrong file was imported: it is found again, taken back, and the right one is imported.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use super::hands::undo;
use super::imports::{import, send};
use crate::support::TestApp;

const NEEDS: &str = "Name,Phone,ZIP,Category,Quantity\nMo,612 555 0101,55407,food,4\n\
    Ida,612 555 0102,55407,food,2\nKim,612 555 0103,55407,food,1\n";
const OFFERS: &str = "Name,Email,ZIP,Category,Capacity\nAna,ana@example.org,55407,food,9\n\
    Ben,ben@example.org,55407,food,9\n";

async fn newest(app: &TestApp, token: &str) -> Value {
    app.get("/v1/imports?limit=1", token).await.ok()["items"][0].clone()
}

async fn made(app: &TestApp, token: &str, what: &str, import: &Value) -> Vec<Value> {
    let path = format!("/v1/{what}?import={}", import.as_str().unwrap());
    app.get(&path, token).await.ok()["items"]
        .as_array()
        .unwrap()
        .clone()
}

#[actix_web::test]
async fn a_wrong_file_is_taken_back_but_for_what_somebody_relies_on() {
    let mut app = TestApp::new();
    let (_, coo) = app.coordinator(Scope::Coordinator).await;
    let meals = json!({"category": "food", "capacity": 4, "reach_m": 40_000});
    let ana = app.volunteer("ana@example.org", &[meals]).await;
    let (tally, rows) = import(
        &app,
        &coo,
        "kind=requests&verified=called",
        NEEDS.as_bytes(),
    )
    .await;
    assert_eq!(tally["new"], 3);
    let begun = newest(&app, &coo).await;
    let (id, path) = (
        begun["id"].clone(),
        format!("/v1/imports/{}", begun["id"].as_str().unwrap()),
    );
    assert_eq!(undo(&begun), [format!("POST {path}/undo")]);
    let all = made(&app, &coo, "requests", &id).await;
    let mut told: Vec<&Value> = rows.iter().map(|row| &row["posts"][0]).collect();
    let mut ids: Vec<&Value> = all.iter().map(|request| &request["id"]).collect();
    told.sort_by_key(ToString::to_string);
    ids.sort_by_key(ToString::to_string);
    assert_eq!(told, ids, "the report names the posts");

    // One is promised, one is corrected by phone; one is what the file says.
    let edited = rows[1]["posts"][0].as_str().unwrap();
    let three = json!({"quantity": 3});
    app.patch(&format!("/v1/requests/{edited}"), &coo, &three)
        .await
        .ok();
    let promised = rows[0]["posts"][0].as_str().unwrap();
    let by_hand = json!({"request": promised, "offer": ana.offers[0]});
    let asked = app.post("/v1/matches", &coo, &by_hand).await.ok();
    let accept = format!("/v1/matches/{}/accept", asked["id"].as_str().unwrap());
    app.press(&accept, &coo).await.ok();

    let first = app.press(&format!("{path}/undo"), &coo).await.ok();
    assert_eq!(
        first["undone"],
        json!({"closed": 1, "accepted": 1, "changed": 1})
    );
    assert_eq!(first["undone_at"], app.now().to_string());
    assert!(undo(&first).is_empty());
    let state = async |app: &TestApp, row: usize| {
        let path = format!("/v1/requests/{}", rows[row]["posts"][0].as_str().unwrap());
        app.get(&path, &coo).await.ok()
    };
    assert_eq!(state(&app, 0).await["state"], "covered");
    assert_eq!(state(&app, 1).await["state"], "open");
    assert_eq!(state(&app, 2).await["close_reason"], "not_needed");
    // Somebody else presses it later: the same answer, and nothing more is closed.
    let release = format!("/v1/matches/{}/release", asked["id"].as_str().unwrap());
    app.press(&release, &coo).await.ok();
    let (_, other) = app.coordinator(Scope::Coordinator).await;
    let again = app.press(&format!("{path}/undo"), &other).await.ok();
    assert_eq!(again, first);
    assert_eq!(state(&app, 0).await["state"], "open");

    // What was closed may be imported anew; what stayed is there already.
    let (tally, _) = import(&app, &coo, "kind=requests", NEEDS.as_bytes()).await;
    assert_eq!((&tally["new"], &tally["unchanged"]), (&json!(1), &json!(2)));
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let audit = app.get("/v1/audit?action=import_undone", &admin).await.ok();
    assert_eq!(audit["items"].as_array().unwrap().len(), 1);
    assert_eq!(audit["items"][0]["detail"]["closed"], 1);
}

#[actix_web::test]
async fn volunteers_who_confirmed_nothing_are_forgotten_and_come_back_with_a_letter() {
    let mut app = TestApp::new();
    let (_, coo) = app.coordinator(Scope::Coordinator).await;
    import(&app, &coo, "kind=offers", OFFERS.as_bytes()).await;
    let begun = newest(&app, &coo).await;
    let path = format!("/v1/imports/{}/undo", begun["id"].as_str().unwrap());
    app.settle().await;
    // One of them has said that it is so.
    let code = app.letter_to("ana@example.org", "mho_");
    app.advance(std::time::Duration::from_secs(5)).await;
    app.press("/v1/confirm", &code).await.ok();
    let undone = app.press(&path, &coo).await.ok();
    assert_eq!(
        undone["undone"],
        json!({"closed": 1, "accepted": 0, "changed": 1})
    );
    let left = app.get("/v1/volunteers", &coo).await.ok();
    assert_eq!(left["items"].as_array().unwrap().len(), 1, "{left}");
    let states: Vec<Value> = made(&app, &coo, "offers", &begun["id"]).await;
    let open = states.iter().filter(|offer| offer["state"] == "open");
    assert_eq!(open.count(), 1);

    let (tally, _) = import(&app, &coo, "kind=offers", OFFERS.as_bytes()).await;
    assert_eq!((&tally["new"], &tally["unchanged"]), (&json!(1), &json!(1)));
    app.settle().await;
    let letters = app.subjects_to("ben@example.org");
    assert_eq!(letters.len(), 2, "{letters:?}");
}

#[actix_web::test]
async fn many_posts_are_taken_back_in_pieces_and_duplicates_are_forgotten_too() {
    let app = TestApp::new();
    let (_, coo) = app.coordinator(Scope::Coordinator).await;
    let row = |i: usize| format!("N{i},612 556 {i:04},55407,food,1\n");
    let file: String = (0..230).map(row).collect();
    let file = format!("Name,Phone,ZIP,Category,Quantity\n{file}");
    import(&app, &coo, "kind=requests", file.as_bytes()).await;
    // The same people in another form of the list: nothing new.
    let other = file
        .replace("Quantity", "Quantity,Shirt size")
        .replace(",1\n", ",1,L\n");
    let (tally, _) = import(&app, &coo, "kind=requests", other.as_bytes()).await;
    assert_eq!(
        (&tally["new"], &tally["duplicate"]),
        (&json!(0), &json!(230))
    );
    let second = newest(&app, &coo).await;
    let path = format!("/v1/imports/{}/undo", second["id"].as_str().unwrap());
    let none = json!({"closed": 0, "accepted": 0, "changed": 0});
    assert_eq!(app.press(&path, &coo).await.ok()["undone"], none);
    let list = app.get("/v1/imports", &coo).await.ok();
    let path = format!(
        "/v1/imports/{}/undo",
        list["items"][1]["id"].as_str().unwrap()
    );
    assert_eq!(app.press(&path, &coo).await.ok()["undone"]["closed"], 230);
    let (tally, _) = import(&app, &coo, "kind=requests", other.as_bytes()).await;
    assert_eq!(tally["new"], 230, "nothing of it is remembered");
}

#[actix_web::test]
async fn a_trial_has_nothing_to_take_back_and_who_may_not_import_may_not_undo() {
    let app = TestApp::new();
    let (_, coo) = app.coordinator(Scope::Coordinator).await;
    import(&app, &coo, "kind=requests&dry_run=true", NEEDS.as_bytes()).await;
    let trial = newest(&app, &coo).await;
    assert!(undo(&trial).is_empty());
    let path = format!("/v1/imports/{}/undo", trial["id"].as_str().unwrap());
    assert_eq!(app.press(&path, &coo).await.problem(409), "not-possible");
    let (_, intake) = app.coordinator(Scope::Intake).await;
    assert_eq!(app.press(&path, &intake).await.status, 403);
    let nobody = "/v1/imports/3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a/undo";
    assert_eq!(app.press(nobody, &coo).await.problem(404), "not-found");
    let bad = app.get("/v1/requests?import=x", &coo).await;
    assert_eq!(bad.status, 422);
    let none = send(&app, &coo, "kind=requests", b"").await;
    assert_eq!(none.status, 400, "{}", none.body);
    let all = app
        .call(Method::GET, "/v1/imports", Some(&intake), None)
        .await;
    assert_eq!(all.status, 403);
}
