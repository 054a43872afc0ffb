//! Cells that say yes or no, how much, and where.

use serde_json::Value;

use crate::domain::attribute::{Attribute, Values};

/// Yes or no.
///
/// # Errors
/// What was expected.
pub fn flag(text: &str) -> Result<bool, &'static str> {
    match text.to_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "x" | "checked" | "sí" | "si" | "✓" | "✔" => Ok(true),
        "no" | "n" | "false" | "0" | "unchecked" | "-" => Ok(false),
        _ => Err("must be yes or no"),
    }
}

/// A whole number; also with a word behind it, such as "4 people".
///
/// # Errors
/// What was expected.
pub fn whole(text: &str) -> Result<i64, &'static str> {
    const WRONG: &str = "must be one whole number";
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == ','))
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let rest = rest.strip_prefix(".0").unwrap_or(rest).trim();
    let is_word = rest.chars().all(|c| c.is_alphabetic() || c == ' ');
    let groups: Vec<&str> = number.split(',').collect();
    let is_grouped = groups.iter().skip(1).all(|group| group.len() == 3);
    if !is_word || !is_grouped {
        return Err(WRONG);
    }
    number.replace(',', "").parse().map_err(|_| WRONG)
}

/// Degrees, with a point or a comma before the decimals.
///
/// # Errors
/// What was expected.
pub fn degrees(text: &str) -> Result<f64, &'static str> {
    text.replace(',', ".")
        .parse()
        .map_err(|_| "must be degrees such as 44.95")
}

/// `44.95,-93.26`, or as form tools for the field write it: `44.95 -93.26 0 0`.
///
/// # Errors
/// What was expected.
pub fn point(text: &str) -> Result<(f64, f64), &'static str> {
    const WRONG: &str = "must be latitude and longitude such as 44.95,-93.26";
    let mut parts = text
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(str::parse::<f64>);
    match (parts.next(), parts.next()) {
        (Some(Ok(lat)), Some(Ok(lon))) => Ok((lat, lon)),
        _ => Err(WRONG),
    }
}

/// The last word of an address that looks like a postal code, with the one before it where codes have two
/// parts.
pub fn postal_code(address: &str, is_known: impl Fn(&str) -> bool) -> Option<String> {
    let words: Vec<&str> = address
        .split([' ', ',', '\n'])
        .filter(|word| word.bytes().any(|b| b.is_ascii_digit()))
        .collect();
    let all: Vec<&str> = address
        .split([' ', ',', '\n'])
        .filter(|word| !word.is_empty())
        .collect();
    let pairs = all.windows(2).rev().map(|pair| pair.join(" "));
    let singles = words.iter().rev().map(|word| (*word).to_owned());
    // The number of the house stands first, and may be a code elsewhere.
    let first = all.first().copied().unwrap_or_default();
    singles
        .chain(pairs)
        .filter(|code| code != first)
        .find(|code| is_known(code))
}

/// An attribute's value as the body of a call would have it.
pub fn attribute(attribute: Option<&Attribute>, text: &str) -> Value {
    let text_value = || Value::String(text.to_owned());
    let Some(attribute) = attribute else {
        return text_value();
    };
    let number = |text: &str| {
        let parsed = text.trim().replace(',', ".").parse::<f64>().ok();
        parsed
            .and_then(serde_json::Number::from_f64)
            .map(Value::Number)
    };
    match &attribute.values {
        Values::Bool => flag(text).map_or_else(|_| text_value(), Value::Bool),
        Values::Number(_) => number(text).unwrap_or_else(text_value),
        Values::Enum(options) => Value::String(option(options, text)),
        Values::Set(options) => {
            let by_signs: Vec<&str> = text.split([',', ';', '|', '\n']).collect();
            // KoBo puts spaces between the choices.
            let is_one = by_signs.len() == 1 && !options.contains(&option(options, text));
            let parts: Vec<&str> = match is_one {
                true => text.split_whitespace().collect(),
                false => by_signs,
            };
            let parts = parts
                .into_iter()
                .map(str::trim)
                .filter(|part| !part.is_empty());
            parts
                .map(|part| Value::String(option(options, part)))
                .collect()
        }
        Values::Range(_) => {
            let ends: Vec<Option<Value>> = text.split(['-', '–']).map(number).collect();
            match ends.into_iter().collect::<Option<Vec<Value>>>() {
                Some(mut one) if one.len() == 1 => one.remove(0),
                Some(ends) => Value::Array(ends),
                None => text_value(),
            }
        }
    }
}

/// The option that is meant, whatever its case and signs.
fn option(options: &[String], text: &str) -> String {
    let plain = super::fields::plain(text);
    let found = options
        .iter()
        .find(|option| super::fields::plain(option) == plain);
    found.cloned().unwrap_or_else(|| text.to_owned())
}
