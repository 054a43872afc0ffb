//! Manyhands.
pub mod domain;
