//! `/v1/neighbors`: every neighbor; what she has a coordinator do by phone (correct, hide, erase), and blocking.
//! `/v1/neighbors/self` is her own and is in `http::neighbors`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::found;
use crate::actions::block_neighbor::{block_neighbor, unblock_neighbor};
use crate::actions::erase_neighbor::erase_neighbor;
use crate::actions::update_neighbor::update_neighbor;
use crate::actions::{Ctx, hide_neighbor};
use crate::domain::ids::NeighborId;
use crate::domain::remit::Remit;
use crate::domain::report::Problem as Reported;
use crate::http::auth::AsCoordinator;
use crate::http::body::Body;
use crate::http::desk::Desk;
use crate::http::fields::read_optional;
use crate::http::filters::Filters;
use crate::http::neighbors::{PatchNeighborBody, patched};
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::part::Within;
use crate::http::problem::Problem;
use crate::http::views::coordinator::neighbor::{NeighborFile, file};
use crate::http::views::coordinator::request::NeighborSummary;
use crate::storage::neighbors;

async fn shown(
    ctx: &web::Data<Ctx>,
    part: Within,
    remit: Remit,
    id: NeighborId,
) -> Result<HttpResponse, Problem> {
    let inner = ctx.clone();
    found(ctx, move |conn| file(&inner, conn, &part.0, remit, id)).await
}

/// A page of them.
type NeighborList = Listing<NeighborSummary>;

/// All neighbors, newest first, without what is sealed. With the scope `intake`, whom the caller has entered.
#[utoipa::path(get, path = "/v1/neighbors", tag = "coordinator",
    params(
        ("blocked" = Option<bool>, Query, description = "`true`: only whom nobody is asked for; `false`: only the others"),
        Pages),
    responses((status = 200, description = "A page of neighbors", body = NeighborList), Problems), security(("coordinator" = ["intake"])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    desk: Desk,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut filters = Filters::read("neighbors", &["blocked"], &request)?;
    let blocked = filters.flag("blocked");
    let asked = filters.finish(&ctx)?;
    asked
        .answer(
            &ctx,
            move |conn, page| Ok(neighbors::page(conn, desk.remit, blocked, page)?),
            |n| position(n.created_at, n.id),
            |_, rows| Ok(rows.iter().map(NeighborSummary::from).collect()),
        )
        .await
}

/// One neighbor, with what she needs; without what is sealed. With the scope `intake`, whom the caller has entered.
#[utoipa::path(get, path = "/v1/neighbors/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The neighbor", body = NeighborFile), Problems), security(("coordinator" = ["intake"])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    desk: Desk,
    within: Within,
    id: web::Path<NeighborId>,
) -> Result<HttpResponse, Problem> {
    shown(&ctx, within, desk.remit, *id).await
}

/// Changes what a neighbor said of herself, as she told it by phone: a JSON merge patch (RFC 7396), as her
/// own. The answer shows nothing that is sealed. With the scope `intake`, of whom the caller has entered.
#[utoipa::path(patch, path = "/v1/neighbors/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    request_body(content = PatchNeighborBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The neighbor as she is now", body = NeighborFile), Problems), security(("coordinator" = ["intake"])))]
pub async fn patch(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    desk: Desk,
    within: Within,
    id: web::Path<NeighborId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    desk.sees(&ctx, *id).await?;
    let (version, new) = patched(&ctx, &request, *id, &body).await?;
    let actor = desk.for_neighbor();
    update_neighbor(&ctx, *id, desk.remit, None, version, new, actor).await?;
    shown(&ctx, within, desk.remit, *id).await
}

/// Erases a neighbor who says so by phone, as her own page does: open requests are closed, helpers are told, her data
/// is destroyed. It cannot be undone. With the scope `intake`, whom the caller has entered.
#[utoipa::path(delete, path = "/v1/neighbors/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Erased"), Problems), security(("coordinator" = ["intake"])))]
pub async fn delete(
    ctx: web::Data<Ctx>,
    desk: Desk,
    id: web::Path<NeighborId>,
) -> Result<HttpResponse, Problem> {
    erase_neighbor(&ctx, *id, desk.remit, desk.for_neighbor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Hides all open requests of a neighbor who says so by phone, at once; what was only asked is withdrawn. With the
/// scope `intake`, of whom the caller has entered.
#[utoipa::path(post, path = "/v1/neighbors/{id}/hide", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The neighbor as she is now", body = NeighborFile), Problems), security(("coordinator" = ["intake"])))]
pub async fn hide(
    ctx: web::Data<Ctx>,
    desk: Desk,
    within: Within,
    id: web::Path<NeighborId>,
) -> Result<HttpResponse, Problem> {
    hide_neighbor::hide(&ctx, *id, desk.remit, desk.for_neighbor()).await?;
    shown(&ctx, within, desk.remit, *id).await
}

/// Shows again what a neighbor had hidden, or had somebody hide. With the scope `intake`, of whom the caller has
/// entered.
#[utoipa::path(post, path = "/v1/neighbors/{id}/show", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The neighbor as she is now", body = NeighborFile), Problems), security(("coordinator" = ["intake"])))]
pub async fn show(
    ctx: web::Data<Ctx>,
    desk: Desk,
    within: Within,
    id: web::Path<NeighborId>,
) -> Result<HttpResponse, Problem> {
    hide_neighbor::show(&ctx, *id, desk.remit, desk.for_neighbor()).await?;
    shown(&ctx, within, desk.remit, *id).await
}

/// Why a neighbor is blocked.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "asked_for_money"}))]
pub struct BlockBody {
    /// Why, for the audit.
    reason: Option<Reported>,
}

/// Blocks a neighbor: asks are withdrawn, promises are called off and both sides are told, and nobody is asked
/// for what she needs, nor for what anybody with the same contact posts later. To her, nothing shows.
#[utoipa::path(post, path = "/v1/neighbors/{id}/block", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = BlockBody,
    responses((status = 200, description = "The neighbor as she is now", body = NeighborFile), Problems), security(("coordinator" = [])))]
pub async fn block(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    within: Within,
    id: web::Path<NeighborId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, errors) = read_optional::<BlockBody>(&request, &body)?;
    let body = errors.finish(Some(body))?;
    block_neighbor(&ctx, *id, body.reason, who.actor()).await?;
    shown(&ctx, within, Remit::All, *id).await
}

/// Lets a blocked neighbor in again: what she needs is looked for at once.
#[utoipa::path(post, path = "/v1/neighbors/{id}/unblock", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The neighbor as she is now", body = NeighborFile), Problems), security(("coordinator" = [])))]
pub async fn unblock(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    within: Within,
    id: web::Path<NeighborId>,
) -> Result<HttpResponse, Problem> {
    unblock_neighbor(&ctx, *id, who.actor()).await?;
    shown(&ctx, within, Remit::All, *id).await
}
