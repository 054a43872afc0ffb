//! Limits how often a source may call without a token that opens something.
//!
//! Who uses a valid token is not limited by the address: whole carriers and shelters share one. A
//! token in a form or a path is judged by the answer, since only the handler knows what it opens.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, ResponseError};

use super::auth::{self, Opens};
use super::limits::{Class, Limits, TooOften};
use super::pages::oops::Oops;
use super::problem::Problem;
use super::source::Source;

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
/// Those of the handler.
pub async fn limit(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, actix_web::Error> {
    let limits = request.app_data::<Data<Limits>>().cloned();
    let Some(limits) = limits.filter(|limits| limits.are_on()) else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let source = Source::of(request.request(), limits.trusted());
    let is_page = !request.path().starts_with("/v1/") && request.path() != "/openapi.json";
    let by_code = is_by_code(request.request());
    if !by_code && let Err(refused) = admit(&limits, request.request(), source).await {
        let answer = refusal(refused, is_page);
        return Ok(request.into_response(answer).map_into_right_body());
    }
    let response = next.call(request).await?;
    if by_code
        && response.status() == StatusCode::NOT_FOUND
        && let Err(refused) = limits.source(Class::Guess, source)
    {
        let (request, _) = response.into_parts();
        let answer = ServiceResponse::new(request, refusal(refused, is_page));
        return Ok(answer.map_into_right_body());
    }
    Ok(response.map_into_left_body())
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

fn refusal(refused: TooOften, is_page: bool) -> HttpResponse {
    if is_page {
        Oops::from(refused).error_response()
    } else {
        Problem::from(refused).error_response()
    }
}
