//! What the forms for needs and offers share: choosing the kind of aid, the inputs of both, and how a
//! form that is sent twice posts once.

use actix_web::http::StatusCode;
use askama::Template;
use serde_json::Value;

use super::inputs::{Input, Kind, Section, body, input, tell};
use super::oops::Oops;
use super::words::{self, LANGUAGES};
use super::{Notice, Page, page, status};
use crate::actions::{Call, Ctx};
use crate::domain::attribute::{Attribute, Values};
use crate::domain::category::Category;
use crate::http::fields::{FieldErrors, read_json};
use crate::http::problem::Problem;
use crate::storage::StorageError;

/// Largest of these forms, in bytes: a private note alone may take 18 000 when it is encoded.
pub(super) const FORM_LIMIT: usize = 32_768;

#[derive(Template)]
#[template(path = "kinds.html")]
struct KindsPage<'a> {
    title: &'static str,
    path: &'static str,
    kinds: Vec<&'a Category>,
}

/// Asks which kind of aid it is about.
pub(super) fn kinds(ctx: &Ctx, title: &'static str, path: &'static str) -> Page {
    let mut kinds: Vec<&Category> = ctx.catalog.iter().collect();
    kinds.sort_by(|a, b| a.title.cmp(&b.title));
    page(StatusCode::OK, &KindsPage { title, path, kinds })
}

/// A form that posts something.
#[derive(Template)]
#[template(path = "post.html")]
pub(super) struct PostPage {
    pub title: String,
    pub lead: &'static str,
    pub action: String,
    pub button: &'static str,
    /// The same in every sending of this form.
    pub key: String,
    pub notice: Option<Notice>,
    /// Faults that belong to no input.
    pub faults: Vec<String>,
    pub sections: Vec<Section>,
}

impl PostPage {
    /// An empty form, with a new key.
    pub(super) fn empty(mut self, ctx: &Ctx) -> Page {
        self.key = format!("{:032x}", u128::from_be_bytes(ctx.entropy.bytes()));
        page(StatusCode::OK, &self)
    }

    /// The form as it was sent, with everything that is wrong with it.
    pub(super) fn again(mut self, problem: &Problem) -> Page {
        if problem.errors.is_empty() {
            return Err(Oops::internal());
        }
        self.faults = tell(&mut self.sections, &problem.errors);
        self.notice = Some(Notice::again(
            "Please look at what is marked below. Nothing was posted yet.",
        ));
        page(status(self.notice.as_ref()), &self)
    }

    /// The API's body out of what was sent.
    pub(super) fn read(&mut self, ctx: &Ctx, sent: &[(String, String)]) -> Value {
        self.key = sent
            .iter()
            .find(|(name, _)| name == "key")
            .map(|(_, key)| key.clone())
            .unwrap_or_default();
        body(
            &mut self.sections,
            sent,
            &ctx.settings.area.timezone,
            ctx.now(),
        )
    }
}

/// The body as the API's type, parsed by the API's parser.
pub(super) fn parse<B, T>(
    body: &Value,
    parse: impl FnOnce(B, &mut FieldErrors) -> Option<T>,
) -> Result<T, Problem>
where
    B: serde::de::DeserializeOwned + Default,
{
    let (read, mut errors) = read_json::<B>(body.to_string().as_bytes())?;
    let parsed = parse(read, &mut errors);
    errors.finish(parsed)
}

/// The sending's identity: the same form with the same content is one post, however often it is sent.
pub(super) fn call(ctx: &Ctx, path: &str, key: &str, body: &Value) -> Result<Call, Oops> {
    let keys = ctx.vault.keys().map_err(StorageError::from)?;
    let (hasher, body) = (&keys.hasher, body.to_string());
    Ok(Call {
        key: hasher.call(&[b"form", path.as_bytes(), key.as_bytes(), body.as_bytes()]),
        body: hasher.call(&[b"body", body.as_bytes()]),
    })
}

/// The category of that name.
pub(super) fn category<'c>(ctx: &'c Ctx, name: &str) -> Result<&'c Category, Oops> {
    ctx.catalog.get(name).ok_or_else(Oops::no_page)
}

/// How somebody is reached, whoever it is.
pub(super) fn contact(email: &'static str, email_is_must: bool) -> Vec<Input> {
    let mail = input("/contact/email", "E-mail", Kind::Line("email", "email")).hint(email);
    vec![
        input("/contact/name", "Name", Kind::Line("text", "name"))
            .must()
            .hint("Only the first word is ever told."),
        input("/contact/phone", "Phone", Kind::Line("tel", "tel")),
        if email_is_must { mail.must() } else { mail },
        input(
            "/contact/note",
            "How to reach you best",
            Kind::Line("text", "off"),
        )
        .hint("Such as: text only, after six."),
    ]
}

/// What somebody speaks.
pub(super) fn languages() -> Vec<Input> {
    let all = || {
        LANGUAGES
            .iter()
            .map(|(tag, name)| ((*tag).to_owned(), (*name).to_owned()))
            .collect()
    };
    vec![
        input(
            "/languages/0",
            "The language you speak best",
            Kind::Pick(all()),
        ),
        input("/languages/1", "Another one", Kind::Pick(all())),
    ]
}

/// Two notes: one for everybody, one for the other side.
pub(super) fn notes(at: &str) -> Vec<Input> {
    vec![
        input(
            format!("{at}/note"),
            "A note for everybody who is asked",
            Kind::Area,
        )
        .hint("Strangers may read it: please no phone number, address or ID number."),
        input(
            format!("{at}/private_note"),
            "A note for the other side",
            Kind::Area,
        )
        .hint("Told together with your contact."),
    ]
}

/// The category's attributes.
pub(super) fn attributes(category: &Category, at: &str) -> Vec<Input> {
    category
        .attributes
        .iter()
        .map(|a| input(format!("{at}/{}", a.name), &a.title, kind(a)))
        .collect()
}

fn kind(attribute: &Attribute) -> Kind {
    let named = |words: &[String]| {
        words
            .iter()
            .map(|w| (w.clone(), words::spaced(w)))
            .collect()
    };
    match &attribute.values {
        Values::Bool => Kind::Tick,
        Values::Number(_) => Kind::Number,
        Values::Range(_) => Kind::Range,
        Values::Enum(options) => Kind::Pick(named(options)),
        Values::Set(options) => Kind::Ticks(named(options)),
    }
}

/// Values and names to pick from.
pub(super) fn picks(pairs: &[(&str, &str)]) -> Kind {
    Kind::Pick(
        pairs
            .iter()
            .map(|(value, name)| ((*value).to_owned(), (*name).to_owned()))
            .collect(),
    )
}
