//! The coordinators' calls and the document, through the routes, over a database of their own. No
//! worker runs: a test that needs a proposal writes it.

mod document;
mod lists;
mod needs;
mod people;
mod posts;
mod reveals;
mod reviews;
mod scopes;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{App, test};
use serde_json::{Value, json};

use crate::actions::Ctx;
use crate::actions::confirm_offers::confirm_offers;
use crate::actions::register_keys::register_keys;
use crate::crypto::keyring::KeyRing;
use crate::crypto::token::{Purpose, Token};
use crate::crypto::vault::Vault;
use crate::domain::category::Catalog;
use crate::domain::clock::{Clock, ManualClock, Ts};
use crate::domain::contact::{EmailAddress, PersonName};
use crate::domain::entropy::{Entropy, SeededEntropy};
use crate::domain::gazetteer::Gazetteer;
use crate::domain::ids::{CoordinatorId, MatchId, OfferId, RecordId, RequestId, VolunteerId};
use crate::domain::lifecycle::{Agreement, MatchState};
use crate::domain::need::Quantity;
use crate::domain::place::DistanceBand;
use crate::domain::score::ScoreParts;
use crate::domain::secret::CoordinatorSecret;
use crate::settings::{Settings, Sources};
use crate::storage::coordinators::{Coordinator, Scope};
use crate::storage::matches::Match;
use crate::storage::sql_types::Json;
use crate::storage::tokens::TokenRow;
use crate::storage::{Conn, Db, TxError, coordinators, matches, offers, tokens};

/// Words of a neighbor and of a volunteer that no coordinator may read without a reason.
const SEALED: [&str; 12] = [
    "Farah", "612555", "mo@", "Secret", "stairs", "cellar", "Alvarez", "ana@", "bell", "dog",
    "44.97", "93.26",
];

/// An instance without workers.
struct Town {
    ctx: Ctx,
    clock: Arc<ManualClock>,
    /// Of scope `coordinator`.
    token: String,
    _dir: tempfile::TempDir,
}

/// What a call was answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    body: Value,
    bytes: Vec<u8>,
    retry_after: Option<String>,
}

impl Answer {
    #[track_caller]
    fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.body
    }

    /// The last part of the `type` of a problem with this status.
    #[track_caller]
    fn problem(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{}", self.body);
        text(&self.body["type"]).rsplit(':').next().unwrap()
    }

    /// The one error of an answer 422: where, and what is said about it.
    #[track_caller]
    fn error(&self) -> (&str, &str) {
        assert_eq!(self.problem(422), "invalid");
        let errors = self.body["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{errors:?}");
        (text(&errors[0]["pointer"]), text(&errors[0]["detail"]))
    }
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The ids of a page's rows.
#[track_caller]
fn ids(listing: &Value) -> Vec<String> {
    let items = listing["items"].as_array().unwrap();
    items.iter().map(|i| text(&i["id"]).to_owned()).collect()
}

/// A need of food.
fn food() -> Value {
    json!({"category": "food", "quantity": 4, "urgency": "now", "note": "No stairs", "private_note": "In the cellar"})
}

/// A neighbor at 44.9778, -93.265, some kilometers farther north.
fn post_of(km_north: f64, needs: &[Value]) -> Value {
    json!({
        "contact": {"name": "Mo Farah", "phone": "612 555 0123", "email": "mo@example.org"},
        "location": {"lat": 44.9778 + km_north / 111.2, "lon": -93.265, "address": "2410 Secret Ave"},
        "languages": ["so", "en"],
        "needs": needs,
    })
}

impl Town {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", dir.path().join("db/manyhands.db").display());
        let overrides = vec![
            ("database.url".to_owned(), database),
            ("mail.transport".to_owned(), "memory".to_owned()),
            ("area.timezone".to_owned(), "America/Chicago".to_owned()),
        ];
        let settings = Settings::load(Sources {
            overrides,
            ..Sources::default()
        })
        .unwrap();
        let start: jiff::Timestamp = "2026-12-07T18:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(start.into()));
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(11));
        let ring = KeyRing::generate(entropy.as_ref(), clock.now());
        let db = Db::open(&settings.database.url()).unwrap();
        let keys = register_keys(&db, ring, clock.now()).await.unwrap();
        let ctx = Ctx {
            db,
            clock: clock.clone(),
            entropy,
            vault: Arc::new(Vault::new(keys)),
            catalog: Arc::new(Catalog::shipped().unwrap()),
            gazetteer: Arc::new(Gazetteer::parse("").unwrap()),
            settings: Arc::new(settings),
            index: Arc::default(),
            timetables: Arc::default(),
            planning: Arc::default(),
        };
        let mut town = Self {
            ctx,
            clock,
            token: String::new(),
            _dir: dir,
        };
        town.token = town.coordinator(Scope::Coordinator).await.1;
        town
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Answer {
        let app = App::new().configure(super::routes(self.ctx.clone()));
        let app = test::init_service(app).await;
        let mut request = test::TestRequest::with_uri(path).method(method);
        if let Some(token) = token {
            request = request.insert_header(("Authorization", format!("Bearer {token}")));
        }
        if let Some(body) = body {
            request = request.set_json(body);
        }
        if let Some(key) = key {
            request = request.insert_header(("Idempotency-Key", key));
        }
        let response = test::call_service(&app, request.to_request()).await;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("Retry-After");
        let retry_after = retry_after.map(|v| v.to_str().unwrap().to_owned());
        let bytes = match response.headers().get("Content-Type") {
            // It never ends.
            Some(kind) if kind == super::EVENT_STREAM => Vec::new(),
            _ => test::read_body(response).await.to_vec(),
        };
        Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            bytes,
            retry_after,
        }
    }

    /// As the coordinator.
    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Some(&self.token), None, None)
            .await
    }

    /// As the coordinator, with a body.
    async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(&self.token), Some(&body), None)
            .await
    }

    /// As the coordinator, without a body.
    async fn press(&self, path: &str) -> Answer {
        self.call(Method::POST, path, Some(&self.token), None, None)
            .await
    }

    async fn coordinator(&self, scope: Scope) -> (CoordinatorId, String) {
        let entropy = self.ctx.entropy.as_ref();
        let id = CoordinatorId::new(entropy);
        let secret = CoordinatorSecret {
            name: PersonName::parse("Coo").unwrap(),
            email: EmailAddress::parse("coo@example.org").unwrap(),
        };
        let row = Coordinator {
            id,
            scope,
            created_at: self.clock.now(),
            revoked_at: None,
            group_id: None,
            sealed: self
                .ctx
                .vault
                .keys()
                .unwrap()
                .seal(entropy, id, 1, &secret)
                .unwrap(),
            sealed_version: 1,
            sealed_epoch: Some(1),
            digest: true,
            digest_on: None,
            part: None,
        };
        self.write(move |conn| Ok(coordinators::insert(conn, &row)?))
            .await;
        (id, self.mint(Purpose::Coordinator, id).await)
    }

    async fn mint(&self, purpose: Purpose, subject: impl Into<RecordId>) -> String {
        let token = Token::mint(purpose, self.ctx.entropy.as_ref());
        let row = TokenRow {
            hash: token.hash(&self.ctx.vault.keys().unwrap().hasher),
            purpose,
            subject_id: subject.into(),
            created_at: self.clock.now(),
            expires_at: None,
        };
        self.write(move |conn| Ok(tokens::insert(conn, &row)?))
            .await;
        token.expose().to_owned()
    }

    async fn write<T: Send + 'static>(
        &self,
        f: impl FnMut(&mut Conn) -> Result<T, TxError<()>> + Send + 'static,
    ) -> T {
        self.ctx.db.write(f).await.unwrap()
    }

    /// A neighbor posts: her token and the ids of her requests.
    async fn neighbor(&self, body: Value) -> (String, Vec<String>) {
        let path = "/v1/requests";
        let posted = self
            .call(Method::POST, path, None, Some(&body), None)
            .await
            .ok();
        let all = posted["requests"].as_array().unwrap();
        let ids = all.iter().map(|r| text(&r["id"]).to_owned()).collect();
        (text(&posted["manage_token"]).to_owned(), ids)
    }

    /// A volunteer offers one thing and confirms: her id, her token, the offer's id.
    async fn volunteer(&self, offer: Value) -> (VolunteerId, String, String) {
        let body = json!({
            "contact": {"name": "Ana Alvarez", "email": "ana@example.org", "phone": "612 555 0199"},
            "location": {"lat": 44.9778, "lon": -93.2651},
            "languages": ["en"],
            "offers": [offer],
        });
        let path = "/v1/offers";
        let posted = self
            .call(Method::POST, path, None, Some(&body), None)
            .await
            .ok();
        let offer: OfferId = text(&posted["offers"][0]["id"]).parse().unwrap();
        let row = self.write(move |conn| Ok(offers::find(conn, offer)?)).await;
        let posted = row.unwrap().volunteer_id;
        let confirmed = confirm_offers(&self.ctx, posted).await.unwrap();
        let token = confirmed.token.expose().to_owned();
        (confirmed.volunteer.id, token, offer.to_string())
    }

    /// An offer of food.
    async fn cook(&self) -> (VolunteerId, String, String) {
        self.volunteer(json!({"category": "food", "capacity": 10, "note": "Ring the bell", "private_note": "Mind the dog"}))
            .await
    }

    /// A match in a state that workers would have brought about.
    async fn matched(&self, request: &str, offer: &str, state: MatchState) -> String {
        let row = self.row(request.parse().unwrap(), offer.parse().unwrap(), state);
        let id = row.id.to_string();
        self.write(move |conn| Ok(matches::insert(conn, std::slice::from_ref(&row))?))
            .await;
        id
    }

    fn row(&self, request_id: RequestId, offer_id: OfferId, state: MatchState) -> Match {
        let now = self.clock.now();
        let is_asked = state == MatchState::Notified;
        Match {
            id: MatchId::new(self.ctx.entropy.as_ref()),
            request_id,
            offer_id,
            quantity: Quantity::ONE,
            taken: 0,
            period_start: Ts::EPOCH,
            state,
            decline_reason: None,
            fall_reason: None,
            agreement: Agreement::None,
            agree_by: None,
            band: DistanceBand::Under2Km,
            score: 0.5,
            parts: Json(ScoreParts::default()),
            wave: 1,
            request_version: 1,
            by_hand: false,
            max_wait_at: None,
            asked_at: is_asked.then_some(now),
            respond_by: is_asked.then(|| now.after(Duration::from_secs(300))),
            answered_at: None,
            arrival_at: None,
            released_at: None,
            done_by: None,
            ended_at: None,
            created_at: now,
            updated_at: now,
            further_periods: Json(Vec::new()),
            veto_undone_at: None,
            done_at: None,
            followed_up_at: None,
            no_show_by: None,
            returned_at: None,
            remind_at: None,
            no_show_undone_at: None,
        }
    }
}
