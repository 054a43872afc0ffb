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
        daily_asks: 8,
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
    asked_for(&waves(), [urgency; 2], limits, now)
}

fn waves() -> Waves {
    let settings = Settings::load(Sources::default()).unwrap();
    settings.matching.waves
}

fn asked_for(waves: &Waves, either: Urgencies, limits: &AskLimits, now: &str) -> Option<Ts> {
    let zone = TimeZoneName::parse("America/Chicago").unwrap();
    let from = asking_from(waves, either, limits, &zone, at(now));
    let is_now = is_asking_time(waves, either, limits, &zone, at(now));
    assert_eq!(from.is_none(), is_now);
    if let Some(from) = from {
        assert!(is_asking_time(waves, either, limits, &zone, from));
        let before = from.before(MINUTE);
        assert!(!is_asking_time(waves, either, limits, &zone, before));
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

#[test]
fn the_hours_of_the_house_may_run_over_midnight() {
    let mut waves = waves();
    for wave in [&mut waves.now, &mut waves.soon] {
        wave.ask_from = Some(time(20, 0, 0, 0));
        wave.ask_until = Some(time(6, 0, 0, 0));
    }
    let asked = |urgency, limits: &AskLimits, now| asked_for(&waves, [urgency; 2], limits, now);
    let none = limits(false, None);
    for (now, next) in [
        // 12:00, 19:59 and 06:00 in Minneapolis; 20:00, 23:30 and 05:59.
        ("2026-12-07T18:00:00Z", Some("2026-12-08T02:00:00Z")),
        ("2026-12-08T01:59:00Z", Some("2026-12-08T02:00:00Z")),
        ("2026-12-08T12:00:00Z", Some("2026-12-09T02:00:00Z")),
        ("2026-12-08T02:00:00Z", None),
        ("2026-12-08T05:30:00Z", None),
        ("2026-12-08T11:59:00Z", None),
    ] {
        assert_eq!(asked(Urgency::Soon, &none, now), next.map(at), "{now}");
    }
    // Of those hours the night is only for who opted in, or has named hours of quiet.
    let late = "2026-12-08T05:30:00Z";
    let next = Some(at("2026-12-09T02:00:00Z"));
    assert_eq!(asked(Urgency::Now, &none, late), next);
    assert_eq!(asked(Urgency::Now, &limits(true, None), late), None);
    // Hers end in the middle of them, at 01:00.
    let quiet = limits(false, Some((19, 1, "America/Chicago")));
    let one = Some(at("2026-12-08T07:00:00Z"));
    assert_eq!(asked(Urgency::Soon, &quiet, late), one);
    assert_eq!(asked(Urgency::Now, &quiet, late), one);
}

#[test]
fn whom_the_said_urgency_allows_to_ask_is_not_lost_when_the_deadline_nears() {
    let none = limits(false, None);
    // 22:30 in Minneapolis, and 07:30.
    let (night, morning) = ("2026-12-08T04:30:00Z", "2026-12-08T13:30:00Z");
    let risen = |said, now| asked_for(&waves(), [said, Urgency::Now], &none, now);
    assert_eq!(risen(Urgency::Today, night), None, "at any hour, as before");
    let seven = Some(at("2026-12-08T13:00:00Z"));
    assert_eq!(risen(Urgency::Soon, night), seven, "neither allows it");
    assert_eq!(risen(Urgency::Soon, morning), None, "as soon as one does");
}
