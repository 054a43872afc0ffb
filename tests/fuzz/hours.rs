//! Opening hours, and when they say that it is open.

use std::time::Duration;

use super::{says_nothing_of_it, town};
use crate::domain::availability::{Availability, OpeningHours, TimeZoneName, Window};

const ZONES: [&str; 4] = ["America/Chicago", "Asia/Kathmandu", "Africa/Casablanca", "UTC"];

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let hours = match OpeningHours::parse(&text) {
        Ok(hours) => hours,
        Err(error) => return says_nothing_of_it(error),
    };
    let again = OpeningHours::parse(hours.as_str()).unwrap();
    assert_eq!(again.as_str(), hours.as_str());
    // Three weeks over a change of the clocks.
    let from = town::now().after(Duration::from_hours(24 * 85));
    let horizon = Window::parse(from, from.after(Duration::from_hours(24 * 21))).unwrap();
    for zone in ZONES {
        let availability = |hours: &OpeningHours| Availability {
            from: None,
            until: None,
            opening_hours: Some(hours.clone()),
            timezone: TimeZoneName::parse(zone).unwrap(),
        };
        let open = availability(&hours);
        let windows = open.windows(horizon);
        assert_eq!(windows, availability(&again).windows(horizon));
        let windows = windows.as_slice();
        for window in windows {
            assert!(window.from() < window.until());
            assert!(horizon.from() <= window.from() && window.until() <= horizon.until());
        }
        assert!(windows.windows(2).all(|pair| pair[0].until() < pair[1].from()));
        if let Some(first) = windows.first() {
            assert!(open.open_at(first.from()), "{zone}");
        }
    }
}
