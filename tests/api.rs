//! The story of the service, told through its API: one file a chapter.

#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod api {
    mod agreement;
    mod areas;
    mod call_first;
    mod capacity;
    mod idempotency;
    mod mail;
    mod matching;
    mod people;
    mod refusals;
    mod reports;
    mod waves;
    mod wipe;
}
mod support;
