use super::*;

fn shipped() -> Catalog {
    Catalog::shipped().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_shipped_categories_are_the_vocabulary() {
    assert_eq!(
        shipped().keys(),
        "childcare, cleanup, food, legal, medical, pet_care, shelter, supplies, towing, transport, \
         warming_space, watch_shift"
    );
    assert!(shipped().get("cats").is_none());
    assert_eq!(shipped().get("shelter").unwrap().unit_for(1), "bed");
    assert_eq!(shipped().get("shelter").unwrap().unit_for(3), "beds");
}

#[test]
fn sensitive_categories_are_the_four_and_keep_their_safeguards() {
    let sensitive: Vec<_> = shipped()
        .iter()
        .filter(|c| c.policy.sensitive)
        .map(|c| c.key.to_string())
        .collect();
    assert_eq!(sensitive, ["childcare", "legal", "medical", "shelter"]);
    for category in shipped().iter().filter(|c| c.policy.sensitive) {
        assert!(category.policy.vetted_only && category.policy.review == Review::Required);
        assert!(category.policy.agree.needs_agreement(true, false));
    }
}

#[test]
fn a_key_is_a_short_name() {
    for good in ["food", "pet_care", "a1", &"a".repeat(40)] {
        assert_eq!(CategoryKey::parse(good).unwrap().as_str(), good);
    }
    for bad in [
        "",
        "f",
        "Food",
        "1food",
        "_food",
        "pet care",
        "pet-care",
        "füd",
        &"a".repeat(41),
    ] {
        assert!(CategoryKey::parse(bad).is_err(), "{bad}");
    }
    let key: CategoryKey = serde_json::from_str("\"food\"").unwrap();
    assert_eq!(serde_json::to_string(&key).unwrap(), "\"food\"");
    assert!(serde_json::from_str::<CategoryKey>("\"Food\"").is_err());
}

#[test]
fn who_travels_decides_the_reach() {
    let m = |meters: i64| Reach::try_from(meters).unwrap();
    assert!(Travels::Volunteer.in_reach(900.0, m(1000), m(0)));
    assert!(!Travels::Volunteer.in_reach(900.0, m(0), m(1000)));
    assert!(Travels::Neighbor.in_reach(900.0, m(0), m(1000)));
    assert!(Travels::Either.in_reach(900.0, m(0), m(1000)));
    assert!(Travels::Either.in_reach(900.0, m(1000), m(0)));
    assert!(!Travels::Either.in_reach(1000.5, m(1000), m(1000)));
}

#[test]
fn the_neighbors_wish_to_agree_first_counts_everywhere() {
    assert!(AgreePolicy::Never.needs_agreement(true, true));
    assert!(!AgreePolicy::Never.needs_agreement(false, false));
    assert!(AgreePolicy::Unvetted.needs_agreement(false, false));
    assert!(!AgreePolicy::Unvetted.needs_agreement(true, false));
}
