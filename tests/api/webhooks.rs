//! What changes is told to other programs: signed, at least once, and never more than may wait.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use actix_web::http::Method;
use manyhands::actions::claim_events::claim_events;
use manyhands::actions::revoke_coordinator::revoke_coordinator;
use manyhands::domain::ids::LeaseId;
use manyhands::storage::StorageError;
use manyhands::storage::audit::Actor;
use manyhands::storage::coordinators::Scope;
use manyhands::storage::letters::{self as stored, LetterState};
use manyhands::webhook::client::Client;
use manyhands::workers::deliveries::Deliveries;
use manyhands::workers::events::Events;
use manyhands::workers::{Next, Stop, Worker};
use serde_json::{Value, json};

use crate::support::database::is_left_out;
use crate::support::people::{food, post_of, with};
use crate::support::receiver::{Hung, Received, Receiver, Reply};
use crate::support::{DAY, HOUR, MINUTE, TestApp};

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);
/// For receivers on this machine.
const HERE: [(&str, &str); 2] = [
    ("webhooks.allow_insecure", "true"),
    ("webhooks.allow_private", "true"),
];

fn here(more: &[(&'static str, &'static str)]) -> TestApp {
    TestApp::with(&[&HERE[..], more].concat())
}

/// A webhook to the receiver; the body it was answered.
async fn hook(app: &TestApp, admin: &str, to: &Receiver, more: Value) -> Value {
    let body = with(json!({"url": to.url()}), more);
    app.post("/v1/webhooks", admin, &body).await.ok()
}

fn path_of(hook: &Value) -> String {
    format!("/v1/webhooks/{}", hook["id"].as_str().unwrap())
}

async fn sheet(app: &TestApp, admin: &str, hook: &Value) -> Value {
    app.get(&path_of(hook), admin).await.ok()
}

/// Letters to webhooks in a state.
async fn letters(app: &TestApp, admin: &str, state: &str) -> Vec<Value> {
    let path = format!("/v1/letters?kind=event&limit=200&state={state}");
    let page = app.get(&path, admin).await.ok();
    page["items"].as_array().unwrap().clone()
}

async fn post(app: &TestApp, name: &str) -> String {
    let who = json!({"contact": {"name": name, "phone": "612 555 0123"}});
    let her = app.neighbor_who(with(post_of(&[food(2)]), who)).await;
    her.requests[0].clone()
}

/// Lets what was gathered leave.
async fn gathered(app: &mut TestApp) {
    app.settle().await;
    app.advance(2 * SECOND).await;
}

/// What the README's receiver says of a message, by Python's own libraries.
fn verified(received: &Received, secret: &Value, now: i64) -> bool {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, rest) = readme.split_once("```python\n").unwrap();
    let (theirs, _) = rest.split_once("```").unwrap();
    let script = format!(
        "{theirs}\nimport json, sys\nm = json.load(sys.stdin)\n\
         print(verify(m['secret'], m['headers'], m['body'].encode(), now=lambda: m['now']))\n"
    );
    let python = std::env::var_os("MANYHANDS_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let mut python = Command::new(python)
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let message = json!({
        "secret": secret, "headers": received.headers, "body": received.body, "now": now,
    });
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(message.to_string().as_bytes()).unwrap();
    drop(stdin);
    let said = python.wait_with_output().unwrap();
    match String::from_utf8(said.stdout).unwrap().trim() {
        "True" => true,
        "False" => false,
        other => panic!("the README's receiver ended otherwise: {other}"),
    }
}

#[actix_web::test]
async fn what_changes_is_told_signed_and_says_nothing_of_anybody() {
    let mut app = here(&[]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    let wanted = json!({"types": ["request.changed"], "description": "The screen"});
    let hook = hook(&app, &admin, &receiver, wanted).await;
    let request = post(&app, "Mo Mallory").await;
    app.settle().await;
    assert_eq!(receiver.count(), 0, "it is gathered first");
    app.advance(2 * SECOND).await;

    let received = receiver.take();
    let [message] = &received[..] else {
        panic!("{received:?}");
    };
    let told = message.json();
    assert_eq!(
        (&told["type"], &told["data"]),
        (&json!("request.changed"), &json!({"id": request}))
    );
    assert_eq!(told.as_object().unwrap().len(), 3, "{told}");
    let header = |name: &str| message.headers[name].as_str();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("webhook-timestamp"), app.now().as_secs().to_string());
    for stranger in ["cookie", "authorization", "referer"] {
        assert!(!message.headers.contains_key(stranger), "{stranger}");
    }
    let now = app.now().as_secs();
    assert!(verified(message, &hook["secret"], now));
    assert!(!verified(message, &hook["secret"], now + 3600), "too old");
    let other = json!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert!(!verified(message, &other, now));
    let changed = Received {
        body: message.body.replace("request", "offer"),
        ..message.clone()
    };
    assert!(!verified(&changed, &hook["secret"], now));

    let sent = letters(&app, &admin, "sent").await;
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (&sent[0]["id"], &sent[0]["event"], &sent[0]["to"]["kind"]),
        (
            &json!(message.id()),
            &json!("request.changed"),
            &json!("webhook")
        )
    );
    let seen = sheet(&app, &admin, &hook).await;
    assert_eq!(seen["url"], receiver.url());
    assert_eq!(seen["description"], "The screen");
    assert!(seen["last_success_at"].is_string() && seen.get("secret").is_none());
    let listed = app.get("/v1/webhooks", &admin).await.ok();
    assert_eq!(listed["items"][0]["host"], "127.0.0.1");
    let listed = listed.to_string();
    for hidden in ["TheirOwnPassword", "whsec_", "The screen"] {
        assert!(!listed.contains(hidden), "{hidden} in {listed}");
    }
    assert!(app.mails().is_empty(), "an event is no mail");
}

#[actix_web::test]
async fn what_changes_several_times_is_told_once_until_somebody_tries_to_tell_it() {
    let mut app = here(&[]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    let only = json!({"types": ["request.changed"]});
    hook(&app, &admin, &receiver, only).await;
    let request = post(&app, "Mo").await;
    for step in ["hold", "unhold", "hold"] {
        app.settle().await;
        let path = format!("/v1/requests/{request}/{step}");
        app.post(&path, &admin, &json!({})).await.ok();
    }
    // The first attempt is not answered well: what changes then is told by another message.
    receiver.then([Reply::Status(500)]);
    gathered(&mut app).await;
    let path = format!("/v1/requests/{request}/unhold");
    app.post(&path, &admin, &json!({})).await.ok();
    app.settle().await;
    app.advance(HOUR).await;
    let received = receiver.take();
    let ids: BTreeSet<&str> = received.iter().map(Received::id).collect();
    assert_eq!((received.len(), ids.len()), (3, 2), "{received:?}");
}

#[actix_web::test]
async fn a_message_that_fails_comes_again_with_the_same_id_and_body() {
    let mut app = here(&[]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    let only = json!({"types": ["request.changed"]});
    let hook = hook(&app, &admin, &receiver, only).await;
    receiver.then([Reply::Status(500), Reply::Status(429)]);
    post(&app, "Mo").await;
    gathered(&mut app).await;
    let seen = sheet(&app, &admin, &hook).await;
    assert_eq!(
        (&seen["last_failure"], &seen["failures"], &seen["enabled"]),
        (&json!("status 500"), &json!(1), &json!(true))
    );
    assert_eq!(seen["failing_since"], seen["last_failure_at"]);
    app.advance(MINUTE).await;
    app.advance(2 * MINUTE).await;
    let received = receiver.take();
    assert_eq!(received.len(), 3);
    for again in &received[1..] {
        assert_eq!(
            (again.id(), &again.body),
            (received[0].id(), &received[0].body)
        );
        assert_ne!(
            again.headers["webhook-timestamp"],
            received[0].headers["webhook-timestamp"]
        );
    }
    assert!(verified(&received[2], &hook["secret"], app.now().as_secs()));
    let seen = sheet(&app, &admin, &hook).await;
    assert_eq!(
        (&seen["failing_since"], &seen["failures"]),
        (&json!(null), &json!(0))
    );
    app.advance(DAY).await;
    assert_eq!(receiver.count(), 0, "what arrived comes no more");
}

#[actix_web::test]
async fn who_is_gone_is_told_nothing_more_and_a_task_says_so() {
    let mut app = here(&[]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    let only = json!({"types": ["request.changed"]});
    let hook = hook(&app, &admin, &receiver, only).await;
    receiver.then([Reply::Status(410)]);
    for name in ["Mo", "Lin", "Nia"] {
        post(&app, name).await;
    }
    gathered(&mut app).await;
    assert_eq!(receiver.take().len(), 1);
    let seen = sheet(&app, &admin, &hook).await;
    assert_eq!(
        (&seen["enabled"], &seen["disabled_because"]),
        (&json!(false), &json!("gone"))
    );
    assert_eq!(letters(&app, &admin, "dropped").await.len(), 2);
    let dead = letters(&app, &admin, "dead").await;
    assert_eq!(
        (dead.len(), &dead[0]["last_error"]),
        (1, &json!("status 410"))
    );
    let tasks = app.get("/v1/tasks?kind=dead_letter", &admin).await.ok();
    assert_eq!(tasks["items"].as_array().unwrap().len(), 1);
    let audited = app
        .database
        .connect()
        .lines("SELECT action AS line FROM audit WHERE subject = 'webhook' ORDER BY seq");
    assert_eq!(audited, ["webhook_added", "webhook_disabled"]);

    // Nothing is queued for it, and nothing can be.
    post(&app, "Kim").await;
    gathered(&mut app).await;
    assert_eq!(letters(&app, &admin, "queued").await.len(), 0);
    let test = format!("{}/test", path_of(&hook));
    assert_eq!(
        app.post(&test, &admin, &json!({})).await.problem(409),
        "not-possible"
    );
    let again = format!("/v1/letters/{}/retry", dead[0]["id"].as_str().unwrap());
    assert_eq!(
        app.post(&again, &admin, &json!({})).await.problem(409),
        "not-possible"
    );

    // Once it is back, it hears that it has missed something.
    let on = json!({"enabled": true});
    for _ in 0..2 {
        app.patch(&path_of(&hook), &admin, &on).await.ok();
    }
    app.post(&again, &admin, &json!({})).await.ok();
    app.settle().await;
    assert_eq!(receiver.kinds(), ["many.changed", "request.changed"]);
    let tasks = app
        .get("/v1/tasks?state=open&kind=dead_letter", &admin)
        .await;
    assert_eq!(tasks.ok()["items"], json!([]));
}

#[actix_web::test]
async fn who_fails_for_days_is_told_nothing_more() {
    let mut app = here(&[]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    let only = json!({"types": ["request.changed"]});
    let hook = hook(&app, &admin, &receiver, only).await;
    receiver.always(Reply::Status(503));
    post(&app, "Mo").await;
    gathered(&mut app).await;
    for _ in 0..71 {
        app.advance(HOUR).await;
    }
    assert_eq!(sheet(&app, &admin, &hook).await["enabled"], true);
    for _ in 0..2 {
        app.advance(HOUR).await;
    }
    let seen = sheet(&app, &admin, &hook).await;
    assert_eq!(
        (&seen["enabled"], &seen["disabled_because"]),
        (&json!(false), &json!("failing"))
    );
    assert_eq!(letters(&app, &admin, "dead").await.len(), 1);
    assert_eq!(letters(&app, &admin, "queued").await.len(), 0);
}

#[actix_web::test]
async fn nobody_follows_a_redirect() {
    let mut app = here(&[]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let (receiver, elsewhere) = (Receiver::start(), Receiver::start());
    let hook = hook(&app, &admin, &receiver, json!({})).await;
    receiver.then([Reply::Redirect(elsewhere.url())]);
    post(&app, "Mo").await;
    gathered(&mut app).await;
    assert_eq!((receiver.count(), elsewhere.count()), (1, 0));
    assert_eq!(
        sheet(&app, &admin, &hook).await["last_failure"],
        "redirect 307"
    );
}

/// How much the other had heard when the slow one was left.
#[derive(Debug)]
struct Heard {
    other: Receiver,
    then: Mutex<Option<usize>>,
}

impl Hung for Heard {
    fn up(&self) {
        *self.then.lock().unwrap() = Some(self.other.count());
    }
}

#[actix_web::test]
async fn who_is_slow_is_left_and_keeps_nobody_else_waiting() {
    let mut app = here(&[("webhooks.timeout", "1s")]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let (slow, quick) = (Receiver::start(), Receiver::start());
    let only = json!({"types": ["request.changed"]});
    let hook_of_slow = hook(&app, &admin, &slow, only.clone()).await;
    hook(&app, &admin, &quick, only).await;
    let heard = Arc::new(Heard {
        other: quick.clone(),
        then: Mutex::default(),
    });
    slow.then([Reply::Silent(heard.clone())]);
    for name in ["Mo", "Lin", "Nia"] {
        post(&app, name).await;
    }
    gathered(&mut app).await;
    while heard.then.lock().unwrap().is_none() {
        std::thread::yield_now();
    }
    assert_eq!(*heard.then.lock().unwrap(), Some(3));
    let seen = sheet(&app, &admin, &hook_of_slow).await;
    assert_eq!(
        (&seen["last_failure"], &seen["failures"]),
        (&json!("timeout"), &json!(1)),
        "after one that fails the others wait"
    );
    // It rests; then all three arrive, the first for the second time.
    assert_eq!(slow.take().len(), 1);
    app.advance(MINUTE).await;
    assert_eq!(slow.take().len(), 3);
}

#[actix_web::test]
async fn the_house_is_not_reached_from_outside() {
    let mut app = TestApp::with(&[("webhooks.allow_insecure", "true")]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    let hook = hook(&app, &admin, &receiver, json!({})).await;
    let test = format!("{}/test", path_of(&hook));
    app.post(&test, &admin, &json!({})).await.ok();
    app.settle().await;
    assert_eq!(receiver.count(), 0);
    let seen = sheet(&app, &admin, &hook).await;
    assert_eq!(seen["last_failure"], "address refused");
}

#[actix_web::test]
async fn what_is_wrong_with_a_webhook_is_told_and_there_are_only_so_many() {
    let app = TestApp::with(&[("webhooks.max", "2")]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    for (body, pointer) in [
        (json!({}), "/url"),
        (json!({"url": "http://example.org/hook"}), "/url"),
        (json!({"url": "https://ana:secret@example.org/"}), "/url"),
        (
            json!({"url": "https://example.org/", "types": []}),
            "/types",
        ),
        (
            json!({"url": "https://example.org/", "types": ["webhook.test"]}),
            "/types/0",
        ),
        (
            json!({"url": "https://example.org/", "description": ""}),
            "/description",
        ),
    ] {
        let answer = app.post("/v1/webhooks", &admin, &body).await;
        assert_eq!(
            (answer.problem(422), answer.pointers()),
            ("invalid".into(), vec![pointer.to_owned()]),
            "{body}"
        );
    }
    let body = json!({"url": "https://example.org/hook"});
    let keyed = || {
        let bytes = serde_json::to_vec(&body).unwrap();
        app.raw(
            Method::POST,
            "/v1/webhooks",
            Some(&admin),
            Some(bytes),
            &[("Idempotency-Key", "one")],
        )
    };
    let (first, again) = (keyed().await.ok(), keyed().await.ok());
    assert_eq!(
        (&first["id"], &first["secret"]),
        (&again["id"], &again["secret"])
    );
    assert_eq!(
        first["types"],
        json!([
            "request.changed",
            "offer.changed",
            "match.changed",
            "task.changed"
        ])
    );
    app.post("/v1/webhooks", &admin, &body).await.ok();
    let third = app.post("/v1/webhooks", &admin, &body).await;
    assert_eq!(third.problem(409), "too-many-webhooks");
    let path = path_of(&first);
    let removed = app.call(Method::DELETE, &path, Some(&admin), None).await;
    assert_eq!(removed.status, 204);
    assert_eq!(app.get(&path, &admin).await.status, 404);
    app.post("/v1/webhooks", &admin, &body).await.ok();
}

#[actix_web::test]
async fn while_a_receiver_changes_over_both_keys_sign() {
    let mut app = here(&[]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    let hook = hook(&app, &admin, &receiver, json!({})).await;
    let rotate = format!("{}/rotate-secret", path_of(&hook));
    let rotated = app.post(&rotate, &admin, &json!({})).await.ok();
    assert_ne!(rotated["secret"], hook["secret"]);
    assert!(rotated["old_key_until"].is_string());
    let test = format!("{}/test", path_of(&hook));
    app.post(&test, &admin, &json!({})).await.ok();
    app.settle().await;
    let both = receiver.take().remove(0);
    assert_eq!(both.kind(), "webhook.test");
    let now = app.now().as_secs();
    assert!(verified(&both, &hook["secret"], now));
    assert!(verified(&both, &rotated["secret"], now));

    app.advance(DAY).await;
    app.post(&test, &admin, &json!({})).await.ok();
    app.settle().await;
    let one = receiver.take().remove(0);
    let now = app.now().as_secs();
    assert!(!verified(&one, &hook["secret"], now));
    assert!(verified(&one, &rotated["secret"], now));
}

#[actix_web::test]
async fn a_flood_is_one_message() {
    let mut app = here(&[("webhooks.waiting", "10")]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    let only = json!({"types": ["request.changed"]});
    hook(&app, &admin, &receiver, only).await;
    receiver.then([Reply::Status(500)]);
    for n in 0..8 {
        post(&app, &format!("Neighbor {n}")).await;
    }
    gathered(&mut app).await;
    assert_eq!(letters(&app, &admin, "queued").await.len(), 8);
    for n in 0..8 {
        post(&app, &format!("Another {n}")).await;
    }
    app.settle().await;
    let queued = letters(&app, &admin, "queued").await;
    assert_eq!(
        (queued.len(), &queued[0]["event"]),
        (1, &json!("many.changed"))
    );
    // What comes then is in the lists that are read because of it.
    post(&app, "Mo").await;
    app.settle().await;
    assert_eq!(letters(&app, &admin, "queued").await.len(), 1);
    receiver.take();
    app.advance(MINUTE).await;
    assert_eq!(receiver.kinds(), ["many.changed"]);
    post(&app, "Lin").await;
    gathered(&mut app).await;
    assert_eq!(receiver.kinds(), ["request.changed"]);
}

#[actix_web::test]
async fn more_at_once_than_may_wait_is_one_message_too() {
    let mut app = here(&[("webhooks.waiting", "10")]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    hook(&app, &admin, &receiver, json!({})).await;
    for n in 0..11 {
        post(&app, &format!("Neighbor {n}")).await;
    }
    gathered(&mut app).await;
    assert_eq!(receiver.kinds(), ["many.changed"]);
}

#[actix_web::test]
async fn whoever_follows_later_begins_where_the_last_one_ended() {
    let mut app = here(&[]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    let only = json!({"types": ["request.changed"]});
    hook(&app, &admin, &receiver, only).await;
    let first = post(&app, "Mo").await;
    gathered(&mut app).await;
    let second = post(&app, "Lin").await;
    // Another process, which knows nothing but the database.
    let client = Arc::new(Client::new(&app.ctx.settings.webhooks));
    let mut events = Events::new(app.ctx.clone(), Stop::never());
    let mut deliveries = Deliveries::new(app.ctx.clone(), client, Stop::never());
    events.tick(app.now()).await.unwrap();
    app.clock.advance(2 * SECOND);
    assert_eq!(deliveries.tick(app.now()).await.unwrap(), Next::Later);
    let told: Vec<_> = receiver
        .take()
        .iter()
        .map(|m| m.json()["data"]["id"].clone())
        .collect();
    assert_eq!(told, [first, second]);
}

#[actix_web::test]
async fn whoever_slept_longer_than_the_feed_is_kept_hears_that_much_may_have_changed() {
    let mut app = here(&[("retention.changes", "1h")]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    hook(&app, &admin, &receiver, json!({})).await;
    post(&app, "Mo").await;
    gathered(&mut app).await;
    receiver.take();
    post(&app, "Lin").await;
    app.clock.advance(2 * HOUR);
    post(&app, "Nia").await;
    // Housekeeping comes first.
    app.sleep_over(MINUTE).await;
    app.advance(2 * SECOND).await;
    assert_eq!(receiver.kinds(), ["many.changed"]);
}

#[actix_web::test]
async fn what_was_taken_by_who_was_killed_is_told_again_by_the_same_id() {
    let mut app = here(&[]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    let hook = hook(&app, &admin, &receiver, json!({})).await;
    let test = format!("{}/test", path_of(&hook));
    let waiting = app.post(&test, &admin, &json!({})).await.ok();
    let again = app.post(&test, &admin, &json!({})).await.ok();
    assert_eq!(waiting["id"], again["id"], "one test waits at a time");
    let lease = LeaseId::new(app.ctx.entropy.as_ref());
    let id = hook["id"].as_str().unwrap().parse().unwrap();
    let claimed = claim_events(&app.ctx, id, lease, 9).await.unwrap().unwrap();
    assert_eq!(claimed.letters.len(), 1);
    app.settle().await;
    assert_eq!(receiver.count(), 0, "it is another's");
    app.advance(2 * MINUTE).await;
    let received = receiver.take();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].id(), waiting["id"].as_str().unwrap());
    let sent = letters(&app, &admin, "sent").await;
    assert_eq!(sent[0]["attempts"], 2);
}

#[actix_web::test]
async fn what_is_removed_or_switched_off_is_told_nothing() {
    let mut app = here(&[]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let (off, gone) = (Receiver::start(), Receiver::start());
    let hook_off = hook(&app, &admin, &off, json!({})).await;
    let hook_gone = hook(&app, &admin, &gone, json!({})).await;
    post(&app, "Mo").await;
    app.settle().await;
    app.patch(&path_of(&hook_off), &admin, &json!({"enabled": false}))
        .await
        .ok();
    let path = path_of(&hook_gone);
    app.call(Method::DELETE, &path, Some(&admin), None)
        .await
        .ok();
    app.advance(HOUR).await;
    assert_eq!((off.count(), gone.count()), (0, 0));
    assert_eq!(letters(&app, &admin, "queued").await.len(), 0);
}

#[actix_web::test]
async fn no_file_holds_an_address_or_a_key_in_clear() {
    // It reads the files of a database.
    if is_left_out() {
        return;
    }
    let app = here(&[]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    let hook = hook(
        &app,
        &admin,
        &receiver,
        json!({"description": "CanaryNote"}),
    )
    .await;
    let secret = hook["secret"].as_str().unwrap();
    let key = secret.strip_prefix("whsec_").unwrap();
    let mut read = 0;
    for file in std::fs::read_dir(app.dir.path().join("data")).unwrap() {
        let file = file.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        read += bytes.len();
        for canary in ["TheirOwnPassword", "CanaryNote", key] {
            let found = memchr::memmem::find(&bytes, canary.as_bytes());
            assert_eq!(found, None, "{canary} in {}", file.display());
        }
    }
    assert!(read > 0);
}

#[actix_web::test]
async fn whose_access_ends_hears_of_nothing_any_more_through_a_program_either() {
    let mut app = here(&[]);
    let (cora, admin) = app.coordinator(Scope::Admin).await;
    let (_, other) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    let told = hook(&app, &admin, &receiver, json!({})).await;
    let kept = hook(&app, &other, &receiver, json!({})).await;
    revoke_coordinator(&app.ctx, cora, Actor::OPERATOR)
        .await
        .unwrap();
    gathered(&mut app).await;
    let ended = sheet(&app, &other, &told).await;
    assert_eq!(
        (&ended["enabled"], &ended["disabled_because"]),
        (&json!(false), &json!("by_hand"))
    );
    assert_eq!(sheet(&app, &other, &kept).await["enabled"], true);
}

#[actix_web::test]
async fn a_dead_receiver_is_no_backlog_of_mail_and_what_was_told_is_soon_forgotten() {
    let mut app = here(&[]);
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let receiver = Receiver::start();
    hook(
        &app,
        &admin,
        &receiver,
        json!({"types": ["request.changed"]}),
    )
    .await;
    post(&app, "Mo").await;
    gathered(&mut app).await;
    assert_eq!(letters(&app, &admin, "sent").await.len(), 1);
    let counted = app.ctx.db.read(|conn| {
        let queued = stored::count(conn, LetterState::Sent)?;
        Ok::<_, StorageError>((queued, stored::backlog(conn)?))
    });
    assert_eq!(counted.await.unwrap(), (0, (0, None)));
    let first = letters(&app, &admin, "sent").await[0]["id"].clone();
    app.sleep_over(2 * DAY).await;
    let left = letters(&app, &admin, "sent").await;
    assert!(left.iter().all(|l| l["id"] != first), "{left:?}");
}
