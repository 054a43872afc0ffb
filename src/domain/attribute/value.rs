//! Values of attributes, and the map of them that a request or an offer keeps.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that was read against its attribute. In JSON: `true`, `20`, `"large"`, `["halal",
/// "vegan"]`, `[2, 11]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub enum AttributeValue {
    /// Yes or no.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// An option.
    Word(String),
    /// One option or more, sorted and each once.
    Words(Vec<String>),
    /// From the first to the second, both finite and the first not above the second.
    Range(f64, f64),
}

/// Its numbers are finite, so each is equal to itself.
impl Eq for AttributeValue {}

impl Hash for AttributeValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Adding zero makes one zero of both.
        let bits = |number: f64| (number + 0.0).to_bits();
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Bool(b) => b.hash(state),
            Self::Number(n) => bits(*n).hash(state),
            Self::Word(word) => word.hash(state),
            Self::Words(words) => words.hash(state),
            Self::Range(min, max) => [*min, *max].map(bits).hash(state),
        }
    }
}

impl AttributeValue {
    pub(super) fn words(mut words: Vec<String>) -> Self {
        words.sort_unstable();
        words.dedup();
        Self::Words(words)
    }
}

impl TryFrom<serde_json::Value> for AttributeValue {
    type Error = &'static str;
    fn try_from(json: serde_json::Value) -> Result<Self, Self::Error> {
        use serde_json::Value as Json;
        const LIST: &str = "must be a list of words or [lowest, highest]";
        match json {
            Json::Bool(b) => Ok(Self::Bool(b)),
            Json::Number(n) => n
                .as_f64()
                .map(Self::Number)
                .ok_or("must be a finite number"),
            Json::String(word) => Ok(Self::Word(word)),
            Json::Array(entries) => match entries.as_slice() {
                [Json::Number(min), Json::Number(max)] => match (min.as_f64(), max.as_f64()) {
                    (Some(min), Some(max)) if min <= max => Ok(Self::Range(min, max)),
                    _ => Err(LIST),
                },
                [_, ..] if entries.len() <= Attributes::MAX_LIST => entries
                    .into_iter()
                    .map(|entry| match entry {
                        Json::String(word) => Ok(word),
                        _ => Err(LIST),
                    })
                    .collect::<Result<_, _>>()
                    .map(Self::words),
                _ => Err(LIST),
            },
            Json::Null | Json::Object(_) => Err("must be true, false, a number, a word or a list"),
        }
    }
}

/// A number as people write it: `20`, not `20.0`.
struct Plain(f64);

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        /// Up to here every whole number has its own `f64`.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if self.0.fract() == 0.0 && self.0.abs() <= EXACT {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole, and far below the limit of an i64"
            )]
            s.serialize_i64(self.0 as i64)
        } else {
            s.serialize_f64(self.0)
        }
    }
}

impl Serialize for AttributeValue {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(b) => s.serialize_bool(*b),
            Self::Number(n) => Plain(*n).serialize(s),
            Self::Word(word) => s.serialize_str(word),
            Self::Words(words) => words.serialize(s),
            Self::Range(min, max) => [Plain(*min), Plain(*max)].serialize(s),
        }
    }
}

/// What a request requires or an offer provides, by the attribute's name. Made by
/// [`Category::parse_required`](crate::domain::category::Category::parse_required) and
/// `parse_provided`, or read back from where it was kept; in JSON a plain object, `{"diet":
/// ["halal"], "delivery": true, "ages": [2, 11]}`. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Attributes(#[serde(serialize_with = "serialize")] Arc<BTreeMap<String, AttributeValue>>);

fn serialize<S: Serializer>(
    map: &BTreeMap<String, AttributeValue>,
    s: S,
) -> Result<S::Ok, S::Error> {
    map.serialize(s)
}

impl Attributes {
    /// Most attributes of a category, and so of a request or an offer.
    pub const MAX: usize = 32;
    /// Most entries of one list.
    pub const MAX_LIST: usize = 64;

    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::domain) fn set(&mut self, name: String, value: AttributeValue) {
        Arc::make_mut(&mut self.0).insert(name, value);
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<String, AttributeValue>::deserialize(d)?;
        if map.len() > Self::MAX {
            return Err(serde::de::Error::custom("has too many attributes"));
        }
        Ok(Self(map.into()))
    }
}
