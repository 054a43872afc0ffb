//! A whole Manyhands in one test: real database, real handlers, real workers, with a clock that the
//! test moves and mail that stays in memory.

#![expect(dead_code, reason = "every kind of test uses another part of it")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

pub mod database;
pub mod letters;
pub mod people;
pub mod promises;
pub mod receiver;
pub mod ring;
pub mod server;

use std::sync::{Arc, RwLock};
use std::time::Duration;

use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{App, test, web};
pub use database::TestDatabase;
use manyhands::actions::Ctx;
use manyhands::crypto::token::{Purpose, Token};
use manyhands::domain::category::Catalog;
use manyhands::domain::clock::{Clock, ManualClock, Ts};
use manyhands::domain::entropy::{Entropy, SeededEntropy};
use manyhands::domain::gazetteer::Gazetteer;
use manyhands::domain::ids::{CoordinatorId, RecordId};
use manyhands::domain::letter::Lane;
use manyhands::domain::secret::CoordinatorSecret;
use manyhands::http;
use manyhands::mail::transport::{StoredMail, Transport};
use manyhands::matching::index::PostIndex;
use manyhands::settings::{Settings, Sources};
use manyhands::storage::coordinators::{Coordinator, Scope};
use manyhands::storage::tokens::TokenRow;
use manyhands::storage::{Db, TxError, coordinators, tokens};
use manyhands::webhook::client::Client;
use manyhands::workers::deliveries::Deliveries;
use manyhands::workers::events::Events;
use manyhands::workers::feed::Feed;
use manyhands::workers::housekeeping::Housekeeping;
use manyhands::workers::keys::KeyWatch;
use manyhands::workers::matching::Matching;
use manyhands::workers::outbox::Outbox;
use manyhands::workers::rewrap::Rewrap;
use manyhands::workers::{Next, Stop, Worker};
use serde_json::Value;

/// A Monday noon in Minneapolis, in winter.
pub const START: &str = "2026-12-07T18:00:00Z";

/// A running instance.
pub struct TestApp {
    pub ctx: Ctx,
    pub clock: Arc<ManualClock>,
    pub transport: Arc<Transport>,
    matching: Matching,
    outboxes: [Outbox; 2],
    housekeeping: Housekeeping,
    keys: KeyWatch,
    rewrap: Rewrap,
    events: Events,
    deliveries: Deliveries,
    /// One set of routes, and with it one set of limits, for all calls.
    routes: Box<dyn Fn(&mut web::ServiceConfig) + Send>,
    pub dir: tempfile::TempDir,
    /// Dropped last, when nobody uses it any more.
    pub database: TestDatabase,
}

/// What a call was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Value,
    pub bytes: Vec<u8>,
}

impl Answer {
    async fn of(response: ServiceResponse) -> Self {
        let status = response.status();
        let headers = response
            .headers()
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_str().unwrap_or_default().to_owned()))
            .collect();
        let bytes = match response.headers().get("content-type") {
            // It never ends.
            Some(kind) if kind == http::EVENT_STREAM => Vec::new(),
            _ => test::read_body(response).await.to_vec(),
        };
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Self {
            status: status.as_u16(),
            headers,
            body,
            bytes,
        }
    }

    /// The body of a call that succeeded.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            self.body
        );
        self.body
    }

    /// The last part of the `type` of a problem with this status.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.rsplit(':').next().unwrap_or_default().to_owned()
    }

    /// The pointers of a problem's errors, sorted.
    pub fn pointers(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let mut all: Vec<String> = errors
            .iter()
            .map(|e| e["pointer"].as_str().unwrap_or_default().to_owned())
            .collect();
        all.sort();
        all
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }
}

impl TestApp {
    /// An empty instance with the shipped settings in Minneapolis' time.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// An empty instance with other settings.
    pub fn with(overrides: &[(&str, &str)]) -> Self {
        Self::of(Catalog::shipped().expect("categories"), overrides)
    }

    /// An empty instance with other categories and settings.
    pub fn of(catalog: Catalog, overrides: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = TestDatabase::new(dir.path());
        let mut all = vec![
            ("database.url".to_owned(), database.setting()),
            (
                "keys.path".to_owned(),
                dir.path().join("keys/keyring.toml").display().to_string(),
            ),
            ("mail.transport".to_owned(), "memory".to_owned()),
            ("area.timezone".to_owned(), "America/Chicago".to_owned()),
            // One after the other, so that letters arrive in one order.
            ("outbox.parallel".to_owned(), "1".to_owned()),
            // Everybody here comes from one address and many give the same contact.
            ("limits.mode".to_owned(), "off".to_owned()),
        ];
        all.extend(
            overrides
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        );
        let settings = Settings::load(Sources {
            overrides: all,
            ..Sources::default()
        })
        .expect("settings");
        let clock = Arc::new(ManualClock::at(
            START.parse::<jiff::Timestamp>().unwrap().into(),
        ));
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(7));
        let transport = Arc::new(Transport::new(&settings.mail).expect("transport"));
        let db = Db::open(&settings.database.url()).expect("database");
        let vault = ring::vault(&db, &settings.keys.path, entropy.as_ref(), clock.now());
        let ctx = Ctx {
            db,
            clock: clock.clone(),
            entropy,
            vault: Arc::new(vault),
            catalog: Arc::new(catalog),
            gazetteer: Arc::new(Gazetteer::shipped().expect("gazetteer")),
            settings: Arc::new(settings),
            index: Arc::new(RwLock::new(PostIndex::default())),
            timetables: Arc::default(),
            planning: Arc::default(),
        };
        let feed = Feed::new(ctx.clone());
        Self {
            matching: Matching::new(ctx.clone(), feed, Stop::never()),
            outboxes: Lane::ALL
                .map(|lane| Outbox::new(ctx.clone(), transport.clone(), lane, Stop::never())),
            housekeeping: Housekeeping::new(ctx.clone(), Stop::never()),
            keys: KeyWatch::new(ctx.clone(), RecordId::new(ctx.entropy.as_ref())),
            rewrap: Rewrap::new(ctx.clone(), Stop::never()),
            events: Events::new(ctx.clone(), Stop::never()),
            deliveries: Deliveries::new(
                ctx.clone(),
                Arc::new(Client::new(&ctx.settings.webhooks)),
                Stop::never(),
            ),
            routes: Box::new(http::routes(ctx.clone())),
            ctx,
            clock,
            transport,
            dir,
            database,
        }
    }

    /// Lets the workers do everything that is due now.
    pub async fn settle(&mut self) {
        for _ in 0..200 {
            let now = self.clock.now();
            let is_due = |next: Next| match next {
                Next::Now => true,
                Next::At(at) => at <= now,
                Next::Later => false,
            };
            let matching = self.matching.tick(now).await.expect("matching");
            let mut any_due = is_due(matching);
            for outbox in &mut self.outboxes {
                any_due |= is_due(outbox.tick(now).await.expect("outbox"));
            }
            self.events.tick(now).await.expect("events");
            any_due |= is_due(self.deliveries.tick(now).await.expect("deliveries"));
            if !any_due {
                return;
            }
        }
        panic!("the workers do not come to rest");
    }

    /// Matches what is due now, and sends nothing.
    pub async fn match_only(&mut self) {
        let now = self.clock.now();
        while self.matching.tick(now).await.expect("matching") == Next::Now {}
    }

    /// Moves the clock, and lets the workers do what is due then.
    pub async fn advance(&mut self, d: Duration) {
        self.clock.advance(d);
        self.settle().await;
    }

    /// Moves the clock, and lets housekeeping do what is due then too.
    pub async fn sleep_over(&mut self, d: Duration) {
        self.clock.advance(d);
        self.housekeeping
            .tick(self.clock.now())
            .await
            .expect("housekeeping");
        self.keep_keys().await;
        self.settle().await;
    }

    /// Brings the keys in step, and wraps anew what is under older ones.
    pub async fn keep_keys(&mut self) {
        let now = self.clock.now();
        self.keys.tick(now).await.expect("keys");
        self.rewrap.tick(now).await.expect("rewrap");
    }

    pub fn now(&self) -> Ts {
        self.clock.now()
    }

    /// Calls the API.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let bytes = body.map(|b| serde_json::to_vec(b).unwrap());
        self.raw(method, path, token, bytes, &[]).await
    }

    /// Calls the API with any bytes and headers.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = test::TestRequest::with_uri(path).method(method);
        if let Some(token) = token {
            request = request.insert_header(("Authorization", format!("Bearer {token}")));
        }
        if let Some(body) = body {
            request = request
                .insert_header(("Content-Type", "application/json"))
                .set_payload(body);
        }
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        self.send(request).await
    }

    /// Goes on with another database.
    pub fn use_database(&mut self, database: TestDatabase) {
        self.ctx.db = database.open();
        self.database = database;
        self.routes = Box::new(http::routes(self.ctx.clone()));
    }

    /// Calls with any request, as it would reach the server.
    pub async fn send(&self, request: test::TestRequest) -> Answer {
        self.send_all([request]).await.remove(0)
    }

    /// Reads what the service cannot read itself; gives what it says then.
    pub async fn fails_to_get(&self, path: &str, token: &str) -> String {
        let request = test::TestRequest::with_uri(path)
            .insert_header(("Authorization", format!("Bearer {token}")));
        let answer = self.answers([request]).await.remove(0);
        assert_eq!(answer.status, 500, "{answer:?}");
        answer.body.to_string()
    }

    /// Calls one after the other.
    pub async fn send_all(
        &self,
        requests: impl IntoIterator<Item = test::TestRequest>,
    ) -> Vec<Answer> {
        let answers = self.answers(requests).await;
        for answer in &answers {
            assert_ne!(answer.status, 500, "{answer:?}");
        }
        answers
    }

    async fn answers(&self, requests: impl IntoIterator<Item = test::TestRequest>) -> Vec<Answer> {
        let app = test::init_service(
            App::new()
                .wrap(from_fn(http::guard::limit))
                .wrap(from_fn(http::head::as_get))
                .wrap(from_fn(http::shed::shed))
                .wrap(from_fn(http::headers::secure))
                .wrap(from_fn(http::observe::observe))
                .configure(|cfg| (self.routes)(cfg)),
        )
        .await;
        let mut answers = Vec::new();
        for request in requests {
            let response = match test::try_call_service(&app, request.to_request()).await {
                Ok(response) => response.map_into_boxed_body(),
                // Of a call that was turned away, as the server does.
                Err(error) => {
                    let request = test::TestRequest::default().to_http_request();
                    ServiceResponse::from_err(error, request)
                }
            };
            answers.push(Answer::of(response).await);
        }
        answers
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.call(Method::GET, path, Some(token), None).await
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, Some(token), Some(body)).await
    }

    pub async fn patch(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.call(Method::PATCH, path, Some(token), Some(body))
            .await
    }

    /// The letters sent since the last look.
    pub fn mails(&self) -> Vec<Arc<StoredMail>> {
        self.transport.memory().expect("memory transport").take()
    }

    /// A coordinator, and her token.
    pub async fn coordinator(&self, scope: Scope) -> (CoordinatorId, String) {
        let id = CoordinatorId::new(self.ctx.entropy.as_ref());
        let token = Token::mint(Purpose::Coordinator, self.ctx.entropy.as_ref());
        let secret = CoordinatorSecret {
            name: manyhands::domain::contact::PersonName::parse("Coo Coordinator").unwrap(),
            email: manyhands::domain::contact::EmailAddress::parse("coo@example.org").unwrap(),
        };
        let row = Coordinator {
            id,
            scope,
            created_at: self.now(),
            revoked_at: None,
            group_id: None,
            sealed: self
                .ctx
                .vault
                .keys()
                .unwrap()
                .seal(self.ctx.entropy.as_ref(), id, 1, &secret)
                .unwrap(),
            sealed_version: 1,
            sealed_epoch: self.ctx.vault.keys().ok().map(|keys| keys.active()),
            digest: true,
            digest_on: None,
            part: None,
        };
        let token_row = TokenRow {
            hash: token.hash(&self.ctx.vault.keys().unwrap().hasher),
            purpose: Purpose::Coordinator,
            subject_id: id.into(),
            created_at: self.now(),
            expires_at: None,
        };
        self.ctx
            .db
            .write(move |conn| -> Result<(), TxError<()>> {
                coordinators::insert(conn, &row)?;
                Ok(tokens::insert(conn, &token_row)?)
            })
            .await
            .unwrap();
        (id, token.expose().to_owned())
    }
}

/// The first token of a purpose's prefix (`"mha_"`) in a letter's text.
pub fn token_in(text: &str, prefix: &str) -> Option<String> {
    let start = text.find(prefix)?;
    let token: String = text[start..]
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    Token::parse(&token).map(|t| t.expose().to_owned())
}

pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(86_400);
