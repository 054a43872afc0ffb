//! `/v1/matches/{id}/…`: what people answer by phone, given by a coordinator for them. Each is the answer
//! that they would give themselves, with the same refusals; the audit tells who gave it, and for whom.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::matches::shown;
use crate::actions::Ctx;
use crate::actions::accept_match::accept_match;
use crate::actions::agree_match::{agree_match, refuse_match};
use crate::actions::decline_match::decline_match;
use crate::actions::finish_match;
use crate::actions::release_match::release_match;
use crate::actions::speaker::Speaker;
use crate::domain::ids::MatchId;
use crate::domain::report::Side;
use crate::http::answers::{AcceptBody, DeclineBody, no, yes};
use crate::http::auth::AsCoordinator;
use crate::http::body::Body;
use crate::http::desk::Desk;
use crate::http::fields::read_optional;
use crate::http::openapi::Problems;
use crate::http::problem::Problem;
use crate::http::views::coordinator::matched::MatchSheet;
use crate::storage::audit::Actor;

/// A volunteer says so on the phone.
pub(super) fn volunteer(who: AsCoordinator) -> Actor {
    who.actor().on_behalf_of(Side::Volunteer)
}

/// A volunteer says yes by phone; said again with another `arrival_at`, they arrive at another time.
#[utoipa::path(post, path = "/v1/matches/{id}/accept", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = AcceptBody,
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = [])))]
pub async fn accept(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    id: web::Path<MatchId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let yes = yes(&request, &body)?;
    accept_match(&ctx, *id, yes, volunteer(who)).await?;
    shown(&ctx, *id).await
}

/// A volunteer says no by phone; another is asked at once.
#[utoipa::path(post, path = "/v1/matches/{id}/decline", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = DeclineBody,
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = [])))]
pub async fn decline(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    id: web::Path<MatchId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let reason = no(&request, &body)?;
    decline_match(&ctx, *id, reason, volunteer(who)).await?;
    shown(&ctx, *id).await
}

/// A volunteer gives back by phone what was accepted; others are asked at once.
#[utoipa::path(post, path = "/v1/matches/{id}/release", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = [])))]
pub async fn release(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<MatchId>,
) -> Result<HttpResponse, Problem> {
    release_match(&ctx, *id, volunteer(who)).await?;
    shown(&ctx, *id).await
}

/// A neighbor agrees to a volunteer by phone: contacts are released; the address too, where the help is
/// brought there. With the scope `intake`, for whom the caller has entered, or is to
/// call by an open task.
#[utoipa::path(post, path = "/v1/matches/{id}/agree", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = ["intake"])))]
pub async fn agree(
    ctx: web::Data<Ctx>,
    desk: Desk,
    id: web::Path<MatchId>,
) -> Result<HttpResponse, Problem> {
    agree_match(&ctx, *id, desk.says(desk.for_neighbor())).await?;
    shown(&ctx, *id).await
}

/// A neighbor refuses a volunteer by phone: nothing is released. With the scope `intake`, for whom the
/// caller has entered, or is to call by an open task.
#[utoipa::path(post, path = "/v1/matches/{id}/refuse", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = ["intake"])))]
pub async fn refuse(
    ctx: web::Data<Ctx>,
    desk: Desk,
    id: web::Path<MatchId>,
) -> Result<HttpResponse, Problem> {
    refuse_match(&ctx, *id, desk.says(desk.for_neighbor())).await?;
    shown(&ctx, *id).await
}

/// Who says so.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"for": "neighbor"}))]
pub struct SaidByBody {
    /// Which of the two said so on the phone; with the scope `intake` only the neighbor.
    #[schema(required = true, nullable = false)]
    r#for: Option<Side>,
}

/// The coordinator, speaking for whom the body names.
fn speaker(request: &HttpRequest, body: &[u8], desk: Desk) -> Result<Speaker, Problem> {
    let (body, mut errors) = read_optional::<SaidByBody>(request, body)?;
    let side = errors.require("/for", body.r#for);
    Ok(desk.says(desk.speaking_for(errors.finish(side)?)?))
}

/// One of the two says by phone that the help was given. The neighbor's word ends it; after the volunteer's the neighbor
/// has 48 hours to say otherwise.
#[utoipa::path(post, path = "/v1/matches/{id}/done", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = SaidByBody,
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = ["intake"])))]
pub async fn done(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    desk: Desk,
    id: web::Path<MatchId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let said = speaker(&request, &body, desk)?;
    finish_match::done(&ctx, *id, said).await?;
    shown(&ctx, *id).await
}

/// One of the two says by phone that the other did not come: others are asked at once.
#[utoipa::path(post, path = "/v1/matches/{id}/no-show", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = SaidByBody,
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = ["intake"])))]
pub async fn no_show(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    desk: Desk,
    id: web::Path<MatchId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let said = speaker(&request, &body, desk)?;
    finish_match::no_show(&ctx, *id, said).await?;
    shown(&ctx, *id).await
}
