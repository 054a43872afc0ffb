//! The story of the service, told through its API: one file a chapter.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod api {
    mod abuse;
    mod access;
    mod after;
    mod agreement;
    mod alike;
    mod apart;
    mod areas;
    mod audit;
    mod busy;
    mod call_first;
    mod callers;
    mod capacity;
    mod categories;
    mod clock_edges;
    mod deadlines;
    mod digest;
    mod erasure;
    mod fairness;
    mod find;
    mod flood;
    mod handing_over;
    mod hands;
    mod hostile;
    mod idempotency;
    mod imports;
    mod intake;
    mod leaving;
    mod letters;
    mod limited;
    mod location;
    mod mail;
    mod matching;
    mod merging;
    mod more_or_less;
    mod people;
    mod phone;
    mod plan_rules;
    mod plans;
    mod plans_made;
    mod refusals;
    mod reports;
    mod returning;
    mod rounds;
    mod series;
    mod sites;
    mod stalker;
    mod stats;
    mod tampering;
    mod task_calls;
    mod task_desk;
    mod tasks;
    mod time;
    mod tokens;
    mod undo_done;
    mod undo_imports;
    mod undoing;
    mod waves;
    mod webhooks;
    mod wipe;
    mod within;
}
mod support;
