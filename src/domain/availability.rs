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
        let from = self.from.map_or(horizon.from(), |t| t.max(horizon.from()));
        let until = self
            .until
            .map_or(horizon.until(), |t| t.min(horizon.until()));
        match (Window::parse(from, until), &self.opening_hours) {
            (Err(_), _) => Windows::default(),
            (Ok(span), None) => span.into(),
            (Ok(span), Some(hours)) => hours.within(span, &self.timezone),
        }
    }

    /// Whether the offer is open at that instant.
    #[must_use]
    pub fn open_at(&self, at: Ts) -> bool {
        Window::parse(at, at.after(Duration::from_micros(1)))
            .is_ok_and(|instant| !self.windows(instant).is_empty())
    }
}

#[cfg(test)]
mod tests;
