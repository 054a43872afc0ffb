//! Several instances over one PostgreSQL: what holds for one holds for all of them together, while they are
//! killed and paused, and while the server is restarted or cannot be reached.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

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

#[path = "instances/database.rs"]
mod database;
#[path = "instances/feed.rs"]
mod feed;
#[path = "instances/fleet.rs"]
mod fleet;
#[path = "instances/leases.rs"]
mod leases;
#[path = "instances/load.rs"]
mod load;
#[path = "instances/sealing.rs"]
mod sealing;
#[path = "instances/together.rs"]
mod together;
#[path = "instances/trouble.rs"]
mod trouble;
#[path = "instances/truth.rs"]
mod truth;
