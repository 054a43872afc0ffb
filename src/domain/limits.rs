//! How often, and when, a volunteer lets herself be asked.

use std::time::Duration;

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::availability::TimeZoneName;
use super::clock::Ts;

/// The span in which asks that are not urgent are counted against a volunteer's limit.
pub const WEEK: Duration = Duration::from_hours(7 * 24);
/// The span in which all asks are.
pub const DAY: Duration = Duration::from_hours(24);

/// A volunteer's limits on being asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskLimits {
    /// Asks that may be open at a time: 1 to 20.
    pub open_asks: u8,
    /// Asks a week that are not urgent: 1 to 50.
    pub weekly_asks: u8,
    /// Asks a day, however urgent: 1 to 100.
    pub daily_asks: u8,
    /// Whether an ask of urgency `now` may come during quiet hours.
    pub nights: bool,
    /// When not to be asked.
    pub quiet: Option<QuietHours>,
}

/// A daily span, local; it may run over midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// When it begins.
    pub from: Time,
    /// When it ends.
    pub until: Time,
    /// Whose clock counts.
    pub timezone: TimeZoneName,
}

impl QuietHours {
    /// Whether `at` lies in the quiet hours.
    #[must_use]
    pub fn cover(&self, at: Ts) -> bool {
        let local = self.timezone.to_local(at).time();
        if self.from <= self.until {
            self.from <= local && local < self.until
        } else {
            self.from <= local || local < self.until
        }
    }
}
