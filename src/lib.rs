//! Manyhands.
pub mod domain;
pub mod matching;
