//! The sections `categories` and `gazetteer`: files that replace what comes with the program.

use std::path::PathBuf;

use serde::Deserialize;

use super::fault::{Checks, Fault};

/// The section `categories`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategorySettings {
    /// The kinds of aid; `None`: those that come with the program.
    pub path: Option<PathBuf>,
}

/// The section `gazetteer`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GazetteerSettings {
    /// Postal codes in GeoNames' format; `None`: the file that comes with the program.
    pub path: Option<PathBuf>,
}

impl CategorySettings {
    /// The path, if there is one, must name a file; what is in it is read later.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        names_a_file("categories", self.path.as_ref())
    }
}

impl GazetteerSettings {
    /// The path, if there is one, must name a file; what is in it is read later.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        names_a_file("gazetteer", self.path.as_ref())
    }
}

fn names_a_file(section: &'static str, path: Option<&PathBuf>) -> Vec<Fault> {
    let mut checks = Checks::of(section);
    checks.require(
        path.is_none_or(|path| path.file_name().is_some()),
        "path",
        "must name a file",
    );
    checks.done()
}
