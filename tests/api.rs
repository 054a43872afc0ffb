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
    mod areas;
    mod audit;
    mod call_first;
    mod capacity;
    mod categories;
    mod deadlines;
    mod erasure;
    mod fairness;
    mod flood;
    mod hostile;
    mod idempotency;
    mod imports;
    mod letters;
    mod location;
    mod mail;
    mod matching;
    mod people;
    mod plan_rules;
    mod plans;
    mod plans_made;
    mod refusals;
    mod reports;
    mod returning;
    mod rounds;
    mod series;
    mod stalker;
    mod tampering;
    mod time;
    mod tokens;
    mod waves;
    mod wipe;
}
mod support;
