//! The front page: what this is, where to go, and a box for every kind of code.

use actix_web::http::StatusCode;
use actix_web::web;
use askama::Template;
use serde::Deserialize;

use super::oops::Oops;
use super::{Page, answer, confirm, manage, page, unsubscribe};
use crate::actions::Ctx;
use crate::crypto::token::{Purpose, Token};

#[derive(Template)]
#[template(path = "front.html")]
struct FrontPage {
    action: &'static str,
}

/// What this is.
///
/// # Errors
/// A template that fails, which none does by itself.
pub async fn get() -> Page {
    page(StatusCode::OK, &FrontPage { action: "/" })
}

/// A code of any kind.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CodeForm {
    code: String,
}

/// Shows what the code opens, on the page that its letters belong to.
///
/// # Errors
/// A code that opens nothing.
pub async fn post(ctx: web::Data<Ctx>, form: web::Form<CodeForm>) -> Page {
    let code = &form.code;
    match Token::parse(code).map(|t| t.purpose()) {
        Some(Purpose::Answer) => answer::open(&ctx, code).await,
        Some(Purpose::Confirm) => confirm::open(&ctx, code).await,
        Some(Purpose::Unsubscribe) => unsubscribe::open(&ctx, code).await,
        Some(Purpose::Neighbor | Purpose::Volunteer) => manage::open(&ctx, code).await,
        Some(Purpose::Coordinator) | None => Err(Oops::not_found()),
    }
}
