//! `/manage` with a neighbor's code: how her posts stand, who wants to help, and everything she may do.

use actix_web::http::StatusCode;
use actix_web::web;
use askama::Template;

use super::answer::{REPORTED, report};
use super::confirm::KeepPage;
use super::manage::ManageForm;
use super::oops::Oops;
use super::posts::{self, Post};
use super::{Notice, Page, Wish, open, page, status};
use crate::actions::close_request::close_request;
use crate::actions::erase_neighbor::erase_neighbor;
use crate::actions::prove_address::prove_address;
use crate::actions::renew::renew_request;
use crate::actions::reopen_request::reopen_request;
use crate::actions::report_match::{NewReport, report_match};
use crate::actions::rotate_token::rotate_token;
use crate::actions::{Ctx, agree_match, finish_match, hide_neighbor};
use crate::crypto::token::{Purpose, Token};
use crate::domain::clock::Ts;
use crate::domain::ids::{MatchId, NeighborId, RequestId};
use crate::domain::lifecycle::{CloseReason, RequestState};
use crate::domain::remit::Remit;
use crate::domain::report::Side;
use crate::http::auth::AsNeighbor;
use crate::http::neighbors::own_match;
use crate::http::views::neighbor::{self, NeighborView};
use crate::http::views::request::RequestView;
use crate::storage::requests::HeldBy;

#[derive(Template)]
#[template(path = "neighbor.html")]
struct NeighborPage {
    code: String,
    notice: Option<Notice>,
    name: String,
    posts: Vec<Post>,
    /// Posts that are not shown: their ids and names.
    rest: Vec<(String, String)>,
    can_hide: bool,
    can_show: bool,
}

#[derive(Template)]
#[template(path = "gone.html")]
pub(super) struct GonePage;

/// A choice that was made.
enum Act {
    OfMatch((RequestId, MatchId), OfMatch),
    Close(RequestId, CloseReason),
    Reopen(RequestId),
    Renew(RequestId, Ts),
    Hide,
    Show,
    Rotate,
    Erase,
}

enum OfMatch {
    Agree,
    Refuse,
    Done,
    NoShow,
    Report(NewReport),
}

/// Carries out what was chosen, if anything was, and shows the page.
pub(super) async fn handle(ctx: &web::Data<Ctx>, form: &ManageForm) -> Page {
    let opened = open(ctx, &form.code, Purpose::Neighbor).await?;
    let id = NeighborId::from(opened.subject);
    let wish = wish(form);
    if matches!(wish, Ok(Some(_)))
        && let Some(token) = Token::parse(&opened.code)
    {
        prove_address(ctx, &token).await?;
    }
    let notice = match wish {
        Ok(None) => None,
        Ok(Some(Act::Rotate)) => {
            let (hers, actor) = (Remit::Neighbor(id), AsNeighbor(id).actor());
            return keep(ctx, &rotate_token(ctx, id, hers, actor).await?);
        }
        Ok(Some(Act::Erase)) => {
            erase_neighbor(ctx, id, Remit::Neighbor(id), AsNeighbor(id).actor()).await?;
            return page(StatusCode::OK, &GonePage);
        }
        Ok(Some(act)) => Some(carry_out(ctx, AsNeighbor(id), act).await?),
        Err(notice) => Some(notice),
    };
    show(ctx, id, opened.code, form.request.parse().ok(), notice).await
}

fn wish(form: &ManageForm) -> Wish<Act> {
    let request = || {
        form.request
            .parse::<RequestId>()
            .map_err(|_| Notice::choose())
    };
    let matched = || {
        form.matched
            .parse::<MatchId>()
            .map_err(|_| Notice::choose())
    };
    let of_match = |what| Ok::<_, Notice>(Act::OfMatch((request()?, matched()?), what));
    let close = |reason| Ok::<_, Notice>(Act::Close(request()?, reason));
    let act = match form.choice.as_str() {
        "" if form.form.is_empty() => return Ok(None),
        "agree" => of_match(OfMatch::Agree)?,
        "refuse" => of_match(OfMatch::Refuse)?,
        "done" => of_match(OfMatch::Done)?,
        "no-show" => of_match(OfMatch::NoShow)?,
        "report" => of_match(OfMatch::Report(report(
            Side::Volunteer,
            &form.problem,
            &form.statement,
        )?))?,
        "helped-here" => close(CloseReason::HelpedHere)?,
        "helped-elsewhere" => close(CloseReason::HelpedElsewhere)?,
        "not-needed" => close(CloseReason::NotNeeded)?,
        "reopen" => Act::Reopen(request()?),
        "renew" => Act::Renew(request()?, until(&form.until)?),
        "hide" => Act::Hide,
        "show" => Act::Show,
        "rotate" => Act::Rotate,
        "erase" => form.is_sure().map(|()| Act::Erase)?,
        _ => return Err(Notice::choose()),
    };
    Ok(Some(act))
}

/// The page says until when, so that sending it twice does not add the time twice.
fn until(text: &str) -> Result<Ts, Notice> {
    text.parse::<jiff::Timestamp>()
        .map(Ts::from)
        .map_err(|_| Notice::choose())
}

async fn carry_out(ctx: &web::Data<Ctx>, who: AsNeighbor, act: Act) -> Result<Notice, Oops> {
    let (result, done) = match act {
        Act::OfMatch(path, what) => return settle(ctx, who, path, what).await,
        Act::Close(id, reason) => (
            close_request(ctx, id, Remit::Neighbor(who.0), reason, who.actor()).await,
            "It is closed. Whoever was asked or was coming has been told.",
        ),
        Act::Reopen(id) => (
            reopen_request(ctx, id, Remit::Neighbor(who.0), who.actor()).await,
            "It is open again. We are looking for help.",
        ),
        Act::Renew(id, until) => (
            renew_request(ctx, id, Remit::Neighbor(who.0), Some(until), who.actor()).await,
            "We keep looking.",
        ),
        Act::Hide => (
            hide_neighbor::hide(ctx, who.0, Remit::Neighbor(who.0), who.actor()).await,
            "Your posts are hidden. Nobody new is asked.",
        ),
        Act::Show => (
            hide_neighbor::show(ctx, who.0, Remit::Neighbor(who.0), who.actor()).await,
            "Your posts are shown again. We are looking for help.",
        ),
        Act::Rotate | Act::Erase => return Err(Oops::internal()),
    };
    Notice::after(result, done)
}

async fn settle(
    ctx: &web::Data<Ctx>,
    who: AsNeighbor,
    path: (RequestId, MatchId),
    what: OfMatch,
) -> Result<Notice, Oops> {
    let (id, actor) = (own_match(ctx, who, path).await?, who.actor());
    let (result, done) = match what {
        OfMatch::Agree => (
            agree_match::agree_match(ctx, id, actor).await,
            "Thank you. They learn now how to reach you.",
        ),
        OfMatch::Refuse => (
            agree_match::refuse_match(ctx, id, actor).await,
            "They learn nothing of you, and we are asking others.",
        ),
        OfMatch::Done => (
            finish_match::done(ctx, id, actor).await,
            "We are glad. Thank you for telling us.",
        ),
        OfMatch::NoShow => (
            finish_match::no_show(ctx, id, actor).await,
            "We are sorry. We are asking others at once.",
        ),
        OfMatch::Report(new) => (report_match(ctx, id, new, actor).await, REPORTED),
    };
    Notice::after(result, done)
}

/// Shows a new code, this once.
pub(super) fn keep(ctx: &web::Data<Ctx>, token: &Token) -> Page {
    let keep = KeepPage {
        heading: "Your new code",
        lead: "The old one stopped working just now.",
        code: token.expose().to_owned(),
        public_url: ctx.settings.server.public_url.as_str().to_owned(),
        sites: Vec::new(),
    };
    page(StatusCode::OK, &keep)
}

async fn show(
    ctx: &web::Data<Ctx>,
    id: NeighborId,
    code: String,
    first: Option<RequestId>,
    notice: Option<Notice>,
) -> Page {
    let inner = ctx.clone();
    let view = ctx
        .db
        .read(move |conn| neighbor::load(&inner, conn, id))
        .await?;
    let NeighborView {
        contact, requests, ..
    } = view.ok_or_else(Oops::not_found)?;
    let any = |wanted: fn(&RequestView) -> bool| requests.iter().any(wanted);
    let can_hide = any(|r| r.state == RequestState::Open);
    let can_show = any(|r| r.held_by == Some(HeldBy::Neighbor));
    let (posts, rest) = posts::of(ctx, requests, first);
    let name = contact.name.unwrap_or_default();
    page(
        status(notice.as_ref()),
        &NeighborPage {
            code,
            notice,
            name,
            posts,
            rest,
            can_hide,
            can_show,
        },
    )
}
