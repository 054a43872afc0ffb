//! Waves: who is asked together, when, and for how long.

use std::time::Duration;

use jiff::civil::Time;
use serde::Deserialize;

use crate::domain::category::WaveChange;
use crate::domain::need::Urgency;
use crate::settings::fault::Checks;
use crate::settings::values;

/// The waves of each urgency.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waves {
    /// Of [`Urgency::Now`].
    pub now: Wave,
    /// Of [`Urgency::Today`].
    pub today: Wave,
    /// Of [`Urgency::Soon`].
    pub soon: Wave,
}

/// The waves of one urgency.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wave {
    /// Volunteers asked at the same time.
    pub size: u8,
    /// How many more each later wave asks than the one before it.
    pub widen_by: u8,
    /// When the next wave is due while the need is not covered.
    #[serde(with = "humantime_serde")]
    pub next_wave_after: Duration,
    /// How long a volunteer has for an answer, from when the letter has left.
    #[serde(with = "humantime_serde")]
    pub respond_within: Duration,
    /// How long the neighbor has to agree, where that is asked.
    #[serde(with = "humantime_serde")]
    pub agree_within: Duration,
    /// When a letter that has not left is withdrawn.
    #[serde(with = "humantime_serde")]
    pub max_wait: Duration,
    /// Volunteers are asked from this local time on; set together with `ask_until`.
    #[serde(deserialize_with = "values::time_of_day", default)]
    pub ask_from: Option<Time>,
    /// Volunteers are not asked at this local time or after it.
    #[serde(deserialize_with = "values::time_of_day", default)]
    pub ask_until: Option<Time>,
}

/// A daily span of local time in which volunteers are asked; it may run over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskingHours {
    /// Its first instant.
    pub from: Time,
    /// The first instant after it; never equal to `from`.
    pub until: Time,
}

impl Waves {
    /// The waves of that urgency.
    #[must_use]
    pub fn of(&self, urgency: Urgency) -> &Wave {
        match urgency {
            Urgency::Now => &self.now,
            Urgency::Today => &self.today,
            Urgency::Soon => &self.soon,
        }
    }

    pub(super) fn check(&self, checks: &mut Checks) {
        const MINUTE: Duration = Duration::from_mins(1);
        const DAY: Duration = Duration::from_hours(24);
        for (name, wave) in [
            ("now", &self.now),
            ("today", &self.today),
            ("soon", &self.soon),
        ] {
            let key = |key: &str| format!("waves.{name}.{key}");
            checks.number(&key("size"), wave.size, 1..=50);
            checks.number(&key("widen_by"), wave.widen_by, 0..=20);
            checks.time(
                &key("next_wave_after"),
                wave.next_wave_after,
                MINUTE..=DAY * 7,
            );
            checks.time(
                &key("respond_within"),
                wave.respond_within,
                MINUTE..=DAY * 30,
            );
            checks.time(&key("agree_within"), wave.agree_within, MINUTE..=DAY * 30);
            checks.time(&key("max_wait"), wave.max_wait, MINUTE..=DAY * 30);
            checks.require(
                wave.ask_from.is_some() == wave.ask_until.is_some(),
                &key(if wave.ask_from.is_none() {
                    "ask_from"
                } else {
                    "ask_until"
                }),
                "must be set as well, or neither ask_from nor ask_until",
            );
            checks.require(
                wave.ask_from.is_none() || wave.ask_from != wave.ask_until,
                &key("ask_until"),
                "must differ from ask_from; for any hour leave both empty",
            );
        }
    }
}

impl Wave {
    /// The same with what a category changes of it.
    #[must_use]
    pub fn with(self, change: &WaveChange) -> Self {
        Self {
            size: change.size.unwrap_or(self.size),
            widen_by: change.widen_by.unwrap_or(self.widen_by),
            next_wave_after: change.next_wave_after.unwrap_or(self.next_wave_after),
            respond_within: change.respond_within.unwrap_or(self.respond_within),
            agree_within: change.agree_within.unwrap_or(self.agree_within),
            max_wait: change.max_wait.unwrap_or(self.max_wait),
            ..self
        }
    }

    /// When volunteers are asked; `None`: at any hour.
    #[must_use]
    pub fn asking_hours(&self) -> Option<AskingHours> {
        Some(AskingHours {
            from: self.ask_from?,
            until: self.ask_until?,
        })
    }
}

impl AskingHours {
    /// Whether volunteers are asked at that local time.
    #[must_use]
    pub fn contain(&self, local: Time) -> bool {
        if self.from <= self.until {
            self.from <= local && local < self.until
        } else {
            self.from <= local || local < self.until
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    #[test]
    fn asking_hours_may_run_over_midnight() {
        let day = AskingHours {
            from: time(8, 0, 0, 0),
            until: time(20, 0, 0, 0),
        };
        let night = AskingHours {
            from: day.until,
            until: day.from,
        };
        for (hour, by_day) in [
            (0, false),
            (7, false),
            (8, true),
            (19, true),
            (20, false),
            (23, false),
        ] {
            assert_eq!(day.contain(time(hour, 0, 0, 0)), by_day, "{hour}");
            assert_eq!(night.contain(time(hour, 0, 0, 0)), !by_day, "{hour}");
        }
    }
}
