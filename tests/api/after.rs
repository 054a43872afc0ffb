//! Arrival and after: when somebody comes, whether it worked, and who finds out if nobody says so.

use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{Neighbor, Volunteer, food, post_of, with};
use crate::support::{Answer, DAY, HOUR, MINUTE, TestApp};

const DONE: &str = "/v1/matches/self/done";

/// A neighbor whose four meals a volunteer has promised, and a coordinator.
async fn promised(app: &mut TestApp) -> (Neighbor, Volunteer, String) {
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let ana = cook(app, "ana@example.org").await;
    let day = json!({"needed": [{"from": app.now(), "until": app.now().after(DAY)}]});
    let mo = app.neighbor(&[with(food(4), day)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    app.settle().await;
    (mo, ana, token)
}

async fn cook(app: &mut TestApp, email: &str) -> Volunteer {
    let offer = json!({"category": "food", "capacity": 9});
    app.volunteer(email, &[offer]).await
}

/// What her volunteer says by the link of the newest letter.
async fn volunteer_says(app: &TestApp, who: &Volunteer, what: &str, body: Value) -> Answer {
    let code = app.letter_to(&who.email, "mha_");
    let path = format!("/v1/matches/self/{what}");
    app.post(&path, &code, &body).await
}

async fn tasks(app: &TestApp, token: &str, query: &str) -> Vec<Value> {
    let list = app.get(&format!("/v1/tasks?{query}"), token).await.ok();
    list["items"].as_array().expect("items").clone()
}

async fn finish(app: &TestApp, token: &str, task: &Value, outcome: &str) -> Answer {
    let path = format!("/v1/tasks/{}/done", task["id"].as_str().expect("id"));
    app.post(&path, token, &json!({"outcome": outcome})).await
}

fn told(app: &TestApp, to: &str, subject: &str) -> usize {
    let all = app.subjects_to(to);
    all.iter().filter(|s| s.as_str() == subject).count()
}

const ASKED: &str = "Did it work?";

#[actix_web::test]
async fn a_volunteers_done_waits_for_the_neighbor_who_has_the_last_word() {
    let mut app = TestApp::new();
    let (mo, ana, token) = promised(&mut app).await;
    let code = app.letter_to(&ana.email, "mha_");
    let said = app.post(DONE, &code, &json!({})).await.ok();
    assert_eq!(
        (&said["state"], &said["done_at"], &said["contact"]),
        (
            &json!("accepted"),
            &json!(app.now().to_string()),
            &Value::Null
        )
    );
    assert_eq!(said["can"], json!(["release", "report"]));
    let hers = &app.request(&mo, 0).await["matches"][0];
    assert_eq!(hers["done_until"], app.now().after(2 * DAY).to_string());
    assert!(hers["contact"]["phone"].is_string(), "she may have to call");
    assert_eq!(hers["can"], json!(["done", "no-show", "agree", "report"]));

    app.advance(HOUR).await;
    let again = app.post(DONE, &code, &json!({})).await.ok();
    assert_eq!(again["done_at"], said["done_at"]);
    let not_there = app
        .post("/v1/matches/self/no-show", &code, &json!({}))
        .await;
    assert_eq!(not_there.problem(409), "not-possible");
    app.settle().await;
    assert_eq!(told(&app, "mo@example.org", ASKED), 1);
    assert_eq!(told(&app, &ana.email, ASKED), 0);

    let done = app.says(&mo, 0, "done").await.ok();
    assert_eq!(
        (&done["state"], &done["close_reason"]),
        (&json!("closed"), &json!("helped_here"))
    );
    let sheet = app.newest_match(&token, &mo.requests[0]).await;
    assert_eq!(
        (&sheet["state"], &sheet["done_by"]),
        (&json!("fulfilled"), &json!("neighbor"))
    );
    app.says(&mo, 0, "done").await.ok();
}

#[actix_web::test]
async fn who_says_nothing_for_two_days_was_helped() {
    let mut app = TestApp::new();
    let (mo, ana, token) = promised(&mut app).await;
    // Her time is nearly over: that it ends does not cut the neighbor's time short.
    app.sleep_over(23 * HOUR).await;
    volunteer_says(&app, &ana, "done", json!({})).await.ok();
    app.sleep_over(47 * HOUR).await;
    assert_eq!(app.request(&mo, 0).await["state"], "covered");
    assert_eq!(tasks(&app, &token, "kind=follow_up").await.len(), 0);
    assert_eq!(told(&app, &ana.email, ASKED), 0, "she has said it");
    app.sleep_over(HOUR + MINUTE).await;
    let closed = app.request(&mo, 0).await;
    assert_eq!(closed["close_reason"], "helped_here");
    let sheet = app.newest_match(&token, &mo.requests[0]).await;
    assert_eq!(
        (&sheet["state"], &sheet["done_by"]),
        (&json!("fulfilled"), &json!("volunteer"))
    );
    let late = app.says(&mo, 0, "no-show").await;
    assert_eq!(late.problem(409), "not-possible");
}

#[actix_web::test]
async fn where_the_two_tell_it_differently_others_are_asked_and_somebody_looks() {
    let mut app = TestApp::new();
    let (mo, ana, token) = promised(&mut app).await;
    let ben = cook(&mut app, "ben@example.org").await;
    volunteer_says(&app, &ana, "done", json!({})).await.ok();
    app.settle().await;
    for _ in 0..2 {
        let open = app.says(&mo, 0, "no-show").await.ok();
        assert_eq!(
            (&open["state"], &open["covered"]),
            (&json!("open"), &json!(0))
        );
    }
    app.settle().await;
    assert_eq!(told(&app, &ben.email, "Can you help a neighbor?"), 1);
    let all = tasks(&app, &token, "kind=dispute").await;
    assert_eq!(all.len(), 1);
    let task = &all[0];
    let path = format!("/v1/matches/{}", task["match"].as_str().expect("id"));
    let sheet = app.get(&path, &token).await.ok();
    assert_eq!(
        (
            &sheet["fall_reason"],
            &sheet["no_show_by"],
            &sheet["done_by"]
        ),
        (&json!("no_show"), &json!("neighbor"), &json!("volunteer"))
    );
    assert_eq!(
        finish(&app, &token, task, "helped").await.problem(409),
        "not-possible"
    );
    let seen = finish(&app, &token, task, "looked").await.ok();
    assert_eq!(seen["outcome"], "looked");
    let undo = seen["undo"].as_str().expect("it can be taken back");
    let undo = undo.strip_prefix("POST ").expect("a call");
    assert_eq!(app.press(undo, &token).await.ok()["done_at"], Value::Null);
}

#[actix_web::test]
async fn done_by_mistake_is_given_back() {
    let mut app = TestApp::new();
    let (mo, ana, token) = promised(&mut app).await;
    volunteer_says(&app, &ana, "done", json!({})).await.ok();
    let back = volunteer_says(&app, &ana, "release", json!({})).await.ok();
    assert_eq!(back["fall_reason"], "released");
    assert_eq!(app.request(&mo, 0).await["state"], "open");
    assert_eq!(tasks(&app, &token, "kind=dispute").await.len(), 0);
}

#[actix_web::test]
async fn a_promise_whose_volunteer_said_done_outlives_the_offer_and_counts_when_its_request_is_closed()
 {
    let mut app = TestApp::new();
    let (mo, ana, token) = promised(&mut app).await;
    volunteer_says(&app, &ana, "done", json!({})).await.ok();
    let close = format!("/v1/offers/{}/close", ana.offers[0]);
    app.post(&close, &ana.token, &json!({})).await.ok();
    assert_eq!(app.request(&mo, 0).await["matches"][0]["state"], "accepted");
    let close = format!("/v1/requests/{}/close", mo.requests[0]);
    let why = json!({"reason": "not_needed"});
    app.post(&close, &mo.token, &why).await.ok();
    app.settle().await;
    let sheet = app.newest_match(&token, &mo.requests[0]).await;
    assert_eq!(sheet["state"], "fulfilled", "nobody is told not to go");
    assert_eq!(
        told(
            &app,
            &ana.email,
            "You are not needed any more: please do not go"
        ),
        0
    );
}

#[actix_web::test]
async fn a_place_that_returns_is_free_when_the_volunteer_says_so_and_only_once() {
    let mut app = TestApp::new();
    let room = json!({"category": "warming_space", "capacity": 1});
    let ana = app.volunteer("ana@example.org", &[room]).await;
    let stay =
        json!({"category": "warming_space", "quantity": 1, "urgency": "now", "travel_m": 9000});
    let mo = app.neighbor(std::slice::from_ref(&stay)).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let first = app.letter_to(&ana.email, "mha_");
    let ida = app.neighbor(std::slice::from_ref(&stay)).await;
    app.settle().await;
    assert_eq!(app.request(&ida, 0).await["progress"]["asked"], 0);
    app.post(DONE, &first, &json!({})).await.ok();
    app.settle().await;
    app.accept(&ana).await.ok();
    assert_eq!(app.request(&ida, 0).await["state"], "covered");
    // Given back when she said done: not once more.
    app.says(&mo, 0, "no-show").await.ok();
    let kim = app.neighbor(&[stay]).await;
    app.settle().await;
    assert_eq!(app.request(&kim, 0).await["progress"]["asked"], 0);
}

#[actix_web::test]
async fn after_its_time_both_are_asked_once_and_after_two_days_somebody_finds_out() {
    let mut app = TestApp::new();
    let (mo, ana, token) = promised(&mut app).await;
    app.sleep_over(DAY + 15 * MINUTE).await;
    assert_eq!(told(&app, &ana.email, ASKED), 0);
    app.sleep_over(HOUR).await;
    app.sleep_over(HOUR).await;
    assert_eq!(told(&app, &ana.email, ASKED), 1);
    assert_eq!(told(&app, "mo@example.org", ASKED), 1);
    assert_eq!(tasks(&app, &token, "kind=follow_up").await.len(), 0);

    app.sleep_over(2 * DAY).await;
    let all = tasks(&app, &token, "kind=follow_up").await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["request"], mo.requests[0]);
    assert_eq!(app.request(&mo, 0).await["state"], "covered");
    // Nobody is at it: silence counts as helped in the end.
    app.sleep_over(2 * DAY).await;
    let closed = app.request(&mo, 0).await;
    assert_eq!(closed["close_reason"], "helped_here");
    let all = tasks(&app, &token, "kind=follow_up").await;
    assert_eq!(all.len(), 1, "one a request");
    assert_eq!(all[0]["outcome"], "not_needed");
}

/// What a coordinator found out, and what becomes of the request.
const FOUND: [(&str, &str, Option<&str>, &str); 3] = [
    ("helped", "closed", Some("helped_here"), "fulfilled"),
    ("not_helped", "closed", Some("unmet"), "fell_through"),
    ("unknown", "covered", None, "accepted"),
];

#[actix_web::test]
async fn what_somebody_finds_out_is_what_becomes_of_it() {
    for (outcome, state, reason, matched) in FOUND {
        let mut app = TestApp::new();
        let (mo, ana, token) = promised(&mut app).await;
        app.sleep_over(3 * DAY + HOUR).await;
        let task = tasks(&app, &token, "kind=follow_up").await.remove(0);
        let odd = finish(&app, &token, &task, "looked").await;
        assert_eq!(odd.problem(409), "not-possible");
        for _ in 0..2 {
            let ended = finish(&app, &token, &task, outcome).await.ok();
            assert_eq!(
                (&ended["outcome"], &ended["undo"]),
                (&json!(outcome), &Value::Null)
            );
        }
        let now = app.request(&mo, 0).await;
        assert_eq!(
            (&now["state"], &now["close_reason"]),
            (&json!(state), &json!(reason)),
            "{outcome}"
        );
        let sheet = app.newest_match(&token, &mo.requests[0]).await;
        assert_eq!(sheet["state"], matched, "{outcome}");
        assert_eq!(sheet["no_show_by"], Value::Null, "nobody is blamed");
        app.settle().await;
        assert_eq!(
            told(
                &app,
                &ana.email,
                "You are not needed any more: please do not go"
            ),
            0
        );
        app.sleep_over(DAY).await;
        assert_eq!(
            tasks(&app, &token, "kind=follow_up&state=open").await.len(),
            0
        );
    }
}

#[actix_web::test]
async fn a_word_of_either_side_ends_the_search_for_one() {
    for (by_volunteer, what, outcome) in [
        (true, "done", "not_needed"),
        (false, "no-show", "not_needed"),
    ] {
        let mut app = TestApp::new();
        let (mo, ana, token) = promised(&mut app).await;
        app.sleep_over(3 * DAY + HOUR).await;
        assert_eq!(
            tasks(&app, &token, "kind=follow_up&state=open").await.len(),
            1
        );
        if by_volunteer {
            volunteer_says(&app, &ana, what, json!({})).await.ok();
        } else {
            app.says(&mo, 0, what).await.ok();
        }
        let all = tasks(&app, &token, "kind=follow_up").await;
        assert_eq!(all[0]["outcome"], outcome);
        app.sleep_over(3 * HOUR).await;
        let state = if by_volunteer { "covered" } else { "closed" };
        assert_eq!(app.request(&mo, 0).await["state"], state, "{what}");
    }
}

#[actix_web::test]
async fn who_does_not_come_twice_is_looked_at() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let list = app.get("/v1/volunteers", &token).await.ok();
    let id = list["items"][0]["id"].as_str().expect("id").to_owned();
    for (nth, email) in ["mo@example.org", "ida@example.org", "kim@example.org"]
        .iter()
        .enumerate()
    {
        let who = json!({"contact": {"name": "Mo Farah", "email": email}});
        let mo = app.neighbor_who(with(post_of(&[food(1)]), who)).await;
        app.settle().await;
        app.accept(&ana).await.ok();
        app.says(&mo, 0, "no-show").await.ok();
        let file = app.get(&format!("/v1/volunteers/{id}"), &token).await.ok();
        assert_eq!(
            (&file["no_shows"], &file["reports"]),
            (&json!(nth + 1), &json!(0))
        );
        let all = tasks(&app, &token, "kind=volunteer_check").await;
        assert_eq!(all.len(), usize::from(nth > 0), "one, however often");
        let close = format!("/v1/requests/{}/close", mo.requests[0]);
        app.post(&close, &mo.token, &json!({"reason": "not_needed"}))
            .await
            .ok();
    }
    let all = tasks(&app, &token, "kind=volunteer_check").await;
    assert_eq!(all[0]["volunteer"], id);
    finish(&app, &token, &all[0], "looked").await.ok();
    // A neighbor who was not there counts against nobody.
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    volunteer_says(&app, &ana, "no-show", json!({})).await.ok();
    assert_eq!(
        app.newest_match(&token, &mo.requests[0]).await["no_show_by"],
        "volunteer"
    );
    app.sleep_over(31 * DAY).await;
    let file = app.get(&format!("/v1/volunteers/{id}"), &token).await.ok();
    assert_eq!(file["no_shows"], 0, "it does not count for ever");
}

#[actix_web::test]
async fn the_time_of_arrival_is_told_and_may_change() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let at = |hours: u32, app: &TestApp| app.now().after(hours * HOUR);
    let need = json!({"needed": [{"from": at(4, &app), "until": at(8, &app)}]});
    let mo = app.neighbor(&[with(food(4), need)]).await;
    app.settle().await;
    for bad in [3, 9] {
        let body = json!({"arrival_at": at(bad, &app)});
        let refused = volunteer_says(&app, &ana, "accept", body).await;
        assert_eq!(
            (refused.status, refused.pointers()),
            (422, vec!["/arrival_at".to_owned()])
        );
    }
    assert_eq!(app.request(&mo, 0).await["state"], "open");
    let first = json!({"arrival_at": at(5, &app)});
    let said = volunteer_says(&app, &ana, "accept", first.clone())
        .await
        .ok();
    assert_eq!(said["arrival_at"], first["arrival_at"]);
    assert!(
        said["can"]
            .as_array()
            .expect("list")
            .contains(&json!("arrive"))
    );
    app.settle().await;
    let letter = newest(&app, "mo@example.org");
    assert!(
        letter.contains("Arrival: Mon Dec 7, 17:00 (CST)."),
        "{letter}"
    );

    let then = json!({"arrival_at": at(6, &app)});
    for _ in 0..2 {
        volunteer_says(&app, &ana, "accept", then.clone())
            .await
            .ok();
    }
    app.settle().await;
    assert_eq!(told(&app, "mo@example.org", "Another time of arrival"), 1);
    let letter = newest(&app, "mo@example.org");
    assert!(
        letter.contains("Arrival: Mon Dec 7, 18:00 (CST)."),
        "{letter}"
    );
    assert_eq!(
        app.request(&mo, 0).await["matches"][0]["arrival_at"],
        then["arrival_at"]
    );
    let id = app.newest_match(&token, &mo.requests[0]).await["id"].clone();
    let path = format!("/v1/matches/{}/accept", id.as_str().expect("id"));
    let by_phone = json!({"arrival_at": at(7, &app)});
    let sheet = app.post(&path, &token, &by_phone).await.ok();
    assert_eq!(sheet["arrival_at"], by_phone["arrival_at"]);
    let odd = json!({"arrival_at": at(1, &app)});
    assert_eq!(
        app.post(&path, &token, &odd).await.pointers(),
        ["/arrival_at"]
    );
    app.settle().await;
    assert_eq!(told(&app, "mo@example.org", "Another time of arrival"), 2);

    volunteer_says(&app, &ana, "done", json!({})).await.ok();
    let late = volunteer_says(&app, &ana, "accept", first).await.ok();
    assert_eq!(late["arrival_at"], by_phone["arrival_at"], "it is done");
}

/// The text of the newest letter to an address.
fn newest(app: &TestApp, to: &str) -> String {
    let mails = app.transport.memory().expect("memory").mails();
    let newest = mails.iter().rev().find(|m| m.message.to.expose() == to);
    newest.expect("a letter").message.text.clone()
}

#[actix_web::test]
async fn both_are_reminded_of_what_was_promised_long_before() {
    let mut app = TestApp::new();
    let ana = cook(&mut app, "ana@example.org").await;
    let need = json!({"needed": [{"from": app.now().after(6 * HOUR), "until": app.now().after(9 * HOUR)}]});
    app.neighbor(&[with(food(4), need)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let both = |app: &TestApp| {
        (
            told(app, &ana.email, "A reminder: a neighbor counts on you"),
            told(
                app,
                "mo@example.org",
                "A reminder: somebody is going to help",
            ),
        )
    };
    app.sleep_over(3 * HOUR + 50 * MINUTE).await;
    assert_eq!(both(&app), (0, 0));
    app.sleep_over(15 * MINUTE).await;
    assert_eq!(both(&app), (1, 1));
    // Of another time they are told, and reminded anew.
    let later = json!({"arrival_at": app.now().after(4 * HOUR)});
    volunteer_says(&app, &ana, "accept", later).await.ok();
    app.sleep_over(2 * HOUR).await;
    assert_eq!(both(&app), (2, 2));
    app.sleep_over(2 * HOUR).await;
    assert_eq!(both(&app), (2, 2));
}

#[actix_web::test]
async fn nobody_is_reminded_of_what_is_about_to_happen_or_off() {
    let mut app = TestApp::new();
    let ana = cook(&mut app, "ana@example.org").await;
    let need = |app: &TestApp, hours: u32| {
        let from = app.now().after(hours * HOUR);
        with(
            food(1),
            json!({"needed": [{"from": from, "until": from.after(3 * HOUR)}]}),
        )
    };
    app.neighbor(&[need(&app, 1)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    app.neighbor(&[need(&app, 5)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    app.settle().await;
    volunteer_says(&app, &ana, "release", json!({})).await.ok();
    app.sleep_over(4 * HOUR).await;
    assert_eq!(
        told(&app, &ana.email, "A reminder: a neighbor counts on you"),
        0
    );
}

#[actix_web::test]
async fn a_neighbor_without_mail_is_asked_by_phone_whether_it_worked() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let by_phone = json!({"contact": {"name": "Halima", "phone": "+16125550199"}});
    let halima = app.neighbor_who(with(post_of(&[food(2)]), by_phone)).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let news = tasks(&app, &token, "kind=tell&state=open").await.remove(0);
    finish(&app, &token, &news, "reached").await.ok();
    volunteer_says(&app, &ana, "done", json!({})).await.ok();
    let ask = tasks(&app, &token, "kind=tell&state=open").await.remove(0);
    assert_eq!(ask["about"], "did_it_work");
    let path = format!("/v1/matches/{}/done", ask["match"].as_str().expect("id"));
    let sheet = app
        .post(&path, &token, &json!({"for": "neighbor"}))
        .await
        .ok();
    assert_eq!(sheet["state"], "fulfilled");
    assert_eq!(tasks(&app, &token, "kind=tell&state=open").await.len(), 0);
    assert_eq!(app.request(&halima, 0).await["close_reason"], "helped_here");
}

#[actix_web::test]
async fn a_problem_is_reported_for_a_week_after_the_end() {
    let problem = json!({"problem": "unsafe"});
    for (days, status) in [(6, 200), (8, 404)] {
        let mut app = TestApp::new();
        let (mo, ana, token) = promised(&mut app).await;
        let code = app.letter_to(&ana.email, "mha_");
        app.says(&mo, 0, "done").await.ok();
        app.sleep_over(days * DAY).await;
        let said = app.post("/v1/matches/self/report", &code, &problem).await;
        assert_eq!(said.status, status, "after {days} days");
        let open = tasks(&app, &token, "kind=report&state=open").await;
        assert_eq!(open.len(), usize::from(status == 200));
    }
    // Of a promise whose time is over, and of one that a volunteer calls done, its neighbor too.
    for is_done in [true, false] {
        let mut app = TestApp::new();
        let (mo, ana, token) = promised(&mut app).await;
        app.sleep_over(DAY + HOUR).await;
        if is_done {
            volunteer_says(&app, &ana, "done", json!({})).await.ok();
        }
        let matched = app.request(&mo, 0).await["matches"][0]["id"].clone();
        let path = format!(
            "/v1/requests/{}/matches/{}/report",
            mo.requests[0],
            matched.as_str().expect("id")
        );
        app.post(&path, &mo.token, &problem).await.ok();
        assert_eq!(tasks(&app, &token, "kind=report&state=open").await.len(), 1);
        let file = app.get("/v1/volunteers", &token).await.ok();
        let id = file["items"][0]["id"].as_str().expect("id");
        let file = app.get(&format!("/v1/volunteers/{id}"), &token).await.ok();
        assert_eq!(file["reports"], 1);
    }
}

#[actix_web::test]
async fn nobody_takes_the_word_of_who_was_blocked() {
    let mut app = TestApp::new();
    let (mo, ana, token) = promised(&mut app).await;
    volunteer_says(&app, &ana, "done", json!({})).await.ok();
    let volunteer = app.newest_match(&token, &mo.requests[0]).await["volunteer"]["id"].clone();
    let path = format!("/v1/volunteers/{}/block", volunteer.as_str().expect("id"));
    app.press(&path, &token).await.ok();
    let open = app.request(&mo, 0).await;
    assert_eq!(
        (&open["state"], &open["covered"]),
        (&json!("open"), &json!(0))
    );
    assert_eq!(open["matches"][0]["contact"], Value::Null);
    app.sleep_over(3 * DAY).await;
    assert_eq!(app.request(&mo, 0).await["close_reason"], "unmet");
}

#[actix_web::test]
async fn what_stands_for_longer_is_asked_about_when_that_is_over() {
    let mut app = TestApp::new();
    let (mo, ana, token) = promised(&mut app).await;
    app.sleep_over(DAY + HOUR).await;
    assert_eq!(told(&app, &ana.email, ASKED), 1);
    app.sleep_over(2 * DAY).await;
    assert_eq!(
        tasks(&app, &token, "state=open&kind=follow_up").await.len(),
        1
    );
    let path = format!("/v1/requests/{}/renew", mo.requests[0]);
    let until = json!({"until": app.now().after(DAY)});
    app.post(&path, &mo.token, &until).await.ok();
    assert_eq!(
        tasks(&app, &token, "state=open&kind=follow_up").await.len(),
        0
    );
    app.sleep_over(DAY + HOUR).await;
    assert_eq!(told(&app, &ana.email, ASKED), 2);
    app.sleep_over(2 * DAY).await;
    assert_eq!(
        tasks(&app, &token, "state=open&kind=follow_up").await.len(),
        1
    );
    app.sleep_over(2 * DAY + HOUR).await;
    let sheet = app.newest_match(&token, &mo.requests[0]).await;
    assert_eq!(
        (&sheet["state"], &sheet["done_by"]),
        (&json!("fulfilled"), &Value::Null),
        "nobody said so"
    );
}
