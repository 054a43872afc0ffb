//! `/offer`: somebody offers help. Nothing happens before the link in our letter is used.

use actix_web::http::StatusCode;
use actix_web::web;
use askama::Template;
use serde_json::json;

use super::inputs::{Input, Kind, Section, input, number, put};
use super::post::{self, PostPage, picks};
use super::{Page, page};
use crate::actions::Ctx;
use crate::actions::post_offers::post_offers;
use crate::domain::category::{Category, Travels};
use crate::http::limits::Limits;
use crate::http::offers::PostOffersBody;
use crate::storage::audit::Actor;

const OFFER: &str = "/offers/0";

/// How far volunteers may come, in meters and in words.
const REACHES: [(i32, &str); 6] = [
    (1_000, "1 km (half a mile)"),
    (3_000, "3 km (2 miles)"),
    (8_000, "8 km (5 miles)"),
    (15_000, "15 km (10 miles)"),
    (40_000, "40 km (25 miles)"),
    (100_000, "100 km (60 miles)"),
];

#[derive(Template)]
#[template(path = "offered.html")]
struct OfferedPage;

/// Asks what is offered.
///
/// # Errors
/// A template that fails, which none does by itself.
pub async fn kinds(ctx: web::Data<Ctx>) -> Page {
    post::kinds(&ctx, "What can you offer?", "/offer")
}

/// The empty form.
///
/// # Errors
/// A category that is not there.
pub async fn get(ctx: web::Data<Ctx>, name: web::Path<String>) -> Page {
    form(post::category(&ctx, &name)?).empty(&ctx)
}

/// Posts the offer, or shows what is wrong with the form.
///
/// # Errors
/// A category that is not there, or an offer that cannot be posted.
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
    put(&mut body, &format!("{OFFER}/category"), json!(category.key));
    let reach = format!("{OFFER}/reach_m");
    if let Some(meters) = body.pointer(&reach).and_then(|m| m.as_str()).map(number) {
        put(&mut body, &reach, meters);
    }
    match post::parse(&body, |b: PostOffersBody, errors| b.parse(&ctx, errors)) {
        Ok(offer) => {
            limits.contact(&ctx, &offer.contact)?;
            post_offers(&ctx, offer, Some(call), Actor::ANYONE).await?;
            page(StatusCode::OK, &OfferedPage)
        }
        Err(problem) => form.again(&problem),
    }
}

fn form(category: &Category) -> PostPage {
    let policy = &category.policy;
    let provides = post::attributes(category, &format!("{OFFER}/provides"));
    let mut sections = vec![Section {
        title: "What you offer",
        inputs: what(category),
    }];
    if !provides.is_empty() {
        sections.push(Section {
            title: "What it is like",
            inputs: provides,
        });
    }
    sections.extend([
        Section {
            title: "Where it is",
            inputs: vec![
                input(
                    "/location/postal_code",
                    "ZIP code",
                    Kind::Line("text", "postal-code"),
                )
                .must(),
            ],
        },
        Section {
            title: "Who you are",
            inputs: who(),
        },
        Section {
            title: "Anything else",
            inputs: post::notes(OFFER),
        },
    ]);
    if policy.travels != Travels::Volunteer && !policy.sensitive {
        sections.push(Section {
            title: "Only for a place that is open to the public",
            inputs: site(),
        });
    }
    PostPage {
        title: format!("I offer: {}", category.title),
        lead: "We ask you by e-mail when somebody near you needs it. You can say yes or no each time.",
        action: format!("/offer/{}", category.key),
        button: "Offer it",
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
            format!("{OFFER}/capacity"),
            format!("How many ({})?", category.units),
            Kind::Number,
        )
        .must(),
        input(
            format!("{OFFER}/renews"),
            "How often can you give that?",
            picks(&[
                ("none", "Once"),
                ("daily", "Every day"),
                ("weekly", "Every week"),
            ]),
        ),
        input(
            format!("{OFFER}/available/opening_hours"),
            "At which hours?",
            Kind::Line("text", "off"),
        )
        .hint("Such as: Mo-Fr 08:00-18:00. If you leave it out: at any time."),
        input(
            format!("{OFFER}/lead_minutes"),
            "How many minutes before must you know?",
            Kind::Number,
        )
        .hint("If you leave it out: you can start at once."),
    ];
    if policy.travels != Travels::Neighbor {
        let reaches: Vec<_> = REACHES
            .iter()
            .filter(|(m, _)| *m <= policy.max_reach.meters())
            .collect();
        let reaches = reaches
            .into_iter()
            .map(|(m, name)| (m.to_string(), (*name).to_owned()))
            .collect();
        inputs.push(
            input(
                format!("{OFFER}/reach_m"),
                "How far can you come?",
                Kind::Pick(reaches),
            )
            .hint("If you choose nothing: as far as is usual."),
        );
    }
    inputs
}

fn who() -> Vec<Input> {
    let mut inputs = post::contact("We send a link to it, to make sure that it is yours.", true);
    inputs.extend(post::languages());
    inputs.push(input(
        "/limits/nights",
        "You may ask me at night too, if it is urgent",
        Kind::Tick,
    ));
    inputs
}

fn site() -> Vec<Input> {
    vec![
        input(
            format!("{OFFER}/site/title"),
            "Its name",
            Kind::Line("text", "off"),
        ),
        input(
            format!("{OFFER}/site/address"),
            "Its street address",
            Kind::Line("text", "off"),
        )
        .hint("Both are shown to everybody, once a coordinator has checked them."),
    ]
}
