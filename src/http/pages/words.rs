//! The domain's words as people say them: short, plain American English.

use jiff::civil::DateTime;

use crate::actions::Ctx;
use crate::domain::attribute::{AttributeValue, Attributes};
use crate::domain::availability::TimeZoneName;
use crate::domain::category::Category;
use crate::domain::clock::Ts;
use crate::domain::need::{Handover, Urgency, Verified};

/// A line of a description: what, and what of it.
#[derive(Debug)]
pub struct Fact {
    /// What.
    pub label: String,
    /// What of it.
    pub text: String,
}

/// A fact.
pub(super) fn fact(label: impl Into<String>, text: impl Into<String>) -> Fact {
    Fact {
        label: label.into(),
        text: text.into(),
    }
}

/// With a capital letter first.
pub(super) fn capital(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// A code in groups of four, to be written down or read out.
#[must_use]
pub fn groups(code: &str) -> String {
    let (prefix, digits) = code.split_at_checked(4).unwrap_or((code, ""));
    let groups = digits.as_bytes().chunks(4).map(String::from_utf8_lossy);
    groups.fold(prefix.to_owned(), |text, group| text + " " + &group)
}

/// The category's name for people.
pub(super) fn category(ctx: &Ctx, key: &str) -> String {
    ctx.catalog
        .get(key)
        .map_or_else(|| spaced(key), |c| c.title.clone())
}

/// "4 people", "1 bed".
pub(super) fn amount(ctx: &Ctx, key: &str, quantity: i32) -> String {
    let unit = ctx.catalog.get(key).map_or("", |c| c.unit_for(quantity));
    format!("{quantity} {unit}").trim_end().to_owned()
}

/// "Sat, Nov 22, 6:00 PM".
pub(super) fn instant(at: Ts, zone: &TimeZoneName) -> String {
    zone.to_local(at)
        .strftime("%a, %b %-d, %-I:%M %p")
        .to_string()
}

/// "Sat, Nov 22, 6:00 PM to 10:00 PM (CST)".
pub(super) fn span(from: Ts, until: Ts, zone: &TimeZoneName) -> String {
    let end = if zone.date_at(from) == zone.date_at(until) {
        zone.to_local(until).strftime("%-I:%M %p").to_string()
    } else {
        instant(until, zone)
    };
    format!(
        "{} to {end} ({})",
        instant(from, zone),
        zone.to_local(from).strftime("%Z")
    )
}

/// The instant of a local time out of a form: `2026-11-22T18:30`, also with a space. An empty text is
/// `Ok(None)`.
pub(super) fn read_local(
    text: &str,
    zone: &TimeZoneName,
    now: Ts,
) -> Result<Option<Ts>, jiff::Error> {
    match text.trim() {
        "" => Ok(None),
        text => {
            let local: DateTime = text.parse()?;
            let there = zone.to_local(now).time_zone().clone();
            Ok(Some(there.to_timestamp(local)?.into()))
        }
    }
}

pub(super) fn urgency(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Now => "right now",
        Urgency::Today => "today",
        Urgency::Soon => "in the next days",
    }
}

pub(super) fn handover(handover: Handover) -> &'static str {
    match handover {
        Handover::Door => "At the neighbor's door",
        Handover::Home => "In the neighbor's home",
        Handover::Pickup => "The neighbor comes to the volunteer",
        Handover::Meet => "At a place the two agree on",
    }
}

pub(super) fn verified(verified: Verified) -> &'static str {
    match verified {
        Verified::None => "Nobody has checked it yet",
        Verified::Email => "The e-mail address works",
        Verified::Called => "A coordinator has called back",
        Verified::Vouched => "A coordinator knows the neighbor",
    }
}

/// What is required or provided, by the category's titles.
pub(super) fn attributes(category: Option<&Category>, of: &Attributes) -> Vec<Fact> {
    let title = |name: &str| {
        let known = category.and_then(|c| c.attributes.iter().find(|a| a.name == name));
        known.map_or_else(|| spaced(name), |a| a.title.clone())
    };
    of.iter()
        .filter(|(_, value)| **value != AttributeValue::Bool(false))
        .map(|(name, value)| fact(title(name), capital(&value_text(value))))
        .collect()
}

fn value_text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Bool(true) => "yes".to_owned(),
        AttributeValue::Bool(false) => "no".to_owned(),
        AttributeValue::Number(n) => n.to_string(),
        AttributeValue::Word(word) => spaced(word),
        AttributeValue::Words(words) => words
            .iter()
            .map(|w| spaced(w))
            .collect::<Vec<_>>()
            .join(", "),
        AttributeValue::Range(from, to) => format!("{from} to {to}"),
    }
}

/// A name out of the settings, readable: `no_pork` is "no pork".
pub(super) fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// "Somali, English"; a tag that has no name here stays a tag.
pub(super) fn languages(tags: &[String]) -> String {
    tags.iter()
        .map(|tag| language(tag))
        .collect::<Vec<_>>()
        .join(", ")
}

fn language(tag: &str) -> &str {
    let primary = tag.split('-').next().unwrap_or(tag);
    let known = LANGUAGES.iter().find(|(tag, _)| *tag == primary);
    known.map_or(tag, |(_, name)| name)
}

/// Languages that have a name here, the name's order.
pub(super) const LANGUAGES: [(&str, &str); 26] = [
    ("am", "Amharic"),
    ("ar", "Arabic"),
    ("my", "Burmese"),
    ("zh", "Chinese"),
    ("en", "English"),
    ("fr", "French"),
    ("de", "German"),
    ("ht", "Haitian Creole"),
    ("hmn", "Hmong"),
    ("kar", "Karen"),
    ("ko", "Korean"),
    ("lo", "Lao"),
    ("om", "Oromo"),
    ("ps", "Pashto"),
    ("fa", "Persian"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ru", "Russian"),
    ("so", "Somali"),
    ("es", "Spanish"),
    ("sw", "Swahili"),
    ("tl", "Tagalog"),
    ("ti", "Tigrinya"),
    ("uk", "Ukrainian"),
    ("ur", "Urdu"),
    ("vi", "Vietnamese"),
];

/// An address as the path of a `mailto:` link; what could begin a header there is escaped.
#[must_use]
pub fn mailto(email: &str) -> String {
    let escaped = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"@.-_~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    email.bytes().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::token::{Purpose, Token};
    use crate::domain::entropy::SeededEntropy;

    fn chicago() -> TimeZoneName {
        TimeZoneName::parse("America/Chicago").unwrap()
    }

    fn at(text: &str) -> Ts {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    #[test]
    fn times_are_told_by_the_clock_of_the_place() {
        let (from, until) = (at("2026-11-23T00:00:00Z"), at("2026-11-23T04:30:00Z"));
        assert_eq!(
            span(from, until, &chicago()),
            "Sun, Nov 22, 6:00 PM to 10:30 PM (CST)"
        );
        let until = at("2026-11-24T04:30:00Z");
        assert_eq!(
            span(from, until, &chicago()),
            "Sun, Nov 22, 6:00 PM to Mon, Nov 23, 10:30 PM (CST)"
        );
    }

    #[test]
    fn a_local_time_is_read_as_browsers_send_it() {
        let now = at("2026-11-22T12:00:00Z");
        let read = |text| read_local(text, &chicago(), now);
        for text in [
            "2026-11-22T18:30",
            "2026-11-22T18:30:00",
            " 2026-11-22 18:30 ",
        ] {
            assert_eq!(
                read(text).unwrap(),
                Some(at("2026-11-23T00:30:00Z")),
                "{text}"
            );
        }
        assert_eq!(read(" ").unwrap(), None);
        assert!(read("at six").is_err());
    }

    #[test]
    fn a_code_in_groups_is_the_same_code() {
        let token = Token::mint(Purpose::Volunteer, &SeededEntropy::new(1));
        let written = groups(token.expose());
        assert_eq!(written.split(' ').count(), 8, "{written}");
        let read = Token::parse(&written).map(|t| t.expose().to_owned());
        assert_eq!(read.as_deref(), Some(token.expose()));
    }

    #[test]
    fn a_mail_address_cannot_add_to_its_link() {
        assert_eq!(
            mailto("a?bcc=x&b%c@example.org"),
            "a%3Fbcc%3Dx%26b%25c@example.org"
        );
        assert_eq!(mailto("mo.f-1@example.org"), "mo.f-1@example.org");
    }
}
