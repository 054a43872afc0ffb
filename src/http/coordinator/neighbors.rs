//! `/v1/neighbors/{id}`: one neighbor, her corrections by phone, and blocking. `/v1/neighbors/self` is her own
//! and is in `http::neighbors`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::found;
use crate::actions::Ctx;
use crate::actions::block_neighbor::{block_neighbor, unblock_neighbor};
use crate::actions::update_neighbor::update_neighbor;
use crate::domain::ids::NeighborId;
use crate::domain::report::Problem as Reported;
use crate::http::auth::AsCoordinator;
use crate::http::body::Body;
use crate::http::fields::read_optional;
use crate::http::neighbors::{PatchNeighborBody, patched};
use crate::http::openapi::Problems;
use crate::http::part::Within;
use crate::http::problem::Problem;
use crate::http::views::coordinator::neighbor::{NeighborFile, file};

async fn shown(
    ctx: &web::Data<Ctx>,
    part: Within,
    id: NeighborId,
) -> Result<HttpResponse, Problem> {
    let inner = ctx.clone();
    found(ctx, move |conn| file(&inner, conn, &part.0, id)).await
}

/// One neighbor, with what she needs; without what is sealed.
#[utoipa::path(get, path = "/v1/neighbors/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The neighbor", body = NeighborFile), Problems), security(("coordinator" = [])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    within: Within,
    id: web::Path<NeighborId>,
) -> Result<HttpResponse, Problem> {
    shown(&ctx, within, *id).await
}

/// Changes what a neighbor said of herself, as she told it by phone: a JSON merge patch (RFC 7396), as her
/// own. The answer shows nothing that is sealed.
#[utoipa::path(patch, path = "/v1/neighbors/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    request_body(content = PatchNeighborBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The neighbor as she is now", body = NeighborFile), Problems), security(("coordinator" = [])))]
pub async fn patch(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    within: Within,
    id: web::Path<NeighborId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (version, new) = patched(&ctx, &request, *id, &body).await?;
    update_neighbor(&ctx, *id, None, version, new, who.actor()).await?;
    shown(&ctx, within, *id).await
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
    shown(&ctx, within, *id).await
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
    shown(&ctx, within, *id).await
}
