//! Manyhands matches neighbors who need something with neighbors who can give it: close by, fast, and
//! without putting either at risk.
//!
//! The modules, and the direction in which they may use each other (a test keeps it):
//!
//! ```text
//! main → cli → app → {http, workers} → sheets → bodies → actions → {storage, matching, mail, crypto} → domain
//! ```
//!
//! * [`domain`]: the words as types, pure. [`settings`] is plain data beside it.
//! * [`crypto`]: key ring, sealing, tokens, keyed hashes.
//! * [`storage`]: the database behind two doors, read and write. Nothing else uses diesel.
//! * [`matching`]: who could help whom, pure over domain types. Never imports storage, nor storage it.
//! * [`mail`]: what letters say, and how they leave. Nothing else uses lettre.
//! * [`webhook`]: how events are signed and posted. Nothing else uses ureq.
//! * [`actions`]: one use case, one file, one write transaction with its letters.
//! * [`disk`]: what makes files and directories last. It knows nothing of the rest.
//! * `bodies`: what people send, parsed into domain values with every fault noted. `sheets`: the same from
//!   and to spreadsheets.
//! * [`workers`]: what runs by the clock. [`http`]: what answers people; it reads storage only to show it.
//! * [`app`]: puts it all together. [`cli`]: the command line. [`telemetry`]: logs and metrics.

// The fuzzer brings a `main` of its own.
#![cfg_attr(all(test, fuzzing), no_main)]

pub mod actions;
pub mod app;
mod bodies;
pub mod cli;
pub mod crypto;
pub mod disk;
pub mod domain;
pub mod http;
pub mod mail;
pub mod matching;
pub mod settings;
mod sheets;
pub mod storage;
pub mod telemetry;
pub mod webhook;
pub mod workers;

// Here, because most parsers of what comes from elsewhere are nobody else's business.
#[cfg(test)]
#[path = "../tests/fuzz/mod.rs"]
mod fuzz;
