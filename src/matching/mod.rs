//! Which neighbor and which volunteer suit each other.
//!
//! Pure, over domain types: no database, no web, no I/O, no clock and no randomness of its own. It
//! proposes; whether a match comes about is decided by the database in one transaction. Only here
//! may the spatial tree's crate be used.
//!
//! To add a step of matching, add a file named after its idea.

pub mod spatial;
