//! `/confirm`: the owner of an address confirms what was posted with it, and gets the manage code.

use actix_web::http::StatusCode;
use actix_web::web;
use askama::Template;
use serde::Deserialize;

use super::oops::Oops;
use super::{Notice, Page, Wish, page, status, words};
use crate::actions::Ctx;
use crate::actions::confirm_offers::confirm_by_link;
use crate::crypto::token::{Purpose, Token};
use crate::domain::ids::VolunteerId;
use crate::domain::lifecycle::OfferState;
use crate::storage::{StorageError, offers, volunteers};

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage {
    code: String,
    notice: Option<Notice>,
    /// The kinds of help that wait; nothing else of the post is shown before the address is confirmed.
    waiting: Vec<String>,
}

/// A manage code that its owner sees once, here.
#[derive(Template)]
#[template(path = "keep.html")]
pub(super) struct KeepPage {
    pub heading: &'static str,
    pub lead: &'static str,
    pub code: String,
    pub public_url: String,
    /// Places to go to meanwhile: names and addresses.
    pub sites: Vec<(String, String)>,
}

/// What the form may hold.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ConfirmForm {
    code: String,
    form: String,
    choice: String,
}

/// A choice that was made.
struct Confirm;

impl ConfirmForm {
    fn wish(&self) -> Wish<Confirm> {
        match self.choice.as_str() {
            "" if self.form.is_empty() => Ok(None),
            "confirm" => Ok(Some(Confirm)),
            _ => Err(Notice::again(
                "Please tick the box if it was you, then press the button. Nothing was changed.",
            )),
        }
    }
}

/// Shows what waits to be confirmed.
pub(super) async fn open(ctx: &web::Data<Ctx>, code: &str) -> Page {
    let opened = super::open(ctx, code, Purpose::Confirm).await?;
    show(ctx, opened.subject.into(), opened.code, None).await
}

/// Shows what waits, or confirms it.
///
/// # Errors
/// A code that opens nothing, or a post that has expired.
pub async fn post(ctx: web::Data<Ctx>, form: web::Form<ConfirmForm>) -> Page {
    let opened = super::open(&ctx, &form.code, Purpose::Confirm).await?;
    let id = VolunteerId::from(opened.subject);
    match form.wish() {
        Ok(None) => show(&ctx, id, opened.code, None).await,
        Err(notice) => show(&ctx, id, opened.code, Some(notice)).await,
        Ok(Some(Confirm)) => {
            let confirmed = {
                let link = Token::parse(&opened.code).ok_or_else(Oops::not_found)?;
                confirm_by_link(&ctx, id, link).await?
            };
            let keep = KeepPage {
                heading: "Thank you. Your offer is open",
                lead: "We write to you when a neighbor nearby needs what you offer. You can say yes or no each time. \
                    A manage code that you had before no longer works.",
                code: confirmed.token.expose().to_owned(),
                public_url: ctx.settings.server.public_url.as_str().to_owned(),
                sites: Vec::new(),
            };
            page(StatusCode::OK, &keep)
        }
    }
}

async fn show(ctx: &web::Data<Ctx>, id: VolunteerId, code: String, notice: Option<Notice>) -> Page {
    let rows = ctx
        .db
        .read(move |conn| {
            let owner = volunteers::find(conn, id)?.filter(|v| v.erased_at.is_none());
            Ok::<_, StorageError>((owner, offers::of_volunteer(conn, id)?))
        })
        .await?;
    let (Some(_), posted) = rows else {
        return Err(Oops::not_found());
    };
    let mut waiting: Vec<String> = posted
        .iter()
        .filter(|o| o.state == OfferState::Unconfirmed)
        .map(|o| words::category(ctx, o.category.as_str()))
        .collect();
    waiting.sort();
    waiting.dedup();
    page(
        status(notice.as_ref()),
        &ConfirmPage {
            code,
            notice,
            waiting,
        },
    )
}
