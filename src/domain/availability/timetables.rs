//! Opening hours that were read before, and when they are open in the days around now.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{OpeningHours, TimeZoneName, Window, Windows};
use crate::domain::clock::Ts;

/// When an offer is open, as its row says it: what has not been read yet.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// As in [`super::Availability`].
    pub from: Option<Ts>,
    /// As in [`super::Availability`].
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
/// Says the same as [`super::Availability::windows`], and only sooner. Holds at most [`Timetables::MOST`] texts.
#[derive(Default)]
pub struct Timetables(Mutex<HashMap<String, HashMap<String, Timetable>>>);

/// One text in one zone.
struct Timetable {
    hours: OpeningHours,
    zone: TimeZoneName,
    /// For which time it was worked out.
    span: Window,
    open: Windows,
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

    /// The opening that an offer is in when `span` begins, or its next one in `span`, as far as it lies within. `None`
    /// if there is none, or if what is written cannot be read.
    #[must_use]
    pub fn opening(&self, written: Written<'_>, span: Window) -> Option<Window> {
        let from = written.from.map_or(span.from(), |t| t.max(span.from()));
        let until = written.until.map_or(span.until(), |t| t.min(span.until()));
        let span = Window::parse(from, until).ok()?;
        let Some(text) = written.opening_hours else {
            return Some(span);
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let table = known
            .get_mut(text)
            .and_then(|t| t.get_mut(written.timezone));
        if let Some(table) = table {
            return table.opening(span);
        }
        let mut read = Timetable::read(text, written.timezone, span)?;
        let opening = read.opening(span);
        if known.len() >= Self::MOST {
            known.clear();
        }
        let zones = known.entry(text.to_owned()).or_default();
        zones.insert(written.timezone.to_owned(), read);
        opening
    }

    /// Whether it is open at that instant.
    #[must_use]
    pub fn is_open(&self, written: Written<'_>, at: Ts) -> bool {
        Window::parse(at, at.after(Duration::from_micros(1)))
            .is_ok_and(|instant| self.opening(written, instant).is_some())
    }
}

impl Timetable {
    fn read(text: &str, zone: &str, span: Window) -> Option<Self> {
        let (hours, zone) = (OpeningHours::parse(text).ok()?, zone.parse().ok()?);
        let (span, open) = Self::around(&hours, &zone, span);
        Some(Self {
            hours,
            zone,
            span,
            open,
        })
    }

    fn around(hours: &OpeningHours, zone: &TimeZoneName, span: Window) -> (Window, Windows) {
        let beyond = span.until().after(Timetables::BEYOND);
        let span = Window::parse(span.from(), beyond).unwrap_or(span);
        (span, hours.within(span, zone))
    }

    fn opening(&mut self, span: Window) -> Option<Window> {
        if span.from() < self.span.from() || span.until() > self.span.until() {
            (self.span, self.open) = Self::around(&self.hours, &self.zone, span);
        }
        let open = self.open.as_slice();
        let next = open.get(open.partition_point(|w| w.until() <= span.from()))?;
        next.intersect(span)
    }
}
