//! `/v1/offers`: every offer, and the public list of sites. Reading one is in `http::offers`, for
//! volunteers and coordinators alike.

use actix_web::{HttpRequest, HttpResponse, web};

use super::found;
use crate::actions::{Ctx, list_site};
use crate::domain::ids::OfferId;
use crate::domain::lifecycle::OfferState;
use crate::http::auth::AsCoordinator;
use crate::http::filters::Filters;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::part::Within;
use crate::http::problem::Problem;
use crate::http::views::coordinator::offer::{OfferSheet, find, sheets};
use crate::storage::offers;
use crate::storage::offers::OfferFilter;

/// One offer.
///
/// # Errors
/// An offer that is not there.
pub async fn shown(ctx: &web::Data<Ctx>, id: OfferId) -> Result<HttpResponse, Problem> {
    let inner = ctx.clone();
    found(ctx, move |conn| find(&inner, conn, id)).await
}

/// A page of them.
type OfferList = Listing<OfferSheet>;

/// All offers, newest first.
#[utoipa::path(get, path = "/v1/offers", tag = "coordinator",
    params(
        ("state" = Option<OfferState>, Query, description = "Only those that stand there", example = "open"),
        ("category" = Option<String>, Query, description = "Only of this category", example = "food"),
        ("site" = Option<bool>, Query, description = "`true`: only places open to the public, listed or not; `false`: only the others"),
        ("listed" = Option<bool>, Query, description = "`false` with `site=true`: places that wait to be checked; `true`: those on the public list"),
        ("volunteer" = Option<String>, Query, format = Uuid, description = "Only of this volunteer"),
        ("import" = Option<String>, Query, format = Uuid, description = "Only those that this import made"),
        ("area" = Option<String>, Query, description = "Only within this H3 cell, of any resolution", example = "862649b2fffffff"),
        Pages),
    responses((status = 200, description = "A page of offers", body = OfferList), Problems), security(("coordinator" = [])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    within: Within,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let known = [
        "state",
        "category",
        "site",
        "listed",
        "volunteer",
        "import",
        "area",
    ];
    let mut filters = Filters::read("offers", &known, &request)?;
    let filter = OfferFilter {
        state: filters.parsed("state"),
        category: filters.category(&ctx),
        site: filters.flag("site"),
        listed: filters.flag("listed"),
        volunteer: filters.id("volunteer"),
        import: filters.id("import"),
        part: within.narrow(filters.area()),
    };
    let asked = filters.finish(&ctx)?;
    let inner = ctx.clone();
    asked
        .answer(
            &ctx,
            move |conn, page| Ok(offers::page(conn, &filter, page)?),
            |o| position(o.created_at, o.id),
            move |conn, rows| sheets(&inner, conn, &rows),
        )
        .await
}

/// Lists a site that was checked: from now on everybody may read its title, address and point.
#[utoipa::path(post, path = "/v1/offers/{id}/list", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The offer as it is now", body = OfferSheet), Problems), security(("coordinator" = [])))]
pub async fn list_site(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<OfferId>,
) -> Result<HttpResponse, Problem> {
    list_site::list_site(&ctx, *id, who.actor()).await?;
    shown(&ctx, *id).await
}

/// Takes a site off the public list.
#[utoipa::path(post, path = "/v1/offers/{id}/unlist", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The offer as it is now", body = OfferSheet), Problems), security(("coordinator" = [])))]
pub async fn unlist_site(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<OfferId>,
) -> Result<HttpResponse, Problem> {
    list_site::unlist_site(&ctx, *id, who.actor()).await?;
    shown(&ctx, *id).await
}
