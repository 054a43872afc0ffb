use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::domain::category::{Catalog, Category};

/// A category with one attribute of each type and rule.
fn sample() -> Category {
    let attribute = |name: &str, values, rule| Attribute {
        name: name.to_owned(),
        title: String::new(),
        values,
        rule,
    };
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let bounds = |min, max| Bounds { min, max };
    Category {
        attributes: vec![
            attribute("ages", Values::Range(bounds(0.0, 17.0)), Rule::Within),
            attribute("delivery", Values::Bool, Rule::Equal),
            attribute(
                "diet",
                Values::Set(words(&["halal", "kosher", "vegan"])),
                Rule::Subset,
            ),
            attribute("extras", Values::Set(words(&["tea", "cots"])), Rule::Info),
            attribute("floor", Values::Number(bounds(-2.0, 50.0)), Rule::Equal),
            attribute(
                "gender",
                Values::Enum(words(&["woman", "man"])),
                Rule::Equal,
            ),
            attribute(
                "size",
                Values::Enum(words(&["small", "medium", "large"])),
                Rule::AtMost,
            ),
            attribute(
                "weight_kg",
                Values::Number(bounds(0.0, 100.0)),
                Rule::AtMost,
            ),
        ],
        ..Catalog::shipped().unwrap().get("food").unwrap().clone()
    }
}

fn map(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn errors(result: Result<Attributes, Vec<AttributeError>>) -> Vec<(String, String)> {
    result
        .unwrap_err()
        .into_iter()
        .map(|e| (e.pointer, e.message))
        .collect()
}

/// What keeps a request from being met, `""` if nothing does.
fn unmet(required: Json, provided: Json) -> String {
    let sample = sample();
    let required = sample.parse_required(&map(required)).unwrap();
    let provided = sample.parse_provided(&map(provided)).unwrap();
    sample
        .unmet(&required, &provided)
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_category_without_attributes_takes_none() {
    let bare = Category {
        attributes: Vec::new(),
        ..sample()
    };
    assert!(bare.parse_required(&Map::new()).unwrap().is_empty());
    let wrong = errors(bare.parse_required(&map(json!({"diet": ["halal"]}))));
    assert_eq!(
        wrong,
        [(
            "/diet".to_owned(),
            "unknown attribute; food has none".to_owned()
        )]
    );
}

#[test]
fn every_wrong_value_is_reported_with_its_place_and_what_is_allowed() {
    let found = errors(sample().parse_required(&map(json!({
        "ages": [11, 2],
        "delivery": "yes",
        "diet": ["halal", "pork", 3],
        "extras": [],
        "floor": 51,
        "gender": "other",
        "size": 3,
        "a/b~c": true,
        "weight_kg": "heavy",
    }))));
    let expected = [
        (
            "/a~1b~0c",
            "unknown attribute; allowed: ages, delivery, diet, extras, floor, gender, size, weight_kg",
        ),
        ("/ages", "must have the lowest number first"),
        ("/delivery", "must be true or false"),
        ("/diet/1", "must be one of halal, kosher, vegan"),
        ("/diet/2", "must be one of halal, kosher, vegan"),
        (
            "/extras",
            "must have 1 to 64 entries; leave it out if none matters",
        ),
        ("/floor", "must be a number from -2 to 50"),
        ("/gender", "must be one of woman, man"),
        ("/size", "must be one of small, medium, large"),
        ("/weight_kg", "must be a number from 0 to 100"),
    ];
    assert_eq!(
        found,
        expected.map(|(pointer, message)| (pointer.to_owned(), message.to_owned()))
    );
}

#[test]
fn ranges_say_which_end_is_wrong() {
    let required = |json: Json| errors(sample().parse_required(&map(json!({"ages": json}))));
    let provided = |json: Json| errors(sample().parse_provided(&map(json!({"ages": json}))));
    let at = |pointer: &str, message: &str| vec![(pointer.to_owned(), message.to_owned())];
    assert_eq!(
        required(json!([2, 18])),
        at("/ages/1", "must be a number from 0 to 17")
    );
    assert_eq!(
        required(json!("two")),
        at(
            "/ages",
            "must be a number from 0 to 17 or [lowest, highest]"
        )
    );
    assert_eq!(
        provided(json!(3)),
        at(
            "/ages",
            "must be [lowest, highest], two numbers from 0 to 17"
        )
    );
    assert_eq!(provided(json!([1, 2, 3])).len(), 1);
    assert_eq!(provided(json!([])).len(), 1);
}

#[test]
fn a_flood_of_fields_or_entries_is_one_error() {
    let many = (0..1000).map(|i| (i.to_string(), json!(1))).collect();
    assert_eq!(errors(sample().parse_required(&many)).len(), 1);
    let long = map(json!({"diet": vec!["pork"; 1000]}));
    assert_eq!(errors(sample().parse_required(&long)).len(), 1);
}

#[test]
fn a_rule_decides_when_a_need_is_met() {
    for (required, provided, expected) in [
        (json!({}), json!({}), ""),
        (json!({"delivery": null}), json!({}), ""),
        (json!({"delivery": true}), json!({"delivery": true}), ""),
        (
            json!({"delivery": true}),
            json!({"delivery": false}),
            "delivery",
        ),
        (json!({"delivery": true}), json!({}), "delivery"),
        (json!({"delivery": false}), json!({}), ""),
        (json!({"delivery": false}), json!({"delivery": true}), ""),
        (
            json!({"diet": ["halal"]}),
            json!({"diet": ["vegan", "halal"]}),
            "",
        ),
        (
            json!({"diet": ["halal", "vegan"]}),
            json!({"diet": ["halal"]}),
            "diet",
        ),
        (json!({"diet": ["halal"]}), json!({}), "diet"),
        (json!({"extras": ["tea"]}), json!({}), ""),
        (json!({"floor": 3}), json!({"floor": 3.0}), ""),
        (json!({"floor": 3}), json!({"floor": 4}), "floor"),
        (json!({"gender": "woman"}), json!({"gender": "woman"}), ""),
        (
            json!({"gender": "woman"}),
            json!({"gender": "man"}),
            "gender",
        ),
        (json!({"size": "medium"}), json!({"size": "large"}), ""),
        (json!({"size": "large"}), json!({"size": "small"}), "size"),
        (json!({"weight_kg": 20}), json!({"weight_kg": 20}), ""),
        (json!({"weight_kg": 20.0004}), json!({"weight_kg": 20}), ""),
        (
            json!({"weight_kg": 20.5}),
            json!({"weight_kg": 20}),
            "weight_kg",
        ),
        (json!({"ages": 2}), json!({"ages": [2, 11]}), ""),
        (json!({"ages": [2, 11]}), json!({"ages": [2, 11]}), ""),
        (json!({"ages": [2, 12]}), json!({"ages": [2, 11]}), "ages"),
        (json!({"ages": 1}), json!({"ages": [2, 11]}), "ages"),
        (
            json!({"size": "small", "diet": ["vegan"]}),
            json!({}),
            "diet",
        ),
    ] {
        assert_eq!(
            unmet(required.clone(), provided.clone()),
            expected,
            "{required} of {provided}"
        );
    }
}

#[test]
fn what_the_operator_changed_since_is_not_a_panic() {
    let required: Attributes =
        serde_json::from_value(json!({"diet": "halal", "gone": true, "size": "huge"})).unwrap();
    let provided: Attributes =
        serde_json::from_value(json!({"diet": ["halal"], "size": "large"})).unwrap();
    assert_eq!(sample().unmet(&required, &provided), Some("diet"));
    let required: Attributes = serde_json::from_value(json!({"gone": true})).unwrap();
    assert_eq!(sample().unmet(&required, &provided), None);
}

#[test]
fn attributes_are_plain_json() {
    let text =
        r#"{"ages":[2,11],"delivery":true,"diet":["halal","vegan"],"size":"large","weight_kg":20}"#;
    let attributes = sample()
        .parse_provided(&map(json!({
            "weight_kg": 20.0,
            "diet": ["vegan", "halal", "vegan"],
            "delivery": true,
            "ages": [2, 11],
            "size": "large",
        })))
        .unwrap();
    assert_eq!(serde_json::to_string(&attributes).unwrap(), text);
    assert_eq!(
        serde_json::from_str::<Attributes>(text).unwrap(),
        attributes
    );
    for wrong in [
        "[]",
        r#"{"a":[]}"#,
        r#"{"a":[2,1]}"#,
        r#"{"a":null}"#,
        r#"{"a":{}}"#,
        r#"{"a":["x",1]}"#,
        r#"{"a":[1,2,3]}"#,
    ] {
        assert!(
            serde_json::from_str::<Attributes>(wrong).is_err(),
            "{wrong}"
        );
    }
}

/// One of those values, as an offer gives it.
fn provided(values: Values) -> BoxedStrategy<Json> {
    match values {
        Values::Bool => any::<bool>().prop_map(Json::from).boxed(),
        Values::Number(b) => (b.min..=b.max).prop_map(Json::from).boxed(),
        Values::Enum(options) => prop::sample::select(options).prop_map(Json::from).boxed(),
        Values::Set(options) => {
            let size = 1..=options.len();
            prop::sample::subsequence(options, size)
                .prop_map(Json::from)
                .boxed()
        }
        Values::Range(b) => (b.min..=b.max, b.min..=b.max)
            .prop_map(|(x, y)| json!([f64::min(x, y), f64::max(x, y)]))
            .boxed(),
    }
}

fn any_provided() -> impl Strategy<Value = Map<String, Json>> {
    let each = sample().attributes.into_iter().map(|attribute| {
        prop::option::of(provided(attribute.values))
            .prop_map(move |json| (attribute.name.clone(), json))
    });
    each.collect::<Vec<_>>().prop_map(|all| {
        all.into_iter()
            .filter_map(|(name, json)| Some((name, json?)))
            .collect()
    })
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "halal|vegan|small|.{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..3)
                .prop_map(|m| Json::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn an_offer_meets_exactly_what_it_provides(given in any_provided()) {
        let sample = sample();
        let provided = sample.parse_provided(&given).unwrap();
        let required = sample.parse_required(&given).unwrap();
        prop_assert_eq!(sample.unmet(&required, &provided), None);
    }

    #[test]
    fn attributes_survive_the_database(given in any_provided()) {
        let sample = sample();
        let read = sample.parse_provided(&given).unwrap();
        let kept = serde_json::to_string(&read).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Attributes>(&kept).unwrap(), &read);
        let sent_again = serde_json::from_str(&kept).unwrap();
        prop_assert_eq!(&sample.parse_provided(&sent_again).unwrap(), &read);
    }

    #[test]
    fn a_set_is_met_by_its_supersets_only(
        required in prop::sample::subsequence(vec!["halal", "kosher", "vegan"], 1..=3),
        provided in prop::sample::subsequence(vec!["halal", "kosher", "vegan"], 1..=3),
    ) {
        let superset = required.iter().all(|word| provided.contains(word));
        let unmet = unmet(json!({"diet": required}), json!({"diet": provided}));
        prop_assert_eq!(unmet.is_empty(), superset);
    }

    #[test]
    fn no_json_makes_it_panic_and_what_is_read_is_in_order(
        name in "ages|delivery|diet|floor|gender|size|weight_kg|[a-z~/]{0,3}",
        json in any_json(),
    ) {
        let given = map(json!({name: json.clone()}));
        for read in [sample().parse_required(&given), sample().parse_provided(&given)] {
            match read {
                Ok(read) => for (_, value) in read.iter() {
                    match value {
                        AttributeValue::Number(n) => prop_assert!(n.is_finite()),
                        AttributeValue::Range(min, max) => prop_assert!(min <= max),
                        AttributeValue::Words(words) => {
                            prop_assert!(!words.is_empty() && words.is_sorted_by(|a, b| a < b));
                        }
                        AttributeValue::Bool(_) | AttributeValue::Word(_) => {}
                    }
                },
                Err(errors) => prop_assert!(errors.iter().all(|e| e.pointer.starts_with('/'))),
            }
        }
        let _ = serde_json::from_value::<Attributes>(json!({"any": json}));
    }
}
