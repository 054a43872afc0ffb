//! The story of the service, told through its API: one file a chapter.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod api {
    mod access;
    mod agreement;
    mod capacity;
    mod idempotency;
    mod letters;
    mod location;
    mod mail;
    mod matching;
    mod people;
    mod refusals;
    mod stalker;
    mod tokens;
    mod waves;
}
mod support;
