//! When an offer is open: between two instants, at opening hours in its own time zone, or both.
//!
//! Opening hours are turned into intervals of time ahead of the matching, which compares nothing
//! but [`Windows`].

mod hours;
mod period;
mod repeat;
mod timetables;
mod window;
mod zone;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::Ts;
pub use hours::OpeningHours;
pub use repeat::{Every, Repeats};
pub use timetables::{Timetables, Written};
pub use window::{Window, Windows};
pub use zone::TimeZoneName;

/// When an offer is open. Says nothing of capacity or pauses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// Not before; `None`: from the beginning.
    pub from: Option<Ts>,
    /// Not at or after; `None`: without end. Where it is not later than `from`, the offer is never
    /// open.
    pub until: Option<Ts>,
    /// Only at these hours; `None`: at all hours.
    pub opening_hours: Option<OpeningHours>,
    /// Where the hours apply, and whose days those of a capacity that renews are.
    pub timezone: TimeZoneName,
}

impl Availability {
    /// When the offer is open within `horizon`.
    ///
    /// Opening hours are evaluated for 2000 days or intervals at most; what lies beyond is left
    /// out.
    #[must_use]
    pub fn windows(&self, horizon: Window) -> Windows {
        match (self.span_in(horizon), &self.opening_hours) {
            (None, _) => Windows::default(),
            (Some(span), None) => span.into(),
            (Some(span), Some(hours)) => hours.within(span, &self.timezone),
        }
    }

    /// From when until when it stands within `horizon`, its hours left aside.
    fn span_in(&self, horizon: Window) -> Option<Window> {
        span_in(self.from, self.until, horizon)
    }

    /// Whether the offer is open at that instant.
    #[must_use]
    pub fn open_at(&self, at: Ts) -> bool {
        Window::parse(at, at.after(Duration::from_micros(1)))
            .is_ok_and(|instant| !self.windows(instant).is_empty())
    }
}

/// What lies between the two within `horizon`.
fn span_in(from: Option<Ts>, until: Option<Ts>, horizon: Window) -> Option<Window> {
    let from = from.map_or(horizon.from(), |t| t.max(horizon.from()));
    let until = until.map_or(horizon.until(), |t| t.min(horizon.until()));
    Window::parse(from, until).ok()
}

#[cfg(test)]
mod tests;
