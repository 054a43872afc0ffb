//! The database: tables, queries, and the two doors through which everything else reaches them.
//!
//! Storage knows rows and conditions; which of them make a use case is decided in `actions`. It never
//! sends a letter, never matches, never renders. To add a table: a migration for each backend, its
//! columns in `schema`, one file here named after it with `X` to read and `NewX` to write; one with a
//! `sealed` column is named in `sealed` as well, or its keys could not be renewed.

pub mod activity;
pub mod ahead;
pub mod areas;
pub mod audit;
pub mod audit_chain;
pub mod backup;
pub mod blocks;
pub mod capacity;
pub mod changes;
pub mod clocks;
pub mod connection;
pub mod coordinators;
pub mod copy;
pub mod db;
pub mod departures;
mod dialect;
pub mod digest;
pub mod distinct;
pub mod duplicates;
pub mod error;
pub mod facts;
pub mod idempotency;
pub mod imports;
pub mod instances;
pub mod key_epochs;
pub mod letters;
pub mod matches;
pub mod meta;
pub mod neighbors;
pub mod notices;
pub mod offers;
mod outage;
pub mod page;
mod part;
pub mod plans;
pub mod postgres;
pub mod reach;
pub mod reports;
pub mod requests;
pub mod rounds;
pub mod schema;
pub mod sealed;
pub mod sites;
pub mod sql_types;
mod sqlite;
pub mod statistics;
pub mod tasks;
pub mod tokens;
mod turnstile;
pub mod volunteers;
pub mod webhooks;
mod writer;

pub use connection::{Conn, DatabaseUrl};
pub use db::Db;
pub use error::{StorageError, TxError};
