//! A time that comes again: each evening for a week, each Tuesday until spring.

use super::{TimeZoneName, Window};
use crate::domain::word::words;

words! {
    /// After how long a time comes again.
    Every {
        /// Each day.
        Day = "day",
        /// Each week, on the same day.
        Week = "week",
    }
}

/// How often a time comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// After how long.
    pub every: Every,
    /// How many times there are in all, with the first.
    pub times: i32,
    /// Whose clocks show the same time each time.
    pub timezone: TimeZoneName,
}

impl Repeats {
    /// Fewest and most times.
    pub const TIMES: std::ops::RangeInclusive<i32> = 2..=60;

    /// The window each time: at the same local time, also where clocks were changed meanwhile. A time
    /// that clocks leap over is moved as far as they leap; a window of which that leaves nothing is as
    /// long as the first one was. Ends early only at the end of time.
    #[must_use]
    pub fn of(&self, first: Window) -> Vec<Window> {
        let days = match self.every {
            Every::Day => 1,
            Every::Week => 7,
        };
        let later = |nth: i32| {
            let from = self.timezone.days_later(first.from(), nth * days)?;
            let until = self.timezone.days_later(first.until(), nth * days)?;
            Window::parse(from, until)
                .or_else(|_| Window::parse(from, from.after(first.length())))
                .ok()
        };
        std::iter::once(Some(first))
            .chain((1..self.times).map(later))
            .map_while(|window| window)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Ts;

    fn each(every: Every, times: i32, from: &str, until: &str) -> Vec<String> {
        let ts = |text: &str| Ts::from(text.parse::<jiff::Timestamp>().unwrap());
        let repeats = Repeats {
            every,
            times,
            timezone: TimeZoneName::parse("America/Chicago").unwrap(),
        };
        let first = Window::parse(ts(from), ts(until)).unwrap();
        let told = |w: &Window| format!("{} {}", w.from(), w.until());
        repeats.of(first).iter().map(told).collect()
    }

    #[test]
    fn it_comes_again_at_the_same_local_time() {
        // Clocks are set back on 2026-11-01.
        assert_eq!(
            each(
                Every::Day,
                3,
                "2026-10-30T23:00:00Z",
                "2026-10-31T13:00:00Z"
            ),
            [
                "2026-10-30T23:00:00Z 2026-10-31T13:00:00Z",
                "2026-10-31T23:00:00Z 2026-11-01T14:00:00Z",
                "2026-11-02T00:00:00Z 2026-11-02T14:00:00Z",
            ]
        );
        assert_eq!(
            each(
                Every::Week,
                2,
                "2026-10-30T23:00:00Z",
                "2026-10-31T01:00:00Z"
            )[1],
            "2026-11-07T00:00:00Z 2026-11-07T02:00:00Z"
        );
    }

    #[test]
    fn what_clocks_leap_over_is_moved_as_far_as_they_leap() {
        // From 02:00 to 03:00 on 2026-03-08.
        let on_that_day = |from: &str, until: &str| {
            let slots = each(
                Every::Day,
                3,
                &format!("2026-03-07T{from}Z"),
                &format!("2026-03-07T{until}Z"),
            );
            assert_eq!(slots.len(), 3);
            slots[1].clone()
        };
        assert_eq!(
            on_that_day("08:10:00", "08:50:00"),
            "2026-03-08T08:10:00Z 2026-03-08T08:50:00Z"
        );
        assert_eq!(
            on_that_day("08:30:00", "10:00:00"),
            "2026-03-08T08:30:00Z 2026-03-08T09:00:00Z"
        );
        assert_eq!(
            on_that_day("08:30:00", "09:15:00"),
            "2026-03-08T08:30:00Z 2026-03-08T09:15:00Z",
            "as long as the first, where nothing would be left"
        );
    }
}
