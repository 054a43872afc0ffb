//! `/v1/unsubscribe/{token}`: RFC 8058's one click. The one place where a token stands in a URL, because
//! mail programs call it; it stops mail and can do nothing else.
//!
//! Only the body that the RFC prescribes stops anything, so that a scanner that posts to every address it
//! finds changes nothing. Who opens the address in a browser is led to the page that asks.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::Body;
use super::fields::FieldErrors;
use super::openapi::Problems;
use super::problem::Problem;
use crate::actions::{Ctx, tokens, unsubscribe};
use crate::crypto::token::{Purpose, Token};

/// What a mail program sends; as a form of either kind.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"List-Unsubscribe": "One-Click"}))]
pub struct OneClickBody {
    /// Always `One-Click`.
    #[serde(rename = "List-Unsubscribe")]
    #[schema(example = "One-Click")]
    #[expect(dead_code, reason = "only the document is made from it")]
    list_unsubscribe: String,
}

/// Stops all mail to the person whose letter it was. Without the body of RFC 8058 nothing happens.
#[utoipa::path(post, path = "/v1/unsubscribe/{token}", tag = "anyone",
    request_body(content = OneClickBody, content_type = "application/x-www-form-urlencoded"),
    params(("token" = String, Path, description = "The unsubscribe token of a letter", example = "mhu_0123456789ABCDEFGHJKMNPQRSTV")),
    responses((status = 204, description = "No more mail"), Problems))]
pub async fn post(
    ctx: web::Data<Ctx>,
    token: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let subject = tokens::open(&ctx, &token, Purpose::Unsubscribe).await?;
    let mut errors = FieldErrors::default();
    if !is_one_click(&String::from_utf8_lossy(&body)) {
        errors.push("/List-Unsubscribe", "must be One-Click (RFC 8058)");
    }
    errors.finish(Some(()))?;
    unsubscribe::unsubscribe(&ctx, subject).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Leads to the page that asks whether mail is to stop. Changes nothing and looks nothing up.
#[utoipa::path(get, path = "/v1/unsubscribe/{token}", tag = "anyone",
    params(("token" = String, Path, description = "The unsubscribe token of a letter", example = "mhu_0123456789ABCDEFGHJKMNPQRSTV")),
    responses((status = 303, description = "To the page, with the token behind the `#`"), Problems))]
pub async fn get(token: web::Path<String>) -> Result<HttpResponse, Problem> {
    let token = Token::parse(&token)
        .filter(|token| token.purpose() == Purpose::Unsubscribe)
        .ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("/unsubscribe#{}", token.expose())))
        .finish())
}

/// Whether it is the one pair that RFC 8058 (section 3.1) lets a mail program send, URL-encoded or as
/// multipart/form-data.
fn is_one_click(body: &str) -> bool {
    const NAME: &str = "name=\"List-Unsubscribe\"";
    let is_pair = |pair: &str| pair == "List-Unsubscribe=One-Click";
    let is_part = |part: &str| {
        part.split_once("\r\n\r\n")
            .is_some_and(|(head, value)| head.contains(NAME) && value.trim_end() == "One-Click")
    };
    body.trim().split('&').any(is_pair) || body.split("\r\n--").any(is_part)
}

#[cfg(test)]
mod tests {
    use super::is_one_click;

    #[test]
    fn both_kinds_of_form_are_read_and_nothing_else_is() {
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
        for body in [
            "List-Unsubscribe=One-Click",
            "List-Unsubscribe=One-Click\r\n",
            multipart,
        ] {
            assert!(is_one_click(body), "{body}");
        }
        for body in [
            "",
            "List-Unsubscribe=",
            "List-Unsubscribe",
            "One-Click",
            "code=List-Unsubscribe=One-Click",
            "{\"List-Unsubscribe\": \"One-Click\"}",
            "--x\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\nOne-Click\r\n--x--\r\n",
        ] {
            assert!(!is_one_click(body), "{body}");
        }
    }
}
