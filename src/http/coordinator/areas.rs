//! `/v1/areas`: where coordinators have stopped everything for now.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::found;
use crate::actions::Ctx;
use crate::actions::freeze_area::{NewArea, freeze_area, lift_area};
use crate::domain::area::{AreaReason, Radius};
use crate::domain::ids::AreaId;
use crate::http::auth::AsCoordinator;
use crate::http::bodies::location::LocationBody;
use crate::http::body::Body;
use crate::http::fields::{FieldErrors, read_body};
use crate::http::filters::Filters;
use crate::http::idempotency;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::problem::Problem;
use crate::http::views::coordinator::area::AreaSheet;
use crate::storage::{StorageError, areas};

async fn shown(ctx: &web::Data<Ctx>, id: AreaId) -> Result<HttpResponse, Problem> {
    found(ctx, move |conn| {
        Ok(areas::find(conn, id)?.as_ref().map(AreaSheet::from))
    })
    .await
}

/// A page of them.
type AreaList = Listing<AreaSheet>;

/// All areas that are or were frozen, newest first.
#[utoipa::path(get, path = "/v1/areas", tag = "coordinator",
    params(
        ("frozen" = Option<bool>, Query, description = "`true`: only those that are frozen now; `false`: only the others"),
        Pages),
    responses((status = 200, description = "A page of areas", body = AreaList), Problems), security(("coordinator" = [])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut filters = Filters::read("areas", &["frozen"], &request)?;
    let is_frozen = filters.flag("frozen");
    let asked = filters.finish(&ctx)?;
    asked
        .answer(
            &ctx,
            move |conn, page| Ok(areas::page(conn, is_frozen, page)?),
            |a| position(a.created_at, a.id),
            |_, rows| Ok(rows.iter().map(AreaSheet::from).collect()),
        )
        .await
}

/// Where to stop everything.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"location": {"postal_code": "55407"}, "radius_m": 2000, "reason": "threat"}))]
pub struct AreaBody {
    /// The middle.
    #[schema(required = true, nullable = false)]
    location: Option<LocationBody>,
    /// How far around it, in meters.
    #[schema(required = true, nullable = false, minimum = 100, maximum = 50_000)]
    radius_m: Option<i64>,
    /// Why.
    #[schema(required = true, nullable = false)]
    reason: Option<AreaReason>,
}

impl AreaBody {
    fn parse(self, ctx: &Ctx, errors: &mut FieldErrors) -> Option<NewArea> {
        let place = errors
            .require("/location", self.location)
            .and_then(|location| location.parse("/location", ctx, errors));
        let radius = errors
            .require("/radius_m", self.radius_m)
            .and_then(|m| errors.check("/radius_m", Radius::try_from(m)));
        let reason = errors.require("/reason", self.reason);
        Some(NewArea {
            place: place?,
            radius: radius?,
            reason: reason?,
        })
    }
}

/// Freezes an area at once: nothing in it is matched, asked, accepted, counted or listed, contacts of
/// accepted matches are not shown, and what was asked is withdrawn. Neighbors can still post.
#[utoipa::path(post, path = "/v1/areas", tag = "coordinator", request_body = AreaBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeated call with the same key makes nothing twice")),
    responses((status = 201, description = "Frozen", body = AreaSheet), Problems), security(("coordinator" = [])))]
pub async fn post(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let call = idempotency::call(&ctx, &request, who.0.as_bytes(), &body)?;
    let (parsed, mut errors) = read_body::<AreaBody>(&request, &body)?;
    let new = parsed.parse(&ctx, &mut errors);
    let new = errors.finish(new)?;
    let id = freeze_area(&ctx, new, who.0, call).await?;
    let area = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(areas::find(conn, id)?))
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Created().json(AreaSheet::from(&area)))
}

/// Lifts an area: what waited in it is matched at once.
#[utoipa::path(post, path = "/v1/areas/{id}/lift", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The area as it is now", body = AreaSheet), Problems), security(("coordinator" = [])))]
pub async fn lift(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<AreaId>,
) -> Result<HttpResponse, Problem> {
    lift_area(&ctx, *id, who.0).await?;
    shown(&ctx, *id).await
}
