//! Everything that the OpenAPI document says, tried by schemathesis on the started program: calls that are right and
//! calls that are wrong in every way it can think of, one by one and along the document's links, with each kind of token.
//!
//! Every call has to be answered as the document says, and never with 500; what is wrong has to be refused; a token
//! that is missing or unknown has to be noticed. What does not hold for a call, and why, stands in
//! `fuzz_api/schemathesis.toml`.
//!
//! Each operation has to be taken (2xx) once at least. One that needs something to have happened before has a record of
//! its own in `fuzz_api/stages.rs`; one that ends what others need comes last (`LAST`).
//!
//! It is the same each time: the seed is fixed. `MANYHANDS_TEST_EXAMPLES` says how many calls are made up for each
//! operation (4 if it is not set; the time it takes grows with it). Needs a Python with schemathesis in
//! `MANYHANDS_TEST_PYTHON`, which `tests/run` provides.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "fuzz_api/people.rs"]
mod people;
#[path = "support/process.rs"]
#[expect(dead_code, reason = "other tests ask more of a process")]
mod process;
#[path = "fuzz_api/stages.rs"]
mod stages;
#[path = "fuzz_api/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use world::{TAKEN, World};

/// How many calls are made up for each operation.
const EXAMPLES: &str = "4";

/// What ends that on which everything else is tried: each line is tried after the others, in a world of its own.
const LAST: [&[&str]; 6] = [
    &["delete_neighbors_self"],
    &["post_neighbors_self_rotate_token"],
    &["delete_volunteers_self"],
    &["post_volunteers_self_rotate_token"],
    &[
        "post_areas",
        "post_neighbors_by_id_block",
        "post_volunteers_by_id_block",
    ],
    &[
        "delete_neighbors_by_id",
        "delete_volunteers_by_id",
        "post_wipe_closed",
    ],
];

/// What is tried of each call by itself, and then along the links.
const ALONE: &str = "examples,coverage,fuzzing";
const ALL: &str = "examples,coverage,fuzzing,stateful";

/// Calls of which none may be taken, and why.
const NEVER_TAKEN: &[(&str, &str)] = &[
    ("GET /v1/events", "it never ends"),
    ("GET /v1/unsubscribe/{token}", "it leads to a page (303)"),
    (
        "POST /v1/letters/{id}/retry",
        "a letter is given up after days",
    ),
];

/// Tries the operations of a tag with the token of a scheme, and sees to it that each was taken once at least: a call
/// that is always refused shows nothing.
#[track_caller]
fn holds(tag: &str, scheme: Option<&str>) {
    let world = World::new(tag);
    let operations = world.operations(tag);
    let mut first = vec![format!("--include-tag={tag}")];
    let last = LAST.concat();
    first.extend(last.iter().map(|id| format!("--exclude-operation-id={id}")));
    run(&world, scheme.map(|s| (s, world.token(s))), ALL, &first);
    let mut taken = world.taken();
    for ids in LAST.iter().filter(|ids| operations.contains_key(ids[0])) {
        let world = World::new(tag);
        let which = ids.iter().map(|id| format!("--include-operation-id={id}"));
        let which: Vec<_> = which.collect();
        run(&world, scheme.map(|s| (s, world.token(s))), ALONE, &which);
        taken.append(&mut world.taken());
    }
    was_taken(&operations, &taken);
}

#[track_caller]
fn was_taken(operations: &BTreeMap<String, String>, taken: &BTreeSet<String>) {
    let is_excepted = |call: &String| NEVER_TAKEN.iter().any(|(never, _)| never == call);
    let all = operations.values();
    let refused: Vec<_> = all
        .filter(|call| !taken.contains(*call) && !is_excepted(call))
        .collect();
    assert!(refused.is_empty(), "never taken: {refused:#?}");
}

#[track_caller]
fn run(world: &World, scheme: Option<(&str, &str)>, phases: &str, which: &[String]) {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz_api");
    let mut config = fs::read_to_string(format!("{here}/schemathesis.toml")).unwrap();
    if let Some((scheme, token)) = scheme {
        let auth = format!("\n[auth.openapi.{scheme}]\nbearer = \"{token}\"\n");
        config.push_str(&auth);
    }
    let path = world.path("schemathesis.toml");
    fs::write(&path, config).unwrap();
    let examples = std::env::var("MANYHANDS_TEST_EXAMPLES");
    let python = std::env::var("MANYHANDS_TEST_PYTHON")
        .unwrap_or_else(|_| panic!("MANYHANDS_TEST_PYTHON: tests/run provides it"));
    let output = Command::new(python)
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(path)
        .arg("run")
        .arg(format!("http://{}/openapi.json", world.public()))
        .arg(format!(
            "--max-examples={}",
            examples.as_deref().unwrap_or(EXAMPLES)
        ))
        .arg(format!("--phases={phases}"))
        .args(which)
        .env("SCHEMATHESIS_HOOKS", format!("{here}/hooks.py"))
        .env("MANYHANDS_TEST_RECORDS", world.records.to_string())
        .env("MANYHANDS_TEST_STAGES", world.stages.to_string())
        .env("MANYHANDS_TEST_TAKEN", world.path(TAKEN))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(world.path("."))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{why}");
    eprintln!("{said}");
}

#[test]
fn what_anyone_may_call_is_as_the_document_says() {
    holds("anyone", Some("confirm"));
}

#[test]
fn what_neighbors_may_call_is_as_the_document_says() {
    holds("neighbor", Some("neighbor"));
}

#[test]
fn what_volunteers_may_call_is_as_the_document_says() {
    holds("volunteer", Some("volunteer"));
}

#[test]
fn what_answers_open_is_as_the_document_says() {
    let world = World::new("answer");
    let operations = world.operations("answer");
    // Each opens one match, in which each act is possible once.
    for (act, token) in &world.answers {
        let mut which = vec![format!("--include-operation-id=post_matches_self_{act}")];
        if *act == "accept" {
            which.push("--include-operation-id=get_matches_self".to_owned());
        }
        // Nothing leads from one answer of an asked volunteer to another.
        run(&world, Some(("answer", token)), ALONE, &which);
    }
    was_taken(&operations, &world.taken());
}

#[test]
fn what_coordinators_may_call_is_as_the_document_says() {
    holds("coordinator", Some("coordinator"));
}
