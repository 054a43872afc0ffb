//! `POST /v1/unsubscribe/{token}`: RFC 8058's one click. The one place where a token stands in a URL,
//! because mail programs call it; it stops mail and can do nothing else.

use actix_web::{HttpResponse, web};

use super::openapi::Problems;
use super::problem::Problem;
use crate::actions::{Ctx, tokens, unsubscribe};
use crate::crypto::token::Purpose;

/// Stops all mail to the person whose letter it was.
#[utoipa::path(post, path = "/v1/unsubscribe/{token}", tag = "anyone",
    params(("token" = String, Path, description = "The unsubscribe token of a letter", example = "mhu_0123456789ABCDEFGHJKMNPQRSTV")),
    responses((status = 204, description = "No more mail"), Problems))]
pub async fn post(ctx: web::Data<Ctx>, token: web::Path<String>) -> Result<HttpResponse, Problem> {
    let subject = tokens::open(&ctx, &token, Purpose::Unsubscribe).await?;
    unsubscribe::unsubscribe(&ctx, subject).await?;
    Ok(HttpResponse::NoContent().finish())
}
