//! `/manage` with a volunteer's code: offers, limits, what was asked, and everything she may do.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::http::StatusCode;
use actix_web::web;
use askama::Template;

use super::manage::ManageForm;
use super::neighbor::{GonePage, keep};
use super::offers::{self, Asked, Shown};
use super::oops::Oops;
use super::{Notice, Page, Wish, open, page, status};
use crate::actions::count_site::count_site;
use crate::actions::erase_volunteer::erase_volunteer;
use crate::actions::move_offer::{Move, move_offer};
use crate::actions::pause_volunteer::pause_volunteer;
use crate::actions::renew::renew_offer;
use crate::actions::rotate_token::rotate_volunteers_token;
use crate::actions::update_volunteer::{NewVolunteer, update_volunteer};
use crate::actions::{Ctx, Outcome, Refusal};
use crate::crypto::token::Purpose;
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::limits::AskLimits;
use crate::domain::secret::VolunteerSecret;
use crate::http::auth::AsVolunteer;
use crate::http::views::answer;
use crate::http::views::volunteer::{self, VolunteerView};
use crate::storage::volunteers::Volunteer;
use crate::storage::{StorageError, TxError, volunteers};

/// Matches shown, newest first.
const SHOWN: i64 = 15;

#[derive(Template)]
#[template(path = "volunteer.html")]
struct VolunteerPage {
    code: String,
    notice: Option<Notice>,
    view: VolunteerView,
    name: String,
    vetted: Option<String>,
    offers: Vec<Shown>,
    /// Offers that are not shown: their ids and names.
    rest: Vec<(String, String)>,
    asked: Vec<Asked>,
}

/// A choice that was made.
enum Act {
    Move(OfferId, Move),
    Renew(OfferId),
    Count(OfferId, i32),
    Pause(bool),
    Limit {
        open_asks: u8,
        weekly_asks: u8,
        daily_asks: u8,
        nights: bool,
    },
    AllowMail,
    Rotate,
    Erase,
}

/// Carries out what was chosen, if anything was, and shows the page.
pub(super) async fn handle(ctx: &web::Data<Ctx>, form: &ManageForm) -> Page {
    let opened = open(ctx, &form.code, Purpose::Volunteer).await?;
    let id = VolunteerId::from(opened.subject);
    let notice = match wish(form) {
        Ok(None) => None,
        Ok(Some(Act::Rotate)) => {
            return keep(
                ctx,
                &rotate_volunteers_token(ctx, id, AsVolunteer(id).actor()).await?,
            );
        }
        Ok(Some(Act::Erase)) => {
            erase_volunteer(ctx, id, AsVolunteer(id).actor()).await?;
            return page(StatusCode::OK, &GonePage);
        }
        Ok(Some(act)) => Some(carry_out(ctx, AsVolunteer(id), act).await?),
        Err(notice) => Some(notice),
    };
    show(ctx, id, opened.code, form.offer.parse().ok(), notice).await
}

fn wish(form: &ManageForm) -> Wish<Act> {
    let offer = || form.offer.parse::<OfferId>().map_err(|_| Notice::choose());
    let act = match form.choice.as_str() {
        "" if form.form.is_empty() => return Ok(None),
        "pause" => Act::Move(offer()?, Move::Pause),
        "resume" => Act::Move(offer()?, Move::Resume),
        "close" => Act::Move(offer()?, Move::Close),
        "renew" => Act::Renew(offer()?),
        "count" => Act::Count(offer()?, number(&form.taken, 0, 100_000)?),
        "pause-all" => Act::Pause(true),
        "resume-all" => Act::Pause(false),
        "limits" => Act::Limit {
            open_asks: number(&form.open_asks, 1, 20)?,
            weekly_asks: number(&form.weekly_asks, 1, 50)?,
            daily_asks: number(&form.daily_asks, 1, 100)?,
            nights: form.nights == "yes",
        },
        "mail" => Act::AllowMail,
        "rotate" => Act::Rotate,
        "erase" => form.is_sure().map(|()| Act::Erase)?,
        _ => return Err(Notice::choose()),
    };
    Ok(Some(act))
}

/// A whole number from `least` to `most`.
fn number<N: FromStr + PartialOrd + Display + Copy>(
    text: &str,
    least: N,
    most: N,
) -> Result<N, Notice> {
    let number = text.trim().parse().ok();
    let number = number.filter(|n| (least..=most).contains(n));
    number.ok_or_else(|| {
        Notice::again(format!(
            "Please give a whole number from {least} to {most}. Nothing was changed."
        ))
    })
}

async fn carry_out(ctx: &web::Data<Ctx>, who: AsVolunteer, act: Act) -> Result<Notice, Oops> {
    let (result, done) = match act {
        Act::Move(id, to) => {
            let done = match to {
                Move::Pause => "Your offer is paused. What you have promised stands.",
                Move::Resume => "Your offer is open again.",
                Move::Close => "Your offer is closed. Whoever counted on it is told.",
            };
            (
                move_offer(ctx, id, Some(who.0), to, who.actor()).await,
                done,
            )
        }
        Act::Renew(id) => (
            renew_offer(ctx, id, Some(who.0), who.actor()).await,
            "Your offer stays open. Thank you!",
        ),
        Act::Count(id, taken) => (
            count_site(ctx, id, Some(who.0), taken, ctx.now(), who.actor())
                .await
                .map(|_| ()),
            "Everybody can see it now. Thank you!",
        ),
        Act::Pause(true) => (
            pause_volunteer(ctx, who.0, true, who.actor()).await,
            "You are not asked any more. What you have promised stands.",
        ),
        Act::Pause(false) => (
            pause_volunteer(ctx, who.0, false, who.actor()).await,
            "You can be asked again. Thank you!",
        ),
        Act::Limit {
            open_asks,
            weekly_asks,
            daily_asks,
            nights,
        } => {
            let limit = move |old: AskLimits| AskLimits {
                open_asks,
                weekly_asks,
                daily_asks,
                nights,
                ..old
            };
            (
                change(ctx, who.0, limit, false).await,
                "Your limits are changed.",
            )
        }
        Act::AllowMail => (
            change(ctx, who.0, |old| old, true).await,
            "You get e-mail from us again. Thank you!",
        ),
        Act::Rotate | Act::Erase => return Err(Oops::internal()),
    };
    Notice::after(result, done)
}

/// Changes limits, or allows mail again, and leaves everything else as it is.
async fn change(
    ctx: &web::Data<Ctx>,
    id: VolunteerId,
    limit: impl FnOnce(AskLimits) -> AskLimits,
    allow_mail: bool,
) -> Outcome<()> {
    let row = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(volunteers::find(conn, id)?))
        .await?;
    let Some(Volunteer {
        sealed: Some(sealed),
        sealed_version,
        languages,
        locale,
        limits,
        mail_stopped_at,
        ..
    }) = row
    else {
        return Err(TxError::Refused(Refusal::NotFound));
    };
    let secret: VolunteerSecret = ctx.vault.open(id, sealed_version, &sealed)?;
    let new = NewVolunteer {
        secret,
        languages: languages.0,
        locale,
        limits: limit(limits.0),
        mail: allow_mail || mail_stopped_at.is_none(),
    };
    let actor = AsVolunteer(id).actor();
    update_volunteer(ctx, id, sealed_version, new, actor)
        .await
        .map(|_| ())
}

async fn show(
    ctx: &web::Data<Ctx>,
    id: VolunteerId,
    code: String,
    first: Option<OfferId>,
    notice: Option<Notice>,
) -> Page {
    let inner = ctx.clone();
    let read = ctx.db.read(move |conn| {
        let view = volunteer::load(&inner, conn, id)?;
        Ok::<_, StorageError>((view, answer::of_volunteer(&inner, conn, id, SHOWN)?))
    });
    let (Some(mut view), asked) = read.await? else {
        return Err(Oops::not_found());
    };
    let zone = &ctx.settings.area.timezone;
    let vetted = view
        .vetted_until
        .map(|t| zone.to_local(t).strftime("%b %-d, %Y").to_string());
    let (offers, rest) = offers::of(ctx, std::mem::take(&mut view.offers), first);
    let asked = asked.into_iter().map(|a| offers::asked(ctx, a)).collect();
    let name = view.contact.name.clone().unwrap_or_default();
    page(
        status(notice.as_ref()),
        &VolunteerPage {
            code,
            notice,
            view,
            name,
            vetted,
            offers,
            rest,
            asked,
        },
    )
}
