//! The privacy model's machinery: the key ring, sealing of personal parts, keyed hashes, tokens.
//!
//! Nothing here knows a table or a request; callers say what a value is bound to.

pub mod keyring;
pub mod keys;
pub mod lookup;
pub mod opaque;
pub mod seal;
pub mod token;
pub mod vault;
