use std::time::Duration;

use jiff::civil::time;

use super::*;
use crate::domain::limits::QuietHours;
use crate::settings::{Settings, Sources};

const MINUTE: Duration = Duration::from_mins(1);

fn at(text: &str) -> Ts {
    Ts::from(text.parse::<jiff::Timestamp>().unwrap())
}

fn limits(nights: bool, quiet: Option<(i8, i8, &str)>) -> AskLimits {
    AskLimits {
        open_asks: 3,
        weekly_asks: 3,
        nights,
        quiet: quiet.map(|(from, until, zone)| QuietHours {
            from: time(from, 0, 0, 0),
            until: time(until, 0, 0, 0),
            timezone: TimeZoneName::parse(zone).unwrap(),
        }),
    }
}

/// When somebody with these limits and an offer in Minneapolis is asked, if it comes up at `now`.
fn asked(urgency: Urgency, limits: &AskLimits, now: &str) -> Option<Ts> {
    let settings = Settings::load(Sources::default()).unwrap().matching;
    let zone = TimeZoneName::parse("America/Chicago").unwrap();
    let policy = settings.waves.of(urgency);
    let from = asking_from(policy, urgency, limits, &zone, at(now));
    let is_now = is_asking_time(policy, urgency, limits, &zone, at(now));
    assert_eq!(from.is_none(), is_now);
    if let Some(from) = from {
        assert!(is_asking_time(policy, urgency, limits, &zone, from));
        let before = from.before(MINUTE);
        assert!(!is_asking_time(policy, urgency, limits, &zone, before));
    }
    from
}

#[test]
fn a_rest_ends_to_the_minute() {
    // 22:30 in Minneapolis.
    let night = "2026-12-08T04:30:00Z";
    let none = limits(false, None);
    assert_eq!(
        asked(Urgency::Soon, &none, night),
        Some(at("2026-12-08T14:00:00Z"))
    );
    assert_eq!(
        asked(Urgency::Now, &none, night),
        Some(at("2026-12-08T13:00:00Z"))
    );
    assert_eq!(asked(Urgency::Today, &none, night), None);
    assert_eq!(asked(Urgency::Now, &limits(true, None), night), None);
    let late = limits(false, Some((21, 9, "America/Chicago")));
    assert_eq!(
        asked(Urgency::Today, &late, night),
        Some(at("2026-12-08T15:00:00Z"))
    );
    assert_eq!(
        asked(Urgency::Soon, &late, night),
        Some(at("2026-12-08T15:00:00Z"))
    );
    let owl = limits(true, Some((21, 9, "America/Chicago")));
    assert_eq!(asked(Urgency::Now, &owl, night), None, "opted in");
    // The day on which the clocks go back is an hour longer: 01:30 the first time.
    let fall = "2026-11-01T06:30:00Z";
    assert_eq!(
        asked(Urgency::Today, &late, fall),
        Some(at("2026-11-01T15:00:00Z"))
    );
}

#[test]
fn who_names_a_zone_is_asked_by_its_clock() {
    // 07:30 in Minneapolis, 08:30 in New York, where the volunteer is.
    let morning = "2026-12-08T13:30:00Z";
    let far = limits(false, Some((22, 6, "America/New_York")));
    assert_eq!(asked(Urgency::Soon, &far, morning), None);
    let here = limits(false, Some((22, 6, "America/Chicago")));
    assert_eq!(
        asked(Urgency::Soon, &here, morning),
        Some(at("2026-12-08T14:00:00Z"))
    );
}
