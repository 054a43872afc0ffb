//! A bound on how long a call may take, all of it: a body that arrives a byte a minute would hold its
//! place for ever.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::problem::Problem;
use crate::actions::Ctx;

/// Ends a call that takes longer than `server.request_timeout`, or `server.import_timeout` for a spreadsheet. The database gives up earlier by
/// itself, so what is left is a client that is too slow.
///
/// # Errors
/// Those of the handler, or that it took too long.
pub async fn bound(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let Some(ctx) = request.app_data::<Data<Ctx>>() else {
        return next.call(request).await;
    };
    let server = &ctx.settings.server;
    // A file that takes its time to come is read for whoever has shown a token.
    let longest = match request.path() {
        "/v1/imports" => server.import_timeout,
        _ => server.request_timeout,
    };
    match tokio::time::timeout(longest, next.call(request)).await {
        Ok(answer) => answer,
        Err(_) => Err(too_slow().into()),
    }
}

fn too_slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "too-slow",
        "The request took too long",
    )
}
