//! Manyhands.
pub mod actions;
pub mod app;
pub mod cli;
pub mod crypto;
pub mod domain;
pub mod http;
pub mod mail;
pub mod matching;
pub mod settings;
pub mod storage;
pub mod telemetry;
pub mod workers;
