//! The story of the service, told through its API: one file a chapter.

#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod api {
    mod abuse;
    mod agreement;
    mod alike;
    mod audit;
    mod capacity;
    mod erasure;
    mod flood;
    mod hostile;
    mod idempotency;
    mod mail;
    mod matching;
    mod people;
    mod refusals;
    mod tampering;
    mod waves;
}
mod support;
