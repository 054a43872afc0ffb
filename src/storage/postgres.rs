//! A PostgreSQL server: where it is, how it may be spoken to, two pools, and transactions that are run
//! again when others were in their way.
//!
//! Nothing is believed of a connection that the server does not confirm: whether it is encrypted is
//! asked of the session itself, not read from a setting.

mod pool;
mod server;
mod session;
mod survey;

pub(super) use pool::Pools;
pub use server::{HAS_TLS, Server, ServerError, ServerOptions};
pub use session::Session;
pub use survey::{Survey, survey};
