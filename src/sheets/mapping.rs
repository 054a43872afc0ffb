//! Which column holds which field: a file that is written once for a form and kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::import::ImportKind;
use crate::domain::word::words;

words! {
    /// In which order a date's numbers stand.
    DateOrder {
        /// 24/11/2026.
        Dmy = "dmy",
        /// 11/24/2026.
        Mdy = "mdy",
        /// 2026/11/24.
        Ymd = "ymd",
    }
    /// What is done with a cell that is longer than its field.
    TooLong {
        /// The row is faulty.
        Fault = "fault",
        /// Its end is left out, and the report says so.
        Cut = "cut",
    }
}

/// A mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// What the rows become; must be what the import says, where both do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ImportKind>,
    /// What the sheet is called, so that the ids of two sheets are told apart; its heads, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The column by which a row is known again; all of the row, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// In which order the numbers of dates stand; as the file itself shows, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateOrder>,
    /// IANA time zone of times without one; the instance's own, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Country of phone numbers and postal codes; the instance's own, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// What is done with cells that are too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub too_long: Option<TooLong>,
    /// Columns that are appended to the private note, each under its head.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub note_from: Vec<String>,
    /// Our field, and the column or the columns that are joined into it.
    pub columns: BTreeMap<String, Heads>,
    /// A column that holds several fields, with what stands between them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub split: BTreeMap<String, Split>,
    /// Their words for ours, by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// What a field is where no cell says.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub constants: BTreeMap<String, Constant>,
}

/// One column, or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Heads {
    /// One.
    One(String),
    /// Several, in the order in which they are joined.
    Several(Vec<String>),
}

impl Heads {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(head) => std::slice::from_ref(head),
            Self::Several(heads) => heads,
        }
    }
}

/// How a column is split.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// What stands between the parts.
    pub by: String,
    /// The fields, in their order; the last gets the rest.
    pub into: Vec<String>,
}

/// A fixed value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Constant {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

impl std::fmt::Display for Constant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => flag.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map(|span| text[..span.start.min(text.len())].lines().count().max(1));
            match line {
                Some(line) => format!("line {line} of the mapping: {}", error.message()),
                None => format!("the mapping: {}", error.message()),
            }
        })
    }

    /// The same as a file.
    ///
    /// # Errors
    /// Never: every mapping can be written.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string_pretty(self)
    }
}
