//! Manyhands.
pub mod domain;
pub mod settings;
