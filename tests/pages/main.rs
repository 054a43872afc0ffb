//! The pages behind the links, as people and mail scanners use them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answer;
mod browse;
mod codes;
#[path = "../support/forms.rs"]
mod forms;
mod neighbor;
mod posting;
#[path = "../support/ring.rs"]
mod ring;
#[path = "../support/pages.rs"]
mod town;
mod volunteer;
