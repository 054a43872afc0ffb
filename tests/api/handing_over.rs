//! Another group looks after a need: it is closed here, and she knows who has it and by which number.

use serde_json::{Value, json};

use super::hands::{as_lin, cook, desk, undo};
use crate::support::TestApp;
use crate::support::people::{food, post_of};

#[actix_web::test]
async fn she_reads_who_has_it_and_nobody_else_does() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let mo = app.neighbor(&[food(4)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    app.settle().await;
    let path = format!("/v1/requests/{}", mo.requests[0]);
    let to = json!({"to": "North Side Food Shelf", "reference": "case 4711, ask for Grace"});
    let hand_over = format!("{path}/hand-over");
    let nothing = app.post(&hand_over, &coo, &json!({"to": " "})).await;
    assert_eq!(nothing.pointers(), ["/reference", "/to"]);
    for _ in 0..2 {
        let file = app.post(&hand_over, &coo, &to).await.ok();
        assert_eq!(
            (&file["state"], &file["close_reason"]),
            (&json!("closed"), &json!("handed_over"))
        );
        assert_eq!(file["matches"][0]["fall_reason"], "called_off");
        assert_eq!(undo(&file), [format!("POST {path}/reopen")]);
        assert!(!file.to_string().contains("4711"), "sealed");
    }
    let elsewhere = json!({"to": "Another", "reference": "1"});
    assert_eq!(
        app.post(&hand_over, &coo, &elsewhere).await.problem(409),
        "not-possible"
    );
    app.settle().await;

    let hers = app.request(&mo, 0).await;
    assert_eq!(hers["handed_over"], to);
    let mails = app.transport.memory().unwrap().mails();
    let letters: Vec<_> = mails
        .iter()
        .filter(|m| m.message.text.contains("North Side Food Shelf"))
        .collect();
    assert_eq!(letters.len(), 1, "once, and to nobody else");
    assert_eq!(letters[0].message.to.expose(), "mo@example.org");
    assert!(letters[0].message.text.contains("case 4711, ask for Grace"));
    let subjects = app.subjects_to("ana@example.org");
    assert_eq!(
        subjects.last().unwrap(),
        "You are not needed any more: please do not go"
    );
    let reason = json!({"reason": "call"});
    let revealed = app
        .post(&format!("{path}/reveal"), &coo, &reason)
        .await
        .ok();
    assert_eq!(revealed["handed_over"], to);
    assert!(!app.database.rows().iter().any(|row| row.contains("4711")));

    // Taken back: nothing of it is left, and it is looked for again.
    assert_eq!(
        app.press(&format!("{path}/reopen"), &mo.token)
            .await
            .problem(409),
        "not-possible"
    );
    let file = app.press(&format!("{path}/reopen"), &coo).await.ok();
    assert_eq!(file["state"], "open");
    assert_eq!(app.request(&mo, 0).await["handed_over"], Value::Null);
}

#[actix_web::test]
async fn a_letter_goes_only_if_it_shall_and_not_after_it_was_taken_back() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let mo = app.neighbor(&[food(4), food(1)]).await;
    app.settle().await;
    let before = app.subjects_to("mo@example.org").len();
    let to = json!({"to": "Food Shelf", "reference": "1", "tell": false});
    let path = format!("/v1/requests/{}", mo.requests[0]);
    app.post(&format!("{path}/hand-over"), &coo, &to).await.ok();
    let other = format!("/v1/requests/{}", mo.requests[1]);
    let told = json!({"to": "Food Shelf", "reference": "2"});
    app.post(&format!("{other}/hand-over"), &coo, &told)
        .await
        .ok();
    app.press(&format!("{other}/reopen"), &coo).await.ok();
    app.settle().await;
    let after = app.subjects_to("mo@example.org");
    let about = "Another group has taken it over".to_owned();
    assert!(!after[before..].contains(&about), "{after:?}");
    assert_eq!(app.request(&mo, 0).await["handed_over"]["reference"], "1");
}

#[actix_web::test]
async fn what_is_closed_or_erased_is_not_handed_over() {
    let app = TestApp::new();
    let coo = desk(&app).await;
    let mo = app.neighbor(&[food(4)]).await;
    let to = json!({"to": "Food Shelf", "reference": "1"});
    let path = format!("/v1/requests/{}", mo.requests[0]);
    let why = json!({"reason": "not_needed"});
    app.post(&format!("{path}/close"), &mo.token, &why)
        .await
        .ok();
    assert_eq!(
        app.post(&format!("{path}/hand-over"), &coo, &to)
            .await
            .problem(409),
        "not-possible"
    );
    app.erase(&mo.token).await;
    assert_eq!(
        app.post(&format!("{path}/hand-over"), &coo, &to)
            .await
            .problem(410),
        "gone"
    );

    // Who erases herself takes along who had it.
    let lin = app.neighbor_who(as_lin(post_of(&[food(1)]))).await;
    let path = format!("/v1/requests/{}", lin.requests[0]);
    app.post(&format!("{path}/hand-over"), &coo, &to).await.ok();
    app.erase(&lin.token).await;
    let reason = json!({"reason": "call"});
    assert_eq!(
        app.post(&format!("{path}/reveal"), &coo, &reason)
            .await
            .problem(404),
        "not-found"
    );
}
