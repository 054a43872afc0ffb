//! Opening hours as OpenStreetMap writes them: `Mo-Fr 08:00-18:00; Sa 10:00-14:00`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::NaiveDate;
use jiff::civil::Date;
use opening_hours::RuleKind;
use serde::{Deserialize, Serialize};

use super::window::{Window, Windows};
use super::zone::TimeZoneName;

/// Opening hours in the notation of OpenStreetMap's `opening_hours`
/// (<https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification>). Cheap to clone.
///
/// Not taken, with an error that says so: comments (free text, which belongs in a note), public and
/// school holidays (nobody has told us whose) and sunrise and sunset (which would be guessed).
/// `unknown` counts as closed, and `18:00+` ends at midnight. Where two rules separated by `;`
/// speak of the same day the later one rules that whole calendar day, also the hours after midnight
/// of the night before: in doubt it is closed. Nights that leave out a day are best written as
/// such, `Mo-Tu,Th-Su 18:00-08:00`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OpeningHours(Arc<Read>);

/// Hours that were read.
struct Read {
    text: String,
    rules: opening_hours::OpeningHours,
    /// Whether a rule opens at midnight, rather than a night going on.
    opens_at_midnight: bool,
}

impl OpeningHours {
    /// Longest text taken, in characters; OpenStreetMap's own limit.
    pub const MAX: usize = 255;
    /// Most weekdays of a month (`Mo[1]`). The parser reads `Jan Mo[1],Jan Mo[1],…` in exponential
    /// time: 13 of them, 129 characters, took 31 s; 4 take a millisecond.
    const MAX_NTH: usize = 4;
    /// Most days looked at and most intervals found in one evaluation.
    const MAX_STEPS: usize = 2000;

    /// # Errors
    /// Says what is wrong with the text, without repeating it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        // What phones make of a hyphen and of several spaces.
        let text = text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace(['–', '—'], "-");
        if text.chars().count() > Self::MAX {
            return Err("must be at most 255 characters");
        }
        if text.contains('"') {
            return Err("must not have comments in quotation marks; use the note");
        }
        if text.contains("PH") || text.contains("SH") {
            return Err("must not name holidays (PH, SH); write dates such as \"Dec 25 off\"");
        }
        // Besides, `(sunset+20:00)-30:00` makes the evaluation panic.
        let lower = text.to_lowercase();
        if ["dawn", "sunrise", "sunset", "dusk"]
            .iter()
            .any(|event| lower.contains(event))
        {
            return Err("must not name sunrise or sunset; write the time");
        }
        if text.matches('[').count() > Self::MAX_NTH {
            return Err("must not name more than 4 weekdays of a month in brackets");
        }
        let rules: opening_hours::OpeningHours = text
            .parse()
            .map_err(|_| "must be opening hours such as \"Mo-Fr 08:00-18:00; Sa 10:00-14:00\"")?;
        let expression = rules.get_expression();
        let opening = expression
            .rules
            .iter()
            .filter(|rule| rule.kind == RuleKind::Open);
        let mut spans = opening.flat_map(|rule| &rule.time_selector.spans);
        let opens_at_midnight = spans.any(|span| span.range.start.to_string() == "00:00");
        Ok(Self(Arc::new(Read {
            text,
            rules,
            opens_at_midnight,
        })))
    }

    /// The text, with single spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// When it is open within `span`, on the clocks of `zone`.
    pub(super) fn within(&self, span: Window, zone: &TimeZoneName) -> Windows {
        let mut found: Vec<Window> = Vec::new();
        // A day early: where clocks were set back over midnight, the date was set back too.
        let first = zone.date_at(span.from()).yesterday();
        let days =
            std::iter::successors(first.ok(), |day| day.tomorrow().ok()).take(Self::MAX_STEPS);
        for day in days {
            let is_over = zone
                .instant(day.at(0, 0, 0, 0))
                .is_none_or(|midnight| midnight >= span.until());
            if is_over || found.len() >= Self::MAX_STEPS {
                break;
            }
            found.extend(self.on(day, zone).filter_map(|open| open.intersect(span)));
        }
        found.into_iter().collect()
    }

    /// When it is open from local midnight to local midnight; also what is left of the night that
    /// began the day before.
    fn on<'a>(&'a self, day: Date, zone: &'a TimeZoneName) -> impl Iterator<Item = Window> + 'a {
        let at = move |minute: u16| {
            let (hour, minute) = (
                i8::try_from(minute / 60).ok()?,
                i8::try_from(minute % 60).ok()?,
            );
            if hour < 24 {
                zone.instant(day.at(hour, minute, 0, 0))
            } else {
                zone.instant(day.tomorrow().ok()?.at(0, 0, 0, 0))
            }
        };
        self.parts(day)
            // After an evening that never came (`18:00-08:00; We off`) the library still has its
            // morning.
            .filter(move |(from, _)| {
                *from > 0 || self.0.opens_at_midnight || self.goes_on_after(day.yesterday().ok())
            })
            // In the hour that clocks leap over, a part may shrink to nothing.
            .filter_map(move |(from, until)| Window::parse(at(from)?, at(until)?).ok())
    }

    fn goes_on_after(&self, day: Option<Date>) -> bool {
        day.is_some_and(|day| self.parts(day).any(|(_, until)| until >= MIDNIGHT))
    }

    /// From which minute to which minute of the day it is open; a day has [`MIDNIGHT`] of them,
    /// whatever clocks do.
    fn parts(&self, day: Date) -> impl Iterator<Item = (u16, u16)> {
        let (month, of_month) = (day.month().unsigned_abs(), day.day().unsigned_abs());
        NaiveDate::from_ymd_opt(day.year().into(), month.into(), of_month.into())
            .map(|date| self.0.rules.schedule_at(date))
            .into_iter()
            .flatten()
            .filter(|part| part.kind == RuleKind::Open)
            .map(|part| {
                (
                    part.range.start.mins_from_midnight(),
                    part.range.end.mins_from_midnight(),
                )
            })
    }
}

/// 24:00 in minutes.
const MIDNIGHT: u16 = 24 * 60;

impl PartialEq for OpeningHours {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for OpeningHours {}

impl FromStr for OpeningHours {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::parse(s)
    }
}

impl TryFrom<String> for OpeningHours {
    type Error = &'static str;
    fn try_from(s: String) -> Result<Self, Self::Error> {
        Self::parse(&s)
    }
}

impl From<OpeningHours> for String {
    fn from(hours: OpeningHours) -> Self {
        hours.0.text.clone()
    }
}

impl fmt::Display for OpeningHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.text)
    }
}

impl fmt::Debug for OpeningHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.text)
    }
}
