//! Letters on their way out: how one is written as an e-mail and how it leaves.
//!
//! Nothing here decides whether a letter should be sent, repeated or given up; the outbox worker
//! does, with what [`transport::SendError`] tells it. Nothing here logs, since all that passes
//! through is somebody's. `lettre` is used in this module only, and without its `tracing` feature:
//! that one writes whole messages, addresses and the password to the log.
//!
//! To add a way out, add a file under `transport/` and a variant in [`transport::Transport`].

pub mod message;
pub mod transport;
