//! The section `limits`: whether one person may do everything at once.

use serde::Deserialize;

use super::fault::{Checks, Fault};
use super::server::ServerSettings;

/// The section `limits`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Whether limits apply.
    pub mode: LimitsMode,
}

/// Whether limits apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitsMode {
    /// They do.
    On,
    /// They do not: for load tests on one machine.
    Off,
}

impl LimitSettings {
    /// Limits are off only where nobody else can connect.
    #[must_use]
    pub fn validate(&self, server: &ServerSettings) -> Vec<Fault> {
        let mut checks = Checks::of("limits");
        checks.require(
            self.mode == LimitsMode::On || server.is_loopback_only(),
            "mode",
            "must be on unless server.bind and server.admin_bind are loopback addresses",
        );
        checks.done()
    }
}
