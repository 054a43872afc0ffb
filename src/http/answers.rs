//! `/v1/matches/self`: a volunteer with the answer token of one match.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::auth::AsAnswerer;
use super::body::Body;
use super::fields::FieldErrors;
use super::fields::read_optional;
use super::neighbors::{ReportBody, reported};
use super::openapi::Problems;
use super::problem::Problem;
use super::views::answer::{self, AnswerView};
use crate::actions::accept_match::{Yes, accept_match};
use crate::actions::decline_match::decline_match;
use crate::actions::release_match::release_match;
use crate::actions::report_match::report_match;
use crate::actions::{Ctx, finish_match};
use crate::domain::clock::Ts;
use crate::domain::ids::MatchId;
use crate::domain::lifecycle::DeclineReason;
use crate::domain::need::Quantity;
use crate::domain::report::Side;
use crate::storage::{StorageError, matches};

async fn shown(ctx: &web::Data<Ctx>, id: MatchId) -> Result<HttpResponse, Problem> {
    let inner = ctx.clone();
    let view = ctx
        .db
        .read(move |conn| match matches::find(conn, id)? {
            Some(m) => answer::load(&inner, conn, &m),
            None => Ok::<_, StorageError>(None),
        })
        .await?;
    Ok(HttpResponse::Ok().json(view.ok_or_else(Problem::not_found)?))
}

/// What is asked, and how it stands.
#[utoipa::path(get, path = "/v1/matches/self", tag = "answer",
    responses((status = 200, description = "The match", body = AnswerView), Problems), security(("answer" = [])))]
pub async fn get(ctx: web::Data<Ctx>, who: AsAnswerer) -> Result<HttpResponse, Problem> {
    shown(&ctx, who.0).await
}

/// A yes.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"quantity": 2, "arrival_at": "2026-12-07T19:00:00Z"}))]
pub struct AcceptBody {
    /// Less than was asked for, where the need can be shared.
    #[schema(minimum = 1, maximum = 100_000)]
    quantity: Option<i64>,
    /// When the volunteer arrives, or expects the neighbor: within the time of the need, and not in the past.
    #[schema(value_type = Option<String>, format = DateTime)]
    arrival_at: Option<Ts>,
}

impl AcceptBody {
    fn parse(self, errors: &mut FieldErrors) -> Yes {
        Yes {
            quantity: errors.optional("/quantity", self.quantity, Quantity::try_from),
            arrival_at: self.arrival_at,
        }
    }
}

/// The yes in the body, which may be empty.
///
/// # Errors
/// Everything that is wrong with it.
pub fn yes(request: &HttpRequest, body: &[u8]) -> Result<Yes, Problem> {
    let (body, mut errors) = read_optional::<AcceptBody>(request, body)?;
    let yes = body.parse(&mut errors);
    errors.finish(Some(yes))
}

/// Says yes. The first to say so has it; the others are told kindly (409). Said again with another `arrival_at`, the
/// time of arrival is changed, and the neighbor told.
#[utoipa::path(post, path = "/v1/matches/self/accept", tag = "answer", request_body = AcceptBody,
    responses((status = 200, description = "The match as it is now", body = AnswerView), Problems), security(("answer" = [])))]
pub async fn accept(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsAnswerer,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let yes = yes(&request, &body)?;
    accept_match(&ctx, who.0, yes, who.actor()).await?;
    shown(&ctx, who.0).await
}

/// A no.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "not_now"}))]
pub struct DeclineBody {
    /// Why, if the volunteer wants to say; after `not_this_person` the two are never brought together.
    reason: Option<DeclineReason>,
}

/// The reason in the body, which may be empty.
///
/// # Errors
/// An unknown reason.
pub fn no(request: &HttpRequest, body: &[u8]) -> Result<Option<DeclineReason>, Problem> {
    let (body, errors) = read_optional::<DeclineBody>(request, body)?;
    errors.finish(Some(body.reason))
}

/// Says no; another is asked at once.
#[utoipa::path(post, path = "/v1/matches/self/decline", tag = "answer", request_body = DeclineBody,
    responses((status = 200, description = "The match as it is now", body = AnswerView), Problems), security(("answer" = [])))]
pub async fn decline(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsAnswerer,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let reason = no(&request, &body)?;
    decline_match(&ctx, who.0, reason, who.actor()).await?;
    shown(&ctx, who.0).await
}

/// Gives back what was accepted; others are asked at once.
#[utoipa::path(post, path = "/v1/matches/self/release", tag = "answer",
    responses((status = 200, description = "The match as it is now", body = AnswerView), Problems), security(("answer" = [])))]
pub async fn release(ctx: web::Data<Ctx>, who: AsAnswerer) -> Result<HttpResponse, Problem> {
    release_match(&ctx, who.0, who.actor()).await?;
    shown(&ctx, who.0).await
}

/// The help was given. The match stays `accepted`, with `done_at`, until the neighbor says the same, or nothing for 48
/// hours; the contact is gone from here at once.
#[utoipa::path(post, path = "/v1/matches/self/done", tag = "answer",
    responses((status = 200, description = "The match as it is now", body = AnswerView), Problems), security(("answer" = [])))]
pub async fn done(ctx: web::Data<Ctx>, who: AsAnswerer) -> Result<HttpResponse, Problem> {
    finish_match::done(&ctx, who.0, who.actor()).await?;
    shown(&ctx, who.0).await
}

/// The neighbor was not there.
#[utoipa::path(post, path = "/v1/matches/self/no-show", tag = "answer",
    responses((status = 200, description = "The match as it is now", body = AnswerView), Problems), security(("answer" = [])))]
pub async fn no_show(ctx: web::Data<Ctx>, who: AsAnswerer) -> Result<HttpResponse, Problem> {
    finish_match::no_show(&ctx, who.0, who.actor()).await?;
    shown(&ctx, who.0).await
}

/// Reports the neighbor: the pair is parted for good, and coordinators are told at once.
#[utoipa::path(post, path = "/v1/matches/self/report", tag = "answer", request_body = ReportBody,
    responses((status = 200, description = "The match as it is now", body = AnswerView), Problems), security(("answer" = [])))]
pub async fn report(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsAnswerer,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let new = reported(&request, &body, Side::Neighbor)?;
    report_match(&ctx, who.0, new, who.actor()).await?;
    shown(&ctx, who.0).await
}
