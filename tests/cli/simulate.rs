//! Policies on the same made-up day.

#![expect(
    clippy::float_cmp,
    reason = "counts and what is exactly none, read out of JSON"
)]

use std::fs;

use serde_json::Value;

use super::program::Place;

const SHIPPED: &str = include_str!("../../config/simulate.toml");

/// A small day in memory, where there is some: each of some thousand commits waits for the disk.
fn simulate(place: &Place, more: &[&str]) -> Value {
    let small = ["simulate", "--posts", "48", "--json"];
    let output = place.run(small.iter().chain(more)).code(0).out();
    serde_json::from_str(&output).unwrap()
}

/// The shipped day, shorter and with changes, in a file.
fn day(place: &Place, changes: &[(&str, &str)]) -> String {
    let mut text = SHIPPED.replace("length = \"48h\"", "length = \"24h\"");
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    fs::write(place.path("day.toml"), text).unwrap();
    "day.toml".to_owned()
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn one_seed_gives_one_set_of_figures_and_leaves_nothing_behind() {
    let place = Place::new();
    let file = day(&place, &[]);
    let run = |seed: &str, zone: &str| {
        let policy = ["--policy", "shipped", "--policy", "one at a time"];
        let arguments = [
            "simulate", "--posts", "48", "--json", "--day", &file, "--seed", seed,
        ];
        let mut command = place.command(arguments.iter().chain(&policy));
        // Not where this machine is, nor where it keeps its files.
        command.env("TZ", zone).env("TMPDIR", place.path(""));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let first = run("5", "UTC");
    assert!(!first.is_empty());
    assert_eq!(first, run("5", "Asia/Tokyo"));
    assert_ne!(first, run("6", "UTC"));
    let left: Vec<_> = fs::read_dir(place.path("")).unwrap().collect();
    assert_eq!(left.len(), 1, "only the day: {left:?}");
}

#[test]
fn the_figures_of_a_day_make_sense() {
    let place = Place::new();
    // On a day as small as this nobody might be served by chance.
    let willing = [
        ("half_distance_m = 8000", "half_distance_m = 1000000"),
        ("answered = 0.65\nyes = 0.6\n", "answered = 1\nyes = 1\n"),
        ("answered = 0.6\nyes = 0.55\n", "answered = 1\nyes = 1\n"),
        ("answered = 0.55\nyes = 0.5\n", "answered = 1\nyes = 1\n"),
    ];
    let file = day(&place, &willing);
    let told = simulate(
        &place,
        &[
            "--day",
            &file,
            "--seeds",
            "2",
            "--policy",
            "shipped",
            "--policy",
            "one at a time",
        ],
    );
    assert_eq!(
        number(&told["day"]["offers"]) + number(&told["day"]["requests"]),
        48.0
    );
    assert_eq!(told["day"]["seeds"], serde_json::json!([1, 2]));
    let [shipped, slowly] = told["policies"].as_array().unwrap().as_slice() else {
        panic!("{told}");
    };
    assert_eq!(
        (&shipped["name"], &slowly["name"]),
        (&"shipped".into(), &"one at a time".into())
    );
    assert_eq!(slowly["sets"]["matching.waves.now.size"], "1");
    for policy in [shipped, slowly] {
        for run in policy["runs"].as_array().unwrap() {
            assert_eq!(number(&run["requests"]), number(&told["day"]["requests"]));
            assert!(
                number(&run["served"]) > 0.0 && number(&run["served_percent"]) < 100.0,
                "{run}"
            );
            assert!(number(&run["asks"]) >= number(&run["acceptances"]), "{run}");
            assert!(number(&run["asks_per_acceptance"]) >= 1.0, "{run}");
            assert!(
                number(&run["wait_p50_minutes"]) <= number(&run["wait_p95_minutes"]),
                "{run}"
            );
            assert!((0.0..1.0).contains(&number(&run["gini"])), "{run}");
            assert!(number(&run["distance_m"]) > 0.0, "{run}");
        }
        let served = &policy["served_percent"];
        let [least, mean, most] = ["min", "mean", "max"].map(|key| number(&served[key]));
        assert!(least <= mean && mean <= most, "{served}");
    }
    // The same people on the same day, whatever the policy does with them.
    for (a, b) in shipped["runs"]
        .as_array()
        .unwrap()
        .iter()
        .zip(slowly["runs"].as_array().unwrap())
    {
        assert_eq!(
            (&a["seed"], &a["volunteers"]),
            (&b["seed"], &b["volunteers"])
        );
    }
}

#[test]
fn a_policy_that_asks_nobody_serves_nobody() {
    let place = Place::new();
    let hours = "matching.waves.today = { ask_from = \"03:00\", ask_until = \"03:01\" }\nmatching.waves.soon = { ask_from = \"03:00\", ask_until = \"03:01\" }";
    let file = day(
        &place,
        &[
            // Nobody who could be asked at night, no proposal that is approved.
            ("now = 0.3", "now = 0"),
            ("now = 0.6,", "now = 0,"),
            ("now = 0.4,", "now = 0,"),
            ("now = 0.5,", "now = 0,"),
            ("now = 0.1,", "now = 0,"),
            ("approve = 0.94", "approve = 0"),
            ("length = \"24h\"", "length = \"18h\""),
            ("1, 1, 0.5, 0.5, 0.5, 0.5, 1, 1, 2, 2]", "1, 1]"),
            ("name = \"shipped\"", &format!("name = \"nobody\"\n{hours}")),
        ],
    );
    let told = simulate(&place, &["--day", &file, "--policy", "nobody"]);
    let nobody = &told["policies"][0]["runs"][0];
    assert_eq!(number(&nobody["served_percent"]), 0.0);
    assert_eq!(number(&nobody["asks"]), 0.0);
    assert_eq!(number(&nobody["gini"]), 0.0);
    assert!(nobody["wait_p50_minutes"].is_null() && nobody["asks_per_acceptance"].is_null());
}

#[test]
fn what_is_wrong_with_a_day_is_named_with_what_was_expected() {
    let place = Place::new();
    let cases = [
        (
            ("nights = 0.3", "nihgts = 0.3"),
            ["day.nihgts", "is unknown"],
        ),
        (("nights = 0.3\n", ""), ["day", "missing field `nights`"]),
        (
            ("nights = 0.3", "nights = 1.3"),
            ["day.nights", "must be from 0 to 1"],
        ),
        (
            ("nights = 0.3", "nights = \"some\""),
            ["day.nights", "must be "],
        ),
        (
            ("today = 0.45", "today = 0.9"),
            ["urgency", "must be at most 1 together: now, today"],
        ),
        (
            ("median = \"8m\", slow", "median = \"8 moons\", slow"),
            ["answers.now.delay.median", ""],
        ),
        (
            ("median = \"8m\", slow", "median = \"8h\", slow"),
            ["answers.now.delay", "slow no less"],
        ),
        (
            ("food = {", "fodo = {"),
            ["categories.fodo", "is no category"],
        ),
        (
            ("now.size = 1\n", "now.size = 0\n"),
            [
                "policy \"one at a time\": matching.waves.now.size",
                "must be from 1 to 50",
            ],
        ),
        (
            ("now.size = 1\n", "now.sise = 1\n"),
            [
                "policy \"one at a time\": matching.waves.now.sise",
                "is unknown",
            ],
        ),
        (
            ("name = \"nearest\"", "name = \"shipped\""),
            ["policy \"shipped\": name", "must differ"],
        ),
        (
            ("about = \"asks one,", "wishes = \"asks one,"),
            ["policy", "is unknown"],
        ),
    ];
    for (change, expected) in cases {
        let file = day(&place, &[change]);
        let said = place.run(["simulate", "--day", &file]).code(2).err();
        for text in expected {
            assert!(said.contains(text), "{change:?}: {said}");
        }
    }
    let said = place
        .run(["simulate", "--day", "nowhere.toml"])
        .code(2)
        .err();
    assert!(said.contains("nowhere.toml"), "{said}");
    let said = place.run(["simulate", "--policy", "lottery"]).code(2).err();
    assert!(
        said.contains("lottery") && said.contains("one at a time"),
        "{said}"
    );
}
