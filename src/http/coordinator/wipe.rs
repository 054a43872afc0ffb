//! `POST /v1/wipe-closed`: destroys what is over, now. For administrators only.

use actix_web::{HttpResponse, web};

use crate::actions::Ctx;
use crate::actions::wipe_closed::{Wiped, wipe_closed};
use crate::http::auth::AsAdmin;
use crate::http::openapi::Problems;
use crate::http::problem::Problem;

/// Destroys the personal parts of everything that is closed, without waiting for the retention times.
/// Erases neighbors and volunteers of whom nothing is open any more. It cannot be undone.
#[utoipa::path(post, path = "/v1/wipe-closed", tag = "coordinator",
    responses((status = 200, description = "What was wiped", body = Wiped), Problems), security(("coordinator" = ["admin"])))]
pub async fn post(ctx: web::Data<Ctx>, who: AsAdmin) -> Result<HttpResponse, Problem> {
    let wiped = wipe_closed(&ctx, who.actor(), |_| {}).await?;
    Ok(HttpResponse::Ok().json(wiped))
}
