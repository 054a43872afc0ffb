//! `/v1/exports`: everything of one kind as a file. Without persons for coordinators; with them for
//! administrators, for a reason that goes into the audit.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::Instrument;
use utoipa::ToSchema;

use crate::actions::Ctx;
use crate::actions::export_persons::{ExportReason, export_persons};
use crate::domain::import::ImportKind;
use crate::domain::word::words;
use crate::http::auth::{AsAdmin, AsCoordinator};
use crate::http::body::Body;
use crate::http::fields::{FieldErrors, read_optional};
use crate::http::openapi::Problems;
use crate::http::problem::Problem;
use crate::http::sites;
use crate::http::{PATIENCE, SHEET};
use crate::sheets::export::{Choice, Export, Exported};
use crate::sheets::hsds;
use crate::storage::StorageError;

words! {
    /// In which form.
    ExportFormat {
        /// Comma separated values.
        Csv = "csv",
        /// A map's features; of sites.
        GeoJson = "geojson",
        /// Open Referral's services; of sites.
        Hsds = "hsds",
    }
}

/// In which form.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    format: Option<ExportFormat>,
    category: Option<String>,
    area: Option<String>,
    state: Option<String>,
}

/// Which part of everything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonsQuery {
    category: Option<String>,
    area: Option<String>,
    state: Option<String>,
}

/// What the three filters choose; a fault is noted with its name.
fn chosen(
    ctx: &Ctx,
    what: Exported,
    filters: [Option<&str>; 3],
    errors: &mut FieldErrors,
) -> Option<Choice> {
    match Choice::parse(what, &ctx.catalog, filters) {
        Ok(choice) => Some(choice),
        Err(faults) => {
            for (name, why) in faults {
                errors.push(name, why);
            }
            None
        }
    }
}

/// A part of a file, or that it is whole.
type Part = Result<Option<web::Bytes>, StorageError>;

/// A file that is read while it is sent. One that is not whole ends with an error, so that nobody takes it for whole.
struct Parts {
    parts: mpsc::Receiver<Part>,
    is_whole: bool,
}

impl MessageBody for Parts {
    type Error = StorageError;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        if self.is_whole {
            return Poll::Ready(None);
        }
        match ready!(self.parts.poll_recv(cx)) {
            Some(Ok(Some(part))) => Poll::Ready(Some(Ok(part))),
            Some(Ok(None)) => {
                self.is_whole = true;
                Poll::Ready(None)
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => Poll::Ready(Some(Err(StorageError::Unavailable("an export broke off")))),
        }
    }
}

/// All requests, offers, matches or open sites as a file, or a part of them: without names, contacts, addresses and notes. Of
/// sites also as GeoJSON, or as services of the Human Services Data Specification (HSDS 3.0).
#[utoipa::path(get, path = "/v1/exports/{what}", tag = "coordinator",
    params(("what" = Exported, Path, description = "Requests, offers, matches or sites", example = "requests"),
        ("format" = Option<ExportFormat>, Query, description = "In which form; CSV, if left out", example = "csv"),
        ("category" = Option<String>, Query, description = "Only of this category", example = "food"),
        ("area" = Option<String>, Query, description = "Only within this H3 cell, of any resolution", example = "862649b2fffffff"),
        ("state" = Option<String>, Query, description = "Only those that stand there; not of sites", example = "open")),
    responses((status = 200, description = "The file", body = String, content_type = "text/csv"), Problems), security(("coordinator" = [])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    what: web::Path<String>,
    query: web::Query<ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let what: Exported = what.parse().map_err(|_| Problem::not_found())?;
    let format = query.format.unwrap_or(ExportFormat::Csv);
    let mut errors = FieldErrors::default();
    if format != ExportFormat::Csv && what != Exported::Sites {
        errors.push("format", "must be csv: only sites have another form");
    }
    let filters = [
        query.category.as_deref(),
        query.area.as_deref(),
        query.state.as_deref(),
    ];
    let choice = chosen(&ctx, what, filters, &mut errors);
    if format != ExportFormat::Csv && choice.as_ref().is_some_and(|choice| !choice.is_all()) {
        errors.push("format", "must be csv where only a part is wanted");
    }
    let choice = errors.finish(choice)?;
    Ok(match format {
        ExportFormat::Csv => file(&ctx, what, false, choice),
        ExportFormat::GeoJson => HttpResponse::Ok()
            .content_type("application/geo+json")
            .json(sites::all(&ctx).await?),
        ExportFormat::Hsds => HttpResponse::Ok().json(hsds::services(&ctx).await?),
    })
}

/// Why.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "field"}))]
pub struct ExportBody {
    /// Why names and contacts are taken out.
    #[schema(required = true, nullable = false)]
    reason: Option<ExportReason>,
}

/// All requests or offers as CSV, or a part of them, with names, contacts, places and notes, as far as they are there
/// still. Every call is in the audit, with what it was narrowed to, and an administrator may make five a day.
#[utoipa::path(post, path = "/v1/exports/{what}", tag = "coordinator", request_body = ExportBody,
    params(("what" = ImportKind, Path, description = "Requests or offers", example = "requests"),
        ("category" = Option<String>, Query, description = "Only of this category", example = "food"),
        ("area" = Option<String>, Query, description = "Only within this H3 cell, of any resolution", example = "862649b2fffffff"),
        ("state" = Option<String>, Query, description = "Only those that stand there", example = "open")),
    responses((status = 200, description = "The file", body = String, content_type = "text/csv"), Problems), security(("coordinator" = ["admin"])))]
pub async fn post(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsAdmin,
    what: web::Path<String>,
    query: web::Query<PersonsQuery>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let kind: ImportKind = what.parse().map_err(|_| Problem::not_found())?;
    let (body, mut errors) = read_optional::<ExportBody>(&request, &body)?;
    let reason = errors.require("/reason", body.reason);
    let what = match kind {
        ImportKind::Requests => Exported::Requests,
        ImportKind::Offers => Exported::Offers,
    };
    let filters = [
        query.category.as_deref(),
        query.area.as_deref(),
        query.state.as_deref(),
    ];
    let choice = chosen(&ctx, what, filters, &mut errors);
    let (reason, choice) = errors.finish(reason.zip(choice))?;
    export_persons(&ctx, kind, Some(who.0), reason, choice.of_persons()).await?;
    Ok(file(&ctx, what, true, choice))
}

/// The file, of which a few pages are in memory at a time.
fn file(ctx: &Ctx, what: Exported, persons: bool, choice: Choice) -> HttpResponse {
    let mut export = Export::new(ctx, what, persons, choice);
    let (send, parts) = mpsc::channel(2);
    let read = async move {
        loop {
            let part = match export.next().await {
                Ok(part) => Ok(part.map(web::Bytes::from)),
                Err(error) => {
                    tracing::error!(error = %error, "an export was broken off");
                    Err(error)
                }
            };
            let is_over = !matches!(part, Ok(Some(_)));
            // Whoever asked may have hung up, or takes nothing any more.
            let taken = timeout(PATIENCE, send.send(part)).await;
            if !matches!(taken, Ok(Ok(()))) || is_over {
                return;
            }
        }
    };
    tokio::spawn(read.in_current_span());
    HttpResponse::Ok()
        .content_type(SHEET)
        .insert_header((
            "Content-Disposition",
            format!("attachment; filename=\"{what}.csv\""),
        ))
        .body(Parts {
            parts,
            is_whole: false,
        })
}
