//! Several instances over one database, and people who can meet each other in every way.

use std::future::Future;

use actix_web::http::Method;
use manyhands::actions::confirm_offers::confirm_offers;
use manyhands::actions::propose_match::propose_match;
use manyhands::actions::{Ctx, Outcome};
use manyhands::domain::ids::{MatchId, NeighborId, OfferId, RequestId, VolunteerId};
use manyhands::storage::audit::{Actor, ActorKind};
use manyhands::storage::coordinators::Scope;
use manyhands::storage::{Db, StorageError, TxError, offers, requests};
use serde_json::{Value, json};

use super::checks;
use super::database::{Database, Raw};
use crate::support::TestApp;
use crate::support::people::{food, offer_of, post_of, with};

/// As many processes.
pub const INSTANCES: usize = 3;

pub struct World {
    pub app: TestApp,
    /// The first is the app's own.
    pub instances: Vec<Ctx>,
    pub raw: Raw,
    /// Dropped last.
    pub database: Database,
    people: usize,
}

impl World {
    pub fn new() -> Self {
        Self::with(&[])
    }

    pub fn with(settings: &[(&str, &str)]) -> Self {
        let database = Database::new();
        let url = database.url();
        // Whoever is held up on purpose waits for half of this at the most.
        let mut all = vec![
            ("database.url", url.as_str()),
            ("database.statement_timeout", "8s"),
        ];
        all.extend(settings);
        let app = TestApp::with(&all);
        let mut instances = vec![app.ctx.clone()];
        while instances.len() < INSTANCES {
            instances.push(Ctx {
                db: Db::open(&app.ctx.settings.database.url()).unwrap(),
                ..app.ctx.clone()
            });
        }
        Self {
            app,
            instances,
            raw: database.connect(),
            database,
            people: 0,
        }
    }

    /// The instances in turn, without end.
    pub fn turns(&self) -> impl Iterator<Item = Ctx> + use<> {
        self.instances.clone().into_iter().cycle()
    }

    /// As [`Database::at_once`].
    pub async fn at_once<T, F: Future<Output = T>>(&self, all: Vec<F>) -> Vec<T> {
        self.database.at_once(all).await
    }

    /// As [`Database::behind`].
    pub async fn behind<T, F: Future<Output = T>>(
        &self,
        held: &str,
        meanwhile: &str,
        all: Vec<F>,
    ) -> Vec<T> {
        self.database.behind(held, meanwhile, all).await
    }

    /// Fails where anything does not add up.
    #[track_caller]
    pub fn check(&mut self) {
        checks::everything(&mut self.raw, "");
    }

    /// A number that nobody had yet.
    pub fn next(&mut self) -> usize {
        self.people += 1;
        self.people
    }

    /// A neighbor's requests.
    pub async fn neighbor(&mut self, needs: &[Value], more: Value) -> (NeighborId, Vec<RequestId>) {
        let number = self.next();
        let contact =
            json!({"contact": {"name": "Mo Farah", "email": format!("mo{number}@example.org")}});
        let post = with(with(post_of(needs), contact), more);
        let posted = self.app.neighbor_who(post).await;
        let ids: Vec<RequestId> = posted
            .requests
            .iter()
            .map(|id| id.parse().unwrap())
            .collect();
        let first = ids[0];
        let row = self
            .app
            .ctx
            .db
            .read(move |conn| Ok::<_, StorageError>(requests::find(conn, first)?))
            .await
            .unwrap()
            .unwrap();
        (row.neighbor_id, ids)
    }

    /// A volunteer's post under an address, not confirmed yet.
    pub async fn unconfirmed(&mut self, email: &str, all: &[Value]) -> (VolunteerId, Vec<OfferId>) {
        // Without a number, lest two have the same.
        let contact = json!({"contact": {"name": "Ana Alvarez", "email": email}});
        let body = with(offer_of(email, all), contact);
        let posted = self
            .app
            .call(Method::POST, "/v1/offers", None, Some(&body))
            .await
            .ok();
        let ids: Vec<OfferId> = posted["offers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o["id"].as_str().unwrap().parse().unwrap())
            .collect();
        let first = ids[0];
        let row = self
            .app
            .ctx
            .db
            .read(move |conn| Ok::<_, StorageError>(offers::find(conn, first)?))
            .await
            .unwrap()
            .unwrap();
        (row.volunteer_id, ids)
    }

    /// A volunteer's offers.
    pub async fn volunteer(&mut self, all: &[Value]) -> (VolunteerId, Vec<OfferId>) {
        let number = self.next();
        let posted = self
            .unconfirmed(&format!("ana{number}@example.org"), all)
            .await;
        confirm_offers(&self.app.ctx, posted.0).await.unwrap();
        posted
    }

    /// The volunteer of the offer is asked for the request.
    pub async fn ask(&self, request: RequestId, offer: OfferId) -> MatchId {
        propose_match(&self.app.ctx, request, offer, None, Actor::OPERATOR)
            .await
            .unwrap()
    }

    pub async fn coordinator(&self) -> manyhands::domain::ids::CoordinatorId {
        self.app.coordinator(Scope::Admin).await.0
    }
}

/// Meals to give.
pub fn meals(capacity: i64) -> Value {
    json!({"category": "food", "capacity": capacity})
}

/// Meals needed.
pub fn need(quantity: i64) -> Value {
    food(quantity)
}

pub fn of(kind: ActorKind, id: impl Into<manyhands::domain::ids::RecordId>) -> Actor {
    Actor::person(kind, id)
}

/// How many succeeded. Whoever did not was refused, and by no failure of the database.
#[track_caller]
pub fn won<T: std::fmt::Debug>(outcomes: &[Outcome<T>]) -> usize {
    for outcome in outcomes {
        if let Err(TxError::Storage(error)) = outcome {
            panic!("{error}: {error:?}");
        }
    }
    outcomes.iter().filter(|o| o.is_ok()).count()
}

impl World {
    /// Rows are locked in one order: nobody waited for somebody who waited for them.
    #[track_caller]
    pub fn no_deadlocks(&mut self) {
        // A connection's share is in the statistics when it has ended, at the latest.
        self.raw.end_others();
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(self.raw.number(deadlocks), 0);
    }
}
