//! Reads values as people send them, and says everything that is wrong with them.

use serde_json::Value as Json;

use super::{Attribute, AttributeValue, Attributes, Bounds, Values};

/// Something wrong with one value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {message}")]
pub struct AttributeError {
    /// Where, as a JSON pointer (RFC 6901) from the map of attributes: `/diet/0`.
    pub pointer: String,
    /// What is allowed there. Does not repeat what was given.
    pub message: String,
}

/// Whether values are read for a request or for an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) enum Side {
    Required,
    Provided,
}

impl Attribute {
    /// Reads one value, or adds what is wrong with it to `errors`.
    pub(in crate::domain) fn read(
        &self,
        side: Side,
        json: &Json,
        errors: &mut Vec<AttributeError>,
    ) -> Option<AttributeValue> {
        let at = pointer(&self.name);
        let mut wrong = |pointer: String, message: String| {
            errors.push(AttributeError { pointer, message });
            None
        };
        match (&self.values, json) {
            (Values::Bool, Json::Bool(b)) => Some(AttributeValue::Bool(*b)),
            (Values::Bool, _) => wrong(at, "must be true or false".to_owned()),
            (Values::Number(bounds), json) => match bounds.read(json) {
                Some(number) => Some(AttributeValue::Number(number)),
                None => wrong(at, format!("must be a number {bounds}")),
            },
            (Values::Enum(options), Json::String(word)) if options.contains(word) => {
                Some(AttributeValue::Word(word.clone()))
            }
            (Values::Enum(options), _) => {
                wrong(at, format!("must be one of {}", options.join(", ")))
            }
            (Values::Set(options), Json::Array(entries)) => read_set(options, entries, &at, errors),
            (Values::Set(options), _) => wrong(
                at,
                format!("must be a list of some of {}", options.join(", ")),
            ),
            (Values::Range(bounds), json) => match (bounds.read(json), json) {
                (Some(number), _) if side == Side::Required => Some(AttributeValue::Number(number)),
                (_, Json::Array(entries)) => read_range(*bounds, entries, &at, errors),
                _ if side == Side::Required => wrong(
                    at,
                    format!("must be a number {bounds} or [lowest, highest]"),
                ),
                _ => wrong(
                    at,
                    format!("must be [lowest, highest], two numbers {bounds}"),
                ),
            },
        }
    }
}

fn read_set(
    options: &[String],
    entries: &[Json],
    at: &str,
    errors: &mut Vec<AttributeError>,
) -> Option<AttributeValue> {
    if entries.is_empty() || entries.len() > Attributes::MAX_LIST {
        errors.push(AttributeError {
            pointer: at.to_owned(),
            message: format!(
                "must have 1 to {} entries; leave it out if none matters",
                Attributes::MAX_LIST
            ),
        });
        return None;
    }
    let before = errors.len();
    let mut words = Vec::with_capacity(entries.len());
    for (i, entry) in entries.iter().enumerate() {
        match entry {
            Json::String(word) if options.contains(word) => words.push(word.clone()),
            _ => errors.push(AttributeError {
                pointer: format!("{at}/{i}"),
                message: format!("must be one of {}", options.join(", ")),
            }),
        }
    }
    (errors.len() == before).then(|| AttributeValue::words(words))
}

fn read_range(
    bounds: Bounds,
    entries: &[Json],
    at: &str,
    errors: &mut Vec<AttributeError>,
) -> Option<AttributeValue> {
    let mut wrong =
        |pointer: String, message: String| errors.push(AttributeError { pointer, message });
    let [min, max] = entries else {
        wrong(
            at.to_owned(),
            format!("must be [lowest, highest], two numbers {bounds}"),
        );
        return None;
    };
    let mut end = |i: usize, json: &Json| {
        let number = bounds.read(json);
        if number.is_none() {
            wrong(format!("{at}/{i}"), format!("must be a number {bounds}"));
        }
        number
    };
    let (min, max) = (end(0, min), end(1, max));
    let (min, max) = (min?, max?);
    if min > max {
        wrong(
            at.to_owned(),
            "must have the lowest number first".to_owned(),
        );
        return None;
    }
    Some(AttributeValue::Range(min, max))
}

impl Bounds {
    /// The number cut to thousandths, if it is then within bounds. So few digits that JSON, read
    /// back without the costlier exact conversion, gives the very same number.
    fn read(self, json: &Json) -> Option<f64> {
        // Adding zero turns minus zero into zero.
        json.as_f64()
            .map(|n| (n * 1000.0).round() / 1000.0 + 0.0)
            .filter(|n| (self.min..=self.max).contains(n))
    }
}

/// `name` as a JSON pointer's first step (RFC 6901).
pub(in crate::domain) fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
