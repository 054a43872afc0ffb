//! `/v1/requests`: every request, and hiding one. Reading, changing and closing one is in
//! `http::requests`, for neighbors and coordinators alike.

use actix_web::{HttpRequest, HttpResponse, web};

use super::found;
use crate::actions::why_request::why_request;
use crate::actions::{Ctx, hold_request};
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::RequestState;
use crate::domain::need::Urgency;
use crate::domain::remit::Remit;
use crate::http::auth::AsCoordinator;
use crate::http::desk::Desk;
use crate::http::filters::Filters;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::problem::Problem;
use crate::http::views::coordinator::request::{RequestFile, RequestSheet, file, sheets};
use crate::http::views::coordinator::why::WhyView;
use crate::storage::requests;
use crate::storage::requests::RequestFilter;

/// One request with all its matches.
///
/// # Errors
/// A request that is not there, or outside the remit.
pub async fn shown(
    ctx: &web::Data<Ctx>,
    id: RequestId,
    remit: Remit,
) -> Result<HttpResponse, Problem> {
    let inner = ctx.clone();
    found(ctx, move |conn| file(&inner, conn, remit, id)).await
}

/// A page of them.
type RequestList = Listing<RequestSheet>;

/// All requests, newest first. With the scope `intake`, those that the caller has entered.
#[utoipa::path(get, path = "/v1/requests", tag = "coordinator",
    params(
        ("state" = Option<RequestState>, Query, description = "Only those that stand there", example = "open"),
        ("category" = Option<String>, Query, description = "Only of this category", example = "food"),
        ("urgency" = Option<Urgency>, Query, description = "Only those needed so soon", example = "now"),
        ("attention" = Option<bool>, Query, description = "`true`: only those that a person must look at; `false`: only the others"),
        ("neighbor" = Option<String>, Query, format = Uuid, description = "Only of this neighbor"),
        ("area" = Option<String>, Query, description = "Only within this H3 cell, of any resolution", example = "862649b2fffffff"),
        Pages),
    responses((status = 200, description = "A page of requests", body = RequestList), Problems), security(("coordinator" = ["intake"])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    desk: Desk,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let known = [
        "state",
        "category",
        "urgency",
        "attention",
        "neighbor",
        "area",
    ];
    let mut filters = Filters::read("requests", &known, &request)?;
    let filter = RequestFilter {
        state: filters.parsed("state"),
        category: filters.category(&ctx),
        urgency: filters.parsed("urgency"),
        attention: filters.flag("attention"),
        neighbor: filters.id("neighbor"),
        area: filters.parsed("area"),
    };
    let asked = filters.finish(&ctx)?;
    let inner = ctx.clone();
    asked
        .answer(
            &ctx,
            move |conn, page| Ok(requests::page(conn, desk.remit, &filter, page)?),
            |r| position(r.created_at, r.id),
            move |conn, rows| sheets(&inner, conn, rows),
        )
        .await
}

/// Hides a request: its asks are withdrawn, and nobody new is told of it. What was promised stays.
#[utoipa::path(post, path = "/v1/requests/{id}/hold", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The request as it is now", body = RequestFile), Problems), security(("coordinator" = [])))]
pub async fn hold(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<RequestId>,
) -> Result<HttpResponse, Problem> {
    hold_request::hold_request(&ctx, *id, who.actor()).await?;
    shown(&ctx, *id, Remit::All).await
}

/// Shows a request again that a coordinator had hidden. What the neighbor has hidden herself stays so.
#[utoipa::path(post, path = "/v1/requests/{id}/unhold", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The request as it is now", body = RequestFile), Problems), security(("coordinator" = [])))]
pub async fn unhold(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<RequestId>,
) -> Result<HttpResponse, Problem> {
    hold_request::unhold_request(&ctx, *id, who.actor()).await?;
    shown(&ctx, *id, Remit::All).await
}

/// Why a request stands as it does: what the next round of matching would make of each offer near it, what
/// the last one saw, and what became of those who were asked. Of a request that is not open, only the latter.
#[utoipa::path(get, path = "/v1/requests/{id}/why", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "Why it stands so", body = WhyView), Problems), security(("coordinator" = [])))]
pub async fn why(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    id: web::Path<RequestId>,
) -> Result<HttpResponse, Problem> {
    let (inner, id, now) = (ctx.clone(), *id, ctx.now());
    found(&ctx, move |conn| {
        let why = why_request(&inner, conn, id, now)?;
        Ok(why.map(|why| WhyView::of(&inner, why)))
    })
    .await
}
