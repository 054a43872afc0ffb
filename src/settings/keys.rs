//! The section `keys`: where the key ring is, and how long a key lives.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::fault::{Checks, Fault};

/// The section `keys`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// The key ring's file. That it lies outside the data directory is checked when it is opened.
    pub path: PathBuf,
    /// How long a master key seals before a new one does.
    #[serde(with = "humantime_serde")]
    pub rotate_every: Duration,
    /// How long a key that seals no more can still open backups, before it is destroyed.
    #[serde(with = "humantime_serde")]
    pub destroy_after: Duration,
}

impl KeySettings {
    /// There must be a path, and nothing that was erased may be readable in a backup after a month.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        const HOUR: Duration = Duration::from_hours(1);
        const DAY: Duration = Duration::from_hours(24);
        let mut checks = Checks::of("keys");
        checks.require(self.path.file_name().is_some(), "path", "must name a file");
        checks.time("rotate_every", self.rotate_every, HOUR..=DAY * 29);
        checks.time("destroy_after", self.destroy_after, HOUR..=DAY * 29);
        checks.require(
            self.rotate_every + self.destroy_after <= DAY * 30,
            "destroy_after",
            "must not be more than 30d together with keys.rotate_every",
        );
        checks.done()
    }
}
