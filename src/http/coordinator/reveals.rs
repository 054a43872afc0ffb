//! `POST …/{id}/reveal`: what is sealed, to a coordinator with a reason. Every call is in the audit,
//! and one coordinator may make only so many within an hour.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::actions::Ctx;
use crate::actions::reveal::{
    RevealReason, reveal_offer, reveal_report, reveal_request, reveal_volunteer,
};
use crate::domain::ids::{OfferId, ReportId, RequestId, VolunteerId};
use crate::http::auth::AsCoordinator;
use crate::http::body::Body;
use crate::http::desk::Desk;
use crate::http::fields::read_optional;
use crate::http::openapi::Problems;
use crate::http::problem::Problem;
use crate::http::views::coordinator::report::RevealedReportView;
use crate::http::views::coordinator::revealed::{
    RevealedOfferView, RevealedRequestView, RevealedVolunteerView, helpers,
};

/// Why somebody's sealed data is looked at.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "call"}))]
pub struct RevealBody {
    /// Why.
    #[schema(required = true, nullable = false)]
    reason: Option<RevealReason>,
}

/// The reason in the body.
fn reason(request: &HttpRequest, body: &[u8]) -> Result<RevealReason, Problem> {
    let (body, mut errors) = read_optional::<RevealBody>(request, body)?;
    let reason = errors.require("/reason", body.reason);
    errors.finish(reason)
}

/// Shows who asks, how to reach her, where she is, and her notes. Beside it what she sees herself of who
/// has said yes, to be told by phone. With the scope `intake`, of whom the caller has entered, or is
/// to call by an open task.
#[utoipa::path(post, path = "/v1/requests/{id}/reveal", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = RevealBody,
    responses((status = 200, description = "What was sealed", body = RevealedRequestView), Problems), security(("coordinator" = ["intake"])))]
pub async fn request(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    desk: Desk,
    id: web::Path<RequestId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let reason = reason(&request, &body)?;
    let revealed = reveal_request(&ctx, *id, desk.remit, desk.id, reason).await?;
    let (inner, id) = (ctx.clone(), *id);
    let helpers = ctx.db.read(move |conn| helpers(&inner, conn, id)).await?;
    Ok(HttpResponse::Ok().json(RevealedRequestView::of(revealed, helpers)))
}

/// Shows who offers, how to reach her, where the help stands, and her notes.
#[utoipa::path(post, path = "/v1/offers/{id}/reveal", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = RevealBody,
    responses((status = 200, description = "What was sealed", body = RevealedOfferView), Problems), security(("coordinator" = [])))]
pub async fn offer(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    id: web::Path<OfferId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let reason = reason(&request, &body)?;
    let revealed = reveal_offer(&ctx, *id, who.0, reason).await?;
    Ok(HttpResponse::Ok().json(RevealedOfferView::from(revealed)))
}

/// Shows who a volunteer is and how to reach her.
#[utoipa::path(post, path = "/v1/volunteers/{id}/reveal", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = RevealBody,
    responses((status = 200, description = "What was sealed", body = RevealedVolunteerView), Problems), security(("coordinator" = [])))]
pub async fn volunteer(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    id: web::Path<VolunteerId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let reason = reason(&request, &body)?;
    let revealed = reveal_volunteer(&ctx, *id, who.0, reason).await?;
    Ok(HttpResponse::Ok().json(RevealedVolunteerView::from(revealed)))
}

/// Shows the evidence of a report: how to reach whom it is about, and what was written.
#[utoipa::path(post, path = "/v1/reports/{id}/reveal", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = RevealBody,
    responses((status = 200, description = "What was sealed", body = RevealedReportView), Problems), security(("coordinator" = [])))]
pub async fn report(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    id: web::Path<ReportId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let reason = reason(&request, &body)?;
    let revealed = reveal_report(&ctx, *id, who.0, reason).await?;
    Ok(HttpResponse::Ok().json(RevealedReportView::from(revealed)))
}
