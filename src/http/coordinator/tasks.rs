//! `/v1/tasks`: one list of what a person must do by when. People of the scope `intake` see the tasks that were
//! given to them, and no others.

use super::found;
use crate::actions::Ctx;
use crate::actions::assign_task::assign_task;
use crate::actions::claim_task::{Desk, claim_task};
use crate::actions::finish_task::finish_task;
use crate::actions::reopen_task::reopen_task;
use crate::actions::unclaim_task::unclaim_task;
use crate::actions::update_task::{noted, update_task};
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, TaskId};
use crate::domain::task::{TaskKind, TaskOrder, TaskState};
use crate::http::auth::{AnyCoordinator, AsCoordinator};
use crate::http::bodies::task::{AssignBody, DoneBody, TaskPatch};
use crate::http::body::Body;
use crate::http::fields::{read_body, read_optional};
use crate::http::filters::Filters;
use crate::http::openapi::Problems;
use crate::http::paging::{Asked, Listing, Pages, position};
use crate::http::part::Within;
use crate::http::problem::Problem;
use crate::http::views::coordinator::task::{TaskCounts, TaskSheet};
use crate::storage::coordinators::Scope;
use crate::storage::tasks::{Claimed, Task, TaskFilter};
use crate::storage::{StorageError, tasks};
use actix_web::{HttpRequest, HttpResponse, web};

/// What the list and its counts take.
const FILTERS: [&str; 9] = [
    "state",
    "kind",
    "overdue",
    "escalated",
    "claimed_by",
    "request",
    "neighbor",
    "area",
    "sort",
];
impl From<AnyCoordinator> for Desk {
    fn from(who: AnyCoordinator) -> Self {
        Self {
            by: who.id,
            only_own: who.scope < Scope::Coordinator,
        }
    }
}

/// The task as it is now, without its note.
async fn shown(ctx: &web::Data<Ctx>, id: TaskId) -> Result<HttpResponse, Problem> {
    let stale = ctx.stale_claims(ctx.now());
    found(ctx, move |conn| {
        let task = tasks::find(conn, id)?;
        Ok(task.map(|task| TaskSheet::of(&task, stale)))
    })
    .await
}

fn read_filters(
    ctx: &Ctx,
    who: AnyCoordinator,
    within: &Within,
    request: &HttpRequest,
) -> Result<(TaskFilter, TaskOrder, Asked), Problem> {
    let mut filters = Filters::read("tasks", &FILTERS, request)?;
    let state: Option<TaskState> = filters.parsed("state");
    let desk = Desk::from(who);
    let filter = TaskFilter {
        done: state.map(|s| s == TaskState::Done),
        kind: filters.parsed("kind"),
        overdue: filters.only("overdue").then(|| ctx.now()),
        escalated: filters.only("escalated"),
        claimed: filters.holder("claimed_by", who.id, ctx.stale_claims(ctx.now())),
        request: filters.id("request"),
        neighbor: filters.id("neighbor"),
        part: within.narrow(filters.area()),
        only_of: desk.only_own.then_some(desk.by),
    };
    let order = filters.parsed("sort").unwrap_or(TaskOrder::Newest);
    Ok((filter, order, filters.finish(ctx)?))
}

impl Filters {
    /// Who has it: `me`, `none`, or somebody's id. Whoever took it at `stale`, or before, has it no more.
    fn holder(&mut self, name: &str, me: CoordinatorId, stale: Ts) -> Option<Claimed> {
        self.value(name, |text| match text {
            "me" => Ok(Claimed::By(me)),
            "none" => Ok(Claimed::ByNobody(stale)),
            id => id
                .parse()
                .map(Claimed::By)
                .map_err(|_| "must be me, none, or an id"),
        })
    }
}

/// A page of them.
type TaskList = Listing<TaskSheet>;

/// All tasks, newest first, or those first that are due soonest. `intake` sees those that were given to whoever calls.
#[utoipa::path(get, path = "/v1/tasks", tag = "coordinator",
    params(
        ("state" = Option<TaskState>, Query, description = "Only those that stand there", example = "open"),
        ("kind" = Option<TaskKind>, Query, description = "Only of this kind", example = "call"),
        ("overdue" = Option<bool>, Query, description = "`true`: only open ones whose time has gone by"),
        ("escalated" = Option<bool>, Query, description = "`true`: only open ones that administrators know to be late"),
        ("claimed_by" = Option<String>, Query, description = "Only those that this coordinator has, or had last: `me` or an id; or `none`, those that nobody has, or not any more", example = "me"),
        ("request" = Option<String>, Query, format = Uuid, description = "Only about this request"),
        ("neighbor" = Option<String>, Query, format = Uuid, description = "Only about this neighbor"),
        ("area" = Option<String>, Query, description = "Only those about a request that stands within this area, or else an offer, or else a person who has one there, an H3 cell of any resolution", example = "862649b2fffffff"),
        ("sort" = Option<TaskOrder>, Query, description = "In which order; `newest` if left out", example = "due"),
        Pages),
    responses((status = 200, description = "A page of tasks", body = TaskList), Problems), security(("coordinator" = ["intake"])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    who: AnyCoordinator,
    within: Within,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (filter, order, asked) = read_filters(&ctx, who, &within, &request)?;
    let stale = ctx.stale_claims(ctx.now());
    asked
        .answer(
            &ctx,
            move |conn, page| Ok(tasks::page(conn, &filter, order, page)?),
            match order {
                TaskOrder::Newest => |t: &Task| position(t.created_at, t.id),
                TaskOrder::Due => |t: &Task| position(t.due_at, t.id),
            },
            move |_, rows| Ok(rows.iter().map(|row| TaskSheet::of(row, stale)).collect()),
        )
        .await
}

/// How many tasks the filters of the list find.
#[utoipa::path(get, path = "/v1/tasks/counts", tag = "coordinator",
    params(
        ("state" = Option<TaskState>, Query, description = "Only those that stand there", example = "open"),
        ("kind" = Option<TaskKind>, Query, description = "Only of this kind", example = "call"),
        ("overdue" = Option<bool>, Query, description = "`true`: only open ones whose time has gone by"),
        ("escalated" = Option<bool>, Query, description = "`true`: only open ones that administrators know to be late"),
        ("claimed_by" = Option<String>, Query, description = "Only those that this coordinator has, or had last: `me` or an id; or `none`, those that nobody has, or not any more", example = "none"),
        ("request" = Option<String>, Query, format = Uuid, description = "Only about this request"),
        ("neighbor" = Option<String>, Query, format = Uuid, description = "Only about this neighbor"),
        ("area" = Option<String>, Query, description = "Only those about a request that stands within this area, or else an offer, or else a person who has one there, an H3 cell of any resolution", example = "862649b2fffffff")),
    responses((status = 200, description = "The counts", body = TaskCounts), Problems), security(("coordinator" = ["intake"])))]
pub async fn counts(
    ctx: web::Data<Ctx>,
    who: AnyCoordinator,
    within: Within,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (filter, ..) = read_filters(&ctx, who, &within, &request)?;
    let now = ctx.now();
    let stale = ctx.stale_claims(now);
    found(&ctx, move |conn| {
        let counts = tasks::counts(conn, &filter, stale, now)?;
        Ok(Some(TaskCounts::from(counts)))
    })
    .await
}

/// One task, with its note.
#[utoipa::path(get, path = "/v1/tasks/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The task", body = TaskSheet), Problems), security(("coordinator" = ["intake"])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    who: AnyCoordinator,
    id: web::Path<TaskId>,
) -> Result<HttpResponse, Problem> {
    let desk = Desk::from(who);
    let read = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(tasks::find(conn, *id)?));
    let task = read.await?.filter(|task| desk.sees(task));
    let task = task.ok_or_else(Problem::not_found)?;
    let note = noted(&ctx, &task)?.map(|note| note.expose().to_owned());
    Ok(HttpResponse::Ok().json(TaskSheet {
        note,
        ..TaskSheet::of(&task, ctx.stale_claims(ctx.now()))
    }))
}

/// Takes a task on. Nobody else can take it for an hour (`tasks.claim_for`); whoever does it all the same may say so.
#[utoipa::path(post, path = "/v1/tasks/{id}/claim", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The task as it is now", body = TaskSheet), Problems), security(("coordinator" = ["intake"])))]
pub async fn claim(
    ctx: web::Data<Ctx>,
    who: AnyCoordinator,
    id: web::Path<TaskId>,
) -> Result<HttpResponse, Problem> {
    claim_task(&ctx, *id, who).await?;
    shown(&ctx, *id).await
}

/// Puts a task back, so that anybody can take it: one's own, or one that another does not get to.
#[utoipa::path(post, path = "/v1/tasks/{id}/unclaim", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The task as it is now", body = TaskSheet), Problems), security(("coordinator" = [])))]
pub async fn unclaim(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<TaskId>,
) -> Result<HttpResponse, Problem> {
    unclaim_task(&ctx, *id, who.0).await?;
    shown(&ctx, *id).await
}

/// Gives a task to somebody, whoever had it. So people of the scope `intake` get theirs.
#[utoipa::path(post, path = "/v1/tasks/{id}/assign", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = AssignBody,
    responses((status = 200, description = "The task as it is now", body = TaskSheet), Problems), security(("coordinator" = [])))]
pub async fn assign(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    id: web::Path<TaskId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, mut errors) = read_optional::<AssignBody>(&request, &body)?;
    let to = errors.require("/to", body.to);
    let to = errors.finish(to)?;
    assign_task(&ctx, *id, to, who.0).await?;
    shown(&ctx, *id).await
}

/// Notes something of an open task, or puts it off.
#[utoipa::path(patch, path = "/v1/tasks/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = TaskPatch,
    responses((status = 200, description = "The task as it is now", body = TaskSheet), Problems), security(("coordinator" = ["intake"])))]
pub async fn patch(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AnyCoordinator,
    id: web::Path<TaskId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, mut errors) = read_body::<TaskPatch>(&request, &body)?;
    let edit = body.parse(ctx.now(), &mut errors);
    let edit = errors.finish(Some(edit))?;
    update_task(&ctx, *id, edit, who).await?;
    shown(&ctx, *id).await
}

/// Ends a task. Of a call, `reached` checks the neighbor's contact, and everything that waited for it is matched;
/// `refused` closes what waited; after `unreachable` it goes on waiting, and a later call can still
/// reach her. News, looks, letters that cannot be delivered, two stories that differ (`dispute`) and volunteers who did
/// not come (`volunteer_check`) just end. Whatever a call of its own does (`act`) ends with that call, and is answered
/// 409 here.
///
/// With `no_answer` a call, news or a question (`call`, `tell`, `ask`) does not end: nobody has it any more, it is due
/// again after a while (`tasks.call_again`, but no later than what she is called for ends), and each attempt is
/// counted. Once the task is over the answer is 409.
#[utoipa::path(post, path = "/v1/tasks/{id}/done", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = DoneBody,
    responses((status = 200, description = "The task as it is now", body = TaskSheet), Problems), security(("coordinator" = ["intake"])))]
pub async fn done(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AnyCoordinator,
    id: web::Path<TaskId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, mut errors) = read_optional::<DoneBody>(&request, &body)?;
    let outcome = errors.require("/outcome", body.outcome);
    let note = body.note(&mut errors);
    let outcome = errors.finish(outcome)?;
    finish_task(&ctx, *id, outcome, note, who).await?;
    shown(&ctx, *id).await
}

/// Opens a task again that was ended by mistake, where saying so was all that happened: news, a look, a letter that
/// cannot be delivered, a `dispute`, a `volunteer_check`.
#[utoipa::path(post, path = "/v1/tasks/{id}/reopen", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The task as it is now", body = TaskSheet), Problems), security(("coordinator" = [])))]
pub async fn reopen(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<TaskId>,
) -> Result<HttpResponse, Problem> {
    reopen_task(&ctx, *id, who.0).await?;
    shown(&ctx, *id).await
}
