//! Small texts that several bodies share: languages, locales, free text, times.

use serde::Deserialize;
use utoipa::ToSchema;

use super::faults::FieldErrors;
use crate::domain::availability::Window;
use crate::domain::clock::Ts;
use crate::domain::note::{Note, PrivateNote};

/// A span of time.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "2026-12-01T18:00:00Z", "until": "2026-12-01T22:00:00Z"}))]
pub struct WindowBody {
    /// Its first instant.
    #[schema(value_type = String, format = DateTime, required = true)]
    pub from: Option<Ts>,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime, required = true)]
    pub until: Option<Ts>,
}

impl WindowBody {
    /// The span, if it ends after it begins.
    pub fn parse(&self, at: &str, errors: &mut FieldErrors) -> Option<Window> {
        let from = errors.require(&format!("{at}/from"), self.from);
        let until = errors.require(&format!("{at}/until"), self.until);
        errors.check(format!("{at}/until"), Window::parse(from?, until?))
    }
}

/// Languages as BCP 47 tags, best first; at most eight.
pub fn languages(list: Option<Vec<String>>, at: &str, errors: &mut FieldErrors) -> Vec<String> {
    let list = list.unwrap_or_default();
    if list.len() > 8 {
        errors.push(at, "must be at most 8 languages");
    }
    let mut tags = Vec::new();
    for (i, tag) in list.iter().take(8).enumerate() {
        let tag = tag.trim().to_ascii_lowercase();
        if !is_language_tag(&tag) {
            errors.push(
                format!("{at}/{i}"),
                "must be a language tag such as en, es or so",
            );
        } else if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// The language of letters; English where nothing is said.
pub fn locale(text: Option<String>, at: &str, errors: &mut FieldErrors) -> String {
    let tag = text.map_or_else(|| "en".to_owned(), |t| t.trim().to_ascii_lowercase());
    if !is_language_tag(&tag) {
        errors.push(at, "must be a language tag such as en, es or so");
    }
    tag
}

fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    (2..=3).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_lowercase())
        && tag.len() <= 35
        && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// A note that strangers may read.
pub fn note(text: Option<String>, at: &str, errors: &mut FieldErrors) -> Option<Note> {
    errors.optional(format!("{at}/note"), text, |t| Note::parse(&t))
}

/// A note for the other side of an accepted match.
pub fn private_note(
    text: Option<String>,
    at: &str,
    errors: &mut FieldErrors,
) -> Option<PrivateNote> {
    errors.optional(format!("{at}/private_note"), text, |t| {
        PrivateNote::parse(&t)
    })
}
