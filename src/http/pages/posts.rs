//! A neighbor's posts, and those who want to help with them, in words.

use super::words::{self, Fact, fact};
use crate::actions::Ctx;
use crate::domain::clock::Ts;
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::{
    Agreement, Attention, CloseReason, FallReason, MatchState, RequestState,
};
use crate::http::views::matched::NeighborMatchView;
use crate::http::views::released::ReleasedView;
use crate::http::views::request::RequestView;
use crate::storage::requests::HeldBy;

/// Said of a post in an area in which nothing is matched for now.
const FROZEN: &str = "Coordinators have stopped all help in your area for now, for everybody's safety. \
    We keep your post, and go on as soon as it is safe. If you are in danger, call the emergency number (911 in the U.S.).";

/// Posts shown in full at a time.
const SHOWN: usize = 6;

/// One post.
pub(super) struct Post {
    pub id: String,
    pub title: String,
    pub facts: Vec<Fact>,
    /// How the search goes, sentence by sentence.
    pub standing: Vec<String>,
    pub helpers: Vec<Helper>,
    /// Whether she may open it again.
    pub reopens: bool,
    /// Until when it could be kept open: for the form, and in words. `None` once it is closed.
    pub renews: Option<(String, String)>,
}

/// Somebody who has said yes.
pub(super) struct Helper {
    pub id: String,
    pub name: String,
    pub standing: String,
    pub facts: Vec<Fact>,
    pub contact: Option<ReleasedView>,
    pub can: Vec<&'static str>,
    /// Whether agreeing means to share the address with somebody who is coming already.
    pub shares_address: bool,
}

impl Helper {
    /// Whether the neighbor may do that; read by the template.
    pub fn can(&self, what: &str) -> bool {
        self.can.contains(&what)
    }
}

/// The posts to be shown in full, and ids and names of the rest. First the one asked for, then those
/// with helpers, then the open ones.
pub(super) fn of(
    ctx: &Ctx,
    mut requests: Vec<RequestView>,
    first: Option<RequestId>,
) -> (Vec<Post>, Vec<(String, String)>) {
    let first = first.map(|id| id.to_string());
    requests.sort_by_key(|r| {
        let waits = r.matches.iter().any(|m| m.state == MatchState::Accepted);
        (
            first.as_ref() != Some(&r.id),
            !waits,
            r.state == RequestState::Closed,
            r.needed.from,
        )
    });
    let rest = requests.split_off(requests.len().min(SHOWN));
    let rest = rest.iter().map(|r| (r.id.clone(), name(ctx, r))).collect();
    (requests.into_iter().map(|r| post(ctx, r)).collect(), rest)
}

fn title(ctx: &Ctx, r: &RequestView) -> String {
    format!(
        "{}: {}",
        words::category(ctx, &r.category),
        words::amount(ctx, &r.category, r.quantity)
    )
}

fn name(ctx: &Ctx, r: &RequestView) -> String {
    format!(
        "{}, {}",
        title(ctx, r),
        words::instant(r.needed.from, &ctx.settings.area.timezone)
    )
}

fn post(ctx: &Ctx, mut r: RequestView) -> Post {
    let zone = &ctx.settings.area.timezone;
    let mut facts = vec![
        fact("When", words::span(r.needed.from, r.needed.until, zone)),
        fact("Where", words::handover(r.handover)),
    ];
    facts.extend(words::attributes(ctx.catalog.get(&r.category), &r.requires));
    facts.extend(
        r.note
            .as_ref()
            .map(|n| fact("Your note to everybody who is asked", n)),
    );
    facts.extend(
        r.private_note
            .as_ref()
            .map(|n| fact("Your note to whoever helps", n)),
    );
    let until = r
        .needed
        .until
        .max(ctx.now())
        .after(r.needed.until.since(r.needed.from));
    Post {
        title: title(ctx, &r),
        facts,
        standing: standing(ctx, &r),
        renews: (r.state != RequestState::Closed)
            .then(|| (until.to_string(), words::instant(until, zone))),
        reopens: r.state == RequestState::Closed && !r.undo.is_empty(),
        helpers: helpers(ctx, &mut r),
        id: r.id,
    }
}

fn helpers(ctx: &Ctx, r: &mut RequestView) -> Vec<Helper> {
    let matches = std::mem::take(&mut r.matches);
    matches.into_iter().map(|m| helper(ctx, r, m)).collect()
}

fn standing(ctx: &Ctx, r: &RequestView) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    if r.progress.frozen && r.state != RequestState::Closed {
        said.push(FROZEN.into());
        return said;
    }
    match (r.state, r.held_by, r.close_reason) {
        (RequestState::Covered, ..) => {
            let waits = r
                .matches
                .iter()
                .any(|m| m.state == MatchState::Accepted && m.agreement == Agreement::Pending);
            said.push(
                if waits {
                    "Somebody would like to help. Please answer below."
                } else {
                    "Help is promised."
                }
                .into(),
            );
        }
        (RequestState::Held, Some(HeldBy::Neighbor), _) => {
            said.push("You have hidden it. Nobody new is asked until you show it again.".into());
        }
        (RequestState::Held, ..) => {
            said.push(
                "A coordinator has stopped the search for now and will get in touch with you."
                    .into(),
            );
        }
        (RequestState::Closed, _, reason) => {
            said.push(closed(reason).into());
            said.extend(r.handed_over.as_ref().map(|known| {
                format!(
                    "{} looks after it now; they know it as {}.",
                    known.to, known.reference
                )
            }));
        }
        (RequestState::Open, ..) => search(ctx, r, &mut said),
    }
    said
}

fn search(ctx: &Ctx, r: &RequestView, said: &mut Vec<String>) {
    let progress = &r.progress;
    if r.covered > 0 {
        said.push(format!(
            "{} of {} are promised.",
            r.covered,
            words::amount(ctx, &r.category, r.quantity)
        ));
    }
    // While she is to be called, nobody is asked, and nothing else is true.
    if let Some(why @ (Attention::CallBack | Attention::Unreachable)) = progress.attention {
        said.push(attention(why).to_owned());
        return;
    }
    match (progress.asked, progress.waiting) {
        (0, 0) => said.push("We are looking for somebody near you.".into()),
        (0, waiting) => said.push(format!("We are asking {} right now.", people(waiting))),
        (asked, 0) => said.push(format!("We have asked {}.", people(asked))),
        (asked, waiting) => said.push(format!(
            "We have asked {}; {waiting} of them can still answer.",
            people(asked.max(waiting))
        )),
    }
    if progress.in_review > 0 {
        said.push("A coordinator is looking at who could help.".into());
    }
    said.extend(progress.attention.map(|a| attention(a).to_owned()));
    if let Some(next) = progress.next_ask_at.filter(|next| *next > ctx.now()) {
        let zone = &ctx.settings.area.timezone;
        said.push(format!(
            "If nobody says yes until {}, we look for more people then.",
            words::instant(next, zone)
        ));
    }
    if progress.frozen {
        return;
    }
    match progress.know_by {
        Some(by) => said.push(format!(
            "By {} you know whether somebody helps, or how it goes on.",
            words::instant(by, &ctx.settings.area.timezone)
        )),
        None if progress.attention.is_none() => {
            said.push(
                "Those who could help are busy just now. We look again every 15 minutes.".into(),
            );
        }
        None => said.push("We cannot say yet by when you will know.".into()),
    }
}

fn people(n: usize) -> String {
    if n == 1 {
        "1 person".to_owned()
    } else {
        format!("{n} people")
    }
}

fn attention(why: Attention) -> &'static str {
    match why {
        Attention::NoneInReach => {
            "There is no offer near you yet that fits. A coordinator sees your post, and every new offer is compared with it."
        }
        Attention::AllAsked => {
            "Everybody near you whose offer fits has been asked, or cannot be asked now. A coordinator sees your post, and every new offer is compared with it."
        }
        Attention::ReviewLate => {
            "It takes longer than it should. The coordinators have been reminded."
        }
        Attention::CallBack => {
            "A coordinator calls you before anybody comes to your home, or writes to you if you gave no number. After that we look for somebody near you."
        }
        Attention::Unreachable => {
            "We tried to reach you and could not. Please get in touch with your group."
        }
    }
}

fn closed(reason: Option<CloseReason>) -> &'static str {
    match reason {
        Some(CloseReason::HelpedHere) => "Closed: you got help.",
        Some(CloseReason::HelpedElsewhere) => "Closed: you got help elsewhere.",
        Some(CloseReason::Unmet) => "Closed: its time went by, and we found nobody. We are sorry.",
        Some(CloseReason::Unreachable) => "Closed: we could not reach you.",
        Some(CloseReason::Duplicate) => "Closed: it was posted twice.",
        Some(CloseReason::HandedOver) => "Closed: another group has taken it over.",
        Some(CloseReason::NotNeeded) | None => "Closed: not needed any more.",
    }
}

fn helper(ctx: &Ctx, r: &RequestView, mut m: NeighborMatchView) -> Helper {
    let zone = &ctx.settings.area.timezone;
    let is_vetted = m.volunteer.as_ref().is_some_and(|v| v.vetted);
    let mut facts = Vec::new();
    if let Some(volunteer) = &m.volunteer {
        facts.push(fact(
            "How much",
            words::amount(ctx, &r.category, m.quantity),
        ));
        facts.push(fact("How far", words::capital(m.distance.words())));
        let vetted = if volunteer.vetted {
            "A coordinator has met and vetted them"
        } else {
            "Not vetted by a coordinator"
        };
        facts.push(fact("Vetted", vetted));
        if !volunteer.languages.is_empty() {
            facts.push(fact("Speaks", words::languages(&volunteer.languages)));
        }
        facts.extend(volunteer.note.as_ref().map(|n| fact("They say", n)));
    }
    facts.extend(
        m.arrival_at
            .map(|at| fact("Arrival", words::instant(at, zone))),
    );
    let is_pending = m.agreement == Agreement::Pending;
    let mut can = std::mem::take(&mut m.can);
    // Where nothing is brought to her, or they are vetted, there is no address left to share.
    if !is_pending && (is_vetted || !r.handover.needs_address()) {
        can.retain(|what| *what != "agree");
    }
    Helper {
        standing: of_helper(&m, r.needed.until <= ctx.now(), |at: Ts| {
            words::instant(at, zone)
        }),
        name: m
            .volunteer
            .map_or_else(|| "A volunteer".to_owned(), |v| v.name),
        id: m.id,
        facts,
        contact: m.contact,
        can,
        shares_address: !is_pending,
    }
}

fn of_helper(m: &NeighborMatchView, is_over: bool, instant: impl Fn(Ts) -> String) -> String {
    match (m.state, m.agreement, m.fall_reason) {
        (MatchState::Accepted, Agreement::Pending, _) => {
            let by = m.agree_by.map_or_else(String::new, |by| {
                format!(" Please answer by {}.", instant(by))
            });
            format!(
                "This volunteer would like to help. They learn how to reach you only if you agree.{by}"
            )
        }
        (MatchState::Accepted, ..) if let Some(until) = m.done_until => format!(
            "This volunteer says that you got the help. Is that so? If nobody came, or there was a problem, please tell us below until {}.",
            instant(until)
        ),
        (MatchState::Accepted, ..) if is_over => {
            "The time for it is over. Did it work? Please tell us below: you got the help, nobody came, or there was a problem.".into()
        }
        (MatchState::Accepted, ..) => {
            "This volunteer is going to help. Please get in touch with each other.".into()
        }
        (MatchState::Fulfilled, ..) => "The help was given.".into(),
        (_, _, Some(FallReason::Released)) => "This volunteer cannot do it after all.".into(),
        (_, _, Some(FallReason::Refused)) => "You did not want this volunteer.".into(),
        (_, _, Some(FallReason::NotAgreed)) => "There was no answer from you in time.".into(),
        (_, _, Some(FallReason::NoShow)) => "Somebody was not there.".into(),
        _ => "This was called off.".into(),
    }
}
