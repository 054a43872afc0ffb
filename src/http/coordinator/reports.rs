//! `/v1/reports`: what people reported of each other, until a coordinator has dealt with it.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{found, matches};
use crate::actions::Ctx;
use crate::actions::close_report::close_report;
use crate::actions::report_match::{NewReport, report_match};
use crate::domain::ids::{MatchId, ReportId};
use crate::domain::report::{Problem as Reported, Side};
use crate::http::auth::AsCoordinator;
use crate::http::body::Body;
use crate::http::desk::Desk;
use crate::http::fields::read_optional;
use crate::http::filters::Filters;
use crate::http::neighbors::statement;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::part::Within;
use crate::http::problem::Problem;
use crate::http::views::coordinator::matched::MatchSheet;
use crate::http::views::coordinator::report::ReportSheet;
use crate::storage::reports;
use crate::storage::reports::ReportFilter;

async fn shown(ctx: &web::Data<Ctx>, id: ReportId) -> Result<HttpResponse, Problem> {
    found(ctx, move |conn| {
        Ok(reports::find(conn, id)?.as_ref().map(ReportSheet::from))
    })
    .await
}

/// A page of them.
type ReportList = Listing<ReportSheet>;

/// All reports, newest first.
#[utoipa::path(get, path = "/v1/reports", tag = "coordinator",
    params(
        ("open" = Option<bool>, Query, description = "`true`: only those that nobody has closed; `false`: only the others"),
        ("neighbor" = Option<String>, Query, format = Uuid, description = "Only with this neighbor on either side"),
        ("volunteer" = Option<String>, Query, format = Uuid, description = "Only with this volunteer on either side"),
        ("area" = Option<String>, Query, description = "Only those of which the request stands within this area, an H3 cell of any resolution", example = "862649b2fffffff"),
        Pages),
    responses((status = 200, description = "A page of reports", body = ReportList), Problems), security(("coordinator" = [])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    within: Within,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let known = ["open", "neighbor", "volunteer", "area"];
    let mut filters = Filters::read("reports", &known, &request)?;
    let filter = ReportFilter {
        open: filters.flag("open"),
        neighbor: filters.id("neighbor"),
        volunteer: filters.id("volunteer"),
        part: within.narrow(filters.area()),
    };
    let asked = filters.finish(&ctx)?;
    asked
        .answer(
            &ctx,
            move |conn, page| Ok(reports::page(conn, &filter, page)?),
            |r| position(r.created_at, r.id),
            |_, rows| Ok(rows.iter().map(ReportSheet::from).collect()),
        )
        .await
}

/// One report.
#[utoipa::path(get, path = "/v1/reports/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The report", body = ReportSheet), Problems), security(("coordinator" = [])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    id: web::Path<ReportId>,
) -> Result<HttpResponse, Problem> {
    shown(&ctx, *id).await
}

/// Closes a report that was dealt with. Its evidence is destroyed soon after.
#[utoipa::path(post, path = "/v1/reports/{id}/close", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The report as it is now", body = ReportSheet), Problems), security(("coordinator" = [])))]
pub async fn close(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<ReportId>,
) -> Result<HttpResponse, Problem> {
    close_report(&ctx, *id, who.0).await?;
    shown(&ctx, *id).await
}

/// What a coordinator has heard.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"about": "volunteer", "problem": "asked_for_money"}))]
pub struct HeardBody {
    /// Whom it is about.
    #[schema(required = true, nullable = false)]
    about: Option<Side>,
    /// What happened.
    #[schema(required = true, nullable = false)]
    problem: Option<Reported>,
    /// What was said of it. It is sealed.
    #[schema(max_length = 2000)]
    statement: Option<String>,
}

/// Reports what one side told a coordinator of the other, and is that side's report in the audit. The pair is parted
/// for good, and everybody is told that their matches were called off. With the scope `intake`, what a neighbor whom
/// the caller has entered says of a volunteer.
#[utoipa::path(post, path = "/v1/matches/{id}/report", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = HeardBody,
    responses((status = 200, description = "The match as it is now", body = MatchSheet), Problems), security(("coordinator" = ["intake"])))]
pub async fn post(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    desk: Desk,
    id: web::Path<MatchId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, mut errors) = read_optional::<HeardBody>(&request, &body)?;
    let statement = statement(body.statement.as_deref(), &mut errors);
    let about = errors.require("/about", body.about);
    let problem = errors.require("/problem", body.problem);
    let (about, problem) = errors.finish(about.zip(problem))?;
    let actor = desk.speaking_for(about.other())?;
    let new = NewReport {
        about,
        problem,
        statement,
    };
    report_match(&ctx, *id, new, desk.says(actor)).await?;
    matches::shown(&ctx, *id).await
}
