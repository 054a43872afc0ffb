//! Several instances over one PostgreSQL: what holds for one holds for all of them together, while they are
//! killed and paused, and while the server is restarted or cannot be reached.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[expect(dead_code, reason = "every kind of test uses another part of it")]
#[path = "support/cluster.rs"]
mod cluster;
#[expect(dead_code, reason = "every kind of test uses another part of it")]
#[path = "support/process.rs"]
mod process;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/sink.rs"]
mod sink;
mod support;

mod instances {
    mod clocks;
    mod database;
    mod feed;
    mod fleet;
    mod leases;
    mod load;
    mod sealing;
    mod together;
    mod trouble;
    mod truth;
}
