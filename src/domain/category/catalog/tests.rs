use std::time::Duration;

use proptest::prelude::*;

use super::*;

const GOOD: &str = r#"
[tea]
title = "Tea"
description = "Hot tea."
unit = "cup"
units = "cups"
travels = "either"
review = "none"
vetted_only = false
agree = "never"
sensitive = false
handover = "meet"
handovers = ["meet", "pickup"]
default_reach_m = 1000
max_reach_m = 2000
default_travel_m = 0
max_quantity = 4
max_capacity = 100
splittable = true
place_returns = false
default_duration = "2 hours"

[tea.attributes.sugar]
title = "Lumps of sugar"
type = "number"
rule = "at_most"
min = 0
max = 9.5
"#;

fn faults(text: &str) -> Vec<String> {
    match Catalog::parse(text) {
        Ok(_) => Vec::new(),
        Err(error) => error.to_string().lines().map(str::to_owned).collect(),
    }
}

#[test]
fn a_category_needs_no_code() {
    let catalog = Catalog::parse(GOOD).unwrap();
    let tea = catalog.get("tea").unwrap();
    assert_eq!(tea.policy.default_duration, Duration::from_hours(2));
    assert_eq!(tea.policy.max_quantity, Quantity::try_from(4).unwrap());
    assert_eq!(
        tea.attributes[0].values,
        Values::Number(Bounds { min: 0.0, max: 9.5 })
    );
    assert_eq!(catalog.iter().len(), 1);
}

/// A text of [`GOOD`], what stands there instead, and how the fault begins.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "title = \"Tea\"",
        "",
        "[tea] title is missing: it must be one line of 1 to 60 characters",
    ),
    (
        "\"either\"",
        "\"nobody\"",
        "[tea] travels must be one of volunteer, neighbor, either",
    ),
    (
        "review = \"none\"",
        "review = false",
        "[tea] review must be one of none, required",
    ),
    (
        "vetted_only = false",
        "vetted_only = 0",
        "[tea] vetted_only must be true or false",
    ),
    (
        "splittable",
        "splitable",
        "[tea] splittable is missing: it must be true or false",
    ),
    (
        "handover = \"meet\"",
        "handover = \"door\"",
        "[tea] handover must be one of this category's handovers",
    ),
    (
        "[\"meet\", \"pickup\"]",
        "[\"meet\", \"meet\"]",
        "[tea] handovers must be a list of some of door, home, pickup, meet, each once",
    ),
    (
        "travels = \"either\"",
        "travels = \"volunteer\"",
        "[tea] handovers must not have pickup unless travels is neighbor or either",
    ),
    (
        "travels = \"either\"",
        "travels = \"neighbor\"",
        "[tea] default_travel_m must be more than 0 where only the neighbor travels",
    ),
    (
        "= 1000",
        "= 3000",
        "[tea] default_reach_m must be at most max_reach_m, 2000",
    ),
    (
        "= 1000",
        "= 0",
        "[tea] default_reach_m must be more than 0 where the volunteer travels",
    ),
    (
        "= 2000",
        "= 1000001",
        "[tea] max_reach_m must be a whole number from 0 to 1000000",
    ),
    (
        "max_quantity = 4",
        "max_quantity = 0",
        "[tea] max_quantity must be a whole number from 1 to 100000",
    ),
    (
        "max_quantity = 4",
        "max_quantity = 4.0",
        "[tea] max_quantity must be a whole number from 1 to 100000",
    ),
    (
        "2 hours",
        "2",
        "[tea] default_duration must be a time from 1 hour to 90 days",
    ),
    (
        "rule = \"at_most\"",
        "rule = \"subset\"",
        "[tea] attributes.sugar.rule must be one of equal, at_most, info for the type number",
    ),
    (
        "min = 0",
        "min = nan",
        "[tea] attributes.sugar.min must be a number from -1000000000 to 1000000000",
    ),
    (
        "min = 0",
        "min = 10",
        "[tea] attributes.sugar.min must not be above max",
    ),
    (
        "max = 9.5",
        "options = [\"a\"]",
        "[tea] attributes.sugar.options is unknown; allowed: title, type, rule, min, max",
    ),
    (
        "attributes.sugar",
        "attributes.Sugar",
        "[tea] attributes.Sugar must be 2 to 40 lower-case letters",
    ),
    (
        "[tea.attributes.sugar]",
        "[tea.attribute.sugar]",
        "[tea] attribute is unknown; allowed: title",
    ),
    ("[tea]", "[Tea]", "[Tea] must be 2 to 40 lower-case letters"),
    ("[tea]", "loose = 1\n[tea]", "[loose] must be a table"),
];

#[test]
fn every_single_fault_is_named() {
    for (from, to, fault) in FAULTS {
        assert!(GOOD.contains(from), "{from}");
        let found = faults(&GOOD.replacen(from, to, 1));
        assert!(
            found.iter().any(|f| f.starts_with(fault)),
            "{from} -> {to}: {found:#?}"
        );
    }
    assert_eq!(faults(""), ["must have at least one category"]);
    assert!(faults("[tea").iter().any(|line| line.contains("line 1")));
}

#[test]
fn faults_are_reported_together() {
    let text = GOOD
        .replace("sensitive = false", "sensitive = true")
        .replace("unit = \"cup\"", "unit = \"\"")
        .replace("type = \"number\"", "type = \"numeral\"");
    assert_eq!(
        faults(&text),
        [
            "[tea] unit must be one line of 1 to 30 characters",
            "[tea] vetted_only must be true in a sensitive category",
            "[tea] review must be required in a sensitive category",
            "[tea] agree must be always in a sensitive category",
            "[tea] attributes.sugar.type must be one of bool, number, enum, set, range",
        ]
    );
}

#[test]
fn only_pairs_of_type_and_rule_that_mean_something_are_taken() {
    let taken: Vec<_> = AttributeType::ALL
        .iter()
        .flat_map(|kind| {
            Rule::ALL
                .iter()
                .filter(|rule| kind.takes(**rule))
                .map(move |rule| format!("{kind} {rule}"))
        })
        .collect();
    assert_eq!(
        taken,
        [
            "bool equal",
            "bool info",
            "number equal",
            "number at_most",
            "number info",
            "enum equal",
            "enum at_most",
            "enum info",
            "set subset",
            "set info",
            "range within",
            "range info",
        ]
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(cut in 0..GOOD.len(), junk in ".{0,20}") {
        let _ = Catalog::parse(&format!("{}{junk}{}", &GOOD[..cut], &GOOD[cut..]));
    }
}
