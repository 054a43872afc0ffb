//! `/manage`: one page for two kinds of codes, a neighbor's and a volunteer's.

use actix_web::web;
use serde::Deserialize;

use super::oops::Oops;
use super::{Notice, Page, neighbor, volunteer};
use crate::actions::Ctx;
use crate::crypto::token::{Purpose, Token};

/// What the forms of both pages may hold. A field that was left out is empty.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ManageForm {
    /// The manage code.
    pub(super) code: String,
    /// Empty where the code alone was sent: then nothing was to be chosen.
    pub(super) form: String,
    /// What was chosen.
    pub(super) choice: String,
    /// The request it is about.
    pub(super) request: String,
    /// The match it is about.
    #[serde(rename = "match")]
    pub(super) matched: String,
    /// The offer it is about.
    pub(super) offer: String,
    /// What is reported.
    pub(super) problem: String,
    /// What the reporter wrote.
    pub(super) statement: String,
    /// How much of a site is taken.
    pub(super) taken: String,
    /// Until when a request is needed.
    pub(super) until: String,
    /// The second choice that deleting needs.
    pub(super) sure: String,
    /// Asks at a time.
    pub(super) open_asks: String,
    /// Asks a week that are not urgent.
    pub(super) weekly_asks: String,
    /// Asks a day.
    pub(super) daily_asks: String,
    /// Whether at night too.
    pub(super) nights: String,
}

impl ManageForm {
    /// Whether everything is really to be deleted: that is chosen twice.
    pub(super) fn is_sure(&self) -> Result<(), Notice> {
        if self.sure == "yes" {
            Ok(())
        } else {
            Err(Notice::again(
                "To delete everything, please tick the second box as well. Nothing was changed.",
            ))
        }
    }
}

/// Shows what a manage code opens.
pub(super) async fn open(ctx: &web::Data<Ctx>, code: &str) -> Page {
    let form = ManageForm {
        code: code.to_owned(),
        ..ManageForm::default()
    };
    handle(ctx, &form).await
}

/// Shows the page of a neighbor or a volunteer, after carrying out what was chosen.
///
/// # Errors
/// A code that opens nothing.
pub async fn post(ctx: web::Data<Ctx>, form: web::Form<ManageForm>) -> Page {
    handle(&ctx, &form).await
}

async fn handle(ctx: &web::Data<Ctx>, form: &ManageForm) -> Page {
    match Token::parse(&form.code).map(|t| t.purpose()) {
        Some(Purpose::Neighbor) => neighbor::handle(ctx, form).await,
        Some(Purpose::Volunteer) => volunteer::handle(ctx, form).await,
        _ => Err(Oops::not_found()),
    }
}
