//! What operators and their machines ask, on the admin address: whether the process lives, whether it
//! can serve, and what it has measured. Nobody is asked for a password, and nothing of any person is
//! told.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::timeout;

use super::problem::Problem;
use crate::actions::Ctx;
use crate::storage::{StorageError, meta};
use crate::telemetry::metrics::Metrics;

/// How long the database may take to answer. Shorter than the patience of whoever asks.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the handlers share.
#[derive(Clone)]
struct State {
    ctx: Ctx,
    stopping: watch::Receiver<bool>,
    metrics: Metrics,
}

/// The routes of the admin address.
pub fn routes(
    ctx: Ctx,
    stopping: watch::Receiver<bool>,
    metrics: Metrics,
) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    // Not behind the calls: many of them are no reason to be taken for dead.
    let db = ctx.db.for_workers();
    let state = State {
        ctx: Ctx { db, ..ctx },
        stopping,
        metrics,
    };
    move |config: &mut ServiceConfig| {
        config
            .app_data(Data::new(state.clone()))
            .route("/healthz", web::get().to(healthz))
            .route("/readyz", web::get().to(readyz))
            .route("/metrics", web::get().to(measurements));
    }
}

/// `GET /healthz`: whether the process lives and its embedded database answers. To be restarted where not.
/// A server that is away is not brought back by that.
async fn healthz(state: Data<State>) -> HttpResponse {
    if state.ctx.db.is_on_server() {
        return well("ok");
    }
    let read = state
        .ctx
        .db
        .read(|conn| Ok::<_, StorageError>(meta::key_check(conn)?));
    match timeout(PATIENCE, read).await {
        Ok(Ok(_)) => well("ok"),
        _ => unavailable("The database does not answer."),
    }
}

/// `GET /readyz`: whether requests should be sent here. False as soon as a stop begins. No call has to wait for
/// the index, which may still be loading: what is posted meanwhile is due in the database, and matched afterward.
async fn readyz(state: Data<State>) -> HttpResponse {
    if *state.stopping.borrow() {
        return unavailable("The service is stopping.");
    }
    if state.ctx.vault.keys().is_err() {
        return unavailable("The service is locked.");
    }
    match timeout(PATIENCE, state.ctx.db.schema_is_current()).await {
        Ok(Ok(true)) => well("ready"),
        Ok(Ok(false)) => unavailable("The schema of the database is another one."),
        _ => unavailable("The database does not answer."),
    }
}

/// `GET /metrics`, in Prometheus' text format.
async fn measurements(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(state.metrics.render())
}

fn well(status: &'static str) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": status }))
}

fn unavailable(why: &'static str) -> HttpResponse {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "not-ready",
        "The service cannot serve now",
    )
    .detail(why)
    .error_response()
}
