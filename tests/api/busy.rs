//! More comes than can be done: what can wait is refused first, and told when to come again; nothing that was let in
//! is lost.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use manyhands::storage::TxError;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::{JoinSet, yield_now};

use crate::support::TestApp;

/// The least there may be.
const WAITING_CALLS: usize = 16;

/// Calls that wait for the database until they are let go.
struct Crowd {
    waiting: JoinSet<Result<(), TxError<()>>>,
    leave: Arc<Notify>,
}

impl Crowd {
    /// So many more of them.
    async fn grows(app: &TestApp, count: usize) -> Self {
        let (mut waiting, leave) = (JoinSet::new(), Arc::new(Notify::new()));
        let before = app.ctx.db.waiting_calls();
        for _ in 0..count {
            let (db, leave) = (app.ctx.db.clone(), Arc::clone(&leave));
            waiting.spawn(async move {
                let runtime = tokio::runtime::Handle::current();
                db.write(move |_| {
                    runtime.block_on(leave.notified());
                    // The next one in the row.
                    leave.notify_one();
                    Ok(())
                })
                .await
            });
        }
        while app.ctx.db.waiting_calls() < before + count {
            yield_now().await;
        }
        Self { waiting, leave }
    }

    async fn leaves(mut self) {
        self.leave.notify_one();
        while let Some(done) = self.waiting.join_next().await {
            done.unwrap().unwrap();
        }
    }
}

/// What calls of each rank are answered, that need no database to be answered: a read, an offer, a request, an answer,
/// and a page.
async fn ranks(app: &TestApp) -> Vec<u16> {
    let get = TestRequest::with_uri;
    let post = |path| get(path).method(Method::POST).set_json(json!({}));
    let calls = [
        get("/v1/categories"),
        post("/v1/offers"),
        post("/v1/requests"),
        post("/v1/matches/self/accept"),
        get("/answer"),
    ];
    let answers = app.send_all(calls).await;
    answers.iter().map(|answer| answer.status).collect()
}

#[actix_web::test]
async fn what_can_wait_is_refused_first() {
    let limit = WAITING_CALLS.to_string();
    let app = TestApp::with(&[("server.waiting_calls", &limit)]);
    assert_eq!(ranks(&app).await, [200, 422, 422, 401, 200]);

    let steps = [
        [503, 422, 422, 401, 200],
        [503, 503, 422, 401, 200],
        [503, 503, 503, 401, 200],
        [503, 503, 503, 503, 503],
    ];
    for (quarters, answers) in (1..).zip(steps) {
        let crowd = Crowd::grows(&app, WAITING_CALLS / 4 * quarters).await;
        assert_eq!(ranks(&app).await, answers, "{quarters} quarters wait");
        crowd.leaves().await;
    }
    assert_eq!(ranks(&app).await, [200, 422, 422, 401, 200]);
}

#[actix_web::test]
async fn who_is_refused_is_told_when_to_come_again_and_not_all_at_once() {
    let limit = WAITING_CALLS.to_string();
    let app = TestApp::with(&[("server.waiting_calls", &limit)]);
    let crowd = Crowd::grows(&app, WAITING_CALLS / 4).await;
    let mut waits = Vec::new();
    let calls = (0..20).map(|_| TestRequest::with_uri("/v1/categories"));
    for refused in app.send_all(calls).await {
        assert_eq!(refused.problem(503), "too-busy");
        let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((2..10).contains(&wait), "{wait}");
        waits.push(wait);
    }
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 3, "{waits:?}");
    crowd.leaves().await;
}

#[actix_web::test]
async fn a_page_says_it_in_words() {
    let limit = WAITING_CALLS.to_string();
    let app = TestApp::with(&[("server.waiting_calls", &limit)]);
    let crowd = Crowd::grows(&app, WAITING_CALLS).await;
    let page = app.call(Method::GET, "/answer", None, None).await;
    assert_eq!(page.status, 503);
    assert_eq!(page.body, Value::Null, "no problem document");
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    crowd.leaves().await;
}
