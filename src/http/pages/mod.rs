//! The pages behind the links: what people see who follow a letter, or type a code into the front page.
//!
//! A code comes in the body of a form, never in a URL. A form with nothing but the code shows what the
//! code opens; whatever changes something is a choice that has no default, so that a mail scanner that
//! opens every link and presses every button changes nothing. The pages load and change through the
//! same functions as the API, work without a script, and hold no script or style of their own.
//! To add one: a file here with its form, its template and its handlers, and a line in [`routes`].

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use askama::Template;

use self::oops::Oops;
use crate::actions::{Ctx, tokens};
use crate::crypto::token::{Purpose, Token};
use crate::domain::ids::RecordId;

pub mod answer;
pub mod assets;
pub mod confirm;
pub mod entry;
pub mod front;
mod inputs;
pub mod manage;
pub mod need;
pub mod neighbor;
pub mod offer;
mod offers;
pub mod oops;
mod post;
mod posts;
pub mod sites;
pub mod unsubscribe;
pub mod volunteer;
pub mod words;

/// How every page ends.
pub type Page = Result<HttpResponse, Oops>;

/// Largest form taken, in bytes: the longest is a few hundred.
const FORM_LIMIT: usize = 8192;

/// The routes of all pages.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(
        at("/")
            .route(web::get().to(front::get))
            .route(web::post().to(front::post)),
    )
    .service(at("/sites").route(web::get().to(sites::get)))
    .service(at("/assets/{name}").route(web::get().to(assets::get)))
    .service(posting("/need").route(web::get().to(need::kinds)))
    .service(
        posting("/need/{category}")
            .route(web::get().to(need::get))
            .route(web::post().to(need::post)),
    )
    .service(posting("/offer").route(web::get().to(offer::kinds)))
    .service(
        posting("/offer/{category}")
            .route(web::get().to(offer::get))
            .route(web::post().to(offer::post)),
    )
    .service(linked("/confirm", entry::confirm).route(web::post().to(confirm::post)))
    .service(linked("/answer", entry::answer).route(web::post().to(answer::post)))
    .service(linked("/manage", entry::manage).route(web::post().to(manage::post)))
    .service(linked("/unsubscribe", entry::unsubscribe).route(web::post().to(unsubscribe::post)));
}

/// A page's resource: small forms only.
fn at(path: &str) -> actix_web::Resource {
    super::at(path).app_data(forms(FORM_LIMIT))
}

/// The resource of a form that posts something.
fn posting(path: &str) -> actix_web::Resource {
    super::at(path).app_data(forms(post::FORM_LIMIT))
}

/// Forms up to so many bytes; what is wrong with one is told on a page.
fn forms(limit: usize) -> web::FormConfig {
    web::FormConfig::default()
        .limit(limit)
        .error_handler(|error, _| Oops::from(error).into())
}

/// The resource that a link leads to; `enter` asks for the code.
fn linked(path: &str, enter: fn() -> Page) -> actix_web::Resource {
    let get = move || async move { enter() };
    at(path).route(web::get().to(get))
}

/// A page with the template in it.
fn page(status: StatusCode, template: &impl Template) -> Page {
    let body = template.render().map_err(|_| Oops::internal())?;
    Ok(HttpResponse::build(status)
        .content_type(ContentType::html())
        .body(body))
}

/// A code that works now, and what it opens.
struct Opened {
    /// The code as it is written in full.
    code: String,
    /// What it opens.
    subject: RecordId,
}

/// What the code opens, if it is of that purpose. Unknown, expired and of another purpose are the same.
async fn open(ctx: &Ctx, text: &str, purpose: Purpose) -> Result<Opened, Oops> {
    let subject = tokens::open(ctx, text, purpose).await?;
    let token = Token::parse(text).ok_or_else(Oops::not_found)?;
    Ok(Opened {
        code: token.expose().to_owned(),
        subject,
    })
}

/// A line above the page that says what became of a choice, and the status that goes with it.
#[derive(Debug)]
pub struct Notice {
    status: StatusCode,
    text: Cow<'static, str>,
}

impl Notice {
    /// It worked.
    fn good(text: &'static str) -> Self {
        Self {
            status: StatusCode::OK,
            text: text.into(),
        }
    }

    /// Something in the form is missing or wrong; nothing was changed.
    fn again(text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            text: text.into(),
        }
    }

    /// The button was pressed, and nothing was chosen.
    fn choose() -> Self {
        Self::again("Please choose one of the answers, then press the button. Nothing was changed.")
    }

    /// Whether it is good news; read by the templates.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.status.is_success()
    }
}

/// The status of a page with or without a notice.
fn status(notice: Option<&Notice>) -> StatusCode {
    notice.map_or(StatusCode::OK, |n| n.status)
}

/// What a form asks for: `Ok(None)` only to look, `Err` where the choice is missing or incomplete.
type Wish<T> = Result<Option<T>, Notice>;

/// Reads a word out of a form; an empty one is none.
fn word<T: std::str::FromStr>(text: &str) -> Wish<T> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Notice::choose()),
    }
}
