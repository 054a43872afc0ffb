//! Opening hours that were read before, and when they are open in the days around now.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Availability, OpeningHours, TimeZoneName, Window, Windows, span_in};
use crate::domain::clock::Ts;

/// When an offer is open, as its row says it: what has not been read yet.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// As in [`Availability`].
    pub from: Option<Ts>,
    /// As in [`Availability`].
    pub until: Option<Ts>,
    /// The text of its hours; `None`: at all hours.
    pub opening_hours: Option<&'a str>,
    /// The name of its zone.
    pub timezone: &'a str,
}

/// Remembers what reading opening hours has given. The places of a city share a few dozen, everybody looks at them,
/// and reading one text and working out a week of it takes some 50 µs, as long as everything else that is done for a
/// place together with its row.
///
/// Says the same as [`Availability::windows`], and only sooner. Holds at most [`Timetables::MOST`] texts.
#[derive(Default)]
pub struct Timetables(Mutex<HashMap<String, HashMap<String, Timetable>>>);

/// One text in one zone.
struct Timetable {
    hours: OpeningHours,
    zone: TimeZoneName,
    /// For which time it was worked out, and what came of it.
    open: Option<(Window, Windows)>,
}

impl fmt::Debug for Timetables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timetables")
    }
}

impl Timetables {
    /// Texts that are remembered; with one more all are forgotten.
    pub const MOST: usize = 1_000;
    /// What is worked out beyond what is asked for, so that the next who asks finds it.
    const BEYOND: Duration = Duration::from_hours(24);

    /// When an offer is open; `None` if what is written cannot be read.
    #[must_use]
    pub fn read(&self, written: Written<'_>) -> Option<Availability> {
        let (opening_hours, timezone) = match written.opening_hours {
            None => (None, written.timezone.parse().ok()?),
            Some(text) => self.at(text, written.timezone, |table| {
                Some((Some(table.hours.clone()), table.zone.clone()))
            })?,
        };
        Some(Availability {
            from: written.from,
            until: written.until,
            opening_hours,
            timezone,
        })
    }

    /// When the offer is open within `horizon`.
    #[must_use]
    pub fn windows(&self, availability: &Availability, horizon: Window) -> Windows {
        let Some(hours) = &availability.opening_hours else {
            return availability.windows(horizon);
        };
        let span = availability.span_in(horizon);
        let (text, zone) = (hours.as_str(), availability.timezone.as_str());
        span.and_then(|span| self.at(text, zone, |table| Some(table.open(span).clip(span))))
            .unwrap_or_default()
    }

    /// The opening that an offer is in when `horizon` begins, or its next one in `horizon`, as far as it lies within.
    /// `None` if there is none, or if what is written cannot be read.
    #[must_use]
    pub fn opening(&self, written: Written<'_>, horizon: Window) -> Option<Window> {
        let span = span_in(written.from, written.until, horizon)?;
        match written.opening_hours {
            None => Some(span),
            Some(text) => self.at(text, written.timezone, |table| {
                table.open(span).first_overlap(span)
            }),
        }
    }

    /// Whether it is open at that instant.
    #[must_use]
    pub fn is_open(&self, written: Written<'_>, at: Ts) -> bool {
        Window::parse(at, at.after(Duration::from_micros(1)))
            .is_ok_and(|instant| self.opening(written, instant).is_some())
    }

    /// What `look` sees in the timetable of the text in the zone; `None` too if there is none.
    fn at<T>(
        &self,
        text: &str,
        zone: &str,
        look: impl FnOnce(&mut Timetable) -> Option<T>,
    ) -> Option<T> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = known.get_mut(text).and_then(|zones| zones.get_mut(zone)) {
            return look(table);
        }
        let mut read = Timetable {
            hours: OpeningHours::parse(text).ok()?,
            zone: zone.parse().ok()?,
            open: None,
        };
        let seen = look(&mut read);
        if known.len() >= Self::MOST {
            known.clear();
        }
        let zones = known.entry(text.to_owned()).or_default();
        zones.insert(zone.to_owned(), read);
        seen
    }
}

impl Timetable {
    /// When it is open in `span`, and maybe before and afterward.
    fn open(&mut self, span: Window) -> &Windows {
        let known = self.open.take();
        let known = known.filter(|(of, _)| of.from() <= span.from() && span.until() <= of.until());
        let (_, open) = self.open.insert(known.unwrap_or_else(|| {
            let beyond = span.until().after(Timetables::BEYOND);
            let around = Window::parse(span.from(), beyond).unwrap_or(span);
            (around, self.hours.within(around, &self.zone))
        }));
        open
    }
}
