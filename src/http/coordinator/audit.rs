//! `/v1/audit`: who did what to which record. For administrators only.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::actions::Ctx;
use crate::http::auth::AsAdmin;
use crate::http::filters::Filters;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, cut};
use crate::http::problem::Problem;
use crate::http::views::coordinator::entry::EntryView;
use crate::storage::audit::AuditFilter;
use crate::storage::{StorageError, audit, audit_chain};

/// A page of them.
type EntryList = Listing<EntryView>;

/// All entries of the audit, newest first.
#[utoipa::path(get, path = "/v1/audit", tag = "coordinator",
    params(
        ("subject" = Option<String>, Query, format = Uuid, description = "Only what was done to this record"),
        ("actor" = Option<String>, Query, format = Uuid, description = "Only what this person did"),
        ("action" = Option<String>, Query, description = "Only this kind of deed", example = "revealed"),
        Pages),
    responses((status = 200, description = "A page of entries", body = EntryList), Problems), security(("coordinator" = ["admin"])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    _: AsAdmin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let known = ["subject", "actor", "action"];
    let mut filters = Filters::read("audit", &known, &request)?;
    let filter = AuditFilter {
        subject: filters.id("subject"),
        actor: filters.id("actor"),
        action: filters.name("action"),
    };
    let asked = filters.finish(&ctx)?;
    let (before, limit) = (asked.after, asked.limit);
    let (items, last) = ctx
        .db
        .read(move |conn| {
            let mut rows = audit::page(conn, &filter, before, limit)?;
            let last = cut(limit, &mut rows, |entry| entry.seq);
            // They are sealed in the order of their numbers.
            let sealed = audit_chain::last(conn)?.map_or(i64::MIN, |link| link.seq);
            let views: Vec<_> = rows
                .into_iter()
                .map(|row| EntryView::new(row, sealed))
                .collect();
            Ok::<_, StorageError>((views, last))
        })
        .await?;
    Ok(HttpResponse::Ok().json(asked.listing(&ctx, items, last)))
}
