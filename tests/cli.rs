//! The program itself, started as an operator starts it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

#[path = "support/server.rs"]
mod server;

mod cli {
    mod audit;
    mod commands;
    mod copy;
    mod events;
    mod headers;
    mod imports;
    mod keys;
    mod on_server;
    mod program;
    mod refusals;
    mod server;
    mod service;
    mod simulate;
    mod slow;
}
