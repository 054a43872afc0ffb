//! Who could help whom: pure, over domain types, with no database and no clock of its own.
//!
//! `spatial` finds who is near enough, `index` keeps what is open, `eligible` says who may be asked at
//! all, `score` who first, `wave` how many and when, `fairness` how evenly it all falls. What it proposes is
//! decided by the database.

pub mod card;
pub mod eligible;
pub mod fairness;
pub mod index;
pub mod score;
pub mod spatial;
pub mod wave;
