use super::*;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::attribute::Attributes;
use crate::domain::availability::OpeningHours;
use crate::domain::category::CategoryKey;
use crate::domain::entropy::SeededEntropy;
use crate::domain::ids::{NeighborId, VolunteerId};
use crate::domain::limits::DAY;
use crate::domain::need::Reach;
use crate::domain::place::GeoPoint;
use crate::matching::eligible::tests::{hours_from, noon, offer, request};

const HOUR: Duration = Duration::from_secs(3600);
/// Degrees of latitude that are a kilometer.
const KM: f64 = 1.0 / 111.2;

fn catalog() -> Catalog {
    Catalog::shipped().unwrap()
}

fn km(km: i64) -> Reach {
    Reach::try_from(km * 1000).unwrap()
}

fn north(km: f64) -> GeoPoint {
    GeoPoint::parse(44.95 + km * KM, -93.26).unwrap()
}

/// The nth offer, so far north of the requests, reaching so far.
fn offer_at(nth: u64, away_km: f64, reach_km: i64) -> OfferCard {
    let entropy = SeededEntropy::new(100 + nth);
    OfferCard {
        id: OfferId::new(&entropy),
        volunteer: VolunteerId::new(&entropy),
        at: north(away_km),
        reach: km(reach_km),
        ..offer()
    }
}

/// The nth request, so far north of the others.
fn request_at(nth: u64, away_km: f64) -> RequestCard {
    let entropy = SeededEntropy::new(200 + nth);
    RequestCard {
        id: RequestId::new(&entropy),
        neighbor: NeighborId::new(&entropy),
        at: north(away_km),
        ..request()
    }
}

fn of(category: &str, mut offer: OfferCard) -> OfferCard {
    offer.category = CategoryKey::parse(category).unwrap();
    offer
}

fn asked_of(category: &str, travel_km: i64) -> RequestCard {
    RequestCard {
        category: CategoryKey::parse(category).unwrap(),
        travel: km(travel_km),
        ..request()
    }
}

fn ids<'a>(found: impl IntoIterator<Item = (&'a OfferCard, f64)>) -> Vec<OfferId> {
    found.into_iter().map(|(offer, _)| offer.id).collect()
}

#[test]
fn what_was_put_is_there_until_it_is_taken_out() {
    let (catalog, mut index) = (catalog(), PostIndex::default());
    assert!(index.is_empty());
    index.put_offer(&catalog, offer());
    assert_eq!((index.len(), index.is_empty()), ((1, 0), false));
    index.put_request(&catalog, request());
    index.put_request(&catalog, request_at(1, 0.0));
    assert_eq!(index.len(), (1, 2));
    assert!(index.offer(offer().id).unwrap().agrees_with(&offer()));
    assert_eq!(index.request(request().id), Some(&request()));
    assert_eq!(index.offer_ids(), [offer().id]);
    let mut both = [request().id, request_at(1, 0.0).id];
    both.sort_unstable();
    assert_eq!(index.request_ids(), both);

    index.remove_offer(&catalog, offer().id);
    assert!(index.offer(offer().id).is_none());
    assert_eq!((index.len(), index.is_empty()), ((0, 2), false));
    for id in both {
        index.remove_request(&catalog, id);
    }
    assert!(index.is_empty() && index.request(both[0]).is_none());
}

#[test]
fn what_is_loaded_is_found_as_what_is_put_one_by_one() {
    let catalog = catalog();
    let offers = [offer_at(1, 2.0, 5), offer_at(2, 1.0, 5)];
    let loaded = PostIndex::load(&catalog, offers.to_vec(), vec![request()]);
    let mut put = PostIndex::default();
    for offer in &offers {
        put.put_offer(&catalog, offer.clone());
    }
    put.put_request(&catalog, request());
    let near_first = [offers[1].id, offers[0].id];
    for index in [loaded, put] {
        assert_eq!(index.len(), (2, 1));
        assert_eq!(ids(index.in_reach(&catalog, &request())), near_first);
        let waiting = index.requests_for(&catalog, &offers[0], noon(), 9);
        assert_eq!(waiting, [request().id]);
    }
}

#[test]
fn what_is_put_again_is_found_where_it_is_now() {
    let (catalog, mut index) = (catalog(), PostIndex::default());
    let found = |index: &PostIndex| {
        let request = request();
        let nearest = index.in_reach(&catalog, &request).next();
        nearest.map(|(_, distance_m)| (distance_m / 1000.0).round())
    };
    index.put_offer(&catalog, offer_at(1, 1.0, 5));
    assert_eq!(found(&index), Some(1.0));
    index.put_offer(&catalog, offer_at(1, 3.0, 5));
    assert_eq!(found(&index), Some(3.0));
    index.put_offer(&catalog, offer_at(1, 3.0, 2));
    assert_eq!(found(&index), None, "it reaches less far now");
    index.put_offer(&catalog, of("supplies", offer_at(1, 1.0, 5)));
    assert_eq!(found(&index), None, "it is of another category now");
    assert_eq!(index.len(), (1, 0));
}

#[test]
fn who_makes_the_way_decides_what_is_in_reach() {
    let catalog = catalog();
    for (category, travels) in [
        ("food", Travels::Either),
        ("warming_space", Travels::Neighbor),
        ("towing", Travels::Volunteer),
    ] {
        let of_volunteer = of(category, offer_at(1, 2.0, 3));
        let of_neighbor = of(category, offer_at(2, 2.5, 0));
        let offers = vec![of_volunteer.clone(), of_neighbor.clone()];
        let index = PostIndex::load(&catalog, offers, Vec::new());
        let found = |travel_km| ids(index.in_reach(&catalog, &asked_of(category, travel_km)));
        let both = [of_volunteer.id, of_neighbor.id];
        let (home, out): (&[OfferId], &[OfferId]) = match travels {
            Travels::Either => (&both[..1], &both),
            Travels::Neighbor => (&[], &both),
            Travels::Volunteer => (&both[..1], &both[..1]),
        };
        assert_eq!(found(0), home, "{category}");
        assert_eq!(found(3), out, "{category}");
    }
}

#[test]
fn just_too_far_is_up_to_twice_as_far() {
    let catalog = catalog();
    let offers: Vec<_> = [(1, 4.0), (2, 6.0), (3, 9.0), (4, 11.0), (5, 7.0)]
        .map(|(nth, away_km)| offer_at(nth, away_km, 5))
        .into();
    let [_, second, third, _, fifth] = [0, 1, 2, 3, 4].map(|i| offers[i].id);
    let index = PostIndex::load(&catalog, offers, Vec::new());
    let found = |look_at| ids(index.just_too_far(&catalog, &request(), look_at));
    assert_eq!(found(9), [second, fifth, third]);
    assert_eq!(found(2), [second], "of the two nearest one is in reach");
    let unknown = asked_of("nothing", 0);
    assert!(index.just_too_far(&catalog, &unknown, 9).is_empty());
}

#[test]
fn an_offer_finds_the_requests_that_it_could_serve_the_nearest_first() {
    let catalog = catalog();
    let mut late = request_at(3, 0.5);
    late.window = hours_from(noon().before(DAY), 1);
    let requests = vec![
        request_at(1, 2.0),
        request_at(2, 1.0),
        late,
        request_at(4, 9.0),
    ];
    let near_first = [requests[1].id, requests[0].id];
    let index = PostIndex::load(&catalog, Vec::new(), requests);
    let found = |offer: &OfferCard, limit| index.requests_for(&catalog, offer, noon(), limit);
    assert_eq!(found(&offer(), 9), near_first);
    assert_eq!(found(&offer(), 1), near_first[..1]);
    assert!(found(&of("supplies", offer()), 9).is_empty());
    assert!(found(&of("nothing", offer()), 9).is_empty());
}

#[test]
fn an_offer_finds_the_requests_whose_neighbors_come_so_far() {
    let catalog = catalog();
    let coming = |nth, travel_km| RequestCard {
        category: CategoryKey::parse("warming_space").unwrap(),
        travel: km(travel_km),
        ..request_at(nth, 2.0)
    };
    let requests = vec![coming(1, 3), coming(2, 0)];
    let far = requests[0].id;
    let index = PostIndex::load(&catalog, Vec::new(), requests);
    let found = index.requests_for(&catalog, &of("warming_space", offer()), noon(), 9);
    assert_eq!(found, [far]);
}

#[test]
fn the_most_pressing_come_first_and_each_once() {
    let catalog = catalog();
    let deadlines = Deadlines {
        today: HOUR * 12,
        now: HOUR * 2,
    };
    let said = |nth, urgency, since| RequestCard {
        said: urgency,
        since,
        ..request_at(nth, 1.0)
    };
    let requests = [
        said(1, Urgency::Soon, noon().before(HOUR)),
        said(2, Urgency::Today, noon().after(HOUR)),
        said(3, Urgency::Today, noon()),
        said(4, Urgency::Now, noon().after(HOUR * 2)),
    ];
    let [soon, later, earlier, now] = [0, 1, 2, 3].map(|i| requests[i].id);
    let offers = [offer_at(1, 0.0, 5), offer_at(2, 1.0, 5)];
    let index = PostIndex::load(&catalog, offers.to_vec(), requests.to_vec());
    let both = [offers[0].id, offers[1].id];
    let pressing = |at, limit, counts: &dyn Fn(RequestId, Urgency) -> bool| {
        index.pressing_for(&catalog, &both, at, deadlines, limit, counts)
    };
    let long_before = noon().before(DAY);
    let all = pressing(long_before, 9, &|_, _| true);
    assert_eq!(all, [now, earlier, later, soon]);
    assert_eq!(pressing(long_before, 2, &|_, _| true), [now, earlier]);
    let calm = pressing(long_before, 9, &|id, urgency| {
        id != later && urgency != Urgency::Now
    });
    assert_eq!(calm, [earlier, soon]);
    // Of what ends within hours nothing is for some day any more, and whoever waits longest comes first.
    let all = pressing(noon().after(HOUR), 9, &|_, _| true);
    assert_eq!(all, [now, soon, earlier, later]);
    assert!(
        index
            .pressing_for(&catalog, &[], noon(), deadlines, 9, |_, _| true)
            .is_empty()
    );
}

#[test]
fn offers_whose_intervals_end_before_they_do_are_extended() {
    let (catalog, mut index) = (catalog(), PostIndex::default());
    let standing = |nth, until: Option<Ts>| {
        let mut offer = offer_at(nth, 0.0, 5);
        offer.availability.until = until;
        offer.windows = offer.availability.windows(hours_from(noon(), 48));
        offer
    };
    let for_ever = standing(1, None);
    let ends = standing(2, Some(noon().after(HOUR * 9)));
    let ends_later = standing(3, Some(noon().after(HOUR * 72)));
    let mut at_hours = standing(4, Some(noon().after(HOUR * 9)));
    at_hours.availability.opening_hours = Some(OpeningHours::parse("24/7").unwrap());
    let mut wanted = [for_ever.id, ends_later.id, at_hours.id];
    wanted.sort_unstable();
    for offer in [&for_ever, &ends, &ends_later, &at_hours] {
        index.put_offer(&catalog, offer.clone());
    }
    let mut found = index.offers_to_extend();
    found.sort_unstable();
    assert_eq!(found, wanted);

    let longer = ends_later.availability.windows(hours_from(noon(), 96));
    let other_hours = &for_ever.availability;
    index.extend_offer(&catalog, ends_later.id, other_hours, longer.clone());
    let known = |index: &PostIndex| index.offer(ends_later.id).unwrap().windows.clone();
    assert_eq!(known(&index), ends_later.windows, "its hours are others");
    let its_own = &ends_later.availability;
    index.extend_offer(&catalog, ends_later.id, its_own, longer.clone());
    assert_eq!(known(&index), longer);
    assert!(!index.offers_to_extend().contains(&ends_later.id));
}

#[test]
fn what_posts_say_alike_is_kept_once() {
    let (catalog, mut index) = (catalog(), PostIndex::default());
    let provides = || serde_json::from_str(r#"{"no_id": true}"#).unwrap();
    for nth in [1, 2] {
        let mut offer = offer_at(nth, 0.0, 5);
        offer.category = CategoryKey::parse("food").unwrap();
        offer.languages = ["so".to_owned()].into();
        offer.provides = provides();
        index.put_offer(&catalog, offer);
        let mut request = request_at(nth, 0.0);
        request.category = CategoryKey::parse("food").unwrap();
        request.languages = ["so".to_owned()].into();
        request.requires = provides();
        index.put_request(&catalog, request);
    }
    let [a, b] = [1, 2].map(|nth| index.offer(offer_at(nth, 0.0, 5).id).unwrap());
    assert!(Arc::ptr_eq(&a.languages, &b.languages));
    assert!(std::ptr::eq(a.windows.as_slice(), b.windows.as_slice()));
    let key = catalog.get("food").unwrap().key.as_str();
    assert!(std::ptr::eq(a.category.as_str(), key));
    let name = |attributes: &Attributes| attributes.iter().next().map(|(name, _)| name.as_ptr());
    assert_eq!(name(&a.provides), name(&b.provides));
    let [a, b] = [1, 2].map(|nth| index.request(request_at(nth, 0.0).id).unwrap());
    assert!(Arc::ptr_eq(&a.languages, &b.languages));
    assert_eq!(name(&a.requires), name(&b.requires));
    assert!(std::ptr::eq(b.category.as_str(), key));
}
