//! Tasks that can be done: whoever is given one reaches whom it is about, a call that nobody answers is made again, what
//! nobody does any more is free, and what no letter tells is told by phone.

use manyhands::actions::revoke_coordinator::revoke_coordinator;
use manyhands::storage::audit::Actor;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use super::phone::audited;
use super::tasks::{by_phone, id, only, tasks};
use crate::support::people::{Neighbor, Volunteer, food, phone_of, post_of, with};
use crate::support::{Answer, DAY, HOUR, MINUTE, TestApp};

const OPEN: &str = "?state=open";

async fn cook(app: &mut TestApp) -> Volunteer {
    let meals = json!({"category": "food", "capacity": 20});
    app.volunteer("ana@example.org", &[meals]).await
}

/// What is needed from then, in hours, until then.
fn between(app: &TestApp, need: Value, from: u32, until: u32) -> Value {
    let (from, until) = (app.now().after(from * HOUR), app.now().after(until * HOUR));
    with(need, json!({"needed": [{"from": from, "until": until}]}))
}

fn visit() -> Value {
    json!({"category": "pet_care", "quantity": 1, "urgency": "now", "handover": "home"})
}

/// A neighbor whom no letter reaches and who has the last word, and Ana, who has said yes: she is to be asked.
async fn asked(app: &mut TestApp) -> (Neighbor, Volunteer) {
    let ana = cook(app).await;
    let who = json!({"agree_first": true, "contact": {"name": "Halima", "phone": "612 555 0199"}});
    let halima = app.neighbor_who(with(post_of(&[food(2)]), who)).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    app.settle().await;
    (halima, ana)
}

async fn assign(app: &TestApp, token: &str, task: &Value, to: impl ToString) -> Value {
    let path = format!("/v1/tasks/{}/assign", id(task));
    let body = json!({"to": to.to_string()});
    app.post(&path, token, &body).await.ok()
}

async fn done(app: &TestApp, token: &str, task: &Value, outcome: &str) -> Answer {
    let path = format!("/v1/tasks/{}/done", id(task));
    app.post(&path, token, &json!({"outcome": outcome})).await
}

/// The task as it is by now.
async fn now(app: &TestApp, token: &str, task: &Value) -> Value {
    app.get(&format!("/v1/tasks/{}", id(task)), token)
        .await
        .ok()
}

async fn requests(app: &TestApp, token: &str) -> usize {
    let list = app.get("/v1/requests", token).await.ok();
    list["items"].as_array().expect("items").len()
}

#[actix_web::test]
async fn whoever_is_given_a_task_reaches_its_neighbor_until_it_is_over() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (desk, intake) = app.coordinator(Scope::Intake).await;
    let (_, other) = app.coordinator(Scope::Intake).await;
    let (halima, ana) = asked(&mut app).await;
    let request = format!("/v1/requests/{}", halima.requests[0]);
    let reveal = format!("{request}/reveal");
    let why = json!({"reason": "call"});
    let nothing = json!({});
    let ask = only(&tasks(&app, &token, OPEN).await);
    let of_match = format!("/v1/matches/{}", ask["match"].as_str().expect("id"));
    let agree = format!("{of_match}/agree");
    let nowhere = app.get("/v1/nowhere", &intake).await.bytes;

    // Not before.
    assert_eq!(app.post(&reveal, &intake, &why).await.bytes, nowhere);
    assert_eq!(app.post(&agree, &intake, &nothing).await.bytes, nowhere);
    assert_eq!(requests(&app, &intake).await, 0);

    assign(&app, &token, &ask, desk).await;
    let revealed = app.post(&reveal, &intake, &why).await.ok();
    assert_eq!(revealed["contact"]["phone"], "+16125550199");
    assert_eq!(requests(&app, &intake).await, 1);
    assert_eq!(
        app.get(&request, &intake).await.ok()["matches"][0]["agreement"],
        "pending"
    );
    let phone = json!({"phone": "612 555 0199"});
    let found = app.post("/v1/people/find", &intake, &phone).await.ok();
    assert_eq!(
        found["neighbors"][0]["requests"][0]["id"],
        halima.requests[0]
    );
    assert_eq!(app.post(&reveal, &other, &why).await.bytes, nowhere);
    let agreed = app.post(&agree, &intake, &nothing).await.ok();
    assert_eq!(agreed["agreement"], "agreed");

    // With her answer the task is over, and so is what it opened.
    assert_eq!(now(&app, &token, &ask).await["outcome"], "done");
    assert_eq!(app.post(&reveal, &intake, &why).await.bytes, nowhere);
    assert_eq!(app.post(&agree, &intake, &nothing).await.bytes, nowhere);
    assert_eq!(app.get(&request, &intake).await.bytes, nowhere);

    // Of the next, which tells her who comes: by phone she says that it was done.
    let tell = only(&tasks(&app, &token, OPEN).await);
    assign(&app, &token, &tell, desk).await;
    let revealed = app.post(&reveal, &intake, &why).await.ok();
    let helper = &revealed["helpers"][0]["contact"];
    assert_eq!(helper["phone"], phone_of(&ana.email));
    done(&app, &intake, &tell, "reached").await.ok();
    let for_her = json!({"for": "neighbor"});
    for what in ["done", "no-show"] {
        let said = app
            .post(&format!("{of_match}/{what}"), &intake, &for_her)
            .await;
        assert_eq!(said.bytes, nowhere, "{what}");
    }
    assert_eq!(
        app.post(
            &format!("{request}/close"),
            &intake,
            &json!({"reason": "not_needed"})
        )
        .await
        .bytes,
        nowhere
    );
    let answered = audited(&app, of_match.rsplit('/').next().unwrap()).await;
    let by_phone = answered.iter().filter(|(_, of)| of == "neighbor").count();
    assert_eq!(by_phone, 2, "agreed, and contacts released: {answered:?}");
}

#[actix_web::test]
async fn what_is_taken_away_opens_nothing_any_more() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (desk, intake) = app.coordinator(Scope::Intake).await;
    let (other, others) = app.coordinator(Scope::Intake).await;
    let (halima, _) = asked(&mut app).await;
    let reveal = format!("/v1/requests/{}/reveal", halima.requests[0]);
    let why = json!({"reason": "call"});
    let ask = only(&tasks(&app, &token, OPEN).await);
    assign(&app, &token, &ask, desk).await;
    app.post(&reveal, &intake, &why).await.ok();
    assign(&app, &token, &ask, other).await;
    assert_eq!(
        app.post(&reveal, &intake, &why).await.problem(404),
        "not-found"
    );
    app.post(&reveal, &others, &why).await.ok();
    let unclaim = format!("/v1/tasks/{}/unclaim", id(&ask));
    app.post(&unclaim, &token, &json!({})).await.ok();
    assert_eq!(
        app.post(&reveal, &others, &why).await.problem(404),
        "not-found"
    );
    let agree = format!("/v1/matches/{}/agree", ask["match"].as_str().expect("id"));
    let said = app.post(&agree, &others, &json!({})).await;
    assert_eq!(said.problem(404), "not-found");
    // What they say for somebody they do not see changes nothing.
    assert_eq!(now(&app, &token, &ask).await["outcome"], Value::Null);
}

#[actix_web::test]
async fn whom_nobody_reached_is_called_again_as_long_as_there_is_use_in_it() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (desk, intake) = app.coordinator(Scope::Intake).await;
    let posted = [between(&app, visit(), 0, 5)];
    let mo = by_phone(&app, &posted).await;
    let begun = app.now();
    let call = only(&tasks(&app, &token, OPEN).await);
    assert_eq!(
        (&call["attempts"], &call["tried_at"]),
        (&json!(0), &Value::Null)
    );
    assign(&app, &token, &call, desk).await;
    let path = format!("/v1/tasks/{}/done", id(&call));
    let tried = json!({"outcome": "no_answer", "note": "It rang ten times"});
    let open = app.post(&path, &intake, &tried).await.ok();
    assert_eq!(
        (&open["attempts"], &open["tried_at"], &open["done_at"]),
        (&json!(1), &json!(app.now()), &Value::Null)
    );
    assert_eq!(
        (&open["claimed_by"], &open["assigned_by"], &open["outcome"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(open["due_at"], json!(begun.after(2 * HOUR)));
    assert_eq!(now(&app, &token, &call).await["note"], "It rang ten times");
    // It is anybody's again, and not theirs.
    assert_eq!(
        app.post(&path, &intake, &tried).await.problem(404),
        "not-found"
    );
    only(&tasks(&app, &token, "?state=open&claimed_by=none").await);
    assert_eq!(
        app.request(&mo, 0).await["progress"]["attention"],
        "call_back"
    );
    app.advance(2 * HOUR + MINUTE).await;
    only(&tasks(&app, &token, "?overdue=true").await);
    let later = done(&app, &token, &call, "no_answer").await.ok();
    assert_eq!(later["due_at"], json!(app.now().after(2 * HOUR)));
    // In vain after the end of what she needs.
    app.advance(2 * HOUR).await;
    let last = done(&app, &token, &call, "no_answer").await.ok();
    assert_eq!(last["attempts"], 3);
    assert_eq!(last["due_at"], json!(begun.after(5 * HOUR)));
    let reached = done(&app, &token, &call, "reached").await.ok();
    assert_eq!(
        (&reached["attempts"], &reached["outcome"]),
        (&json!(3), &json!("reached"))
    );
    let late = done(&app, &token, &call, "no_answer").await;
    assert_eq!(late.problem(409), "not-possible");
    let entries = audited(&app, id(&call)).await;
    let tries = entries.iter().filter(|(action, _)| action == "task_tried");
    assert_eq!(tries.count(), 3, "{entries:?}");
}

#[actix_web::test]
async fn news_and_questions_wait_for_another_call_and_unreachable_is_the_last_word() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (halima, _) = asked(&mut app).await;
    let ask = only(&tasks(&app, &token, OPEN).await);
    // She has a quarter of an hour to agree: the next call is due at half of what is left of it.
    app.advance(5 * MINUTE).await;
    let tried = done(&app, &token, &ask, "no_answer").await.ok();
    assert_eq!(tried["due_at"], json!(app.now().after(5 * MINUTE)));
    assert_eq!(
        done(&app, &token, &ask, "unreachable").await.problem(409),
        "has-its-act"
    );
    app.advance(11 * MINUTE).await;
    assert_eq!(
        done(&app, &token, &ask, "no_answer").await.problem(409),
        "not-possible",
        "her time is over"
    );

    let tell = only(&tasks(&app, &token, "?state=open&kind=tell").await);
    for attempts in 1..3 {
        let tried = done(&app, &token, &tell, "no_answer").await.ok();
        assert_eq!(tried["attempts"], attempts);
        assert_eq!(tried["due_at"], json!(app.now().after(2 * HOUR)));
    }
    done(&app, &token, &tell, "unreachable").await.ok();
    assert_eq!(
        done(&app, &token, &tell, "no_answer").await.problem(409),
        "not-possible"
    );
    // Nobody is called for the rest.
    let path = format!("/v1/requests/{}/why", halima.requests[0]);
    app.get(&path, &token).await.ok();
    for look in tasks(&app, &token, "?state=open&kind=look").await {
        let odd = done(&app, &token, &look, "no_answer").await;
        assert_eq!(odd.problem(409), "not-possible");
    }
}

#[actix_web::test]
async fn what_somebody_has_not_done_for_too_long_is_free_and_counted_so() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (desk, intake) = app.coordinator(Scope::Intake).await;
    by_phone(&app, &[visit()]).await;
    let call = only(&tasks(&app, &token, OPEN).await);
    assign(&app, &token, &call, desk).await;
    let unclaimed = async |app: &TestApp| {
        let counts = app.get("/v1/tasks/counts?state=open", &token).await.ok();
        (
            tasks(app, &token, "?claimed_by=none").await.len(),
            counts["unclaimed"].clone(),
        )
    };
    app.advance(59 * MINUTE).await;
    assert_eq!(unclaimed(&app).await, (0, json!(0)));
    app.advance(MINUTE).await;
    assert_eq!(unclaimed(&app).await, (1, json!(1)));
    let free = now(&app, &token, &call).await;
    assert_eq!(
        (&free["claimed_by"], &free["lapsed_claim"]),
        (&Value::Null, &json!(desk.to_string()))
    );
    // It is still theirs to do, as long as nobody else takes it; and to take again.
    only(&tasks(&app, &intake, "?claimed_by=me").await);
    let claim = format!("/v1/tasks/{}/claim", id(&call));
    for _ in 0..2 {
        let held = app.post(&claim, &intake, &json!({})).await.ok();
        assert_eq!(
            (&held["claimed_by"], &held["lapsed_claim"]),
            (&json!(desk.to_string()), &Value::Null)
        );
    }
    assert_eq!(unclaimed(&app).await, (0, json!(0)));
    assert_eq!(
        app.post(&claim, &token, &json!({})).await.problem(409),
        "not-possible"
    );
    // What was done stays with whoever had it.
    done(&app, &intake, &call, "unreachable").await.ok();
    app.advance(2 * HOUR).await;
    let over = now(&app, &token, &call).await;
    assert_eq!(over["claimed_by"], json!(desk.to_string()));
    assert_eq!(unclaimed(&app).await, (0, json!(0)));
}

#[actix_web::test]
async fn whose_access_is_revoked_has_no_tasks() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (desk, _) = app.coordinator(Scope::Intake).await;
    by_phone(&app, &[visit()]).await;
    let lin = json!({"contact": {"name": "Lin", "phone": "612 555 0111"}});
    app.neighbor_who(with(post_of(&[visit()]), lin)).await;
    let all = tasks(&app, &token, OPEN).await;
    assert_eq!(all.len(), 2);
    for task in &all {
        assign(&app, &token, task, desk).await;
    }
    done(&app, &token, &all[0], "unreachable").await.ok();
    for _ in 0..2 {
        revoke_coordinator(&app.ctx, desk, Actor::OPERATOR)
            .await
            .unwrap();
    }
    let free = only(&tasks(&app, &token, "?state=open&claimed_by=none").await);
    assert_eq!(id(&free), id(&all[1]));
    assert_eq!(free["assigned_by"], Value::Null);
    let over = now(&app, &token, &all[0]).await;
    assert_eq!(over["claimed_by"], json!(desk.to_string()), "it was theirs");
    let body = json!({"to": desk.to_string()});
    let path = format!("/v1/tasks/{}/assign", id(&free));
    assert_eq!(app.post(&path, &token, &body).await.problem(422), "invalid");
    let entries = audited(&app, &desk.to_string()).await;
    assert_eq!(entries.len(), 1, "{entries:?}");
}

#[actix_web::test]
async fn coordinators_know_to_whom_they_may_give_a_task() {
    let app = TestApp::new();
    let (admin, admins) = app.coordinator(Scope::Admin).await;
    app.clock.advance(MINUTE);
    let (one, token) = app.coordinator(Scope::Coordinator).await;
    app.clock.advance(MINUTE);
    let (desk, intake) = app.coordinator(Scope::Intake).await;
    let ids = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().expect("items");
        items.iter().map(|row| id(row).to_owned()).collect()
    };
    let list = app.get("/v1/coordinators", &token).await.ok();
    let newest_first = [desk, one, admin].map(|id| id.to_string());
    assert_eq!(ids(&list), newest_first);
    assert_eq!(
        list["items"][0],
        json!({"id": desk.to_string(), "name": "Coo Coordinator", "scope": "intake", "part": null,
            "since": app.now(), "revoked_at": null})
    );
    let page = app.get("/v1/coordinators?limit=2", &admins).await.ok();
    let next = page["next"].as_str().expect("another page");
    let path = format!("/v1/coordinators?limit=2&cursor={next}");
    assert_eq!(
        ids(&app.get(&path, &admins).await.ok()),
        [admin.to_string()]
    );
    assert_eq!(
        app.get("/v1/coordinators", &intake).await.problem(403),
        "scope"
    );

    for (who, token, scope, digest) in [
        (admin, &admins, "admin", true),
        (one, &token, "coordinator", true),
        (desk, &intake, "intake", false),
    ] {
        let own = app.get("/v1/coordinators/self", token).await.ok();
        assert_eq!(
            own,
            json!({"id": who.to_string(), "name": "Coo Coordinator", "scope": scope, "part": null,
                "digest": digest, "expires": null})
        );
    }
    revoke_coordinator(&app.ctx, desk, Actor::OPERATOR)
        .await
        .unwrap();
    let left = app.get("/v1/coordinators", &token).await.ok();
    assert_eq!(ids(&left), newest_first[1..]);
    let gone = app.get("/v1/coordinators?revoked=true", &token).await.ok();
    assert_eq!(ids(&gone), newest_first[..1]);
    assert_eq!(gone["items"][0]["revoked_at"], json!(app.now()));
    let odd = app.get("/v1/coordinators?revoked=maybe", &token).await;
    assert_eq!(odd.problem(422), "invalid");
    assert_eq!(
        app.get("/v1/coordinators/self", &intake).await.problem(404),
        "not-found"
    );
}

async fn hand_over(app: &TestApp, token: &str, request: &str) {
    let to = json!({"to": "North Side Food Shelf", "reference": "4711"});
    app.post(&format!("/v1/requests/{request}/hand-over"), token, &to)
        .await
        .ok();
}

#[actix_web::test]
async fn who_has_no_email_is_told_by_phone_who_has_her_request_now() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let mo = by_phone(&app, &[food(2), food(1)]).await;
    hand_over(&app, &token, &mo.requests[0]).await;
    let tell = only(&tasks(&app, &token, "?state=open&kind=tell").await);
    assert_eq!(
        (&tell["about"], &tell["request"]),
        (&json!("handed_over"), &json!(mo.requests[0]))
    );
    // That she needs nothing else does not make it known to her.
    let close = format!("/v1/requests/{}/close", mo.requests[1]);
    let why = json!({"reason": "not_needed"});
    app.post(&close, &mo.token, &why).await.ok();
    only(&tasks(&app, &token, "?state=open&kind=tell").await);
    // Taken back, it is not true.
    let reopen = format!("/v1/requests/{}/reopen", mo.requests[0]);
    app.press(&reopen, &token).await.ok();
    assert_eq!(now(&app, &token, &tell).await["outcome"], "not_needed");
    hand_over(&app, &token, &mo.requests[0]).await;
    only(&tasks(&app, &token, "?state=open&kind=tell").await);
    app.sleep_over(DAY + HOUR).await;
    assert_eq!(
        tasks(&app, &token, OPEN).await,
        Vec::<Value>::new(),
        "nobody is left to be told"
    );
}

/// A neighbor whom no letter reaches, to whom Ana comes in six hours, and the news of that.
async fn promised(app: &mut TestApp, token: &str) -> (Volunteer, Value) {
    let ana = cook(app).await;
    let need = between(app, food(2), 6, 9);
    by_phone(app, &[need]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let news = only(&tasks(app, token, OPEN).await);
    assert_eq!(news["about"], "accepted");
    (ana, news)
}

#[actix_web::test]
async fn who_has_no_email_is_reminded_by_phone_until_the_help_begins() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (_, news) = promised(&mut app, &token).await;
    let begins = app.now().after(6 * HOUR);
    done(&app, &token, &news, "reached").await.ok();
    app.sleep_over(4 * HOUR + MINUTE).await;
    let reminder = only(&tasks(&app, &token, OPEN).await);
    assert_eq!(
        (&reminder["kind"], &reminder["about"], &reminder["due_at"]),
        (&json!("tell"), &json!("reminder"), &json!(app.now()))
    );
    // Not later than the help begins.
    let again = done(&app, &token, &reminder, "no_answer").await.ok();
    assert_eq!(again["due_at"], json!(begins));
    app.sleep_over(HOUR + 58 * MINUTE).await;
    only(&tasks(&app, &token, OPEN).await);
    app.sleep_over(MINUTE).await;
    let over = now(&app, &token, &reminder).await;
    assert_eq!(
        (&over["outcome"], &over["done_by"], &over["attempts"]),
        (&json!("not_needed"), &Value::Null, &json!(1))
    );
}

#[actix_web::test]
async fn a_reminder_does_not_take_the_place_of_news_and_goes_with_the_promise() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (ana, news) = promised(&mut app, &token).await;
    app.sleep_over(4 * HOUR + MINUTE).await;
    let hurried = only(&tasks(&app, &token, OPEN).await);
    assert_eq!(
        (id(&hurried), &hurried["about"]),
        (id(&news), &json!("accepted"))
    );
    app.sleep_over(3 * HOUR).await;
    only(&tasks(&app, &token, OPEN).await);
    done(&app, &token, &news, "reached").await.ok();

    // She says herself that it was done before the call.
    let need = between(&app, food(1), 3, 9);
    let lin = json!({"contact": {"name": "Lin", "phone": "612 555 0111"}});
    let lin = app.neighbor_who(with(post_of(&[need]), lin)).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let of_lin = format!("?state=open&request={}", lin.requests[0]);
    let news = only(&tasks(&app, &token, &of_lin).await);
    done(&app, &token, &news, "reached").await.ok();
    app.sleep_over(HOUR + MINUTE).await;
    let reminder = only(&tasks(&app, &token, &of_lin).await);
    assert_eq!(reminder["about"], "reminder");
    app.says(&lin, 0, "no-show").await.ok();
    app.sleep_over(MINUTE).await;
    assert_eq!(now(&app, &token, &reminder).await["outcome"], "not_needed");
}

#[actix_web::test]
async fn that_a_need_ended_without_help_is_told_once_to_whom_no_letter_reaches() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let needs = [between(&app, food(2), 0, 3), between(&app, food(1), 0, 3)];
    let mo = by_phone(&app, &needs).await;
    let lin = json!({"contact": {"name": "Lin", "email": "lin@example.org"}});
    app.neighbor_who(with(post_of(&needs), lin)).await;
    let hidden = json!({"contact": {"name": "Nia", "phone": "612 555 0111"}});
    let nia = app.neighbor_who(with(post_of(&needs), hidden)).await;
    app.post("/v1/neighbors/self/hide", &nia.token, &json!({}))
        .await
        .ok();
    app.sleep_over(3 * HOUR + MINUTE).await;
    let of_mo = app.request(&mo, 0).await;
    assert_eq!(of_mo["close_reason"], "unmet");
    let tell = only(&tasks(&app, &token, "?state=open&kind=tell").await);
    assert_eq!(tell["about"], Value::Null);
    let about = tell["request"].as_str().expect("a request");
    assert!(mo.requests.iter().any(|id| id == about));
    // An address does not tell her: no letter says this.
    let contact =
        json!({"contact": {"name": "Mo", "phone": "612 555 0123", "email": "mo@example.org"}});
    app.patch("/v1/neighbors/self", &mo.token, &contact)
        .await
        .ok();
    let again = done(&app, &token, &tell, "no_answer").await.ok();
    assert_eq!(again["due_at"], json!(app.now().after(2 * HOUR)));
    done(&app, &token, &tell, "reached").await.ok();
}
