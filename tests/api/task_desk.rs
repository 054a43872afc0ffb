//! How people work through the tasks: who has which, what they note, what is late, and how the list is read.

use std::collections::BTreeSet;
use std::fmt::Write;

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use super::tasks::{by_phone, id, only, refuse_all_mail, tasks};
use crate::support::database::is_left_out;
use crate::support::people::{food, post_of, with};
use crate::support::{DAY, HOUR, MINUTE, TestApp};

fn visit() -> Value {
    json!({"category": "pet_care", "quantity": 1, "urgency": "now", "handover": "home"})
}

/// A neighbor who waits for a call, and the path of its task.
async fn call(app: &TestApp, token: &str, name: &str) -> String {
    let who = json!({"contact": {"name": name, "phone": "612 555 0123"}});
    let her = app.neighbor_who(with(post_of(&[visit()]), who)).await;
    let of_her = format!("?kind=call&request={}", her.requests[0]);
    format!("/v1/tasks/{}", id(&only(&tasks(app, token, &of_her).await)))
}

async fn post(app: &TestApp, token: &str, path: &str, act: &str) -> crate::support::Answer {
    app.post(&format!("{path}/{act}"), token, &json!({})).await
}

#[actix_web::test]
async fn a_task_is_taken_put_back_given_and_free_again_when_it_is_stale() {
    let mut app = TestApp::new();
    let (one, mine) = app.coordinator(Scope::Coordinator).await;
    let (other, theirs) = app.coordinator(Scope::Coordinator).await;
    let path = call(&app, &mine, "Mo").await;
    for _ in 0..2 {
        post(&app, &mine, &path, "claim").await.ok();
    }
    assert_eq!(
        post(&app, &theirs, &path, "claim").await.problem(409),
        "not-possible"
    );
    for (query, count) in [("me", 0), ("none", 0), (&*one.to_string(), 1)] {
        let found = tasks(&app, &theirs, &format!("?claimed_by={query}")).await;
        assert_eq!(found.len(), count, "{query}");
    }
    for _ in 0..2 {
        let free = post(&app, &mine, &path, "unclaim").await.ok();
        assert_eq!(free["claimed_by"], json!(null));
    }
    assert_eq!(tasks(&app, &mine, "?claimed_by=none").await.len(), 1);

    post(&app, &mine, &path, "claim").await.ok();
    app.advance(61 * MINUTE).await;
    post(&app, &theirs, &path, "claim").await.ok();
    let assign = format!("{path}/assign");
    let to_me = json!({"to": one.to_string()});
    for _ in 0..2 {
        let given = app.post(&assign, &theirs, &to_me).await.ok();
        assert_eq!(
            (&given["claimed_by"], &given["assigned_by"]),
            (&json!(one.to_string()), &json!(other.to_string()))
        );
    }
    let nobody = json!({"to": "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a"});
    let refused = app.post(&assign, &theirs, &nobody).await;
    assert_eq!(
        (refused.problem(422), refused.pointers()),
        ("invalid".into(), vec!["/to".into()])
    );
    let reached = json!({"outcome": "reached"});
    app.post(&format!("{path}/done"), &mine, &reached)
        .await
        .ok();
    for act in ["claim", "unclaim"] {
        assert_eq!(
            post(&app, &mine, &path, act).await.problem(409),
            "not-possible"
        );
    }
    assert_eq!(
        app.post(&assign, &mine, &to_me).await.problem(409),
        "not-possible"
    );
    let audited = app
        .database
        .connect()
        .lines("SELECT action AS line FROM audit WHERE subject = 'task' ORDER BY seq");
    assert_eq!(
        audited,
        [
            "task_claimed",
            "task_unclaimed",
            "task_claimed",
            "task_claimed",
            "task_assigned",
            "task_done"
        ]
    );
}

#[actix_web::test]
async fn who_sits_at_the_phone_sees_the_tasks_that_were_given_to_them_and_no_others() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (desk, intake) = app.coordinator(Scope::Intake).await;
    let given = call(&app, &token, "Mo").await;
    let hidden = call(&app, &token, "Lin").await;
    assert_eq!(tasks(&app, &intake, "").await, Vec::<Value>::new());
    let to = json!({"to": desk.to_string()});
    app.post(&format!("{given}/assign"), &token, &to).await.ok();

    let seen = only(&tasks(&app, &intake, "").await);
    assert!(given.ends_with(id(&seen)));
    assert_eq!(
        tasks(&app, &intake, "?claimed_by=none").await,
        Vec::<Value>::new()
    );
    let counts = app.get("/v1/tasks/counts", &intake).await.ok();
    assert_eq!((&counts["total"], &counts["open"]), (&json!(1), &json!(1)));
    let note = json!({"note": "She works until five"});
    let late = json!({"outcome": "unreachable"});
    assert_eq!(app.get(&hidden, &intake).await.status, 404);
    assert_eq!(app.patch(&hidden, &intake, &note).await.status, 404);
    assert_eq!(
        app.post(&format!("{hidden}/done"), &intake, &late)
            .await
            .status,
        404
    );
    assert_eq!(post(&app, &intake, &hidden, "claim").await.status, 404);
    for act in ["assign", "unclaim", "reopen"] {
        let refused = app.post(&format!("{given}/{act}"), &intake, &to).await;
        assert_eq!(refused.problem(403), "scope", "{act}");
    }
    app.patch(&given, &intake, &note).await.ok();
    assert_eq!(app.get(&given, &intake).await.ok()["note"], note["note"]);
    assert_eq!(app.get(&given, &token).await.ok()["note"], note["note"]);
    app.post(&format!("{given}/done"), &intake, &late)
        .await
        .ok();
    post(&app, &token, &hidden, "claim").await.ok();
    assert_eq!(app.get(&hidden, &intake).await.status, 404);
}

const NOTE: &str = "The daughter answers, ring after five";

#[actix_web::test]
async fn a_note_is_sealed_and_shown_only_where_the_task_is_read() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let path = call(&app, &token, "Mo").await;
    let due = app.now().after(5 * HOUR);
    let patch = json!({"note": NOTE, "due_at": due});
    for _ in 0..2 {
        let changed = app.patch(&path, &token, &patch).await.ok();
        assert_eq!(
            (&changed["note"], &changed["has_note"], &changed["due_at"]),
            (&json!(null), &json!(true), &json!(due))
        );
    }
    assert_eq!(app.get(&path, &token).await.ok()["note"], NOTE);
    assert_eq!(only(&tasks(&app, &token, "").await)["note"], json!(null));
    let rows = app.database.rows();
    let hex = NOTE.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02X}").unwrap();
        hex
    });
    assert!(
        !rows
            .iter()
            .any(|row| row.contains(NOTE) || row.to_uppercase().contains(&hex))
    );
    // What is left out stays; null takes away.
    app.patch(&path, &token, &json!({"due_at": due.after(HOUR)}))
        .await
        .ok();
    assert_eq!(app.get(&path, &token).await.ok()["note"], NOTE);
    app.patch(&path, &token, &json!({"note": null})).await.ok();
    assert_eq!(app.get(&path, &token).await.ok()["has_note"], false);
    for wrong in [
        json!({"note": " "}),
        json!({"due_at": app.now().before(HOUR)}),
        json!({"due_at": app.now().after(31 * DAY)}),
    ] {
        assert_eq!(
            app.patch(&path, &token, &wrong).await.problem(422),
            "invalid"
        );
    }
    let done = json!({"outcome": "unreachable", "note": NOTE});
    app.post(&format!("{path}/done"), &token, &done).await.ok();
    assert_eq!(app.get(&path, &token).await.ok()["note"], NOTE);
    assert_eq!(
        app.patch(&path, &token, &patch).await.problem(409),
        "not-possible"
    );
}

/// How many tasks have a note.
fn noted(app: &TestApp) -> usize {
    let sealed = "SELECT kind AS line FROM tasks WHERE sealed IS NOT NULL";
    app.database.connect().lines(sealed).len()
}

#[actix_web::test]
async fn notes_go_with_the_person_with_time_and_when_everything_closed_is_wiped() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Admin).await;
    let note = json!({"note": NOTE});
    let mo = by_phone(&app, &[visit(), food(1)]).await;
    app.settle().await;
    // Of the call, of the news, and of the look at her other need.
    for task in tasks(&app, &token, "?state=open").await {
        app.patch(&format!("/v1/tasks/{}", id(&task)), &token, &note)
            .await
            .ok();
    }
    assert_eq!(noted(&app), 3);
    app.call(Method::DELETE, "/v1/neighbors/self", Some(&mo.token), None)
        .await;
    assert_eq!(noted(&app), 0);
    assert_eq!(
        tasks(&app, &token, "?state=open").await,
        Vec::<Value>::new()
    );

    for time in [false, true] {
        let path = call(&app, &token, "Lin").await;
        let done = json!({"outcome": "unreachable", "note": NOTE});
        app.post(&format!("{path}/done"), &token, &done).await.ok();
        if time {
            app.sleep_over(23 * HOUR).await;
            assert_eq!(noted(&app), 1);
            app.sleep_over(2 * HOUR).await;
        } else {
            let wiped = app.post("/v1/wipe-closed", &token, &json!({})).await.ok();
            assert_eq!(wiped["notes"], 1);
        }
        assert_eq!(noted(&app), 0);
    }
}

/// How often the administrator was told, and the last text.
fn told(app: &TestApp) -> (usize, String) {
    let mails = app.transport.memory().expect("memory").mails();
    let late: Vec<_> = mails
        .iter()
        .filter(|m| m.message.subject.as_str() == "Tasks are late")
        .collect();
    let text = late.last().map(|m| m.message.text.clone());
    (late.len(), text.unwrap_or_default())
}

#[actix_web::test]
async fn what_is_late_is_told_to_administrators_in_one_letter() {
    let mut app = TestApp::new();
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let one = call(&app, &token, "Mo").await;
    let two = call(&app, &token, "Lin").await;
    let three = call(&app, &token, "Kim").await;
    let far = json!({"due_at": app.now().after(3 * DAY)});
    app.patch(&three, &token, &far).await.ok();
    app.sleep_over(74 * MINUTE).await;
    assert_eq!(
        told(&app).0,
        0,
        "due after a quarter of an hour, late an hour after"
    );
    // Somebody is at the second.
    post(&app, &token, &two, "claim").await.ok();
    app.sleep_over(MINUTE).await;
    assert_eq!(told(&app).0, 1);
    assert!(told(&app).1.contains("One task"), "{}", told(&app).1);
    let late = only(&tasks(&app, &admin, "?escalated=true").await);
    assert!(one.ends_with(id(&late)));
    let since = late["escalated_at"].clone();
    app.sleep_over(30 * MINUTE).await;
    // The claim is stale, and within the hour nobody is written to again; then there are two.
    app.sleep_over(30 * MINUTE).await;
    assert_eq!(told(&app).0, 2);
    assert!(told(&app).1.contains("2 tasks"), "{}", told(&app).1);
    assert_eq!(
        app.get(&one, &admin).await.ok()["escalated_at"],
        since,
        "once"
    );
    app.sleep_over(3 * HOUR).await;
    assert_eq!(told(&app).0, 2, "no news");
    // Put off, it may be late once more.
    let later = json!({"due_at": app.now().after(MINUTE)});
    let put_off = app.patch(&one, &token, &later).await.ok();
    assert_eq!(put_off["escalated_at"], json!(null));
    app.sleep_over(62 * MINUTE).await;
    assert_eq!(told(&app).0, 3);
    // Nobody is told of what was done before the letter left.
    app.patch(&one, &token, &json!({"due_at": app.now()}))
        .await
        .ok();
    app.clock.advance(62 * MINUTE);
    manyhands::actions::escalate_tasks::escalate_tasks(&app.ctx)
        .await
        .unwrap();
    for path in [&one, &two] {
        let reached = json!({"outcome": "reached"});
        app.post(&format!("{path}/done"), &token, &reached)
            .await
            .ok();
    }
    app.settle().await;
    assert_eq!(told(&app).0, 3);
}

#[actix_web::test]
async fn the_list_of_what_is_late_does_not_feed_itself() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Admin).await;
    call(&app, &token, "Mo").await;
    app.settle().await;
    app.clock.advance(2 * HOUR);
    manyhands::actions::escalate_tasks::escalate_tasks(&app.ctx)
        .await
        .unwrap();
    refuse_all_mail(&app).await;
    let dead = app
        .get("/v1/letters?state=dead&kind=tasks_late", &token)
        .await
        .ok();
    assert_eq!(dead["items"].as_array().unwrap().len(), 1);
    let of_dead = tasks(&app, &token, "?kind=dead_letter").await;
    assert!(
        of_dead.iter().all(|t| t["about"] != "tasks_late"),
        "{of_dead:#?}"
    );
}

/// All pages of a list, some at a time.
async fn walk(app: &TestApp, token: &str, query: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/tasks?limit=2&{query}{cursor}");
        let page = app.get(&path, token).await.ok();
        all.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[actix_web::test]
async fn pages_in_both_orders_and_counts_find_the_same() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let mut paths = Vec::new();
    for name in ["Mo", "Lin", "Kim", "Nia", "Sam"] {
        paths.push(call(&app, &token, name).await);
        app.clock.advance(MINUTE);
    }
    by_phone(&app, &[food(1)]).await;
    app.settle().await;
    // The first is due last, two are due at the same instant.
    for (nth, hours) in [(0, 9), (1, 5), (2, 5)] {
        let due = json!({"due_at": app.now().after(hours * HOUR)});
        app.patch(&paths[nth], &token, &due).await.ok();
    }
    post(&app, &token, &paths[3], "claim").await.ok();
    let nobody = json!({"outcome": "unreachable"});
    app.post(&format!("{}/done", paths[4]), &token, &nobody)
        .await
        .ok();
    app.advance(20 * MINUTE).await;

    let newest = walk(&app, &token, "sort=newest").await;
    assert_eq!(newest, walk(&app, &token, "").await);
    let due = walk(&app, &token, "sort=due").await;
    assert_eq!(due.len(), 7, "{due:#?}");
    let key = |t: &Value| (t["due_at"].as_str().unwrap().to_owned(), id(t).to_owned());
    assert!(due.is_sorted_by_key(key), "{due:#?}");
    let ids = |all: &[Value]| {
        all.iter()
            .map(|t| id(t).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&newest), ids(&due));
    assert!(paths[0].ends_with(id(due.last().unwrap())));
    let cursor = app.get("/v1/tasks?limit=2&sort=due", &token).await.ok()["next"].clone();
    let other = format!("/v1/tasks?limit=2&cursor={}", cursor.as_str().unwrap());
    assert_eq!(app.get(&other, &token).await.problem(422), "invalid");

    let neighbor = newest[0]["neighbor"].as_str().unwrap();
    let request = newest[0]["request"].as_str().unwrap();
    for filters in [
        String::new(),
        "state=open".into(),
        "state=done".into(),
        "kind=call".into(),
        "overdue=true".into(),
        "claimed_by=me".into(),
        "claimed_by=none&kind=call".into(),
        format!("neighbor={neighbor}"),
        format!("request={request}&state=open"),
    ] {
        let all = walk(&app, &token, &filters).await;
        let counts = app
            .get(&format!("/v1/tasks/counts?{filters}"), &token)
            .await
            .ok();
        let count = |of: &dyn Fn(&&Value) -> bool| json!(all.iter().filter(of).count());
        let is_open = |t: &&Value| t["done_at"].is_null();
        let is_late =
            |t: &&Value| is_open(t) && t["due_at"].as_str().unwrap() <= &*app.now().to_string();
        assert_eq!(counts["total"], json!(all.len()), "{filters}");
        assert_eq!(counts["open"], count(&is_open), "{filters}");
        assert_eq!(counts["overdue"], count(&is_late), "{filters}");
        assert_eq!(
            counts["unclaimed"],
            count(&|t| is_open(t) && t["claimed_by"].is_null())
        );
        for (kind, number) in counts["by_kind"].as_object().unwrap() {
            let of_kind = count(&|t| is_open(t) && t["kind"] == kind.as_str());
            assert_eq!(*number, of_kind, "{filters} {kind}");
        }
    }
    for wrong in [
        "claimed_by=nobody",
        "sort=oldest",
        "escalated=false",
        "request=17",
    ] {
        let path = format!("/v1/tasks/counts?{wrong}");
        assert_eq!(
            app.get(&path, &token).await.problem(422),
            "invalid",
            "{wrong}"
        );
    }
}

/// The bytes of a note that was destroyed are not in the database's files any more.
#[actix_web::test]
async fn an_erased_note_is_gone_from_the_files() {
    use manyhands::workers::Worker;
    use manyhands::workers::checkpoint::Checkpoint;
    if is_left_out() {
        return;
    }
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let mo = app.neighbor_who(with(post_of(&[visit()]), json!({}))).await;
    let task = only(&tasks(&app, &token, "?kind=call").await);
    let note = json!({"note": NOTE.repeat(20)});
    app.patch(&format!("/v1/tasks/{}", id(&task)), &token, &note)
        .await
        .ok();
    let task_id = id(&task).parse::<uuid::Uuid>().unwrap().into();
    let read = app.ctx.db.read(move |conn| {
        let task = manyhands::storage::tasks::find(conn, task_id)?;
        Ok::<_, manyhands::storage::StorageError>(task)
    });
    let sealed = read.await.unwrap().unwrap().sealed.unwrap();
    let piece = sealed.as_bytes()[100..132].to_vec();
    let folder = app.ctx.db.path().unwrap().parent().unwrap().to_owned();
    let is_there = || {
        std::fs::read_dir(&folder).unwrap().any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
            bytes.windows(piece.len()).any(|window| window == piece)
        })
    };
    assert!(is_there(), "the search finds it");
    app.call(Method::DELETE, "/v1/neighbors/self", Some(&mo.token), None)
        .await;
    let mut checkpoint = Checkpoint::new(app.ctx.clone());
    checkpoint.tick(app.now()).await.unwrap();
    assert!(!is_there());
}
