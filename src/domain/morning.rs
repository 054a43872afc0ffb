//! Mornings by the clock of the area: each has one date, however the clocks are changed.

use std::fmt;

use jiff::civil::{Date, Time};
use serde::Deserialize;

use super::availability::TimeZoneName;
use super::clock::Ts;

/// What comes in the morning comes before this time, or not on that day.
const NOON: Time = Time::constant(12, 0, 0, 0);

/// A time of day in the morning, to the minute.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct MorningTime(Time);

impl TryFrom<String> for MorningTime {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Time::strptime("%H:%M", &text)
            .ok()
            .filter(|time| *time < NOON)
            .map(Self)
            .ok_or("must be a time of day before noon, such as 07:00")
    }
}

impl fmt::Debug for MorningTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.strftime("%H:%M").to_string())
    }
}

/// The morning of one local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Morning {
    /// Of which day on the calendar there.
    pub date: Date,
    /// When it began.
    pub began_at: Ts,
}

impl Morning {
    /// The morning that it is there at `now`, from `time` until noon; `None` at any other time of the day.
    #[must_use]
    pub fn at(zone: &TimeZoneName, time: MorningTime, now: Ts) -> Option<Self> {
        let date = zone.date_at(now);
        let began_at = zone.instant(date.to_datetime(time.0))?;
        let noon = zone.instant(date.to_datetime(NOON))?;
        (began_at <= now && now < noon).then_some(Self { date, began_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn morning(now: &str) -> Option<(String, String)> {
        let zone = TimeZoneName::parse("America/Chicago").unwrap();
        let seven = MorningTime::try_from("07:00".to_owned()).unwrap();
        let now = now.parse::<jiff::Timestamp>().unwrap().into();
        Morning::at(&zone, seven, now).map(|m| (m.date.to_string(), m.began_at.to_string()))
    }

    #[test]
    fn it_is_morning_from_that_time_until_noon_there() {
        let monday = Some(("2026-12-07".into(), "2026-12-07T13:00:00Z".into()));
        assert_eq!(morning("2026-12-07T12:59:59Z"), None);
        assert_eq!(morning("2026-12-07T13:00:00Z"), monday);
        assert_eq!(morning("2026-12-07T17:59:59Z"), monday);
        assert_eq!(morning("2026-12-07T18:00:00Z"), None);
        // Late in the evening there it is another day elsewhere.
        assert_eq!(morning("2026-12-08T05:00:00Z"), None);
    }

    #[test]
    fn the_clocks_on_the_wall_count_also_where_they_leap() {
        // On the 8th of March they leap ahead, on the 1st of November back.
        let began = |now| morning(now).map(|(_, began)| began);
        assert_eq!(
            began("2026-03-07T14:00:00Z").unwrap(),
            "2026-03-07T13:00:00Z"
        );
        assert_eq!(
            began("2026-03-08T12:00:00Z").unwrap(),
            "2026-03-08T12:00:00Z"
        );
        assert_eq!(began("2026-11-01T12:30:00Z"), None);
        assert_eq!(
            began("2026-11-01T13:00:00Z").unwrap(),
            "2026-11-01T13:00:00Z"
        );
    }

    #[test]
    fn an_afternoon_is_no_morning() {
        for text in ["12:00", "19:00", "7", "07:00:30", ""] {
            assert!(MorningTime::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
