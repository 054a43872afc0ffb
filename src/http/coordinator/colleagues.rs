//! `/v1/coordinators`: who there is to give a task to, and who calls. People come and go by the command line.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::actions::Ctx;
use crate::actions::list_coordinators::own_access;
use crate::http::auth::{AnyCoordinator, AsCoordinator};
use crate::http::filters::Filters;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::problem::Problem;
use crate::http::views::coordinator::colleague::{ColleagueSheet, OwnSheet};
use crate::storage::coordinators;

/// A page of them.
type ColleagueList = Listing<ColleagueSheet>;

/// Everybody who coordinates, of any scope, newest first: by name, without an address. To their ids tasks are given.
#[utoipa::path(get, path = "/v1/coordinators", tag = "coordinator",
    params(
        ("revoked" = Option<bool>, Query, description = "`true`: only those whose access was revoked; they are left out otherwise"),
        Pages),
    responses((status = 200, description = "A page of coordinators", body = ColleagueList), Problems), security(("coordinator" = [])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut filters = Filters::read("coordinators", &["revoked"], &request)?;
    let revoked = filters.only("revoked");
    let asked = filters.finish(&ctx)?;
    let inner = ctx.clone();
    asked
        .answer(
            &ctx,
            move |conn, page| Ok(coordinators::page(conn, revoked, page)?),
            |c| position(c.created_at, c.id),
            move |_, rows| {
                let sheets = rows.iter().map(|row| ColleagueSheet::of(&inner, row));
                sheets.collect()
            },
        )
        .await
}

/// Whoever calls: their scope, what they are limited to, and when their token ends.
#[utoipa::path(get, path = "/v1/coordinators/self", tag = "coordinator",
    responses((status = 200, description = "Whoever calls", body = OwnSheet), Problems), security(("coordinator" = ["intake"])))]
pub async fn own(ctx: web::Data<Ctx>, who: AnyCoordinator) -> Result<HttpResponse, Problem> {
    let found = own_access(&ctx, who.id).await?;
    let (row, expires) = found.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok().json(OwnSheet::of(&ctx, &row, expires)?))
}
