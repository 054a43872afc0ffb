//! Who could help whom: pure, over domain types, with no database and no clock of its own.
//!
//! `spatial` finds who is near enough, `posts` keeps one side of what is open and `index` both, `eligible` says who may be asked at
//! all, `judge` who may be asked now, `score` who first, `wave` how many and when, `hours` at which hours,
//! `plan` (over `flow`) who for whom at once, `fairness` how evenly it all falls. What it proposes is decided by the database.

pub mod card;
pub mod eligible;
pub mod fairness;
pub mod flow;
pub mod hours;
pub mod index;
pub mod judge;
pub mod passed;
pub mod plan;
pub mod posts;
pub mod score;
mod shared;
pub mod spatial;
pub mod wave;
