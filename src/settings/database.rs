//! The section `database`: where it is.

use serde::Deserialize;

use super::fault::Fault;
use super::values;
use crate::storage::DatabaseUrl;

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
