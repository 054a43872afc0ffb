//! What a category changes of the waves in which its volunteers are asked; all else is as the settings say.

use std::time::Duration;

use super::reader::Reader;
use crate::domain::need::Urgency;

/// What a category changes, for each urgency.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CategoryWaves {
    now: WaveChange,
    today: WaveChange,
    soon: WaveChange,
}

/// What a category changes of the waves of one urgency; `None` changes nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WaveChange {
    /// Volunteers asked at the same time.
    pub size: Option<u8>,
    /// How many more each later wave asks than the one before it.
    pub widen_by: Option<u8>,
    /// When the next wave is due while the need is not covered.
    pub next_wave_after: Option<Duration>,
    /// How long a volunteer has for an answer.
    pub respond_within: Option<Duration>,
    /// How long the neighbor has to agree.
    pub agree_within: Option<Duration>,
    /// When a letter that has not left is withdrawn.
    pub max_wait: Option<Duration>,
}

impl CategoryWaves {
    /// What is changed for that urgency.
    #[must_use]
    pub fn of(&self, urgency: Urgency) -> &WaveChange {
        match urgency {
            Urgency::Now => &self.now,
            Urgency::Today => &self.today,
            Urgency::Soon => &self.soon,
        }
    }

    /// The tables `waves.now`, `waves.today` and `waves.soon`, as far as they are there.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let mut waves = Self::default();
        for (name, table) in reader.tables("waves") {
            let Ok(urgency) = name.parse() else {
                let message = "is unknown; allowed: now, today, soon";
                reader.fault(&format!("waves.{name}"), message);
                continue;
            };
            let change = WaveChange::read(reader.child(format!("waves.{name}."), table));
            match urgency {
                Urgency::Now => waves.now = change,
                Urgency::Today => waves.today = change,
                Urgency::Soon => waves.soon = change,
            }
        }
        waves
    }
}

impl WaveChange {
    /// Within the limits of the settings' own waves.
    fn read(mut reader: Reader<'_>) -> Self {
        let change = Self {
            size: reader.optional("size", |r, field| r.whole(field, 1..=50)),
            widen_by: reader.optional("widen_by", |r, field| r.whole(field, 0..=20)),
            next_wave_after: reader.optional("next_wave_after", |r, field| r.minutes(field, 7)),
            respond_within: reader.optional("respond_within", |r, field| r.minutes(field, 30)),
            agree_within: reader.optional("agree_within", |r, field| r.minutes(field, 30)),
            max_wait: reader.optional("max_wait", |r, field| r.minutes(field, 30)),
        };
        reader.finish();
        change
    }
}
