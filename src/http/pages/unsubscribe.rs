//! `/unsubscribe`: no more e-mail, and nothing else.

use actix_web::web;
use askama::Template;
use serde::Deserialize;

use super::{Notice, Page, page, status};
use crate::actions::Ctx;
use crate::actions::unsubscribe::unsubscribe;
use crate::crypto::token::Purpose;

#[derive(Template)]
#[template(path = "unsubscribe.html")]
struct UnsubscribePage {
    code: String,
    notice: Option<Notice>,
    is_done: bool,
}

/// What the form may hold.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct UnsubscribeForm {
    code: String,
    form: String,
    choice: String,
}

/// Asks whether mail is to stop.
pub(super) async fn open(ctx: &web::Data<Ctx>, code: &str) -> Page {
    let opened = super::open(ctx, code, Purpose::Unsubscribe).await?;
    show(opened.code, None, false)
}

/// Asks, or stops the mail.
///
/// # Errors
/// A code that opens nothing.
pub async fn post(ctx: web::Data<Ctx>, form: web::Form<UnsubscribeForm>) -> Page {
    let opened = super::open(&ctx, &form.code, Purpose::Unsubscribe).await?;
    match form.choice.as_str() {
        "stop" => {
            unsubscribe(&ctx, opened.subject).await?;
            show(opened.code, None, true)
        }
        "" if form.form.is_empty() => show(opened.code, None, false),
        _ => show(opened.code, Some(Notice::choose()), false),
    }
}

fn show(code: String, notice: Option<Notice>, is_done: bool) -> Page {
    page(
        status(notice.as_ref()),
        &UnsubscribePage {
            code,
            notice,
            is_done,
        },
    )
}
