//! `/v1/tasks`: what a person must do by a time: the calls that neighbors wait for, and the requests for which
//! nobody is left to ask.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::found;
use crate::actions::Ctx;
use crate::actions::claim_task::claim_task;
use crate::actions::finish_call::finish_call;
use crate::actions::finish_look::finish_look;
use crate::domain::ids::TaskId;
use crate::domain::task::{DoneOutcome, TaskKind, TaskState};
use crate::http::auth::AsCoordinator;
use crate::http::body::Body;
use crate::http::fields::read_optional;
use crate::http::filters::Filters;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::problem::Problem;
use crate::http::views::coordinator::task::TaskSheet;
use crate::storage::tasks;
use crate::storage::tasks::TaskFilter;

async fn shown(ctx: &web::Data<Ctx>, id: TaskId) -> Result<HttpResponse, Problem> {
    found(ctx, move |conn| {
        Ok(tasks::find(conn, id)?.as_ref().map(TaskSheet::from))
    })
    .await
}

/// A page of them.
type TaskList = Listing<TaskSheet>;

/// All tasks, newest first.
#[utoipa::path(get, path = "/v1/tasks", tag = "coordinator",
    params(
        ("state" = Option<TaskState>, Query, description = "Only those that stand there", example = "open"),
        ("kind" = Option<TaskKind>, Query, description = "Only of this kind", example = "call"),
        ("overdue" = Option<bool>, Query, description = "`true`: only open ones whose time has gone by"),
        Pages),
    responses((status = 200, description = "A page of tasks", body = TaskList), Problems), security(("coordinator" = [])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let known = ["state", "kind", "overdue"];
    let mut filters = Filters::read("tasks", &known, &request)?;
    let state: Option<TaskState> = filters.parsed("state");
    let filter = TaskFilter {
        done: state.map(|s| s == TaskState::Done),
        kind: filters.parsed("kind"),
        overdue: filters.only("overdue").then(|| ctx.now()),
    };
    let asked = filters.finish(&ctx)?;
    asked
        .answer(
            &ctx,
            move |conn, page| Ok(tasks::page(conn, &filter, page)?),
            |t| position(t.created_at, t.id),
            |_, rows| Ok(rows.iter().map(TaskSheet::from).collect()),
        )
        .await
}

/// One task.
#[utoipa::path(get, path = "/v1/tasks/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The task", body = TaskSheet), Problems), security(("coordinator" = [])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    id: web::Path<TaskId>,
) -> Result<HttpResponse, Problem> {
    shown(&ctx, *id).await
}

/// Takes a task on. Nobody else can for an hour.
#[utoipa::path(post, path = "/v1/tasks/{id}/claim", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The task as it is now", body = TaskSheet), Problems), security(("coordinator" = [])))]
pub async fn claim(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<TaskId>,
) -> Result<HttpResponse, Problem> {
    claim_task(&ctx, *id, who.0).await?;
    shown(&ctx, *id).await
}

/// How a task ended.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "reached"}))]
pub struct DoneBody {
    /// How it ended: `looked` for a look, any other for a call.
    #[schema(required = true, nullable = false)]
    outcome: Option<DoneOutcome>,
}

/// Ends a task. Of a call, `reached` checks the neighbor's contact, and everything that waited for it is matched;
/// `refused` closes what waited; after `unreachable` it goes on waiting, and a later call can still
/// reach her. A look ends with `looked`; it also ends by itself, when it is not needed any more.
#[utoipa::path(post, path = "/v1/tasks/{id}/done", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = DoneBody,
    responses((status = 200, description = "The task as it is now", body = TaskSheet), Problems), security(("coordinator" = [])))]
pub async fn done(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    id: web::Path<TaskId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, mut errors) = read_optional::<DoneBody>(&request, &body)?;
    let outcome = errors.require("/outcome", body.outcome);
    let outcome = errors.finish(outcome)?;
    match outcome.of_call() {
        Some(call) => finish_call(&ctx, *id, call, who.0).await?,
        None => finish_look(&ctx, *id, who.0).await?,
    }
    shown(&ctx, *id).await
}
