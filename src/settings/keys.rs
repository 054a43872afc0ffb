//! The section `keys`: where the key ring is.

use std::path::PathBuf;

use serde::Deserialize;

use super::fault::{Checks, Fault};

/// The section `keys`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// The key ring's file. That it lies outside the data directory is checked when it is opened.
    pub path: PathBuf,
}

impl KeySettings {
    /// There must be a path.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        let mut checks = Checks::of("keys");
        checks.require(self.path.file_name().is_some(), "path", "must name a file");
        checks.done()
    }
}
