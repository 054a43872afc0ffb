//! The whole city at once: every category, everybody's letters, and nothing left behind.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use manyhands::domain::category::Catalog;
use serde_json::Value;

/// Runs the demo in `cwd`, with `tmp` as the system's directory for temporary files.
fn demo(cwd: &Path, tmp: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_manyhands"))
        .args(["demo", "--fast"])
        .args(arguments)
        .current_dir(cwd)
        .env("TMPDIR", tmp)
        .output()
        .unwrap()
}

fn summary(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A directory in memory, where there is one: each of some thousand commits waits for the disk.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).unwrap().next().is_none()
}

#[test]
fn a_city_is_served_in_every_category_and_leaves_nothing_behind() {
    let (cwd, tmp) = (scratch(), scratch());
    let output = demo(cwd.path(), tmp.path(), &["--seed", "1", "--json"]);
    let summary = summary(&output);
    assert!(is_empty(cwd.path()) && is_empty(tmp.path()));

    let number = |value: &Value| value.as_u64().unwrap();
    assert_eq!(number(&summary["all"]["requests"]), 200);
    // Whoever never confirmed is erased after a day.
    assert!((130..=150).contains(&number(&summary["all"]["offers"])));
    let shipped = Catalog::shipped().unwrap();
    assert_eq!(
        summary["categories"].as_object().unwrap().len(),
        shipped.iter().len()
    );
    for category in shipped.iter() {
        let row = &summary["categories"][category.key.as_str()];
        for column in ["offers", "requests", "asked", "yes"] {
            assert!(
                number(&row[column]) > 0,
                "{}: {column}: {row}",
                category.key
            );
        }
        // What ended otherwise was found elsewhere, as by who walked into a warming space.
        let found = ["helped", "covered", "ended"].map(|column| number(&row[column]));
        assert!(found.iter().sum::<u64>() > 0, "{}: {row}", category.key);
    }
    for kind in [
        "confirm",
        "received",
        "nobody_yet",
        "asked",
        "accepted",
        "agree",
        "contact",
        "covered",
        "review_due",
    ] {
        assert!(!summary["letters"][kind].is_null(), "no letter {kind}");
    }
    assert!(
        summary["served_percent"].as_f64().unwrap() > 40.0,
        "{summary}"
    );
    assert!(summary["median_wait_minutes"].as_f64().unwrap() > 0.0);
}

#[test]
fn one_seed_is_one_story_and_another_is_another() {
    let dirs = (scratch(), scratch());
    let small = |seed| {
        let size = [
            "--offers",
            "24",
            "--requests",
            "24",
            "--seed",
            seed,
            "--json",
        ];
        summary(&demo(dirs.0.path(), dirs.1.path(), &size))
    };
    let first = small("3");
    assert_eq!(first, small("3"));
    assert_ne!(first, small("4"));
}

#[test]
fn a_category_of_the_operator_takes_part() {
    let (cwd, tmp) = (scratch(), scratch());
    let shipped = include_str!("../config/categories.toml");
    let at = shipped.find("[towing]").unwrap();
    let end = shipped.find("[transport]").unwrap();
    let new = shipped[at..end].replace("[towing", "[snowplow");
    fs::write(cwd.path().join("own.toml"), format!("{shipped}\n{new}")).unwrap();
    fs::write(
        cwd.path().join("settings.toml"),
        "[categories]\npath = \"own.toml\"\n",
    )
    .unwrap();
    let arguments = [
        "--config",
        "settings.toml",
        "--offers",
        "26",
        "--requests",
        "26",
        "--json",
    ];
    let summary = summary(&demo(cwd.path(), tmp.path(), &arguments));
    assert!(summary["categories"]["snowplow"]["asked"].as_u64().unwrap() > 0);
}

#[test]
fn letters_are_shown_with_masked_addresses_and_each_kind_once_in_full() {
    let dir = scratch();
    let size = ["--offers", "12", "--requests", "12"];
    let output = demo(dir.path(), dir.path(), &size);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("to a***@example.org") || text.contains("***@example.org"));
    let mut heads = text.lines().filter(|l| !l.starts_with("    | "));
    assert!(!heads.clone().any(|l| l.contains(".v1@example.org")));
    assert!(text.contains("    | "), "a letter in full");
    assert!(heads.next_back().unwrap().starts_with("Letters: "));
}
