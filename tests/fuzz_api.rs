//! Everything that the OpenAPI document says, tried by schemathesis on the started program: calls that are right and
//! calls that are wrong in every way it can think of, one by one and along the document's links, with each kind of token.
//!
//! Every call has to be answered as the document says, and never with 500; what is wrong has to be refused; a token
//! that is missing or unknown has to be noticed. What does not hold for a call, and why, stands in
//! `fuzz_api/schemathesis.toml`.
//!
//! It is the same each time: the seed is fixed. `MANYHANDS_TEST_EXAMPLES` says how many calls are made up for each
//! operation (4 if it is not set; the time it takes grows with it). Needs a Python with schemathesis in
//! `MANYHANDS_TEST_PYTHON`, which `tests/run` provides.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/process.rs"]
#[expect(dead_code, reason = "other tests ask more of a process")]
mod process;
#[path = "fuzz_api/world.rs"]
mod world;

use std::fs;
use std::process::Command;

use world::World;

/// How many calls are made up for each operation.
const EXAMPLES: &str = "4";
/// Calls that end what everything else is tried on; they are tried last.
const LAST: [&str; 4] = [
    "delete_neighbors_self",
    "post_neighbors_self_rotate_token",
    "delete_volunteers_self",
    "post_volunteers_self_rotate_token",
];

/// What is tried of each call by itself, and then along the links.
const ALONE: &str = "examples,coverage,fuzzing";
const ALL: &str = "examples,coverage,fuzzing,stateful";

/// Tries the operations of a tag with the token of a scheme.
#[track_caller]
fn holds(tag: &str, scheme: Option<&str>) {
    let world = World::new();
    let mut first = vec![format!("--include-tag={tag}")];
    first.extend(LAST.map(|id| format!("--exclude-operation-id={id}")));
    // Nothing leads from one answer of an asked volunteer to another.
    let phases = if tag == "answer" { ALONE } else { ALL };
    run(&world, scheme, phases, &first);
    let own = format!("_{tag}s_");
    for id in LAST {
        if id.contains(&own) {
            let which = [format!("--include-operation-id={id}")];
            // Each on people who are still there.
            run(&World::new(), scheme, ALONE, &which);
        }
    }
}

#[track_caller]
fn run(world: &World, scheme: Option<&str>, phases: &str, which: &[String]) {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz_api");
    let mut config = fs::read_to_string(format!("{here}/schemathesis.toml")).unwrap();
    if let Some(scheme) = scheme {
        let token = world.token(scheme);
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
    holds("anyone", None);
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
    holds("answer", Some("answer"));
}

#[test]
fn what_coordinators_may_call_is_as_the_document_says() {
    holds("coordinator", Some("coordinator"));
}
