//! `/v1/requests`: every request, hiding one, merging it or telling it apart from another, and handing it over. Reading, changing and closing one is in
//! `http::requests`, for neighbors and coordinators alike.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::found;
use crate::actions::merge_request::merge_request;
use crate::actions::tell_apart::{tell_apart, untell_apart};
use crate::actions::why_request::why_request;
use crate::actions::{Ctx, hand_over, hold_request};
use crate::domain::contact::ContactLine;
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::RequestState;
use crate::domain::need::{Urgency, Verified};
use crate::domain::remit::Remit;
use crate::domain::secret::HandedOver;
use crate::domain::word::UnknownWord;
use crate::http::auth::AsCoordinator;
use crate::http::body::Body;
use crate::http::desk::Desk;
use crate::http::fields::{FieldErrors, read_optional};
use crate::http::filters::Filters;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::part::Within;
use crate::http::problem::Problem;
use crate::http::views::coordinator::request::{RequestFile, RequestSheet, file, sheets};
use crate::http::views::coordinator::why::WhyView;
use crate::storage::page::Order;
use crate::storage::requests;
use crate::storage::requests::{Attended, RequestFilter};

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

/// All requests, newest first or those first that wait longest. With the scope `intake`, those of neighbors whom the
/// caller has entered, or is to call by an open task.
#[utoipa::path(get, path = "/v1/requests", tag = "coordinator",
    params(
        ("state" = Option<RequestState>, Query, description = "Only those that stand there", example = "open"),
        ("category" = Option<String>, Query, description = "Only of this category", example = "food"),
        ("urgency" = Option<Urgency>, Query, description = "Only those needed so soon", example = "now"),
        ("attention" = Option<String>, Query, description = "`true`: only those that a person must look at; `false`: only the others; or for what: `none_in_reach`, `all_asked`, `review_late`, `unreachable`, `call_back`", example = "all_asked"),
        ("verified" = Option<Verified>, Query, description = "Only of neighbors checked so far", example = "none"),
        ("needed_before" = Option<String>, Query, format = DateTime, description = "Only those whose time is over before"),
        ("order" = Option<Order>, Query, description = "What comes first; `newest`, if left out", example = "oldest"),
        ("duplicates" = Option<bool>, Query, description = "`true`: only live ones that may have been posted twice"),
        ("neighbor" = Option<String>, Query, format = Uuid, description = "Only of this neighbor"),
        ("import" = Option<String>, Query, format = Uuid, description = "Only those that this import made"),
        ("area" = Option<String>, Query, description = "Only within this H3 cell, of any resolution", example = "862649b2fffffff"),
        Pages),
    responses((status = 200, description = "A page of requests", body = RequestList), Problems), security(("coordinator" = ["intake"])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    desk: Desk,
    within: Within,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let known = [
        "state",
        "category",
        "urgency",
        "attention",
        "verified",
        "needed_before",
        "order",
        "duplicates",
        "neighbor",
        "import",
        "area",
    ];
    let mut filters = Filters::read("requests", &known, &request)?;
    let filter = RequestFilter {
        state: filters.parsed("state"),
        category: filters.category(&ctx),
        urgency: filters.parsed("urgency"),
        attention: filters.value("attention", attended),
        verified: filters.parsed("verified"),
        needed_before: filters.instant("needed_before"),
        duplicates: filters.only("duplicates"),
        neighbor: filters.id("neighbor"),
        import: filters.id("import"),
        part: within.narrow(filters.area()),
        order: filters.parsed("order").unwrap_or_default(),
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

/// Yes, no, or what for.
fn attended(text: &str) -> Result<Attended, String> {
    match text {
        "true" => Ok(Attended::Yes),
        "false" => Ok(Attended::No),
        word => word
            .parse()
            .map(Attended::For)
            .map_err(|unknown: UnknownWord| {
                let words = unknown.allowed.join(", ");
                format!("must be true, false, or one of {words}")
            }),
    }
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

/// The request that a body names beside that of the path.
fn another(
    id: RequestId,
    pointer: &'static str,
    named: Option<RequestId>,
    mut errors: FieldErrors,
) -> Result<RequestId, Problem> {
    let named = errors.require(pointer, named);
    if named == Some(id) {
        errors.push(pointer, "must be another request");
    }
    errors.finish(named)
}

/// Of which request another is a duplicate.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"into": "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a"}))]
pub struct MergeBody {
    /// A live request of the same category, which stays as it is.
    #[schema(required = true, nullable = false, value_type = Option<String>, format = Uuid)]
    into: Option<RequestId>,
}

/// Closes a request as a duplicate of another. Its asks are withdrawn; while somebody has promised to help with
/// it, it is refused. `reopen` undoes it. Nothing is ever merged by itself.
#[utoipa::path(post, path = "/v1/requests/{id}/merge", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = MergeBody,
    responses((status = 200, description = "The request as it is now", body = RequestFile), Problems), security(("coordinator" = [])))]
pub async fn merge(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    within: Within,
    id: web::Path<RequestId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, errors) = read_optional::<MergeBody>(&request, &body)?;
    let into = another(*id, "/into", body.into, errors)?;
    within.refuse_request(&ctx, into).await?;
    merge_request(&ctx, *id, into, who.actor()).await?;
    shown(&ctx, *id, Remit::All).await
}

/// Which request is another need.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a"}))]
pub struct DistinctBody {
    /// It, of whatever state.
    #[schema(required = true, nullable = false, value_type = Option<String>, format = Uuid)]
    from: Option<RequestId>,
}

/// Says that two requests are not the same need, however alike they look: as of people who share a shelter's number.
/// They are flagged as duplicates of each other no longer. The one or the other way round, it is the same.
#[utoipa::path(post, path = "/v1/requests/{id}/distinct", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = DistinctBody,
    responses((status = 200, description = "The request as it is now", body = RequestFile), Problems), security(("coordinator" = [])))]
pub async fn distinct(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    within: Within,
    id: web::Path<RequestId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, errors) = read_optional::<DistinctBody>(&request, &body)?;
    let from = another(*id, "/from", body.from, errors)?;
    within.refuse_request(&ctx, from).await?;
    tell_apart(&ctx, *id, from, who.actor()).await?;
    shown(&ctx, *id, Remit::All).await
}

/// Takes back that two requests are not the same need: they are flagged again, as long as they look alike.
#[utoipa::path(delete, path = "/v1/requests/{id}/distinct/{other}", tag = "coordinator", params(("id" = String, Path, format = Uuid), ("other" = String, Path, format = Uuid)),
    responses((status = 200, description = "The request as it is now", body = RequestFile), Problems), security(("coordinator" = [])))]
pub async fn indistinct(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    within: Within,
    path: web::Path<(RequestId, RequestId)>,
) -> Result<HttpResponse, Problem> {
    let (id, other) = *path;
    within.refuse_request(&ctx, other).await?;
    untell_apart(&ctx, id, other, who.actor()).await?;
    shown(&ctx, id, Remit::All).await
}

/// Who looks after a request from now on.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "North Side Food Shelf", "reference": "case 4711, ask for Grace"}))]
pub struct HandOverBody {
    /// What the group is called; sealed, and shown to the neighbor.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 200)]
    to: Option<String>,
    /// By what they know it: their number, or whom to ask for; sealed, and shown to the neighbor.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 200)]
    reference: Option<String>,
    /// Whether she gets a letter, where she has an address; `true` where it is left out.
    tell: Option<bool>,
}

/// Closes a request that another group looks after from now on. Accepted matches are called off at once; the
/// neighbor reads on her page, and in a letter, who has it and by which number. `reopen` undoes it.
#[utoipa::path(post, path = "/v1/requests/{id}/hand-over", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = HandOverBody,
    responses((status = 200, description = "The request as it is now", body = RequestFile), Problems), security(("coordinator" = [])))]
pub async fn hand_over(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    id: web::Path<RequestId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, mut errors) = read_optional::<HandOverBody>(&request, &body)?;
    let mut line = |at: &str, text: Option<String>| {
        let text = errors.require(at, text)?;
        errors.check(at, ContactLine::parse(&text))
    };
    let to = line("/to", body.to);
    let reference = line("/reference", body.reference);
    let both = to.zip(reference);
    let to = errors.finish(both.map(|(to, reference)| HandedOver { to, reference }))?;
    let tell = body.tell.unwrap_or(true);
    hand_over::hand_over(&ctx, *id, to, tell, who.actor()).await?;
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
