//! What an operator can set, one file per section. Every section is plain data that `serde` reads
//! (an unknown key is an error) and has a `validate()` that names each key with a dangerous or
//! impossible value.

pub mod mail;
