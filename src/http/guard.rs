//! Limits how often a source may call without a token that opens something.
//!
//! Who uses a valid token is not limited by the address: whole carriers and shelters share one. A
//! token in a form or a path is judged by the answer, since only the handler knows what it opens.

use actix_web::HttpRequest;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::auth::{self, Opens};
use super::limits::{Class, Limits, TooOften};
use super::source::Source;
use super::turned_away::turned_away;

/// Where the token stands in the form or in the path.
const BY_CODE: [&str; 6] = [
    "/",
    "/answer",
    "/confirm",
    "/manage",
    "/unsubscribe",
    "/v1/unsubscribe/{token}",
];

/// Answers 429 where a source calls too often.
///
/// # Errors
/// Those of the handler, or that it is too often.
pub async fn limit(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let limits = request.app_data::<Data<Limits>>().cloned();
    let Some(limits) = limits.filter(|limits| limits.are_on()) else {
        return next.call(request).await;
    };
    let source = Source::of(request.request(), limits.trusted());
    let by_code = is_by_code(request.request());
    if !by_code && let Err(refused) = admit(&limits, request.request(), source).await {
        return Err(turned_away(request.request(), refused));
    }
    let response = next.call(request).await?;
    if by_code
        && response.status() == StatusCode::NOT_FOUND
        && let Err(refused) = limits.source(Class::Guess, source)
    {
        return Err(turned_away(response.request(), refused));
    }
    Ok(response)
}

fn is_by_code(request: &HttpRequest) -> bool {
    let route = request.match_pattern();
    request.method() == Method::POST && route.is_some_and(|r| BY_CODE.contains(&r.as_str()))
}

/// Whether the call makes a post, for which nobody needs a token.
fn is_for_anyone(request: &HttpRequest) -> bool {
    let path = request.match_info().as_str();
    let is_form = path.starts_with("/need") || path.starts_with("/offer");
    request.method() == Method::POST && (is_form || matches!(path, "/v1/requests" | "/v1/offers"))
}

/// Counts the call, unless its token opens something. A token that opens nothing is a guess, and opens
/// no way around the limits of a call without one.
async fn admit(limits: &Limits, request: &HttpRequest, source: Source) -> Result<(), TooOften> {
    match auth::opens(request).await {
        // Anybody gets a token by posting once: it is no reason to post without limit.
        Ok(Some(Opens::Own)) if is_for_anyone(request) => {}
        // Where the database is away, the handler says so.
        Ok(Some(Opens::Own | Opens::Everything)) | Err(_) => return Ok(()),
        Ok(Some(Opens::Nothing)) => limits.source(Class::Guess, source)?,
        Ok(None) => {}
    }
    let class = match *request.method() {
        Method::GET | Method::OPTIONS => Class::Read,
        _ => Class::Post,
    };
    limits.source(class, source)
}
