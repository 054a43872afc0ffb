//! `/v1/plans`: who would help whom when there is not enough, for everybody at once.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::found;
use crate::actions::Ctx;
use crate::actions::apply_plan::apply_plan;
use crate::actions::make_plan::{Scope, make_plan};
use crate::domain::ids::PlanId;
use crate::domain::place::Cell;
use crate::domain::plan::PairState;
use crate::http::auth::AsCoordinator;
use crate::http::body::Body;
use crate::http::fields::{FieldErrors, read_body};
use crate::http::filters::Filters;
use crate::http::idempotency;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::problem::Problem;
use crate::http::views::coordinator::plan::{self, AppliedSheet, PlanPairSheet, PlanSheet};
use crate::storage::{Conn, StorageError, plans};

/// Offers looked at for each request, where the call does not say.
const CANDIDATES: i64 = 20;

fn find(conn: &mut Conn, id: PlanId) -> Result<Option<PlanSheet>, StorageError> {
    let row = plans::find(conn, id)?;
    Ok(plan::sheets(conn, row.as_slice())?.pop())
}

/// A page of them.
type PlanList = Listing<PlanSheet>;

/// All plans of the last days, newest first.
#[utoipa::path(get, path = "/v1/plans", tag = "coordinator", params(Pages),
    responses((status = 200, description = "A page of plans", body = PlanList), Problems), security(("coordinator" = [])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Filters::read("plans", &[], &request)?.finish(&ctx)?;
    asked
        .answer(
            &ctx,
            |conn, page| Ok(plans::page(conn, page)?),
            |p| position(p.created_at, p.id),
            |conn, rows| plan::sheets(conn, &rows),
        )
        .await
}

/// One plan, with how far it was applied.
#[utoipa::path(get, path = "/v1/plans/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The plan", body = PlanSheet), Problems), security(("coordinator" = [])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    id: web::Path<PlanId>,
) -> Result<HttpResponse, Problem> {
    found(&ctx, move |conn| find(conn, *id)).await
}

/// For whom to plan.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"category": "food", "candidates": 20}))]
pub struct PlanBody {
    /// Only for requests of this category; left out: for all.
    category: Option<String>,
    /// Only for requests within this H3 cell, of any resolution; offers may be outside.
    #[schema(value_type = Option<String>, example = "862649b27ffffff")]
    area: Option<String>,
    /// How many of the nearest offers that may be asked are looked at for each request; 20 if left out.
    #[schema(minimum = 1, maximum = 100)]
    candidates: Option<i64>,
}

impl PlanBody {
    fn parse(self, ctx: &Ctx, errors: &mut FieldErrors) -> Scope {
        let category = self.category.and_then(|key| {
            let category = ctx.catalog.get(&key).map(|c| c.key.clone());
            let category = category.ok_or(format!("must be one of {}", ctx.catalog.keys()));
            errors.check("/category", category)
        });
        let area = self.area.and_then(|area| {
            let area = area.parse::<Cell>();
            errors.check("/area", area.map_err(|_| "must be an H3 cell"))
        });
        let candidates = self.candidates.unwrap_or(CANDIDATES);
        let candidates = usize::try_from(candidates).ok();
        let candidates = candidates.filter(|n| (1..=100).contains(n));
        let candidates = errors.check(
            "/candidates",
            candidates.ok_or("must be a whole number from 1 to 100"),
        );
        Scope {
            category,
            area,
            candidates: candidates.unwrap_or(1),
        }
    }
}

/// Plans for everybody at once: as much weighted need as possible is served, over the least distance, by the
/// nearest candidates who may be asked now; `exact` and `bound` hold among these. Nobody is asked before the
/// plan is applied. Plans are made one at a time: while another is under way, the answer is 503.
#[utoipa::path(post, path = "/v1/plans", tag = "coordinator", request_body = PlanBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeated call with the same key makes nothing twice")),
    responses((status = 201, description = "The plan", body = PlanSheet), Problems), security(("coordinator" = [])))]
pub async fn post(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let call = idempotency::call(&ctx, &request, who.0.as_bytes(), &body)?;
    let (parsed, mut errors) = read_body::<PlanBody>(&request, &body)?;
    let scope = parsed.parse(&ctx, &mut errors);
    let scope = errors.finish(Some(scope))?;
    let id = make_plan(&ctx, scope, who.0, call).await?;
    let view = ctx.db.read(move |conn| find(conn, id)).await?;
    Ok(HttpResponse::Created().json(view.ok_or_else(Problem::not_found)?))
}

/// A page of pairs.
type PlanPairList = Listing<PlanPairSheet>;

/// The pairs of a plan.
#[utoipa::path(get, path = "/v1/plans/{id}/pairs", tag = "coordinator",
    params(("id" = String, Path, format = Uuid),
        ("state" = Option<PairState>, Query, description = "Only those that stand there", example = "skipped"), Pages),
    responses((status = 200, description = "A page of pairs", body = PlanPairList), Problems), security(("coordinator" = [])))]
pub async fn pairs(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    id: web::Path<PlanId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut filters = Filters::read("plan pairs", &["state"], &request)?;
    let state = filters.parsed("state");
    let asked = filters.finish(&ctx)?;
    let id = *id;
    let plan = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(plans::find(conn, id)?));
    if plan.await?.is_none() {
        return Err(Problem::not_found());
    }
    asked
        .answer(
            &ctx,
            move |conn, page| Ok(plans::pairs_page(conn, id, state, page)?),
            |p| position(p.created_at, p.id),
            |_, rows| Ok(rows.iter().map(PlanPairSheet::from).collect()),
        )
        .await
}

/// Applies the next pairs of a plan, for some seconds: those that are still true become matches, and the
/// volunteers are asked, or the coordinators where a review is required. Call it again while more pairs are
/// left than wait for a volunteer who is busy or not to be asked at this hour; for those some minutes later.
#[utoipa::path(post, path = "/v1/plans/{id}/apply", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "What came of it", body = AppliedSheet), Problems), security(("coordinator" = [])))]
pub async fn apply(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<PlanId>,
) -> Result<HttpResponse, Problem> {
    let id = *id;
    let applied = apply_plan(&ctx, id, who.0).await?;
    let view = ctx.db.read(move |conn| plan::applied(conn, id, &applied));
    Ok(HttpResponse::Ok().json(view.await?))
}
