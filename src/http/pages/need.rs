//! `/need`: somebody without a program of her own asks for help.

use actix_web::http::StatusCode;
use actix_web::web;
use serde_json::{Value, json};

use super::confirm::KeepPage;
use super::inputs::{Input, Kind, Section, input, put};
use super::post::{self, PostPage, picks};
use super::{Page, page, words};
use crate::actions::Ctx;
use crate::actions::post_requests::{Posted, post_requests};
use crate::domain::category::Category;
use crate::domain::clock::Ts;
use crate::domain::lifecycle::Attention;
use crate::http::auth::EnteredBy;
use crate::http::limits::Limits;
use crate::http::requests::PostRequestsBody;
use crate::http::sites::nearest_walk_in;

const NEED: &str = "/needs/0";

/// Heading and lead of the answer to a post.
const LOOKING: (&str, &str) = (
    "Thank you. We are looking for help",
    "We get in touch with you as soon as somebody says yes. Come back with this code to see how it stands.",
);
/// The same where the neighbor is called before anybody is asked.
const CALL_FIRST: (&str, &str) = (
    "Thank you. We will call you first",
    "Before anybody comes to your home, a coordinator calls you, or writes if you gave no number. Come back with this code to see how it stands.",
);

/// Asks what is needed.
///
/// # Errors
/// A template that fails, which none does by itself.
pub async fn kinds(ctx: web::Data<Ctx>) -> Page {
    post::kinds(&ctx, "What do you need?", "/need")
}

/// The empty form.
///
/// # Errors
/// A category that is not there.
pub async fn get(ctx: web::Data<Ctx>, name: web::Path<String>) -> Page {
    form(post::category(&ctx, &name)?).empty(&ctx)
}

/// Posts the need, or shows what is wrong with the form.
///
/// # Errors
/// A category that is not there, or a need that cannot be posted.
pub async fn post(
    ctx: web::Data<Ctx>,
    limits: web::Data<Limits>,
    name: web::Path<String>,
    sent: web::Form<Vec<(String, String)>>,
) -> Page {
    let category = post::category(&ctx, &name)?;
    let mut form = form(category);
    let mut body = form.read(&ctx, &sent);
    let call = post::call(&ctx, &form.action, &form.key, &body)?;
    complete(&mut body, category, ctx.now());
    let parsed = post::parse(&body, |b: PostRequestsBody, errors| {
        b.parse(&ctx, EnteredBy(None), errors)
    });
    let need = match parsed {
        Ok(need) => need,
        Err(problem) => return form.again(&problem),
    };
    limits.contact(&ctx, &need.contact)?;
    let Posted {
        token, requests, ..
    } = post_requests(&ctx, need, Some(call)).await?;
    let waits = requests
        .iter()
        .any(|r| r.attention == Some(Attention::CallBack));
    let (heading, lead) = if waits { CALL_FIRST } else { LOOKING };
    let inner = ctx.clone();
    let near = ctx
        .db
        .read(move |conn| nearest_walk_in(&inner, conn, &requests))
        .await?;
    let keep = KeepPage {
        heading,
        lead,
        code: token.expose().to_owned(),
        public_url: ctx.settings.server.public_url.as_str().to_owned(),
        sites: near
            .into_iter()
            .map(|s| (s.properties.title, s.properties.address))
            .collect(),
    };
    page(StatusCode::OK, &keep)
}

/// What the form leaves out: the category, and the other end of a time that was given one end only.
fn complete(body: &mut Value, category: &Category, now: Ts) {
    put(body, &format!("{NEED}/category"), json!(category.key));
    let (at_from, at_until) = (
        format!("{NEED}/needed/0/from"),
        format!("{NEED}/needed/0/until"),
    );
    let usual = category.policy.default_duration;
    match (body.pointer(&at_from), body.pointer(&at_until)) {
        (Some(from), None) => {
            let from = from
                .as_str()
                .and_then(|t| t.parse::<jiff::Timestamp>().ok());
            let until = from.map_or(now, Ts::from).after(usual);
            put(body, &at_until, json!(until));
        }
        (None, Some(_)) => put(body, &at_from, json!(now)),
        _ => {}
    }
}

fn form(category: &Category) -> PostPage {
    let requires = post::attributes(category, &format!("{NEED}/requires"));
    let has_door = category.policy.handovers.iter().any(|h| h.needs_address());
    let mut sections = vec![Section {
        title: "What you need",
        inputs: what(category),
    }];
    if !requires.is_empty() {
        sections.push(Section {
            title: "What it must be like. Choose only what you cannot do without",
            inputs: requires,
        });
    }
    sections.extend([
        Section {
            title: "Where you are",
            inputs: place(has_door),
        },
        Section {
            title: "How to reach you: one way is enough",
            inputs: reach(),
        },
        Section {
            title: "Anything else",
            inputs: post::notes(NEED),
        },
    ]);
    PostPage {
        title: format!("I need: {}", category.title),
        lead: "We ask people nearby whose offer fits. Only who says yes learns how to reach you.",
        action: format!("/need/{}", category.key),
        button: "Ask for help",
        key: String::new(),
        notice: None,
        faults: Vec::new(),
        sections,
    }
}

fn what(category: &Category) -> Vec<Input> {
    let policy = &category.policy;
    let mut inputs = vec![
        input(
            format!("{NEED}/quantity"),
            format!("How many ({})?", category.units),
            Kind::Number,
        )
        .must(),
        input(
            format!("{NEED}/urgency"),
            "How soon?",
            picks(&[
                ("now", "Right now"),
                ("today", "Today"),
                ("soon", "In the next days"),
            ]),
        )
        .hint("If you choose nothing: today."),
        input(format!("{NEED}/needed/0/from"), "From when?", Kind::Time)
            .hint("If you leave it out: from now on."),
        input(format!("{NEED}/needed/0/until"), "Until when?", Kind::Time)
            .hint("If you leave it out: as long as is usual."),
    ];
    if !policy.throughout {
        inputs.push(input(
            format!("{NEED}/throughout"),
            "The helper must stay for the whole time",
            Kind::Tick,
        ));
    }
    if policy.handovers.len() > 1 {
        let ways: Vec<_> = policy
            .handovers
            .iter()
            .map(|h| (h.as_str(), words::handover(*h)))
            .collect();
        inputs.push(input(format!("{NEED}/handover"), "Where?", picks(&ways)));
    }
    inputs
}

fn place(has_door: bool) -> Vec<Input> {
    let mut inputs = vec![
        input(
            "/location/postal_code",
            "ZIP code",
            Kind::Line("text", "postal-code"),
        )
        .must(),
    ];
    if has_door {
        let address = input(
            "/location/address",
            "Street address",
            Kind::Line("text", "street-address"),
        );
        inputs.push(address.hint("You may leave it out and tell it yourself. Told only to a helper who must come to you, and not before it is agreed."));
    }
    inputs
}

fn reach() -> Vec<Input> {
    let mut inputs = post::contact("We then write to you how it goes.", false);
    inputs.push(
        input("/contact/other", "Another way", Kind::Line("text", "off"))
            .hint("Such as: ask at the desk of the shelter."),
    );
    inputs.extend(post::languages());
    inputs.push(input(
        "/agree_first",
        "Ask me before a volunteer learns how to reach me",
        Kind::Tick,
    ));
    inputs
}
