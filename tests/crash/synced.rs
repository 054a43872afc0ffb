//! What it means that a 201 is on disk: in the trace of a service under load, each answer is sent after the system
//! has answered a sync of the log that was asked for after the post's own row had been written to it.

use std::path::Path;
use std::thread;

use serde_json::{Value, json};

use super::place::Place;
use super::strace::Strace;
use crate::process::Server;

const POSTERS: usize = 6;
const POSTS: usize = 8;
const CALLS: &str = "trace=pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg";

/// One call that a thread has made.
#[derive(Debug)]
struct Said<'a> {
    call: &'a str,
    text: &'a str,
    /// The end of the line that tells what came of it.
    outcome: &'a str,
    /// Lines of the trace.
    begun: usize,
    ended: usize,
}

/// The calls in a trace. A thread that was overtaken in one has its end on a line of its own.
fn calls(trace: &str) -> Vec<Said<'_>> {
    let mut all: Vec<Said<'_>> = Vec::new();
    let mut open: Vec<(&str, usize)> = Vec::new();
    for (line, text) in trace.lines().enumerate() {
        let Some((thread, text)) = text.split_once(' ') else {
            continue;
        };
        let text = text.trim_start();
        if text.starts_with("<... ") {
            if let Some(at) = open.iter().position(|(of, _)| *of == thread) {
                let (_, nth) = open.remove(at);
                all[nth].ended = line;
                all[nth].outcome = text;
            }
        } else if let Some((call, _)) = text.split_once('(') {
            let is_open = text.ends_with("<unfinished ...>");
            let ended = if is_open { usize::MAX } else { line };
            if is_open {
                open.push((thread, all.len()));
            }
            all.push(Said {
                call,
                text,
                outcome: text,
                begun: line,
                ended,
            });
        }
    }
    all
}

/// Bytes as `strace -xx` shows them.
fn shown(bytes: impl IntoIterator<Item = u8>) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for byte in bytes {
        write!(text, "\\x{byte:02x}").unwrap();
    }
    text
}

/// The ids whose answer left before their rows were synced.
fn too_early<'a>(trace: &str, ids: &'a [String]) -> Vec<&'a String> {
    let calls = calls(trace);
    let log = shown(*b"-wal>").replace(&shown(*b">"), ">");
    let of_log: Vec<&Said<'_>> = calls
        .iter()
        .filter(|said| said.text.contains(&log))
        .collect();
    let answer = shown(*b"HTTP/1.1 201");
    let answers: Vec<&Said<'_>> = calls
        .iter()
        .filter(|said| said.text.contains(&answer))
        .collect();
    let is_early = |id: &&String| {
        let raw = uuid::Uuid::parse_str(id).unwrap().into_bytes();
        let (row, text) = (shown(raw), shown(id.bytes()));
        let written = of_log
            .iter()
            .find(|said| said.call == "pwrite64" && said.text.contains(&row));
        let written = written.unwrap_or_else(|| panic!("{id} is not in the log"));
        let sent = answers.iter().find(|said| said.text.contains(&text));
        let sent = sent.unwrap_or_else(|| panic!("{id} was not answered"));
        !of_log.iter().any(|said| {
            let is_sync =
                matches!(said.call, "fsync" | "fdatasync") && said.outcome.ends_with(" = 0");
            is_sync && said.begun > written.ended && said.ended < sent.begun
        })
    };
    ids.iter().filter(is_early).collect()
}

fn body(email: &str) -> Value {
    json!({"contact": {"name": "Mo", "email": email}, "location": {"lat": 44.97, "lon": -93.26},
           "needs": [{"category": "food", "quantity": 2}]})
}

/// Many post at once; gives the ids that they were answered.
fn posts(server: &Server, name: &str) -> Vec<String> {
    let post_on = |n: usize| {
        let post = move |i: usize| {
            let email = format!("{name}{n}-{i}@example.org");
            let answer = server.post("/v1/requests", &[], &body(&email)).unwrap();
            assert_eq!(answer.status, 201, "{answer:?}");
            answer.body["requests"][0]["id"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        (0..POSTS).map(post).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..POSTERS)
            .map(|n| scope.spawn(move || post_on(n)))
            .collect();
        all.into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    })
}

fn traced(server: &Server, out: &Path, more: &[&str], name: &str) -> (String, Vec<String>) {
    let arguments = [&["-xx", "-s", "5000", "-e", CALLS], more].concat();
    let strace = Strace::attach(server.id(), out, &arguments);
    let ids = posts(server, name);
    (strace.leave(), ids)
}

#[test]
fn each_answer_leaves_after_the_sync_of_what_it_says() {
    let place = Place::new(None);
    let server = place.serve();
    let (trace, ids) = traced(&server, &place.dir().join("trace"), &[], "a");
    assert_eq!(ids.len(), POSTERS * POSTS);
    let early = too_early(&trace, &ids);
    assert!(
        early.is_empty(),
        "{} of {} answers left too early",
        early.len(),
        ids.len()
    );
    let syncs = calls(&trace)
        .iter()
        .filter(|said| said.call == "fsync")
        .count();
    println!("{} answers, none before its sync; {syncs} syncs", ids.len());

    // The same look finds what it looks for: syncs that are told to be done, and never reach the system.
    let skipped = ["-e", "inject=fsync,fdatasync:retval=0"];
    let (trace, ids) = traced(&server, &place.dir().join("lie"), &skipped, "b");
    let early = too_early(&trace, &ids);
    assert_eq!(
        early.len(),
        ids.len(),
        "it sees no answer that leaves too early"
    );
}
