//! `/v1/letters`: whether letters left, which cannot be delivered, and those sent again.

use actix_web::{HttpRequest, HttpResponse, web};

use super::found;
use crate::actions::Ctx;
use crate::actions::retry_letter::retry_letter;
use crate::domain::ids::LetterId;
use crate::domain::letter::LetterKind;
use crate::http::auth::AsCoordinator;
use crate::http::filters::Filters;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::problem::Problem;
use crate::http::views::coordinator::letter::LetterSheet;
use crate::storage::letters;
use crate::storage::letters::{LetterFilter, LetterState};

/// A page of them.
type LetterList = Listing<LetterSheet>;

/// All letters, newest first.
#[utoipa::path(get, path = "/v1/letters", tag = "coordinator",
    params(
        ("state" = Option<LetterState>, Query, description = "Only those that stand there", example = "dead"),
        ("kind" = Option<LetterKind>, Query, description = "Only of this kind", example = "asked"),
        ("match" = Option<String>, Query, format = Uuid, description = "Only about this match"),
        ("request" = Option<String>, Query, format = Uuid, description = "Only about this request"),
        ("to" = Option<String>, Query, format = Uuid, description = "Only to this neighbor, volunteer, coordinator or webhook"),
        Pages),
    responses((status = 200, description = "A page of letters", body = LetterList), Problems), security(("coordinator" = [])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let known = ["state", "kind", "match", "request", "to"];
    let mut filters = Filters::read("letters", &known, &request)?;
    let filter = LetterFilter {
        state: filters.parsed("state"),
        kind: filters.parsed("kind"),
        match_id: filters.id("match"),
        request: filters.id("request"),
        to: filters.id("to"),
    };
    let asked = filters.finish(&ctx)?;
    asked
        .answer(
            &ctx,
            move |conn, page| Ok(letters::page(conn, &filter, page)?),
            |l| position(l.created_at, l.id),
            |_, rows| Ok(rows.into_iter().map(LetterSheet::from).collect()),
        )
        .await
}

/// One letter.
#[utoipa::path(get, path = "/v1/letters/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The letter", body = LetterSheet), Problems), security(("coordinator" = [])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    id: web::Path<LetterId>,
) -> Result<HttpResponse, Problem> {
    found(&ctx, move |conn| {
        Ok(letters::find(conn, *id)?.map(LetterSheet::from))
    })
    .await
}

/// Sends a letter again that was given up. All its attempts are before it again; asking twice sends it once. Where
/// what it says is not true any more, or its recipient wants no mail, the answer is 409.
#[utoipa::path(post, path = "/v1/letters/{id}/retry", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The letter as it is now", body = LetterSheet), Problems), security(("coordinator" = [])))]
pub async fn retry(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<LetterId>,
) -> Result<HttpResponse, Problem> {
    retry_letter(&ctx, *id, who.actor()).await?;
    found(&ctx, move |conn| {
        Ok(letters::find(conn, *id)?.map(LetterSheet::from))
    })
    .await
}
