//! Calls, through all routes, over a database: `METHOD path`, headers, an empty line, the body. `{neighbor}`,
//! `{volunteer}`, `{coordinator}`, `{request}` and `{offer}` stand for tokens and ids that there are.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;

use actix_web::App;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use serde_json::{Value, json};

use super::{parted, says_nothing_of_it, town};
use crate::actions::Ctx;
use crate::actions::add_coordinator::{NewCoordinator, add_coordinator};
use crate::actions::confirm_offers::confirm_offers;
use crate::domain::contact::{EmailAddress, PersonName};
use crate::domain::part::Part;
use crate::http::problem::PROBLEM_JSON;
use crate::http::{EVENT_STREAM, routes};
use crate::storage::audit::Actor;
use crate::storage::coordinators::Scope;
use crate::storage::{StorageError, offers};

/// Calls after which everything begins anew: what they did stays otherwise.
const ROUND: u32 = 500;

type Answer = (u16, HeaderMap, Vec<u8>);
type Answering = Box<dyn Fn(TestRequest) -> Pin<Box<dyn Future<Output = Answer>>>>;

/// A service with something in it.
struct Service {
    /// None while it is dropped.
    answering: Option<Answering>,
    known: Vec<(&'static str, String)>,
    _dir: tempfile::TempDir,
    left: Cell<u32>,
}

thread_local! {
    static SERVICE: RefCell<Option<Service>> = const { RefCell::new(None) };
    static RUNTIME: actix_web::rt::SystemRunner = actix_web::rt::System::new();
}

pub fn run(bytes: &[u8]) {
    let (head, body) = parted(bytes);
    RUNTIME.with(|runtime| {
        SERVICE.with_borrow_mut(|service| {
            if service.as_ref().is_none_or(|service| service.left.get() == 0) {
                *service = Some(runtime.block_on(Service::new()));
            }
            if let Some(service) = service {
                service.left.update(|left| left - 1);
                runtime.block_on(service.call(&head, body));
            }
        });
    });
}

impl Service {
    async fn new() -> Self {
        let (ctx, dir) = town::town().await;
        let mut service = Self {
            answering: Some(answering(ctx.clone()).await),
            known: Vec::new(),
            _dir: dir,
            left: Cell::new(ROUND),
        };
        service.people(&ctx).await;
        service
    }

    async fn people(&mut self, ctx: &Ctx) {
        let here = json!({"lat": 44.95, "lon": -93.26});
        let mo = json!({"contact": {"name": "Mo", "phone": "612 555 0123"}, "location": here,
            "needs": [{"category": "food", "quantity": 4}]});
        let mo = self.post("/v1/requests", &mo).await;
        let ana = json!({"contact": {"name": "Ana", "email": "ana@example.org"}, "location": here,
            "offers": [{"category": "food", "capacity": 10}]});
        let ana = self.post("/v1/offers", &ana).await;
        let offer = text(&ana["offers"][0]["id"]);
        let id = offer.parse().unwrap();
        let found = ctx.db.read(move |conn| Ok::<_, StorageError>(offers::find(conn, id)?));
        let volunteer = found.await.unwrap().unwrap().volunteer_id;
        let confirmed = confirm_offers(ctx, volunteer).await.unwrap();
        let cora = NewCoordinator {
            name: PersonName::parse("Cora").unwrap(),
            email: EmailAddress::parse("cora@example.org").unwrap(),
            scope: Scope::Admin,
            expires: None,
            digest: false,
            part: Part::ALL,
        };
        let added = add_coordinator(ctx, cora, Actor::OPERATOR).await;
        let (_, desk) = added.unwrap();
        self.known = vec![
            ("{neighbor}", text(&mo["manage_token"])),
            ("{volunteer}", confirmed.token.expose().to_owned()),
            ("{coordinator}", desk.expose().to_owned()),
            ("{request}", text(&mo["requests"][0]["id"])),
            ("{offer}", offer),
        ];
    }

    async fn answer(&self, request: TestRequest) -> Answer {
        let answering = self.answering.as_ref().expect("it is not dropped");
        answering(request).await
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = TestRequest::post().uri(path).set_json(body);
        let (status, _, body) = self.answer(request).await;
        assert_eq!(status, 201);
        serde_json::from_slice(&body).unwrap()
    }

    async fn call(&self, head: &str, body: &[u8]) {
        let known = self.known.iter();
        let head = known.fold(head.to_owned(), |head, (name, value)| head.replace(name, value));
        let mut lines = head.lines();
        let Some((method, path)) = lines.next().and_then(|line| line.split_once(' ')) else {
            return;
        };
        let Ok(method) = method.parse::<Method>() else {
            return;
        };
        // Whatever is no address at all does not come through actix.
        if !path.starts_with('/') || path.parse::<actix_web::http::Uri>().is_err() {
            return;
        }
        let mut request = TestRequest::with_uri(path).method(method.clone()).set_payload(body.to_vec());
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            let name = HeaderName::try_from(name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                request = request.append_header((name, value));
            }
        }
        let (status, headers, body) = self.answer(request).await;
        assert!((200..500).contains(&status) || status == 503, "{status} {method} {path}");
        if status >= 400 && path.starts_with("/v1/") && method != Method::HEAD {
            is_problem(status, &headers, &body);
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // At the end of a thread: what actix keeps for the thread is gone by then, and an application wants it back.
        if self.left.get() > 0 {
            std::mem::forget(self.answering.take());
        }
    }
}

#[track_caller]
fn is_problem(status: u16, headers: &HeaderMap, body: &[u8]) {
    assert_eq!(headers.get(CONTENT_TYPE).unwrap(), PROBLEM_JSON);
    let problem: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(problem["status"], status);
    assert!(text(&problem["type"]).starts_with("urn:manyhands:problem:"));
    says_nothing_of_it(&problem["title"]);
    says_nothing_of_it(&problem["detail"]);
    for error in problem["errors"].as_array().into_iter().flatten() {
        says_nothing_of_it(&error["detail"]);
    }
}

async fn answering(ctx: Ctx) -> Answering {
    let app = init_service(App::new().configure(routes(ctx))).await;
    let app = std::rc::Rc::new(app);
    Box::new(move |request| {
        let app = app.clone();
        Box::pin(async move {
            let response = call_service(&*app, request.to_request()).await;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = match headers.get(CONTENT_TYPE) {
                // It never ends.
                Some(kind) if kind == EVENT_STREAM => Vec::new(),
                _ => read_body(response).await.to_vec(),
            };
            (status, headers, body)
        })
    })
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
