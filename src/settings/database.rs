//! The section `database`: where it is.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::fault::Fault;
use super::values;

/// The section `database`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// Where the database is; the scheme picks the kind.
    #[serde(deserialize_with = "values::parsed")]
    pub url: DatabaseUrl,
}

impl DatabaseSettings {
    /// Nothing more: a URL that could be read is good.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        Vec::new()
    }
}

/// `sqlite:PATH`. Hidden from `Debug`: the URL of a server may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

/// A URL of a database that this program does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be sqlite:PATH, such as sqlite:data/manyhands.db")]
pub struct UnknownDatabase;

impl DatabaseUrl {
    /// The whole URL.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = UnknownDatabase;

    fn from_str(url: &str) -> Result<Self, UnknownDatabase> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() && !path.starts_with(':') => {
                Ok(Self(url.to_owned()))
            }
            _ => Err(UnknownDatabase),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(redacted)")
    }
}
