//! `/v1/matches`: every match, the review of proposals, matches by hand, and what undoes either.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::found;
use crate::actions::propose_match::propose_match;
use crate::actions::reassign_match::reassign_match;
use crate::actions::unpart_match::unpart_match;
use crate::actions::{Ctx, review_match, undo_done, undo_no_show};
use crate::domain::ids::{MatchId, OfferId, RequestId};
use crate::http::auth::AsCoordinator;
use crate::http::body::Body;
use crate::http::fields::{FieldErrors, read_body, read_optional};
use crate::http::filters::Filters;
use crate::http::idempotency;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::part::Within;
use crate::http::problem::Problem;
use crate::http::views::coordinator::matched::{self, MatchSheet};
use crate::storage::matches::MatchFilter;
use crate::storage::{Conn, StorageError, matches};

fn find(ctx: &Ctx, conn: &mut Conn, id: MatchId) -> Result<Option<MatchSheet>, StorageError> {
    let row = matches::find(conn, id)?;
    Ok(matched::sheets(ctx, conn, row.as_slice())?.pop())
}

/// One match, with those it brings together.
///
/// # Errors
/// A match that is not there.
pub async fn shown(ctx: &web::Data<Ctx>, id: MatchId) -> Result<HttpResponse, Problem> {
    let inner = ctx.clone();
    found(ctx, move |conn| find(&inner, conn, id)).await
}

/// A page of them.
type MatchList = Listing<MatchSheet>;

/// All matches, newest first.
#[utoipa::path(get, path = "/v1/matches", tag = "coordinator",
    params(
        ("state" = Option<crate::domain::lifecycle::MatchState>, Query, description = "Only those that stand there", example = "proposed"),
        ("category" = Option<String>, Query, description = "Only of this category", example = "childcare"),
        ("request" = Option<String>, Query, format = Uuid, description = "Only of this request"),
        ("offer" = Option<String>, Query, format = Uuid, description = "Only of this offer"),
        ("overdue" = Option<bool>, Query, description = "`true`: only those whose answer or agreement is late"),
        ("area" = Option<String>, Query, description = "Only those whose request stands within this area, an H3 cell of any resolution", example = "862649b2fffffff"),
        Pages),
    responses((status = 200, description = "A page of matches", body = MatchList), Problems), security(("coordinator" = [])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    within: Within,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let known = ["state", "category", "request", "offer", "overdue", "area"];
    let mut filters = Filters::read("matches", &known, &request)?;
    let filter = MatchFilter {
        state: filters.parsed("state"),
        category: filters.category(&ctx),
        request: filters.id("request"),
        offer: filters.id("offer"),
        overdue: filters.only("overdue").then(|| ctx.now()),
        part: within.narrow(filters.area()),
    };
    let asked = filters.finish(&ctx)?;
    let inner = ctx.clone();
    asked
        .answer(
            &ctx,
            move |conn, page| Ok(matches::page(conn, &filter, page)?),
            |m| position(m.created_at, m.id),
            move |conn, rows| matched::sheets(&inner, conn, &rows),
        )
        .await
}

/// One match, with those it brings together.
#[utoipa::path(get, path = "/v1/matches/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The match", body = MatchSheet), Problems), security(("coordinator" = [])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    id: web::Path<MatchId>,
) -> Result<HttpResponse, Problem> {
    shown(&ctx, *id).await
}

/// Who is to be brought together.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"request": "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a", "offer": "0c6e5d0a-9d5f-4b8e-8b7f-2a109b2f3f1f"}))]
pub struct MatchBody {
    /// An open request.
    #[schema(required = true, nullable = false, value_type = Option<String>, format = Uuid)]
    request: Option<RequestId>,
    /// An open offer.
    #[schema(required = true, nullable = false, value_type = Option<String>, format = Uuid)]
    offer: Option<OfferId>,
}

impl MatchBody {
    fn parse(self, errors: &mut FieldErrors) -> Option<(RequestId, OfferId)> {
        let request = errors.require("/request", self.request);
        let offer = errors.require("/offer", self.offer);
        request.zip(offer)
    }
}

/// Asks a volunteer for a request, outside any wave and without a review. The two must fit as in any
/// match.
#[utoipa::path(post, path = "/v1/matches", tag = "coordinator", request_body = MatchBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeated call with the same key makes nothing twice")),
    responses((status = 201, description = "The volunteer is asked", body = MatchSheet), Problems), security(("coordinator" = [])))]
pub async fn post(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    within: Within,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let call = idempotency::call(&ctx, &request, who.0.as_bytes(), &body)?;
    let (parsed, mut errors) = read_body::<MatchBody>(&request, &body)?;
    let pair = parsed.parse(&mut errors);
    let (request, offer) = errors.finish(pair)?;
    within.refuse_request(&ctx, request).await?;
    let id = propose_match(&ctx, request, offer, call, who.actor()).await?;
    let inner = ctx.clone();
    let view = ctx.db.read(move |conn| find(&inner, conn, id)).await?;
    Ok(HttpResponse::Created().json(view.ok_or_else(Problem::not_found)?))
}

/// Approves a proposal: the volunteer is asked now.
#[utoipa::path(post, path = "/v1/matches/{id}/approve", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = [])))]
pub async fn approve(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<MatchId>,
) -> Result<HttpResponse, Problem> {
    review_match::approve_match(&ctx, *id, who.actor()).await?;
    shown(&ctx, *id).await
}

/// Vetoes a proposal or an ask: these two are never brought together again, and another is looked for
/// at once.
#[utoipa::path(post, path = "/v1/matches/{id}/veto", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = [])))]
pub async fn veto(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<MatchId>,
) -> Result<HttpResponse, Problem> {
    review_match::veto_match(&ctx, *id, who.actor()).await?;
    shown(&ctx, *id).await
}

/// Takes a veto back: the match stays ended, and these two may be brought together by another. The next round
/// comes at once.
#[utoipa::path(post, path = "/v1/matches/{id}/unveto", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = [])))]
pub async fn unveto(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<MatchId>,
) -> Result<HttpResponse, Problem> {
    review_match::unveto_match(&ctx, *id, who.actor()).await?;
    shown(&ctx, *id).await
}

/// Lets two people be brought together again who were parted, by a report or by a "not for this person".
#[utoipa::path(post, path = "/v1/matches/{id}/unpart", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = [])))]
pub async fn unpart(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<MatchId>,
) -> Result<HttpResponse, Problem> {
    unpart_match(&ctx, *id, who.actor()).await?;
    shown(&ctx, *id).await
}

/// Takes back that the help was given: the match is promised as before, and a request that was closed by it is open or
/// covered again. The two can reach each other once more, and are told so unless the time of the need is over. 409 once
/// something of it is destroyed, a side is gone or blocked, or the place is somebody else's now.
#[utoipa::path(post, path = "/v1/matches/{id}/undo-done", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = [])))]
pub async fn undo_done(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<MatchId>,
) -> Result<HttpResponse, Problem> {
    undo_done::undo_done(&ctx, *id, who.actor()).await?;
    shown(&ctx, *id).await
}

/// Takes back that somebody did not come: it counts against nobody any more. The match stays ended, since others may
/// have been asked meanwhile.
#[utoipa::path(post, path = "/v1/matches/{id}/undo-no-show", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = [])))]
pub async fn undo_no_show(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<MatchId>,
) -> Result<HttpResponse, Problem> {
    undo_no_show::undo_no_show(&ctx, *id, who.actor()).await?;
    shown(&ctx, *id).await
}

/// Who is to help instead.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"offer": "0c6e5d0a-9d5f-4b8e-8b7f-2a109b2f3f1f"}))]
pub struct ReassignBody {
    /// An open offer.
    #[schema(required = true, nullable = false, value_type = Option<String>, format = Uuid)]
    offer: Option<OfferId>,
}

/// Ends a match and asks the volunteer of another offer instead, without a review. Whoever was asked is
/// thanked, a promise is called off and both sides are told. What stands in the way of the new match leaves the
/// old one as it was. Called again, it shows what it made.
#[utoipa::path(post, path = "/v1/matches/{id}/reassign", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = ReassignBody,
    responses((status = 200, description = "The new match", body = MatchSheet), Problems), security(("coordinator" = [])))]
pub async fn reassign(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    id: web::Path<MatchId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, mut errors) = read_optional::<ReassignBody>(&request, &body)?;
    let offer = errors.require("/offer", body.offer);
    let offer = errors.finish(offer)?;
    let made = reassign_match(&ctx, *id, offer, who.actor()).await?;
    shown(&ctx, made).await
}
