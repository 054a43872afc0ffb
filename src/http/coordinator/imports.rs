//! `/v1/imports`: many posts at once, from a spreadsheet.
//!
//! The file is read and then taken in by a task of this process, some rows in a transaction. It keeps no
//! queue: if the process ends, the import is broken off, and because rows that were taken are not taken
//! twice, the file is simply sent again. The file itself is kept nowhere.

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use serde::Deserialize;
use tracing::Instrument;

use super::found;
use crate::actions::import_rows::Terms;
use crate::actions::run_import::{NewImport, begin_import, end_import, note_rows};
use crate::actions::undo_import::undo_import;
use crate::actions::{Ctx, Outcome};
use crate::domain::ids::ImportId;
use crate::domain::import::{ImportKind, ImportState};
use crate::domain::need::Verified;
use crate::http::auth::{AnyCoordinator, AsCoordinator};
use crate::http::body::Body;
use crate::http::fields::FieldErrors;
use crate::http::filters::Filters;
use crate::http::idempotency;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::problem::Problem;
use crate::http::views::coordinator::import::{BegunImport, ImportSheet, ReportPage};
use crate::sheets::mapping::Mapping;
use crate::sheets::run::{Job, Run};
use crate::sheets::table::Table;
use crate::storage::coordinators::Scope;
use crate::storage::{StorageError, imports};

/// On which terms.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    kind: Option<ImportKind>,
    #[serde(default)]
    dry_run: bool,
    verified: Option<Verified>,
    #[serde(default)]
    confirmed: bool,
}

/// What stands before and behind a mapping that comes with its file.
const FENCE: &str = "+++";

/// Takes in a file with one post a row: CSV with commas, semicolons, tabs or bars, in UTF-8, UTF-16 or
/// Windows-1252, its heads in the first line. Which column holds what is guessed from the heads, or said by a
/// mapping before the file: a line `+++`, the mapping as TOML, and another line `+++`.
///
/// It goes on behind the answer; ask for it by its id, and for what became of each row. A row that was taken is
/// not taken again when the file is sent once more. Files are imported one at a time: while another is under
/// way, the answer is 503.
#[utoipa::path(post, path = "/v1/imports", tag = "coordinator",
    params(
        ("kind" = ImportKind, Query, description = "What the rows become", example = "requests"),
        ("dry_run" = Option<bool>, Query, description = "`true`: nothing is written; what would become of each row is told"),
        ("verified" = Option<Verified>, Query, description = "Of requests: how far the contacts were checked (none, called, vouched)", example = "called"),
        ("confirmed" = Option<bool>, Query, description = "Of offers: `true`, by an administrator only: the people have agreed on an earlier form, so that no address need be confirmed"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeated call with the same key makes nothing twice")),
    request_body(content = String, content_type = "text/csv", description = "The file", example = "Name,Phone,ZIP,Category,Quantity\nMo,612 555 0123,55407,food,4\n"),
    responses((status = 202, description = "It has begun", body = BegunImport), Problems), security(("coordinator" = [])))]
pub async fn post(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    any: AnyCoordinator,
    query: web::Query<ImportQuery>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    check_media_type(&request)?;
    let mut errors = FieldErrors::default();
    let kind = errors.require("kind", query.kind);
    if query.verified == Some(Verified::Email) {
        errors.push("verified", "must be one of none, called, vouched");
    }
    let kind = errors.finish(kind)?;
    if query.confirmed && any.scope < Scope::Admin {
        return Err(Problem::forbidden());
    }
    let call = idempotency::call(&ctx, &request, who.0.as_bytes(), &body)?;
    let job = web::block(move || read(kind, &body));
    let job = job.await.map_err(|_| Problem::internal())??;
    let new = NewImport {
        kind,
        dry_run: query.dry_run,
        rows: job.table.rows.len() as u64,
        by: Some(who.0),
    };
    let (id, is_new) = begin_import(&ctx, new, call).await?;
    let terms = Terms {
        by: Some(who.0),
        run: id.into(),
        verified: query.verified.unwrap_or(Verified::None),
        confirmed: query.confirmed,
        tells_callers: true,
    };
    let begun = BegunImport {
        import: shown(&ctx, id).await?,
        mapping: job.mapping().to_toml().map_err(|_| Problem::internal())?,
        unmapped: job.unmapped().to_vec(),
    };
    if is_new {
        let ctx = ctx.get_ref().clone();
        tokio::spawn(take_in(ctx, id, job, new.dry_run, terms).in_current_span());
    }
    Ok(HttpResponse::Accepted().json(begun))
}

/// The whole of it, whatever becomes of the call.
async fn take_in(ctx: Ctx, id: ImportId, job: Job, dry_run: bool, terms: Terms) {
    let ended = match Run::begin(&ctx, &job, dry_run, terms) {
        Ok(mut run) => go_on(&ctx, id, &mut run).await,
        Err(error) => Err(error),
    };
    let state = match ended {
        Ok(()) => ImportState::Done,
        Err(error) => {
            tracing::error!(import.id = %id, error = %error, "an import was broken off");
            ImportState::BrokenOff
        }
    };
    // Where this cannot be written, it is seen by and by that it does not go on.
    if let Err(error) = end_import(&ctx, id, state).await {
        tracing::error!(import.id = %id, error = %error, "the end of an import was not noted");
    }
}

async fn go_on(ctx: &Ctx, id: ImportId, run: &mut Run) -> Outcome<()> {
    while let Some(report) = run.next().await? {
        note_rows(ctx, id, run.tally(), report).await?;
    }
    Ok(())
}

/// A sheet, or what a program sends that does not know what it sends.
fn check_media_type(request: &HttpRequest) -> Result<(), Problem> {
    let media = request.content_type();
    let is_sheet = [
        "",
        "text/csv",
        "text/plain",
        "text/tab-separated-values",
        "application/csv",
    ]
    .into_iter()
    .chain(["application/octet-stream", "application/vnd.ms-excel"])
    .any(|known| media.eq_ignore_ascii_case(known));
    if is_sheet {
        return Ok(());
    }
    let title = "Send the file itself";
    Err(
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", title)
            .detail("Content-Type: text/csv"),
    )
}

/// The table in a body, with its mapping.
fn read(kind: ImportKind, body: &[u8]) -> Result<Job, Problem> {
    let wrong = |why: &str| {
        let mut errors = FieldErrors::default();
        for line in why.lines() {
            errors.push("mapping", line);
        }
        Problem::invalid(errors.into_all())
    };
    let (mapping, file) = match split(body) {
        Some((mapping, file)) => {
            let text = std::str::from_utf8(mapping).map_err(|_| wrong("must be UTF-8"))?;
            (Some(Mapping::parse(text).map_err(|why| wrong(&why))?), file)
        }
        None => (None, body),
    };
    let table = Table::read(file).map_err(|why| {
        let title = "The file cannot be read as a sheet";
        Problem::new(StatusCode::BAD_REQUEST, "sheet", title).detail(format!("{why}."))
    })?;
    Job::new(kind, table, mapping).map_err(|why| wrong(&why))
}

/// The mapping and the file, where a mapping comes with it.
fn split(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = body.strip_prefix(FENCE.as_bytes())?;
    let body = body
        .strip_prefix(b"\r\n")
        .or_else(|| body.strip_prefix(b"\n"))?;
    let fence = format!("\n{FENCE}\n").into_bytes();
    let windows = format!("\n{FENCE}\r\n").into_bytes();
    [fence, windows].into_iter().find_map(|fence| {
        let at = body.windows(fence.len()).position(|part| part == fence)?;
        Some((&body[..=at], &body[at + fence.len()..]))
    })
}

async fn shown(ctx: &web::Data<Ctx>, id: ImportId) -> Result<ImportSheet, Problem> {
    let now = ctx.now();
    let import = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(imports::find(conn, id)?))
        .await?;
    let import = import.ok_or_else(Problem::not_found)?;
    Ok(ImportSheet::of(&import, now))
}

/// A page of them.
type ImportList = Listing<ImportSheet>;

/// The imports whose rows are remembered, newest first; also those of the command line.
#[utoipa::path(get, path = "/v1/imports", tag = "coordinator", params(Pages),
    responses((status = 200, description = "A page of imports", body = ImportList), Problems), security(("coordinator" = [])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Filters::read("imports", &[], &request)?.finish(&ctx)?;
    let now = ctx.now();
    asked
        .answer(
            &ctx,
            |conn, page| Ok(imports::page(conn, page)?),
            |i| position(i.created_at, i.id),
            move |_, rows| Ok(rows.iter().map(|i| ImportSheet::of(i, now)).collect()),
        )
        .await
}

/// How far an import is.
#[utoipa::path(get, path = "/v1/imports/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The import", body = ImportSheet), Problems), security(("coordinator" = [])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    id: web::Path<ImportId>,
) -> Result<HttpResponse, Problem> {
    let (id, now) = (*id, ctx.now());
    found(&ctx, move |conn| {
        let import = imports::find(conn, id)?;
        Ok(import.map(|import| ImportSheet::of(&import, now)))
    })
    .await
}

/// Takes an import back: closes what it made and nobody has said yes to, changed or confirmed since, erases volunteers whom
/// it brought and who have confirmed nothing, and forgets the rows, so that they may be imported anew. It goes on for some
/// seconds: while `undone_at` is null, call it again. When it is over, it tells the same again.
#[utoipa::path(post, path = "/v1/imports/{id}/undo", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The import, and what became of its posts", body = ImportSheet), Problems), security(("coordinator" = [])))]
pub async fn undo(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<ImportId>,
) -> Result<HttpResponse, Problem> {
    undo_import(&ctx, *id, who.actor()).await?;
    Ok(HttpResponse::Ok().json(shown(&ctx, *id).await?))
}

/// Which rows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsQuery {
    after: Option<i64>,
}

/// What became of the rows of an import, some at a time, in the order of the file: which line, and which columns
/// are wrong and why, and which posts were made of it. Kept for a day.
#[utoipa::path(get, path = "/v1/imports/{id}/rows", tag = "coordinator",
    params(("id" = String, Path, format = Uuid),
        ("after" = Option<i64>, Query, description = "Only rows behind this line", example = 201)),
    responses((status = 200, description = "Some rows", body = ReportPage), Problems), security(("coordinator" = [])))]
pub async fn rows(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    id: web::Path<ImportId>,
    query: web::Query<RowsQuery>,
) -> Result<HttpResponse, Problem> {
    let (id, after) = (*id, query.after.unwrap_or(0));
    found(&ctx, move |conn| {
        if imports::find(conn, id)?.is_none() {
            return Ok(None);
        }
        let items = imports::part_after(conn, id, after)?.unwrap_or_default();
        let next = items.last().map(|row| row.line);
        Ok(Some(ReportPage { items, next }))
    })
    .await
}
