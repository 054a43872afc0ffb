//! What a person must do: each task comes with its cause, in one transaction, and ends with the act that does it.

use actix_web::http::Method;
use manyhands::actions::claim_letters::claim_letters;
use manyhands::actions::settle_letter::{Attempt, settle_letter};
use manyhands::domain::ids::LeaseId;
use manyhands::domain::letter::Lane;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{Neighbor, Volunteer, food, offer_of, post_of, with};
use crate::support::{DAY, HOUR, MINUTE, TestApp};

pub async fn tasks(app: &TestApp, token: &str, query: &str) -> Vec<Value> {
    let list = app.get(&format!("/v1/tasks{query}"), token).await.ok();
    list["items"].as_array().expect("items").clone()
}

/// The one task that the query finds.
#[track_caller]
pub fn only(tasks: &[Value]) -> Value {
    assert_eq!(tasks.len(), 1, "{tasks:#?}");
    tasks[0].clone()
}

pub fn id(value: &Value) -> &str {
    value["id"].as_str().expect("id")
}

/// The task as it is by now.
async fn now(app: &TestApp, token: &str, task: &Value) -> Value {
    app.get(&format!("/v1/tasks/{}", id(task)), token)
        .await
        .ok()
}

/// Does what the task says does it.
async fn act(app: &TestApp, token: &str, call: &Value, body: Value) -> Value {
    let path = call.as_str().expect("a call").strip_prefix("POST ");
    app.post(path.expect("POST"), token, &body).await.ok()
}

/// A neighbor whom no letter reaches.
pub async fn by_phone(app: &TestApp, needs: &[Value]) -> Neighbor {
    let phone = json!({"contact": {"name": "Mo", "phone": "612 555 0123"}});
    app.neighbor_who(with(post_of(needs), phone)).await
}

async fn cook(app: &mut TestApp, email: &str) -> Volunteer {
    app.volunteer(email, &[json!({"category": "food", "capacity": 9})])
        .await
}

/// The mail server refuses for good whatever waits.
pub async fn refuse_all_mail(app: &TestApp) {
    let lease = LeaseId::new(app.ctx.entropy.as_ref());
    for lane in Lane::ALL {
        let (claimed, _) = claim_letters(&app.ctx, lane, lease, 50).await.unwrap();
        for one in claimed {
            let no = Attempt::Refused("refused 550".to_owned());
            settle_letter(&app.ctx, one.letter, lease, no)
                .await
                .unwrap();
        }
    }
}

/// A childcare need with two proposals that wait for a coordinator.
async fn proposed(app: &mut TestApp) -> (Neighbor, String) {
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let children = [json!({"category": "childcare", "capacity": 2})];
    for email in ["ana@example.org", "ben@example.org"] {
        app.volunteer(email, &children).await;
    }
    let list = app.get("/v1/volunteers", &token).await.ok();
    for volunteer in list["items"].as_array().unwrap() {
        let vet = format!("/v1/volunteers/{}/vet", id(volunteer));
        app.post(&vet, &token, &json!({})).await.ok();
    }
    let child = json!({"category": "childcare", "quantity": 1, "urgency": "now"});
    let mo = app.neighbor(&[child]).await;
    app.called(&token).await;
    app.settle().await;
    (mo, token)
}

#[actix_web::test]
async fn each_proposal_is_reviewed_by_its_act_and_late_when_the_request_says_so() {
    let mut app = TestApp::new();
    let (mo, token) = proposed(&mut app).await;
    let waiting = tasks(&app, &token, "?state=open&kind=review").await;
    assert_eq!(waiting.len(), 2);
    let (one, other) = (&waiting[0], &waiting[1]);
    let matched = one["match"].as_str().unwrap();
    assert_eq!(one["act"], format!("POST /v1/matches/{matched}/approve"));
    assert_eq!(one["request"], mo.requests[0].as_str());
    let said = json!({"outcome": "looked"});
    let done = format!("/v1/tasks/{}/done", id(one));
    let refused = app.post(&done, &token, &said).await;
    assert_eq!(refused.problem(409), "has-its-act");
    let told = refused.body["detail"].as_str().unwrap();
    assert!(told.contains("/v1/matches/{id}/approve"), "{told}");

    // As late as the request says.
    app.advance(15 * MINUTE).await;
    assert_eq!(
        app.request(&mo, 0).await["progress"]["attention"],
        "review_late"
    );
    assert_eq!(
        tasks(&app, &token, "?overdue=true&kind=review").await.len(),
        2
    );

    act(&app, &token, &one["act"], json!({})).await;
    let ended = now(&app, &token, one).await;
    assert_eq!(
        (&ended["outcome"], &ended["act"], &ended["undo"]),
        (&json!("done"), &json!(null), &json!(null))
    );
    assert!(ended["done_by"].is_string());
    act(&app, &token, &other["alternative"], json!({})).await;
    assert_eq!(now(&app, &token, other).await["outcome"], "done");
}

#[actix_web::test]
async fn a_review_is_not_needed_when_the_request_is_closed() {
    let mut app = TestApp::new();
    let (mo, token) = proposed(&mut app).await;
    let close = format!("/v1/requests/{}/close", mo.requests[0]);
    app.post(&close, &mo.token, &json!({"reason": "not_needed"}))
        .await
        .ok();
    for review in tasks(&app, &token, "?kind=review").await {
        assert_eq!(
            (&review["outcome"], &review["done_by"]),
            (&json!("not_needed"), &json!(null))
        );
    }
    assert_eq!(
        tasks(&app, &token, "?state=open").await,
        Vec::<Value>::new()
    );
}

#[actix_web::test]
async fn who_has_no_email_is_asked_and_told_by_phone() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let mo = app
        .neighbor_who(with(
            post_of(&[food(2)]),
            json!({"agree_first": true, "contact": {"name": "Mo", "phone": "612 555 0123"}}),
        ))
        .await;
    app.settle().await;
    assert_eq!(tasks(&app, &token, "").await, Vec::<Value>::new());
    app.accept(&ana).await.ok();
    app.settle().await;
    let ask = only(&tasks(&app, &token, "?state=open").await);
    assert_eq!(
        (&ask["kind"], &ask["about"]),
        (&json!("ask"), &json!("agree"))
    );
    let matched = ask["match"].as_str().unwrap();
    assert_eq!(ask["act"], format!("POST /v1/matches/{matched}/agree"));
    assert_eq!(
        ask["alternative"],
        format!("POST /v1/matches/{matched}/refuse")
    );
    // Half of the quarter of an hour that she has.
    app.advance(8 * MINUTE).await;
    only(&tasks(&app, &token, "?overdue=true").await);
    let done = format!("/v1/tasks/{}/done", id(&ask));
    let said = app
        .post(&done, &token, &json!({"outcome": "reached"}))
        .await;
    assert_eq!(said.problem(409), "has-its-act");

    let path = format!("/v1/requests/{}/matches/{matched}", mo.requests[0]);
    app.post(&format!("{path}/agree"), &mo.token, &json!({}))
        .await
        .ok();
    let ended = now(&app, &token, &ask).await;
    assert_eq!(
        (&ended["outcome"], &ended["done_by"]),
        (&json!("done"), &json!(null)),
        "she did it herself"
    );
    // News are one task, which names the newest.
    let tell = only(&tasks(&app, &token, "?state=open").await);
    assert_eq!(
        (&tell["kind"], &tell["about"]),
        (&json!("tell"), &json!("contact"))
    );
    let answer = app.letter_to(&ana.email, "mha_");
    app.post("/v1/matches/self/release", &answer, &json!({}))
        .await
        .ok();
    let newer = tasks(&app, &token, "?state=open&kind=tell").await;
    assert_eq!(
        (id(&only(&newer)), &newer[0]["about"]),
        (id(&tell), &json!("changed"))
    );
    let letters = app.get("/v1/letters?limit=100", &token).await.ok();
    let to_her = letters["items"].as_array().unwrap().iter();
    assert_eq!(
        to_her.filter(|l| l["to"]["kind"] == "neighbor").count(),
        0,
        "no letter that would only be dropped"
    );
}

#[actix_web::test]
async fn an_ask_ends_when_she_refuses_or_its_time_goes_by() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    for (email, refuses, outcome) in [
        ("ana@example.org", true, "done"),
        ("ben@example.org", false, "not_needed"),
    ] {
        let volunteer = cook(&mut app, email).await;
        let mo = app
            .neighbor_who(with(
                post_of(&[food(2)]),
                json!({"agree_first": true, "contact": {"name": "Mo", "phone": "612 555 0123"}}),
            ))
            .await;
        app.settle().await;
        app.accept(&volunteer).await.ok();
        let ask = only(&tasks(&app, &token, "?state=open&kind=ask").await);
        if refuses {
            let path = format!(
                "/v1/requests/{}/matches/{}/refuse",
                mo.requests[0],
                ask["match"].as_str().unwrap()
            );
            app.post(&path, &mo.token, &json!({})).await.ok();
        } else {
            app.advance(16 * MINUTE).await;
        }
        assert_eq!(now(&app, &token, &ask).await["outcome"], outcome);
        // Nobody is asked for her any more, and no news wait.
        app.call(Method::DELETE, "/v1/neighbors/self", Some(&mo.token), None)
            .await;
        let off = format!("/v1/offers/{}/close", volunteer.offers[0]);
        app.post(&off, &volunteer.token, &json!({})).await.ok();
        app.settle().await;
        assert_eq!(
            tasks(&app, &token, "?state=open").await,
            Vec::<Value>::new()
        );
    }
}

#[actix_web::test]
async fn whoever_gets_an_address_is_written_to_and_whoever_stops_mail_is_called() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let mo = by_phone(&app, &[food(2)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    let tell = only(&tasks(&app, &token, "?state=open&kind=tell").await);
    assert_eq!(tell["about"], "accepted");
    let contact =
        json!({"contact": {"name": "Mo", "phone": "612 555 0123", "email": "mo@example.org"}});
    app.patch("/v1/neighbors/self", &mo.token, &contact)
        .await
        .ok();
    assert_eq!(now(&app, &token, &tell).await["outcome"], "not_needed");
    app.settle().await;
    let told = app.subjects_to("mo@example.org");
    assert!(
        told.contains(&"Somebody is going to help".to_owned()),
        "{told:?}"
    );

    // The volunteer drops out, and before the letter leaves she wants no more mail.
    let answer = app.letter_to(&ana.email, "mha_");
    let stop = app.letter_to("mo@example.org", "mhu_");
    app.post("/v1/matches/self/release", &answer, &json!({}))
        .await
        .ok();
    assert_eq!(
        tasks(&app, &token, "?state=open").await,
        Vec::<Value>::new()
    );
    for _ in 0..2 {
        app.one_click(&format!("/v1/unsubscribe/{stop}")).await.ok();
    }
    let tell = only(&tasks(&app, &token, "?state=open&kind=tell").await);
    assert_eq!(tell["about"], "changed");
    let before = app.subjects_to("mo@example.org").len();
    app.settle().await;
    assert_eq!(app.subjects_to("mo@example.org").len(), before);
    let close = format!("/v1/requests/{}/close", mo.requests[0]);
    app.post(&close, &mo.token, &json!({"reason": "not_needed"}))
        .await
        .ok();
    assert_eq!(now(&app, &token, &tell).await["outcome"], "not_needed");
}

#[actix_web::test]
async fn that_nobody_is_found_is_told_once_in_a_while_by_phone_too() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    by_phone(&app, &[food(2)]).await;
    app.settle().await;
    let tell = only(&tasks(&app, &token, "?state=open&kind=tell").await);
    assert_eq!(tell["about"], "nobody_yet");
    only(&tasks(&app, &token, "?state=open&kind=look").await);
    let done = format!("/v1/tasks/{}/done", id(&tell));
    app.post(&done, &token, &json!({"outcome": "reached"}))
        .await
        .ok();
    // Somebody turns up and is gone again: within six hours she is not called for the same.
    let ana = cook(&mut app, "ana@example.org").await;
    let off = format!("/v1/offers/{}/close", ana.offers[0]);
    app.post(&off, &ana.token, &json!({})).await.ok();
    app.advance(10 * MINUTE).await;
    assert_eq!(
        tasks(&app, &token, "?state=open&kind=tell").await,
        Vec::<Value>::new()
    );
}

const SITE: &str = "Corner Books";

fn site(title: &str) -> Value {
    json!({"title": title, "address": "2410 Public Ave", "walk_in": true})
}

#[actix_web::test]
async fn a_public_place_is_checked_before_it_is_listed_and_after_it_has_changed() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let open = "?state=open&kind=site_check";
    let offer =
        json!({"category": "warming_space", "capacity": 30, "renews": "daily", "site": site(SITE)});
    let plain = json!({"category": "food", "capacity": 3});
    app.call(
        Method::POST,
        "/v1/offers",
        None,
        Some(&offer_of("ben@example.org", std::slice::from_ref(&offer))),
    )
    .await
    .ok();
    assert_eq!(
        tasks(&app, &token, open).await,
        Vec::<Value>::new(),
        "nobody has confirmed it"
    );
    let ana = app
        .volunteer("ana@example.org", &[offer.clone(), plain])
        .await;
    let check = only(&tasks(&app, &token, open).await);
    assert_eq!(check["offer"], ana.offers[0].as_str());
    act(&app, &token, &check["act"], json!({})).await;
    assert_eq!(now(&app, &token, &check).await["outcome"], "done");

    let path = format!("/v1/offers/{}", ana.offers[0]);
    app.patch(&path, &ana.token, &json!({"note": "Ring"}))
        .await
        .ok();
    assert_eq!(tasks(&app, &token, open).await, Vec::<Value>::new());
    let mut changed = Value::Null;
    for title in ["Corner Cafe", "Corner Bar"] {
        app.patch(&path, &ana.token, &json!({"site": site(title)}))
            .await
            .ok();
        changed = only(&tasks(&app, &token, open).await);
    }
    let close = format!("{path}/close");
    app.post(&close, &ana.token, &json!({})).await.ok();
    assert_eq!(now(&app, &token, &changed).await["outcome"], "not_needed");

    // What is added later is checked too; a blocked volunteer's is not, and is again when she is let in.
    let place = json!({"location": {"lat": 44.97, "lon": -93.26}, "offers": [offer]});
    app.post("/v1/volunteers/self/offers", &ana.token, &place)
        .await
        .ok();
    let check = only(&tasks(&app, &token, open).await);
    let volunteer = check["volunteer"].as_str().unwrap();
    for (act, count) in [("block", 0), ("unblock", 1)] {
        let path = format!("/v1/volunteers/{volunteer}/{act}");
        app.post(&path, &token, &json!({})).await.ok();
        assert_eq!(tasks(&app, &token, open).await.len(), count, "{act}");
    }
    app.call(
        Method::DELETE,
        "/v1/volunteers/self",
        Some(&ana.token),
        None,
    )
    .await;
    assert_eq!(tasks(&app, &token, open).await, Vec::<Value>::new());
}

/// Somebody reports an ask.
async fn report(app: &mut TestApp) -> crate::support::Answer {
    let ana = cook(app, "ana@example.org").await;
    app.neighbor(&[food(1)]).await;
    app.settle().await;
    let answer = app.letter_to(&ana.email, "mha_");
    let body = json!({"problem": "unsafe"});
    app.post("/v1/matches/self/report", &answer, &body).await
}

#[actix_web::test]
async fn a_report_is_looked_into_until_it_is_closed() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    report(&mut app).await.ok();
    let task = only(&tasks(&app, &token, "?state=open&kind=report").await);
    for part in ["report", "match", "request", "neighbor", "volunteer"] {
        assert!(task[part].is_string(), "{part}");
    }
    act(&app, &token, &task["act"], json!({})).await;
    assert_eq!(now(&app, &token, &task).await["outcome"], "done");
}

#[actix_web::test]
async fn neither_the_cause_nor_its_task_is_there_without_the_other() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let ana = cook(&mut app, "ana@example.org").await;
    app.neighbor(&[food(1)]).await;
    app.settle().await;
    let answer = app.letter_to(&ana.email, "mha_");
    let body = json!({"problem": "unsafe"});
    // What is written after the task fails; then the task itself.
    for table in ["letters", "tasks"] {
        let mut raw = app.database.connect();
        raw.execute(&format!("ALTER TABLE {table} RENAME TO away"));
        let failed = app.post("/v1/matches/self/report", &answer, &body).await;
        assert_eq!(failed.status, 503, "{}", failed.body);
        raw.execute(&format!("ALTER TABLE away RENAME TO {table}"));
        let reports = app.get("/v1/reports", &token).await.ok();
        assert_eq!(reports["items"], json!([]), "{table}");
        assert_eq!(
            tasks(&app, &token, "").await,
            Vec::<Value>::new(),
            "{table}"
        );
    }
    app.post("/v1/matches/self/report", &answer, &body)
        .await
        .ok();
    only(&tasks(&app, &token, "?kind=report").await);
}

#[actix_web::test]
async fn a_letter_that_cannot_be_delivered_is_seen_to_and_may_be_sent_again() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    app.neighbor(&[food(1)]).await;
    refuse_all_mail(&app).await;
    let task = only(&tasks(&app, &token, "?state=open&kind=dead_letter").await);
    assert_eq!(task["about"], "received");
    for _ in 0..2 {
        let letter = act(&app, &token, &task["act"], json!({})).await;
        assert_eq!(
            (&letter["state"], &letter["attempts"]),
            (&json!("queued"), &json!(0))
        );
    }
    assert_eq!(now(&app, &token, &task).await["outcome"], "done");
    app.settle().await;
    let sent = app.subjects_to("mo@example.org");
    assert!(
        sent.contains(&"We have received your post".to_owned()),
        "{sent:?}"
    );
    let audited = app
        .database
        .connect()
        .lines("SELECT action AS line FROM audit WHERE action = 'letter_retried'");
    assert_eq!(audited.len(), 1, "asking twice sends once");
}

#[actix_web::test]
async fn a_letter_whose_subject_is_gone_is_not_sent_again() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let ana = cook(&mut app, "ana@example.org").await;
    app.neighbor(&[food(1)]).await;
    app.match_only().await;
    refuse_all_mail(&app).await;
    let dead = tasks(&app, &token, "?state=open&kind=dead_letter").await;
    let ask = dead.iter().find(|t| t["about"] == "asked").expect("an ask");
    let retry = ask["act"].as_str().unwrap().strip_prefix("POST ").unwrap();
    let refused = app.post(retry, &token, &json!({})).await;
    assert_eq!(refused.problem(409), "not-possible");
    // Seen to by hand, by mistake, and then in earnest.
    let path = format!("/v1/tasks/{}", id(ask));
    let looked = json!({"outcome": "looked"});
    for _ in 0..2 {
        app.post(&format!("{path}/done"), &token, &looked)
            .await
            .ok();
    }
    for _ in 0..2 {
        let open = app
            .post(&format!("{path}/reopen"), &token, &json!({}))
            .await
            .ok();
        assert_eq!(open["outcome"], json!(null));
    }
    app.call(
        Method::DELETE,
        "/v1/volunteers/self",
        Some(&ana.token),
        None,
    )
    .await;
    assert_eq!(app.get(&path, &token).await.ok()["outcome"], "not_needed");
    let undone = app
        .post(&format!("{path}/reopen"), &token, &json!({}))
        .await;
    assert_eq!(undone.problem(409), "not-possible");
}

#[actix_web::test]
async fn a_letter_that_tells_not_to_go_is_seen_to_even_when_the_request_is_closed() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let ana = cook(&mut app, "ana@example.org").await;
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    app.accept(&ana).await.ok();
    refuse_all_mail(&app).await;
    let close = format!("/v1/requests/{}/close", mo.requests[0]);
    app.post(&close, &mo.token, &json!({"reason": "not_needed"}))
        .await
        .ok();
    let of_accepted = tasks(&app, &token, "?kind=dead_letter").await;
    assert_eq!(of_accepted.len(), 2);
    for task in of_accepted {
        assert_eq!(
            task["outcome"], "not_needed",
            "what it said is not true any more"
        );
    }
    refuse_all_mail(&app).await;
    let task = only(&tasks(&app, &token, "?state=open&kind=dead_letter").await);
    assert_eq!(task["about"], "called_off");
    app.sleep_over(DAY + HOUR).await;
    only(&tasks(&app, &token, "?state=open&kind=dead_letter").await);
}
