//! Time zones by their IANA names.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::domain::clock::Ts;

/// The database that is compiled in: the same on every machine, and there also where the system has
/// none.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone of the IANA database, such as `America/Chicago`. Cheap to clone.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeZoneName(TimeZone);

impl TimeZoneName {
    /// UTC.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// # Errors
    /// If there is no zone of that name. Capitals and small letters make no difference.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        match ZONES.get(name.trim()) {
            Ok(zone) if !zone.is_unknown() && zone.iana_name().is_some() => Ok(Self(zone)),
            _ => Err("must be a time zone of the IANA database, such as America/Chicago"),
        }
    }

    /// The name, in the database's own spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The local date and time of an instant.
    #[must_use]
    pub fn to_local(&self, at: Ts) -> jiff::Zoned {
        at.to_jiff().to_zoned(self.0.clone())
    }

    /// The date on the calendar there.
    #[must_use]
    pub fn date_at(&self, at: Ts) -> Date {
        self.0.to_datetime(at.to_jiff()).date()
    }

    /// The instant when clocks there show that time: the first, where they show it twice; and where
    /// they leap over it, as much later as they leap (RFC 5545's rule). `None` outside the years
    /// -9999 to 9999.
    #[must_use]
    pub fn instant(&self, local: DateTime) -> Option<Ts> {
        self.0.to_timestamp(local).ok().map(Ts::from)
    }

    /// When the local day began that `at` is in.
    #[must_use]
    pub fn day_start(&self, at: Ts) -> Ts {
        self.start_of(self.date_at(at), at)
    }

    /// When the local week began that `at` is in, on a Monday.
    #[must_use]
    pub fn week_start(&self, at: Ts) -> Ts {
        let date = self.date_at(at);
        let since_monday = jiff::ToSpan::days(date.weekday().to_monday_zero_offset());
        self.start_of(date.saturating_sub(since_monday), at)
    }

    /// The first midnight after `at`; `None` at the end of time.
    pub(super) fn next_midnight(&self, at: Ts) -> Option<Ts> {
        let tomorrow = self.date_at(at).tomorrow().ok()?;
        let midnight = self.instant(tomorrow.to_datetime(jiff::civil::Time::midnight()))?;
        (midnight > at).then_some(midnight)
    }

    /// When clocks there show the same time on the next day.
    pub(super) fn next_day(&self, at: Ts) -> Option<Ts> {
        self.days_later(at, 1)
    }

    /// When clocks there show the same time that many days later.
    pub(super) fn days_later(&self, at: Ts, days: i32) -> Option<Ts> {
        let later = self
            .to_local(at)
            .datetime()
            .checked_add(jiff::ToSpan::days(days))
            .ok()?;
        self.instant(later)
    }

    fn start_of(&self, date: Date, at: Ts) -> Ts {
        // The first midnight is never after an instant of its own day; `min` says so to the reader.
        self.instant(date.to_datetime(jiff::civil::Time::midnight()))
            .map_or(at, |start| start.min(at))
    }
}

impl PartialEq for TimeZoneName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for TimeZoneName {}

impl FromStr for TimeZoneName {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::parse(s)
    }
}

impl TryFrom<String> for TimeZoneName {
    type Error = &'static str;
    fn try_from(s: String) -> Result<Self, Self::Error> {
        Self::parse(&s)
    }
}

impl From<TimeZoneName> for String {
    fn from(zone: TimeZoneName) -> Self {
        zone.as_str().to_owned()
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
