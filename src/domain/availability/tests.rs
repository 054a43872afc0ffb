use proptest::prelude::*;

use super::*;
use crate::domain::need::Renews;

fn ts(text: &str) -> Ts {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

fn window(from: &str, until: &str) -> Window {
    Window::parse(ts(from), ts(until)).unwrap()
}

fn windows(ends: &[(&str, &str)]) -> Windows {
    ends.iter()
        .map(|(from, until)| window(from, until))
        .collect()
}

fn zone(name: &str) -> TimeZoneName {
    TimeZoneName::parse(name).unwrap()
}

fn open(hours: &str) -> Availability {
    Availability {
        from: None,
        until: None,
        opening_hours: Some(OpeningHours::parse(hours).unwrap()),
        timezone: zone("America/Chicago"),
    }
}

#[test]
fn without_hours_an_offer_is_open_from_end_to_end() {
    let horizon = window("2026-11-22T00:00:00Z", "2026-12-06T00:00:00Z");
    let always = Availability {
        opening_hours: None,
        ..open("24/7")
    };
    assert_eq!(always.windows(horizon), horizon.into());
    let until = Availability {
        until: Some(ts("2026-11-23T12:00:00Z")),
        ..always.clone()
    };
    assert_eq!(
        until.windows(horizon),
        windows(&[("2026-11-22T00:00:00Z", "2026-11-23T12:00:00Z")])
    );
    let over = Availability {
        until: Some(ts("2026-11-22T00:00:00Z")),
        ..always.clone()
    };
    assert!(over.windows(horizon).is_empty());
    let reversed = Availability {
        from: over.until,
        until: Some(ts("2026-11-21T00:00:00Z")),
        ..always
    };
    assert!(reversed.windows(horizon).is_empty());
}

#[test]
fn hours_are_those_of_the_offers_own_zone() {
    let horizon = window("2026-11-23T00:00:00Z", "2026-11-29T00:00:00Z");
    let weekdays = Availability {
        from: Some(ts("2026-11-25T16:00:00Z")),
        ..open("Mo-Fr 08:00-18:00; Th off")
    };
    assert_eq!(
        weekdays.windows(horizon),
        windows(&[
            ("2026-11-25T16:00:00Z", "2026-11-26T00:00:00Z"),
            ("2026-11-27T14:00:00Z", "2026-11-28T00:00:00Z")
        ])
    );
    let tokyo = Availability {
        timezone: zone("Asia/Tokyo"),
        ..weekdays
    };
    assert_eq!(
        tokyo.windows(horizon),
        windows(&[("2026-11-26T23:00:00Z", "2026-11-27T09:00:00Z")])
    );
}

#[test]
fn a_night_is_one_window() {
    let horizon = window("2026-11-23T12:00:00Z", "2026-11-25T06:00:00Z");
    assert_eq!(
        open("18:00-08:00").windows(horizon),
        windows(&[
            // What is left of the night before.
            ("2026-11-23T12:00:00Z", "2026-11-23T14:00:00Z"),
            ("2026-11-24T00:00:00Z", "2026-11-24T14:00:00Z"),
            ("2026-11-25T00:00:00Z", "2026-11-25T06:00:00Z"),
        ])
    );
    // Nobody stands before a closed door after a night that never began: Wednesday, November 25.
    let rest = window("2026-11-24T18:00:00Z", "2026-11-27T06:00:00Z");
    for hours in ["18:00-08:00; We off", "18:00-08:00; 2026 Nov 25 off"] {
        let kept = windows(&[
            ("2026-11-25T00:00:00Z", "2026-11-25T06:00:00Z"),
            ("2026-11-27T00:00:00Z", "2026-11-27T06:00:00Z"),
        ]);
        assert_eq!(open(hours).windows(rest), kept, "{hours}");
    }
    let kept = windows(&[
        ("2026-11-25T00:00:00Z", "2026-11-25T14:00:00Z"),
        ("2026-11-27T00:00:00Z", "2026-11-27T06:00:00Z"),
    ]);
    assert_eq!(open("Mo-Tu,Th-Su 18:00-08:00").windows(rest), kept);
    assert_eq!(open("24/7").windows(horizon), horizon.into());
    assert_eq!(open("00:00-24:00").windows(horizon), horizon.into());
}

/// In 2026 clocks in Chicago leap from 02:00 to 03:00 on March 8.
#[test]
fn a_night_in_spring_has_an_hour_less() {
    let night = open("18:00-08:00").windows(window("2026-03-07T20:00:00Z", "2026-03-08T20:00:00Z"));
    assert_eq!(
        night,
        windows(&[("2026-03-08T00:00:00Z", "2026-03-08T13:00:00Z")])
    );

    let day = window("2026-03-08T06:00:00Z", "2026-03-09T05:00:00Z");
    // 02:30 does not exist: RFC 5545 takes it for 03:30.
    assert_eq!(
        open("01:00-02:30").windows(day),
        windows(&[("2026-03-08T07:00:00Z", "2026-03-08T08:30:00Z")])
    );
    assert_eq!(
        open("02:30-05:00").windows(day),
        windows(&[("2026-03-08T08:30:00Z", "2026-03-08T10:00:00Z")])
    );
    assert_eq!(
        open("02:15-02:45").windows(day),
        windows(&[("2026-03-08T08:15:00Z", "2026-03-08T08:45:00Z")])
    );
    assert!(open("02:30-03:15").windows(day).is_empty());
}

/// In 2026 clocks in Chicago are set back from 02:00 to 01:00 on November 1.
#[test]
fn a_night_in_autumn_has_an_hour_more() {
    let night = open("18:00-08:00").windows(window("2026-10-31T20:00:00Z", "2026-11-01T20:00:00Z"));
    assert_eq!(
        night,
        windows(&[("2026-10-31T23:00:00Z", "2026-11-01T14:00:00Z")])
    );

    let day = window("2026-11-01T05:00:00Z", "2026-11-02T06:00:00Z");
    assert_eq!(
        open("00:30-02:30").windows(day),
        windows(&[("2026-11-01T05:30:00Z", "2026-11-01T08:30:00Z")])
    );
    // 01:15 comes twice: the first counts.
    assert_eq!(
        open("01:15-01:45").windows(day),
        windows(&[("2026-11-01T06:15:00Z", "2026-11-01T06:45:00Z")])
    );
}

#[test]
fn an_offer_opens_on_the_minute_and_closes_on_the_minute() {
    let weekdays = open("Mo-Fr 08:00-18:00");
    for (at, is_open) in [
        ("2026-11-23T13:59:59.999999Z", false),
        ("2026-11-23T14:00:00Z", true),
        ("2026-11-23T23:59:59.999999Z", true),
        ("2026-11-24T00:00:00Z", false),
        ("2026-11-22T18:00:00Z", false),
    ] {
        assert_eq!(weekdays.open_at(ts(at)), is_open, "{at}");
    }
    assert!(open("Fr 22:00-26:00").open_at(ts("2026-11-28T07:59:00Z")));
    assert!(!open("24/7 unknown").open_at(ts("2026-11-28T07:59:00Z")));
}

#[test]
fn a_long_horizon_is_cut_off() {
    let century = window("2026-01-01T00:00:00Z", "2126-01-01T00:00:00Z");
    for hours in [
        "24/7",
        "2500 Jan 01 10:00-11:00",
        "Jan 01 10:00-11:00",
        "10:00-10:01,10:02-10:03,10:04-10:05",
    ] {
        let found = open(hours).windows(century);
        assert!(found.as_slice().len() <= 2002, "{hours}");
        assert!(
            found
                .end()
                .is_none_or(|end| end < ts("2032-01-01T00:00:00Z")),
            "{hours}"
        );
    }
}

#[test]
fn the_ends_of_time_are_no_panic() {
    let all_time = Window::parse(Ts::from_micros(i64::MIN), Ts::from_micros(i64::MAX)).unwrap();
    assert!(open("08:00-18:00").windows(all_time).is_empty());
    for at in [all_time.from(), all_time.until(), Ts::EPOCH] {
        for name in ["America/Chicago", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
            let offer = Availability {
                timezone: zone(name),
                ..open("24/7")
            };
            let _ = offer.open_at(at);
            for renews in Renews::ALL {
                let _ = offer.period_start(*renews, at);
            }
        }
    }
}

#[test]
fn periods_begin_at_local_midnight() {
    let chicago = open("24/7");
    for (renews, at, start) in [
        (Renews::None, "2026-11-25T12:00:00Z", "1970-01-01T00:00:00Z"),
        (
            Renews::Daily,
            "2026-11-25T05:59:59Z",
            "2026-11-24T06:00:00Z",
        ),
        (
            Renews::Daily,
            "2026-11-25T06:00:00Z",
            "2026-11-25T06:00:00Z",
        ),
        // Wednesday, Monday at midnight, the Sunday before.
        (
            Renews::Weekly,
            "2026-11-25T12:00:00Z",
            "2026-11-23T06:00:00Z",
        ),
        (
            Renews::Weekly,
            "2026-11-23T06:00:00Z",
            "2026-11-23T06:00:00Z",
        ),
        (
            Renews::Weekly,
            "2026-11-23T05:59:59Z",
            "2026-11-16T06:00:00Z",
        ),
        // The week in which clocks change.
        (
            Renews::Weekly,
            "2026-03-08T20:00:00Z",
            "2026-03-02T06:00:00Z",
        ),
        (
            Renews::Weekly,
            "2026-03-09T05:00:00Z",
            "2026-03-09T05:00:00Z",
        ),
        (
            Renews::Daily,
            "2026-11-01T20:00:00Z",
            "2026-11-01T05:00:00Z",
        ),
    ] {
        assert_eq!(
            chicago.period_start(renews, ts(at)),
            ts(start),
            "{renews} {at}"
        );
    }
}

#[test]
fn midnight_may_be_missing_or_come_twice() {
    // Cairo leaps from 00:00 to 01:00 on 2026-04-24; Havana goes back from 01:00 to 00:00 on
    // 2026-11-01.
    let cairo = Availability {
        timezone: zone("Africa/Cairo"),
        ..open("24/7")
    };
    assert_eq!(
        cairo.period_start(Renews::Daily, ts("2026-04-24T12:00:00Z")),
        ts("2026-04-23T22:00:00Z")
    );
    let havana = Availability {
        timezone: zone("America/Havana"),
        ..open("24/7")
    };
    for at in ["2026-11-01T04:30:00Z", "2026-11-01T05:30:00Z"] {
        assert_eq!(
            havana.period_start(Renews::Daily, ts(at)),
            ts("2026-11-01T04:00:00Z"),
            "{at}"
        );
    }
}

#[test]
fn hours_that_cannot_be_kept_are_refused_with_the_reason() {
    for (text, reason) in [
        ("", "must be opening hours"),
        ("weekdays 8 to 6", "must be opening hours"),
        ("Mo-Fr 08:00", "must be opening hours"),
        ("Mo-Fr 25:00-26:00", "must be opening hours"),
        ("Mo-Fr 08:00-18:00 \"call 612 555 0123\"", "use the note"),
        ("Mo-Fr 08:00-18:00; PH off", "holidays"),
        ("SH Mo-Fr 08:00-18:00", "holidays"),
        ("(sunset+20:00)-30:00", "write the time"),
        ("Dawn-18:00", "write the time"),
        (&"Jan Mo[1],".repeat(25), "brackets"),
        (&"Mo-Fr 08:00-18:00; ".repeat(20), "255 characters"),
    ] {
        let error = OpeningHours::parse(text).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn hours_are_text_outside() {
    let typed = "\"  Mo\u{2013}Fr   08:00\u{2013}18:00 \"";
    let hours: OpeningHours = serde_json::from_str(typed).unwrap();
    assert_eq!(
        serde_json::to_string(&hours).unwrap(),
        "\"Mo-Fr 08:00-18:00\""
    );
    assert_eq!(hours, "Mo-Fr 08:00-18:00".parse().unwrap());
}

#[test]
fn a_zone_is_one_that_exists() {
    assert_eq!(zone("america/chicago").as_str(), "America/Chicago");
    assert_eq!(zone("UTC"), TimeZoneName::UTC);
    for name in [
        "",
        "CST6CDT,M3.2.0,M11.1.0",
        "Chicago",
        "America/Chicagoo",
        "../etc/passwd",
        "Etc/Unknown",
        "+05:00",
    ] {
        assert!(TimeZoneName::parse(name).is_err(), "{name}");
    }
    let json = serde_json::to_string(&open("24/7")).unwrap();
    assert_eq!(
        json,
        r#"{"from":null,"until":null,"opening_hours":"24/7","timezone":"America/Chicago"}"#
    );
    assert_eq!(
        serde_json::from_str::<Availability>(&json).unwrap(),
        open("24/7")
    );
}

/// Texts made of what the notation is made of; many of them are valid.
fn any_hours() -> impl Strategy<Value = String> {
    let days = "(Mo|Tu-Fr|Sa,Su|Fr-Mo|Th\\[2\\]|Su\\[-1\\])";
    let dates = "((2026 )?(Jan|Feb 29|Mar-Oct|Dec 24-Jan 06|Nov 31|easter -2 days) |\
                 (week 48-53/2|2020-2030/3) )?";
    let time = "([01][0-9]|2[0-3]):[0-5]0-([0-3][0-9]|4[0-8]):[0-5]0";
    let rule = format!("{dates}({days} )?({time}(,{time})?|{time}|24/7)?( off| closed| unknown)?");
    let separator = "(; |, | \\|\\| )";
    prop::string::string_regex(&format!("{rule}({separator}{rule}){{0,3}}")).unwrap()
}

proptest! {
    #[test]
    fn hours_never_panic_and_stay_within_the_horizon(
        text in any_hours(),
        start in 1_700_000_000_i64..2_000_000_000,
        days in 1_u32..60,
        name in prop::sample::select(vec!["America/Chicago", "Australia/Lord_Howe"]),
    ) {
        if let Ok(hours) = OpeningHours::parse(&text) {
            let from = Ts::from_micros(start * 1_000_000);
            let horizon = Window::parse(from, from.after(Duration::from_hours(24) * days)).unwrap();
            let timezone = zone(name);
            let offer = Availability { opening_hours: Some(hours), timezone, ..open("24/7") };
            let found = offer.windows(horizon);
            prop_assert_eq!(&found.clip(horizon), &found);
            for w in found.as_slice() {
                prop_assert!(offer.open_at(w.from()));
                prop_assert!(w.until() == horizon.until() || !offer.open_at(w.until()));
            }
        }
    }

    #[test]
    fn what_is_remembered_says_the_same(
        texts in prop::collection::vec(any_hours(), 1..4),
        asked in prop::collection::vec((0_usize..4, 0_i64..40 * 24, 1_u32..200, 0_i64..40 * 24), 1..12),
        name in prop::sample::select(vec!["America/Chicago", "Australia/Lord_Howe"]),
    ) {
        let remembered = Timetables::default();
        let hour = |hour: i64| Ts::from_micros((1_793_000_000 + hour * 3_600) * 1_000_000);
        // Back and forth in time, as clocks go that are set.
        for (which, at, hours, until) in asked {
            let text = &texts[which % texts.len()];
            let span = Window::parse(hour(at), hour(at).after(Duration::from_hours(1) * hours)).unwrap();
            let written = Written {
                from: None,
                until: Some(hour(until)),
                opening_hours: Some(text),
                timezone: name,
            };
            let offer = OpeningHours::parse(text).ok().map(|hours| Availability {
                from: None,
                until: written.until,
                opening_hours: Some(hours),
                timezone: zone(name),
            });
            let opening = offer.as_ref().and_then(|o| o.windows(span).as_slice().first().copied());
            prop_assert_eq!(remembered.opening(written, span), opening);
            prop_assert_eq!(&remembered.read(written), &offer);
            if let Some(offer) = &offer {
                prop_assert_eq!(remembered.windows(offer, span), offer.windows(span));
            }
            let is_open = offer.as_ref().is_some_and(|o| o.open_at(span.from()));
            prop_assert_eq!(remembered.is_open(written, span.from()), is_open);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,60}") {
        let _ = OpeningHours::parse(&text);
        let _ = TimeZoneName::parse(&text);
    }

    #[test]
    fn a_period_begins_before_it_is_over(
        at in 0_i64..4_000_000_000,
        name in prop::sample::select(vec!["Africa/Cairo", "America/Havana", "Pacific/Apia"]),
    ) {
        let offer = Availability { timezone: zone(name), ..open("24/7") };
        let at = Ts::from_micros(at * 1_000_000);
        let day = offer.period_start(Renews::Daily, at);
        let week = offer.period_start(Renews::Weekly, at);
        prop_assert!(week <= day && day <= at);
        prop_assert!(at.since(day) <= Duration::from_hours(25));
        prop_assert!(at.since(week) <= Duration::from_hours(7 * 24 + 24));
        prop_assert_eq!(offer.period_start(Renews::Daily, day), day);
        prop_assert_eq!(offer.period_start(Renews::Weekly, week), week);
        prop_assert_eq!(offer.period_start(Renews::Weekly, day), week);
    }
}
