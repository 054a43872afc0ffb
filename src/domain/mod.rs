//! The words of Manyhands as types: parsed once at the edge and never wrong inside.
//!
//! Pure: no database, no web, no I/O, no ambient clock and no ambient randomness. Every other
//! module may use this one; this one uses none of them.
//!
//! To add a word, add a file named after it.

pub mod area;
pub mod attribute;
pub mod availability;
pub mod category;
pub mod clock;
pub mod contact;
pub mod digest;
pub mod entropy;
pub mod event;
pub mod fact;
pub mod gazetteer;
pub mod host;
pub mod ids;
pub mod import;
pub mod lease;
pub mod letter;
pub mod lifecycle;
pub mod limits;
pub mod morning;
pub mod need;
pub mod note;
pub mod occupancy;
pub mod part;
pub mod place;
pub mod plan;
pub mod remit;
pub mod report;
pub mod rests;
pub mod round;
pub mod score;
pub mod secret;
pub mod task;
pub mod upward;
pub mod webhook;
pub(crate) mod word;
