//! `/v1/webhooks`: where what changes is told to other programs. For administrators only.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::actions::Ctx;
use crate::actions::add_webhook::add_webhook;
use crate::actions::remove_webhook::remove_webhook;
use crate::actions::rotate_webhook::rotate_webhook;
use crate::actions::try_webhook::try_webhook;
use crate::actions::update_webhook::update_webhook;
use crate::domain::ids::WebhookId;
use crate::domain::webhook::SigningKey;
use crate::http::auth::AsAdmin;
use crate::http::bodies::webhook::{WebhookBody, WebhookPatch};
use crate::http::body::Body;
use crate::http::fields::read_body;
use crate::http::filters::Filters;
use crate::http::idempotency;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::problem::Problem;
use crate::http::views::coordinator::letter::LetterSheet;
use crate::http::views::coordinator::webhook::{WebhookSheet, WebhookWithSecret};
use crate::storage::{StorageError, letters, webhooks};

async fn sheet(ctx: &Ctx, id: WebhookId) -> Result<WebhookSheet, Problem> {
    let read = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(webhooks::find(conn, id)?));
    let webhook = read.await?.ok_or_else(Problem::not_found)?;
    let keys = ctx.vault.keys().map_err(StorageError::from)?;
    Ok(WebhookSheet::whole(&webhook, &keys)?)
}

async fn with_secret(
    ctx: &Ctx,
    id: WebhookId,
    key: &SigningKey,
) -> Result<WebhookWithSecret, Problem> {
    Ok(WebhookWithSecret::new(sheet(ctx, id).await?, key))
}

/// A page of them.
type WebhookList = Listing<WebhookSheet>;

/// All webhooks, newest first, without their addresses.
#[utoipa::path(get, path = "/v1/webhooks", tag = "coordinator", params(Pages),
    responses((status = 200, description = "A page of webhooks", body = WebhookList), Problems), security(("coordinator" = ["admin"])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    _: AsAdmin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Filters::read("webhooks", &[], &request)?.finish(&ctx)?;
    let keys = ctx.vault.keys().map_err(StorageError::from)?;
    asked
        .answer(
            &ctx,
            |conn, page| Ok(webhooks::page(conn, page)?),
            |w| position(w.created_at, w.id),
            move |_, rows| {
                rows.iter()
                    .map(|row| WebhookSheet::listed(row, &keys))
                    .collect()
            },
        )
        .await
}

/// One webhook.
#[utoipa::path(get, path = "/v1/webhooks/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The webhook", body = WebhookSheet), Problems), security(("coordinator" = ["admin"])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    _: AsAdmin,
    id: web::Path<WebhookId>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(sheet(&ctx, *id).await?))
}

/// Has what changes told to another program from now on, by signed messages
/// ([Standard Webhooks](https://www.standardwebhooks.com)). Each is `{"type", "timestamp", "data": {"id"}}`: read the
/// record to see how it stands. `many.changed` instead says to read the lists anew. Messages may come twice, with the
/// same `webhook-id`, and in any order. The secret is shown this once.
#[utoipa::path(post, path = "/v1/webhooks", tag = "coordinator", request_body = WebhookBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeated call with the same key makes nothing twice")),
    responses((status = 201, description = "The webhook with its secret", body = WebhookWithSecret), Problems), security(("coordinator" = ["admin"])))]
pub async fn post(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsAdmin,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let call = idempotency::call(&ctx, &request, who.0.as_bytes(), &body)?;
    let (parsed, mut errors) = read_body::<WebhookBody>(&request, &body)?;
    let new = parsed.parse(ctx.settings.webhooks.allow_insecure, &mut errors);
    let new = errors.finish(new)?;
    let (id, key) = add_webhook(&ctx, new, who.0, call).await?;
    Ok(HttpResponse::Created().json(with_secret(&ctx, id, &key).await?))
}

/// Changes what a webhook is told, or whether it is told anything. What waits for one that is disabled is dropped; one
/// that is enabled again begins with `many.changed`.
#[utoipa::path(patch, path = "/v1/webhooks/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = WebhookPatch,
    responses((status = 200, description = "The webhook as it is now", body = WebhookSheet), Problems), security(("coordinator" = ["admin"])))]
pub async fn patch(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsAdmin,
    id: web::Path<WebhookId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, mut errors) = read_body::<WebhookPatch>(&request, &body)?;
    let edit = body.parse(&mut errors);
    let edit = errors.finish(Some(edit))?;
    update_webhook(&ctx, *id, edit, who.actor()).await?;
    Ok(HttpResponse::Ok().json(sheet(&ctx, *id).await?))
}

/// Gives a webhook another secret, which is shown this once. The one before signs beside it for 24 hours.
#[utoipa::path(post, path = "/v1/webhooks/{id}/rotate-secret", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The webhook with its new secret", body = WebhookWithSecret), Problems), security(("coordinator" = ["admin"])))]
pub async fn rotate(
    ctx: web::Data<Ctx>,
    who: AsAdmin,
    id: web::Path<WebhookId>,
) -> Result<HttpResponse, Problem> {
    let key = rotate_webhook(&ctx, *id, who.actor()).await?;
    Ok(HttpResponse::Ok().json(with_secret(&ctx, *id, &key).await?))
}

/// Sends a webhook a `webhook.test` at once; `GET /v1/letters/{id}` tells whether it has arrived.
#[utoipa::path(post, path = "/v1/webhooks/{id}/test", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 202, description = "The message as it waits", body = LetterSheet), Problems), security(("coordinator" = ["admin"])))]
pub async fn test(
    ctx: web::Data<Ctx>,
    who: AsAdmin,
    id: web::Path<WebhookId>,
) -> Result<HttpResponse, Problem> {
    let letter = try_webhook(&ctx, *id, who.actor()).await?;
    let read = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(letters::find(conn, letter)?));
    let letter = read.await?.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Accepted().json(LetterSheet::from(letter)))
}

/// Takes a webhook away, and drops what waits for it.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Gone"), Problems), security(("coordinator" = ["admin"])))]
pub async fn delete(
    ctx: web::Data<Ctx>,
    who: AsAdmin,
    id: web::Path<WebhookId>,
) -> Result<HttpResponse, Problem> {
    remove_webhook(&ctx, *id, who.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}
