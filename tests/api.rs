//! The story of the service, told through its API: one file a chapter.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod api {
    mod abuse;
    mod access;
    mod agreement;
    mod alike;
    mod audit;
    mod capacity;
    mod erasure;
    mod flood;
    mod hostile;
    mod idempotency;
    mod letters;
    mod location;
    mod mail;
    mod matching;
    mod people;
    mod refusals;
    mod stalker;
    mod tampering;
    mod tokens;
    mod waves;
}
mod support;
