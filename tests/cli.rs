//! The program itself, started as an operator starts it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

mod cli {
    mod audit;
    mod commands;
    mod headers;
    mod keys;
    mod program;
    mod refusals;
    mod service;
    mod slow;
}
