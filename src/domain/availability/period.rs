//! To which period of a capacity that renews an instant belongs.
//!
//! A night is one period: a place taken at 02:00 is one of those of the evening before. So the day that
//! counts is the one on which the offer opened. What is open for longer than a day has no such evening,
//! and its days begin at midnight.

use std::time::Duration;

use super::{Availability, Window, Windows};
use crate::domain::clock::Ts;
use crate::domain::need::Renews;

/// As far as opening hours are read in both directions: longer than any day, also one on which clocks
/// are set back.
const READ: Duration = Duration::from_hours(30);

impl Availability {
    /// When the period began that `at` falls in: the midnight of the day, or week, on which the offer
    /// opened. Depends on nothing but the availability, so that it is the same whenever it is asked.
    #[must_use]
    pub fn period_start(&self, renews: Renews, at: Ts) -> Ts {
        match renews {
            Renews::None => Ts::EPOCH,
            Renews::Daily => self.timezone.day_start(self.opened(at)),
            Renews::Weekly => self.timezone.week_start(self.opened(at)),
        }
    }

    /// The periods that begin while `window` lasts, after the one in which it begins, in order.
    #[must_use]
    pub fn periods_after(&self, renews: Renews, window: Window) -> Vec<Ts> {
        let mut periods = Vec::new();
        if renews == Renews::None {
            return periods;
        }
        let mut last = self.period_start(renews, window.from());
        let mut at = window.from();
        while let Some(midnight) = self.timezone.next_midnight(at)
            && midnight < window.until()
        {
            let period = self.period_start(renews, midnight);
            if period > last {
                periods.push(period);
                last = period;
            }
            at = midnight;
        }
        periods
    }

    /// When the door was opened that is open at `at`; `at` itself where it is open for longer than a day.
    fn opened(&self, at: Ts) -> Ts {
        // What the hours say comes first and whole: an offer that was posted in the middle of a night
        // still has that night and the next as two.
        let by_hours = self.opening_hours.as_ref().and_then(|hours| {
            let around = Window::parse(at.before(READ), at.after(READ)).ok()?;
            self.shift(&hours.within(around, &self.timezone), at)
        });
        by_hours
            .or_else(|| {
                let span = Window::parse(self.from?, self.until?).ok()?;
                self.shift(&span.into(), at)
            })
            .unwrap_or(at)
    }

    /// When the window of these began that `at` is in, if it is no longer than a day on the clocks there.
    fn shift(&self, windows: &Windows, at: Ts) -> Option<Ts> {
        let window = windows.as_slice().iter().find(|w| w.contains(at))?;
        let a_day_later = self.timezone.next_day(window.from())?;
        (window.until() <= a_day_later).then_some(window.from())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::availability::{OpeningHours, TimeZoneName};

    fn ts(text: &str) -> Ts {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    fn open(hours: &str, zone: &str) -> Availability {
        Availability {
            from: None,
            until: None,
            opening_hours: Some(OpeningHours::parse(hours).unwrap()),
            timezone: TimeZoneName::parse(zone).unwrap(),
        }
    }

    fn nights() -> Availability {
        open("18:00-08:00", "America/Chicago")
    }

    #[test]
    fn a_night_is_one_period() {
        for (at, daily, weekly) in [
            // Sunday evening, 02:00, the last minute; the evening after.
            (
                "2026-12-07T00:00:00Z",
                "2026-12-06T06:00:00Z",
                "2026-11-30T06:00:00Z",
            ),
            (
                "2026-12-07T08:00:00Z",
                "2026-12-06T06:00:00Z",
                "2026-11-30T06:00:00Z",
            ),
            (
                "2026-12-07T13:59:59Z",
                "2026-12-06T06:00:00Z",
                "2026-11-30T06:00:00Z",
            ),
            (
                "2026-12-08T00:00:00Z",
                "2026-12-07T06:00:00Z",
                "2026-12-07T06:00:00Z",
            ),
        ] {
            let at = ts(at);
            assert_eq!(nights().period_start(Renews::Daily, at), ts(daily), "{at}");
            assert_eq!(
                nights().period_start(Renews::Weekly, at),
                ts(weekly),
                "{at}"
            );
        }
    }

    #[test]
    fn what_was_posted_in_the_middle_of_a_night_has_that_night_and_the_next() {
        let posted = Availability {
            from: Some(ts("2026-12-08T07:00:00Z")),
            ..nights()
        };
        let daily = |at: &str| posted.period_start(Renews::Daily, ts(at));
        assert_eq!(daily("2026-12-08T07:30:00Z"), ts("2026-12-07T06:00:00Z"));
        assert_eq!(daily("2026-12-09T01:00:00Z"), ts("2026-12-08T06:00:00Z"));
    }

    #[test]
    fn a_night_may_also_be_given_by_its_ends() {
        let one = |from: &str, until: &str, hours: Option<&str>| Availability {
            from: Some(ts(from)),
            until: Some(ts(until)),
            opening_hours: hours.map(|h| OpeningHours::parse(h).unwrap()),
            ..nights()
        };
        let (at, began) = (ts("2026-12-08T08:00:00Z"), ts("2026-12-07T06:00:00Z"));
        for hours in [None, Some("24/7")] {
            let night = one("2026-12-08T00:00:00Z", "2026-12-08T14:00:00Z", hours);
            assert_eq!(night.period_start(Renews::Daily, at), began);
            let days = one("2026-12-08T00:00:00Z", "2026-12-11T14:00:00Z", hours);
            assert_eq!(
                days.period_start(Renews::Daily, at),
                ts("2026-12-08T06:00:00Z")
            );
        }
    }

    #[test]
    fn what_is_open_for_longer_than_a_day_has_days_from_midnight_to_midnight() {
        for hours in [
            "24/7",
            "08:00-08:00",
            "Mo-Fr 00:00-24:00",
            "Mo-We 10:00-34:01",
        ] {
            let always = open(hours, "America/Chicago");
            let at = ts("2026-12-08T08:00:00Z");
            assert_eq!(
                always.period_start(Renews::Daily, at),
                ts("2026-12-08T06:00:00Z"),
                "{hours}"
            );
        }
    }

    #[test]
    fn help_for_several_days_falls_into_each_of_them() {
        let window = |from: &str, until: &str| Window::parse(ts(from), ts(until)).unwrap();
        let stay = window("2026-12-07T18:00:00Z", "2026-12-10T06:00:00Z");
        let always = open("24/7", "America/Chicago");
        assert_eq!(
            always.periods_after(Renews::Daily, stay),
            [ts("2026-12-08T06:00:00Z"), ts("2026-12-09T06:00:00Z")]
        );
        assert_eq!(always.periods_after(Renews::Weekly, stay), []);
        assert_eq!(always.periods_after(Renews::None, stay), []);
        let night = window("2026-12-08T00:00:00Z", "2026-12-08T14:00:00Z");
        assert_eq!(nights().periods_after(Renews::Daily, night), []);
    }

    proptest! {
        /// Whatever the hours and whatever clocks do meanwhile: all of a night is one period, and the next
        /// is another. The days are those around a change of clocks, of 23, 24 or 25 hours.
        #[test]
        fn every_instant_of_a_night_belongs_to_the_evening_it_began(
            opens in 0_u16..1440,
            length in 5_u16..1440,
            (name, change) in prop::sample::select(vec![
                ("America/Chicago", "2026-03-08T08:00:00Z"),
                ("America/Chicago", "2026-11-01T07:00:00Z"),
                ("Africa/Cairo", "2026-04-23T22:00:00Z"),
                ("America/Havana", "2026-11-01T05:00:00Z"),
                ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
                ("America/Chicago", "2026-07-01T07:00:00Z"),
            ]),
            share in 0.0..1.0_f64,
        ) {
            let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
            let closes = (opens + length) % 1440;
            let offer = open(&format!("{}-{}", clock(opens), clock(closes)), name);
            let around = Duration::from_hours(4 * 24);
            let change = ts(change);
            let horizon = Window::parse(change.before(around), change.after(around)).unwrap();
            let windows = offer.windows(horizon);
            let all = windows.as_slice();
            let mut last = None;
            // The first and the last may be cut off.
            for night in &all[1..all.len().max(2) - 1] {
                // Where clocks leap from when it would close to when it opens again, it does not close.
                if offer.shift(&windows, night.from()).is_none() {
                    continue;
                }
                let began = offer.timezone.day_start(night.from());
                for part in [0.0, share, 1.0 - f64::EPSILON] {
                    let at = night.from().after(night.length().mul_f64(part));
                    let at = at.min(night.until().before(Duration::from_micros(1)));
                    prop_assert_eq!(offer.period_start(Renews::Daily, at), began);
                    prop_assert_eq!(
                        offer.period_start(Renews::Weekly, at),
                        offer.timezone.week_start(night.from())
                    );
                    let to_the_end = Window::parse(at, night.until()).unwrap();
                    prop_assert_eq!(offer.periods_after(Renews::Daily, to_the_end), vec![]);
                }
                prop_assert!(last < Some(began), "two nights of one period");
                last = Some(began);
            }
        }
    }
}
