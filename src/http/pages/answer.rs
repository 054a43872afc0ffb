//! `/answer`: a volunteer sees what is asked, and says yes, no, or how it went.

use actix_web::web;
use askama::Template;
use serde::Deserialize;

use super::words::{self, Fact, fact};
use super::{Notice, Page, Wish, page, status, word};
use crate::actions::accept_match::{Yes, accept_match};
use crate::actions::decline_match::decline_match;
use crate::actions::release_match::release_match;
use crate::actions::report_match::{NewReport, report_match};
use crate::actions::{Ctx, finish_match};
use crate::crypto::token::Purpose;
use crate::domain::clock::Ts;
use crate::domain::ids::MatchId;
use crate::domain::lifecycle::{Agreement, DeclineReason, FallReason, MatchState};
use crate::domain::need::Quantity;
use crate::domain::note::PrivateNote;
use crate::domain::report::Side;
use crate::http::auth::AsAnswerer;
use crate::http::pages::oops::Oops;
use crate::http::views::answer::{self, AnswerView};
use crate::storage::{StorageError, matches};

#[derive(Template)]
#[template(path = "answer.html")]
struct AnswerPage {
    code: String,
    notice: Option<Notice>,
    heading: &'static str,
    lead: &'static str,
    facts: Vec<Fact>,
    view: AnswerView,
    zone: String,
}

impl AnswerPage {
    fn can(&self, what: &str) -> bool {
        self.view.can.contains(&what)
    }
}

/// What the form may hold. A field that was left out is empty.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AnswerForm {
    code: String,
    form: String,
    choice: String,
    quantity: String,
    arrival: String,
    reason: String,
    problem: String,
    statement: String,
}

/// A choice that was made.
enum Act {
    Accept(Yes),
    Decline(Option<DeclineReason>),
    Arrive(Yes),
    Release,
    Done,
    NoShow,
    Report(NewReport),
}

/// Shows the match of a code.
pub(super) async fn open(ctx: &web::Data<Ctx>, code: &str) -> Page {
    let opened = super::open(ctx, code, Purpose::Answer).await?;
    show(ctx, opened.subject.into(), opened.code, None).await
}

/// Shows the match, after carrying out what was chosen, if anything was.
///
/// # Errors
/// A code that opens no match.
pub async fn post(ctx: web::Data<Ctx>, form: web::Form<AnswerForm>) -> Page {
    let opened = super::open(&ctx, &form.code, Purpose::Answer).await?;
    let id = MatchId::from(opened.subject);
    let notice = match form.wish(&ctx) {
        Ok(None) => None,
        Ok(Some(act)) => Some(act.carry_out(&ctx, AsAnswerer(id)).await?),
        Err(notice) => Some(notice),
    };
    show(&ctx, id, opened.code, notice).await
}

impl AnswerForm {
    fn wish(&self, ctx: &Ctx) -> Wish<Act> {
        Ok(Some(match self.choice.as_str() {
            "" if self.form.is_empty() => return Ok(None),
            "accept" => Act::Accept(self.yes(ctx)?),
            "decline" => Act::Decline(word(&self.reason)?),
            "arrival" => match self.yes(ctx)? {
                Yes {
                    arrival_at: None, ..
                } => return Err(Notice::again("Please give the time. Nothing was changed.")),
                yes => Act::Arrive(yes),
            },
            "release" => Act::Release,
            "done" => Act::Done,
            "no-show" => Act::NoShow,
            "report" => Act::Report(report(Side::Neighbor, &self.problem, &self.statement)?),
            _ => return Err(Notice::choose()),
        }))
    }

    fn yes(&self, ctx: &Ctx) -> Result<Yes, Notice> {
        let quantity = match self.quantity.trim() {
            "" => None,
            text => Some(
                text.parse()
                    .ok()
                    .and_then(|n: i64| Quantity::try_from(n).ok())
                    .ok_or_else(|| Notice::again("Please give the number as a whole number, such as 2. Nothing was changed."))?,
            ),
        };
        let zone = &ctx.settings.area.timezone;
        let arrival_at = words::read_local(&self.arrival, zone, ctx.now()).map_err(|_| {
            Notice::again("Please give the time like this: 2026-01-31 18:30. Nothing was changed.")
        })?;
        Ok(Yes {
            quantity,
            arrival_at,
        })
    }
}

/// What is reported of one side.
pub(super) fn report(about: Side, problem: &str, statement: &str) -> Result<NewReport, Notice> {
    let problem = word(problem)?
        .ok_or_else(|| Notice::again("Please choose what the problem is. Nothing was changed."))?;
    // Browsers send line ends as CR LF.
    let statement = statement.replace('\r', "");
    let statement = match statement.trim() {
        "" => None,
        text => Some(PrivateNote::parse(text).map_err(|_| {
            Notice::again(
                "Please use at most 2000 letters to tell what happened. Nothing was changed.",
            )
        })?),
    };
    Ok(NewReport {
        about,
        problem,
        statement,
    })
}

/// Said after every report.
pub(super) const REPORTED: &str = "Thank you for telling us. The coordinators are told at once, and we do not bring \
    the two of you together again. If somebody is in danger now, call the emergency number (911 in the U.S.).";

impl Act {
    async fn carry_out(self, ctx: &Ctx, who: AsAnswerer) -> Result<Notice, Oops> {
        let (id, actor) = (who.0, who.actor());
        match self {
            Self::Accept(yes) => Notice::after(
                accept_match(ctx, id, yes, actor).await,
                "Your yes has arrived.",
            ),
            Self::Decline(reason) => Notice::after(
                decline_match(ctx, id, reason, actor).await,
                "Your no has arrived. Thank you for telling us.",
            ),
            Self::Arrive(yes) => Notice::after(
                accept_match(ctx, id, yes, actor).await,
                "We tell the neighbor of the new time.",
            ),
            Self::Release => Notice::after(
                release_match(ctx, id, actor).await,
                "You have given it back. Thank you for telling us.",
            ),
            Self::Done => Notice::after(
                finish_match::done(ctx, id, actor).await,
                "Thank you! We have noted it, and ask the neighbor whether it is so.",
            ),
            Self::NoShow => Notice::after(
                finish_match::no_show(ctx, id, actor).await,
                "We have noted that nobody was there. We are sorry.",
            ),
            Self::Report(new) => Notice::after(report_match(ctx, id, new, actor).await, REPORTED),
        }
    }
}

async fn show(ctx: &web::Data<Ctx>, id: MatchId, code: String, notice: Option<Notice>) -> Page {
    let inner = ctx.clone();
    let view = ctx
        .db
        .read(move |conn| match matches::find(conn, id)? {
            Some(m) => answer::load(&inner, conn, &m),
            None => Ok::<_, StorageError>(None),
        })
        .await?;
    let view = view.ok_or_else(Oops::not_found)?;
    let (heading, lead) = standing(&view, ctx.now());
    let zone = ctx.now();
    let zone = ctx
        .settings
        .area
        .timezone
        .to_local(zone)
        .strftime("%Z")
        .to_string();
    let shown = AnswerPage {
        code,
        heading,
        lead,
        facts: facts(ctx, &view),
        zone,
        view,
        notice,
    };
    page(status(shown.notice.as_ref()), &shown)
}

/// What is asked, line by line.
pub(super) fn facts(ctx: &Ctx, view: &AnswerView) -> Vec<Fact> {
    let zone = &ctx.settings.area.timezone;
    let category = ctx.catalog.get(&view.category);
    let mut facts = vec![
        fact(
            "What",
            format!(
                "{}: {}",
                words::category(ctx, &view.category),
                words::amount(ctx, &view.category, view.quantity)
            ),
        ),
        fact(
            "When",
            format!(
                "{}; needed {}",
                words::span(view.needed.from, view.needed.until, zone),
                words::urgency(view.urgency)
            ),
        ),
        fact("How far", words::capital(view.distance.words())),
        fact("Where", words::handover(view.handover)),
    ];
    facts.extend(words::attributes(category, &view.requires));
    if !view.languages.is_empty() {
        facts.push(fact(
            "The neighbor speaks",
            words::languages(&view.languages),
        ));
    }
    facts.push(fact(
        "The neighbor's contact",
        words::verified(view.verified),
    ));
    if let Some(note) = &view.note {
        facts.push(fact("The neighbor says", note));
    }
    if let Some(at) = view.arrival_at {
        facts.push(fact("Arrival", words::instant(at, zone)));
    }
    if let (MatchState::Notified, Some(by)) = (view.state, view.respond_by) {
        facts.push(fact("Please answer by", words::instant(by, zone)));
    }
    if let (MatchState::Notified, 1..) = (view.state, view.others_asked) {
        let others = match view.others_asked {
            1 => "1 other person".to_owned(),
            n => format!("{n} others"),
        };
        facts.push(fact("Asked as well", others));
    }
    facts.extend(view.counts_until.map(|until| {
        let late = format!(
            "Until {}, while it is still needed",
            words::instant(until, zone)
        );
        fact("A late yes counts", late)
    }));
    if let Some(needed) = view.still_needed.filter(|n| *n != view.quantity) {
        let amount = words::amount(ctx, &view.category, needed);
        facts.push(fact("Still needed in all", amount));
    }
    facts
}

/// How it stands: a heading, and what to do.
fn standing(view: &AnswerView, now: Ts) -> (&'static str, &'static str) {
    if view.frozen && view.state.is_active() {
        return (
            "Please wait, and do not go there",
            "Coordinators have stopped all help in that area for now, for everybody's safety. You need to do nothing; come back later to see how it stands.",
        );
    }
    match (view.state, view.agreement, view.fall_reason) {
        (MatchState::Proposed | MatchState::Notified, ..) => (
            "Can you help a neighbor?",
            "Yes or no, both are fine: after a no we ask somebody else at once.",
        ),
        (MatchState::Accepted, Agreement::Pending, _) => (
            "Thank you. One more step",
            "We are asking the neighbor whether you may come. Please wait until we write to you; you need to do nothing.",
        ),
        (MatchState::Accepted, ..) if view.done_at.is_some() => (
            "You said it is done",
            "Thank you! We have asked the neighbor too; you need to do nothing more. If it was a mistake, give it back below.",
        ),
        (MatchState::Accepted, ..) if view.needed.until <= now => (
            "Did it work?",
            "The time for it is over. Please tell us how it went: the help was given, the neighbor was not there, you could not do it, or there was a problem.",
        ),
        (MatchState::Accepted, ..) => (
            "Thank you. It is settled",
            "Please get in touch with your neighbor soon. Afterward, come back and tell us how it went.",
        ),
        (MatchState::Fulfilled, ..) => ("It is done", "The help was given. Thank you!"),
        (MatchState::Declined, ..) => ("You said no", "That is fine. We are asking others."),
        (MatchState::Lapsed, ..) => (
            "The time for your answer is over",
            "We are asking others now. You need to do nothing.",
        ),
        (MatchState::Superseded | MatchState::Vetoed, ..) => (
            "You are not needed for this",
            "It is covered, or not needed any more. You need to do nothing. Thank you for being there!",
        ),
        (MatchState::FellThrough, _, Some(FallReason::Released)) => {
            ("You gave this back", "That is fine. We are asking others.")
        }
        (MatchState::FellThrough, _, Some(FallReason::NoShow)) => (
            "This did not happen",
            "Somebody was not there. We are sorry.",
        ),
        (MatchState::FellThrough, _, Some(FallReason::Refused | FallReason::NotAgreed)) => (
            "This does not go on",
            "The neighbor did not say yes to it. Please do not go. Thank you for having been there!",
        ),
        (MatchState::FellThrough, ..) => (
            "This was called off",
            "Please do not go. Thank you for having been there!",
        ),
    }
}
