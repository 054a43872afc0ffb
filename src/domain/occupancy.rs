//! How full a site is: what somebody has counted there, and for how long that says anything.

use std::time::Duration;

use super::availability::{Availability, Window};
use super::clock::Ts;
use super::need::Quantity;

/// A count at a place that never closes says nothing of the next day.
const LONGEST: Duration = Duration::from_hours(24);

/// What was counted at a site, in its category's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupancy {
    /// How much was taken. In a crisis it may be more than there is room for.
    pub taken: i32,
    /// When it was counted.
    pub counted_at: Ts,
    /// Until when the count stands: the end of the opening in which it was made, a day later at most.
    pub counts_until: Ts,
}

impl Occupancy {
    /// A count that was made at an instant; `None` where the place was not open then.
    #[must_use]
    pub fn counted(taken: i32, at: Ts, availability: &Availability) -> Option<Self> {
        let day = Window::parse(at, at.after(LONGEST)).ok()?;
        let windows = availability.windows(day);
        let opening = windows.as_slice().first().filter(|w| w.contains(at))?;
        Some(Self {
            taken,
            counted_at: at,
            counts_until: opening.until(),
        })
    }

    /// How much is left; never less than nothing.
    #[must_use]
    pub fn free(self, capacity: Quantity) -> i32 {
        capacity.get().saturating_sub(self.taken).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Ts {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    fn open(hours: Option<&str>) -> Availability {
        Availability {
            from: None,
            until: None,
            opening_hours: hours.map(|h| h.parse().unwrap()),
            timezone: "America/Chicago".parse().unwrap(),
        }
    }

    #[test]
    fn a_count_stands_until_the_place_closes() {
        let nights = open(Some("Mo-Su 20:00-08:00"));
        let counted = Occupancy::counted(12, at("2026-12-09T05:00:00Z"), &nights).unwrap();
        assert_eq!(counted.counts_until, at("2026-12-09T14:00:00Z"));
    }

    #[test]
    fn nobody_counts_where_it_is_closed() {
        let nights = open(Some("Mo-Su 20:00-08:00"));
        assert_eq!(
            Occupancy::counted(0, at("2026-12-09T18:00:00Z"), &nights),
            None
        );
    }

    #[test]
    fn where_it_never_closes_a_count_stands_for_a_day() {
        let counted = Occupancy::counted(3, at("2026-12-09T18:00:00Z"), &open(None)).unwrap();
        assert_eq!(counted.counts_until, at("2026-12-10T18:00:00Z"));
    }

    #[test]
    fn more_than_there_is_room_for_leaves_nothing() {
        let counted = Occupancy::counted(35, at("2026-12-09T18:00:00Z"), &open(None)).unwrap();
        assert_eq!(counted.free(Quantity::try_from(30).unwrap()), 0);
        assert_eq!(counted.free(Quantity::try_from(36).unwrap()), 1);
    }
}
