//! How a message reaches a webhook: what is signed, where it may go, and the one POST that takes it there.
//!
//! Signed as <https://www.standardwebhooks.com> says. Whoever registers an address must not reach by it what only
//! this machine can reach, so the address is looked at each time a connection is opened, and no redirect and no proxy
//! leads elsewhere. Nothing here logs an address, and what goes wrong is told as a class of errors.

pub mod address;
pub mod client;
pub mod sign;
