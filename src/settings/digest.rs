//! The section `digest`: the morning's letter to coordinators.

use serde::Deserialize;

use crate::domain::morning::MorningTime;

/// The section `digest`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestSettings {
    /// Whether there is one.
    pub enabled: bool,
    /// From when on it is morning.
    pub at: MorningTime,
}
