//! `POST …/{id}/reopen`: whoever closed a request or an offer takes it back.

use actix_web::{HttpRequest, HttpResponse, web};

use super::auth::VolunteerOrCoordinator;
use super::body::Body;
use super::desk::{NeighborOrDesk, OnBehalfBody};
use super::fields::read_optional;
use super::offers::OfferOfCaller;
use super::openapi::Problems;
use super::problem::Problem;
use super::requests::RequestOfCaller;
use super::{offers, requests};
use crate::actions::Ctx;
use crate::actions::reopen_offer::reopen_offer;
use crate::actions::reopen_request::reopen_request;
use crate::domain::ids::{OfferId, RequestId};

/// Undoes a close, until the sealed part is destroyed and while the time of the request is not over: it is
/// looked for at once. What was given counts as before. Matches that were called off do not come back. What a
/// coordinator closed as a duplicate, or handed over, only a coordinator opens again.
#[utoipa::path(post, path = "/v1/requests/{id}/reopen", tags = ["neighbor", "coordinator"], params(("id" = String, Path, format = Uuid)),
    request_body(content = OnBehalfBody, example = json!({"for": "neighbor"})),
    responses((status = 200, description = "The request as it is now", body = RequestOfCaller), Problems),
    security(("neighbor" = []), ("coordinator" = ["intake"])))]
pub async fn request(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: NeighborOrDesk,
    id: web::Path<RequestId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    requests::own(&ctx, *id, who.remit()).await?;
    let (body, mut errors) = read_optional::<OnBehalfBody>(&request, &body)?;
    let actor = who.saying(&body, &mut errors);
    let actor = errors.finish(Some(actor))?;
    reopen_request(&ctx, *id, who.remit(), actor).await?;
    requests::shown(&ctx, *id, who).await
}

/// Undoes a close, until the sealed part is destroyed and while the time of the offer is not over: it may be
/// asked at once. Matches that fell through do not come back; a site must be checked again before it is listed.
#[utoipa::path(post, path = "/v1/offers/{id}/reopen", tags = ["volunteer", "coordinator"], params(("id" = String, Path, format = Uuid)),
    request_body(content = OnBehalfBody, example = json!({"for": "volunteer"})),
    responses((status = 200, description = "The offer as it is now", body = OfferOfCaller), Problems),
    security(("volunteer" = []), ("coordinator" = [])))]
pub async fn offer(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: VolunteerOrCoordinator,
    id: web::Path<OfferId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    offers::own(&ctx, *id, who.volunteer()).await?;
    let (body, mut errors) = read_optional::<OnBehalfBody>(&request, &body)?;
    let actor = who.saying(&body, &mut errors);
    let actor = errors.finish(Some(actor))?;
    reopen_offer(&ctx, *id, who.volunteer(), actor).await?;
    offers::shown_to(&ctx, *id, who).await
}
