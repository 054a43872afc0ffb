use super::*;
use crate::domain::attribute::Attributes;
use crate::domain::availability::{Availability, OpeningHours, TimeZoneName};
use crate::domain::category::Catalog;
use crate::domain::entropy::SeededEntropy;
use crate::domain::ids::{NeighborId, OfferId, RequestId, VolunteerId};
use crate::domain::need::{LeadTime, Reach, Urgency};
use crate::domain::place::GeoPoint;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Noon, on clocks that are never changed.
pub(in crate::matching) fn noon() -> Ts {
    "2026-12-07T12:00:00Z"
        .parse::<jiff::Timestamp>()
        .unwrap()
        .into()
}

pub(in crate::matching) fn hours_from(from: Ts, hours: u32) -> Window {
    Window::parse(from, from.after(HOUR * hours)).unwrap()
}

/// Two meals, for six hours from noon.
pub(in crate::matching) fn request() -> RequestCard {
    let entropy = SeededEntropy::new(1);
    RequestCard {
        id: RequestId::new(&entropy),
        neighbor: NeighborId::new(&entropy),
        category: Catalog::shipped().unwrap().get("food").unwrap().key.clone(),
        at: GeoPoint::parse(44.95, -93.26).unwrap(),
        travel: Reach::ZERO,
        needed: 2,
        splittable: false,
        helpers_left: 1,
        said: Urgency::Today,
        urgency: Urgency::Today,
        since: noon(),
        window: hours_from(noon(), 6),
        throughout: false,
        requires: Attributes::default(),
        languages: ["so".to_owned(), "en".to_owned()].into(),
        language_must: false,
    }
}

/// Four meals at all hours, brought up to 5 km far.
pub(in crate::matching) fn offer() -> OfferCard {
    let entropy = SeededEntropy::new(2);
    let availability = Availability {
        from: None,
        until: None,
        opening_hours: None,
        timezone: TimeZoneName::parse("UTC").unwrap(),
    };
    OfferCard {
        id: OfferId::new(&entropy),
        volunteer: VolunteerId::new(&entropy),
        category: request().category,
        at: request().at,
        reach: Reach::try_from(5000).unwrap(),
        capacity: 4,
        renews: Renews::None,
        lead: LeadTime::NONE,
        taken: Vec::new(),
        windows: availability.windows(Window::parse(noon(), noon().after(DAY * 40)).unwrap()),
        availability,
        provides: Attributes::default(),
        vetted_until: None,
        languages: ["en".to_owned()].into(),
    }
}

/// An offer that stands at these hours of each day.
fn open(hours: &str) -> OfferCard {
    let mut offer = offer();
    offer.availability.opening_hours = Some(OpeningHours::parse(hours).unwrap());
    let horizon = Window::parse(noon(), noon().after(DAY * 40)).unwrap();
    offer.windows = offer.availability.windows(horizon);
    offer
}

/// What the offer could do, 1 km away.
fn fit_of(category: &str, request: &RequestCard, offer: &OfferCard) -> Result<Fit, Ineligible> {
    let catalog = Catalog::shipped().unwrap();
    eligible(
        catalog.get(category).unwrap(),
        request,
        offer,
        1000.0,
        noon(),
    )
}

fn fit(request: &RequestCard, offer: &OfferCard) -> Result<Fit, Ineligible> {
    fit_of("food", request, offer)
}

#[test]
fn an_offer_that_is_near_and_free_serves_the_whole_need_at_once() {
    let fit = fit(&request(), &offer()).unwrap();
    assert_eq!((fit.quantity, fit.free), (2, 4));
    assert_eq!(fit.meets, request().window);
    assert_eq!(fit.overlap_s.to_bits(), (6.0 * 3600.0_f64).to_bits());
    assert!(fit.further_periods.is_empty());
    assert_eq!(fit.distance_m.to_bits(), 1000.0_f64.to_bits());
    assert_eq!(fit.band, DistanceBand::Under2Km);
}

#[test]
fn whoever_would_have_to_travel_must_come_that_far() {
    let catalog = Catalog::shipped().unwrap();
    let food = catalog.get("food").unwrap();
    let at = |meters| eligible(food, &request(), &offer(), meters, noon());
    assert!(at(5000.0).is_ok());
    assert_eq!(at(5000.1), Err(Ineligible::OutOfReach));
}

#[test]
fn where_only_the_vetted_may_help_vetting_must_last_beyond_now() {
    let until = |until| OfferCard {
        vetted_until: until,
        ..offer()
    };
    let of = |offer: &OfferCard| fit_of("childcare", &request(), offer);
    assert!(of(&until(Some(noon().after(HOUR)))).is_ok());
    for ended in [None, Some(noon()), Some(noon().before(HOUR))] {
        assert_eq!(of(&until(ended)), Err(Ineligible::NotVetted));
    }
    assert!(fit(&request(), &until(None)).is_ok(), "not for food");
}

#[test]
fn one_language_in_common_is_enough_and_only_where_it_is_a_must() {
    let must = RequestCard {
        language_must: true,
        ..request()
    };
    assert!(fit(&must, &offer()).is_ok());
    let other = OfferCard {
        languages: ["es".to_owned()].into(),
        ..offer()
    };
    assert_eq!(fit(&must, &other), Err(Ineligible::NoCommonLanguage));
    assert!(fit(&request(), &other).is_ok());
}

#[test]
fn what_is_required_must_be_provided() {
    let catalog = Catalog::shipped().unwrap();
    let food = catalog.get("food").unwrap();
    let halal = serde_json::json!({"diet": ["halal"]});
    let halal = halal.as_object().unwrap();
    let request = RequestCard {
        requires: food.parse_required(halal).unwrap(),
        ..request()
    };
    assert_eq!(fit(&request, &offer()), Err(Ineligible::AttributeUnmet));
    let offer = OfferCard {
        provides: food.parse_provided(halal).unwrap(),
        ..offer()
    };
    assert!(fit(&request, &offer).is_ok());
}

#[test]
fn they_meet_when_both_are_there_and_not_before_the_volunteer_can() {
    let evening = fit(&request(), &open("16:00-23:00")).unwrap();
    assert_eq!(
        evening.meets,
        Window::parse(noon().after(HOUR * 4), noon().after(HOUR * 6)).unwrap()
    );
    assert_eq!(evening.overlap_s.to_bits(), (2.0 * 3600.0_f64).to_bits());
    assert_eq!(
        fit(&request(), &open("19:00-23:00")),
        Err(Ineligible::NoCommonTime)
    );
    let late = |minutes| OfferCard {
        lead: LeadTime::try_from(minutes).unwrap(),
        ..offer()
    };
    assert_eq!(
        fit(&request(), &late(120)).unwrap().meets.from(),
        noon().after(HOUR * 2)
    );
    assert_eq!(fit(&request(), &late(360)), Err(Ineligible::NoCommonTime));
    let begun = RequestCard {
        window: Window::parse(noon().before(HOUR), noon().after(HOUR)).unwrap(),
        ..request()
    };
    assert_eq!(fit(&begun, &offer()).unwrap().meets.from(), noon());
}

#[test]
fn who_is_needed_throughout_must_be_there_for_all_that_is_left_of_it() {
    let stay = RequestCard {
        throughout: true,
        ..request()
    };
    let whole = fit(&stay, &open("10:00-18:00")).unwrap();
    assert_eq!(whole.meets, stay.window);
    assert_eq!(whole.overlap_s.to_bits(), (6.0 * 3600.0_f64).to_bits());
    for hours in [
        "10:00-17:59",
        "12:01-18:00",
        "10:00-14:00,15:00-18:00",
        "19:00-20:00",
    ] {
        assert_eq!(
            fit(&stay, &open(hours)),
            Err(Ineligible::NoCommonTime),
            "{hours}"
        );
    }
    let begun = RequestCard {
        window: Window::parse(noon().before(HOUR), noon().after(HOUR)).unwrap(),
        ..stay.clone()
    };
    assert_eq!(fit(&begun, &offer()).unwrap().meets.from(), noon());
    let lead = OfferCard {
        lead: LeadTime::try_from(1).unwrap(),
        ..offer()
    };
    assert_eq!(fit(&stay, &lead), Err(Ineligible::NoCommonTime));
    let later = RequestCard {
        window: hours_from(noon().after(HOUR), 2),
        ..stay
    };
    assert_eq!(fit(&later, &lead).unwrap().meets, later.window);
}

#[test]
fn a_stay_that_ends_behind_the_horizon_is_looked_at_by_the_hours_themselves() {
    let stay = RequestCard {
        throughout: true,
        window: hours_from(noon().after(DAY * 39), 48),
        ..request()
    };
    let mut offer = offer();
    assert_eq!(offer.windows.end(), Some(noon().after(DAY * 40)));
    assert_eq!(fit(&stay, &offer).unwrap().meets, stay.window);
    offer.availability.until = Some(noon().after(DAY * 40));
    assert_eq!(fit(&stay, &offer), Err(Ineligible::NoCommonTime));
}

#[test]
fn a_need_is_served_whole_unless_several_may_share_it() {
    let left = |taken| OfferCard {
        taken: vec![(Ts::EPOCH, taken)],
        ..offer()
    };
    assert_eq!(fit(&request(), &left(2)).unwrap().quantity, 2);
    assert_eq!(fit(&request(), &left(3)), Err(Ineligible::NoCapacity));
    let shared = |helpers_left| RequestCard {
        splittable: true,
        helpers_left,
        ..request()
    };
    assert_eq!(fit(&shared(2), &left(3)).unwrap().quantity, 1);
    assert_eq!(fit(&shared(2), &offer()).unwrap().quantity, 2);
    assert_eq!(fit(&shared(1), &left(3)), Err(Ineligible::NoCapacity));
    assert_eq!(fit(&shared(2), &left(4)), Err(Ineligible::NoCapacity));
    let apart = RequestCard {
        splittable: false,
        ..shared(2)
    };
    assert_eq!(fit(&apart, &left(3)), Err(Ineligible::NoCapacity));
}

/// An offer whose capacity comes back each day, full on the first of them.
fn daily() -> OfferCard {
    let mut offer = OfferCard {
        renews: Renews::Daily,
        ..offer()
    };
    offer.taken = vec![(offer.period(noon()), 4)];
    offer
}

#[test]
fn whoever_finds_today_full_may_have_tomorrow() {
    let midnight = noon().after(HOUR * 12);
    let days = RequestCard {
        window: hours_from(noon(), 48),
        ..request()
    };
    let tomorrow = fit(&days, &daily()).unwrap();
    assert_eq!(
        (tomorrow.meets.from(), tomorrow.period, tomorrow.free),
        (midnight, midnight, 4)
    );
    assert_eq!(tomorrow.overlap_s.to_bits(), (36.0 * 3600.0_f64).to_bits());
    assert_eq!(
        fit(&request(), &daily()),
        Err(Ineligible::NoCapacity),
        "it ends today"
    );
    let never_again = OfferCard {
        renews: Renews::None,
        taken: vec![(Ts::EPOCH, 4)],
        ..offer()
    };
    assert_eq!(fit(&days, &never_again), Err(Ineligible::NoCapacity));
    let stay = RequestCard {
        throughout: true,
        ..days
    };
    assert_eq!(fit(&stay, &daily()), Err(Ineligible::NoCapacity));
}

#[test]
fn at_most_a_month_of_later_days_is_looked_at() {
    let full_for = |days: u32| {
        let mut offer = daily();
        let periods = (0..days).map(|day| (offer.period(noon().after(DAY * day)), 4));
        offer.taken = periods.collect();
        let window = Window::parse(noon(), noon().after(DAY * 39)).unwrap();
        fit(
            &RequestCard {
                window,
                ..request()
            },
            &offer,
        )
    };
    assert_eq!(
        full_for(32).unwrap().meets.from(),
        noon().after(HOUR * (12 + 24 * 31))
    );
    assert_eq!(full_for(33), Err(Ineligible::NoCapacity));
}

#[test]
fn a_place_that_returns_is_taken_in_each_period_of_a_stay() {
    let nights = RequestCard {
        throughout: true,
        window: hours_from(noon(), 48),
        ..request()
    };
    let mut offer = OfferCard {
        renews: Renews::Daily,
        ..offer()
    };
    let midnights = [12, 36].map(|hours| noon().after(HOUR * hours));
    offer.taken = vec![(midnights[1], 1)];
    let stay = fit_of("pet_care", &nights, &offer).unwrap();
    assert_eq!(stay.further_periods, midnights);
    assert_eq!((stay.free, stay.quantity), (3, 2), "as the fullest of them");
    offer.taken = vec![(midnights[0], 3)];
    assert_eq!(
        fit_of("pet_care", &nights, &offer),
        Err(Ineligible::NoCapacity)
    );
    // A meal is given once, however long one stays for it.
    assert!(fit(&nights, &offer).unwrap().further_periods.is_empty());
    let once = RequestCard {
        throughout: false,
        ..nights
    };
    assert!(
        fit_of("pet_care", &once, &offer)
            .unwrap()
            .further_periods
            .is_empty()
    );
}
