//! What clients send, and how it becomes domain values: parsed once, here, with every fault noted.

pub mod contact;
pub mod entry;
pub mod faults;
pub mod location;
pub mod need;
pub mod offer;
pub mod slots;
pub mod task;
pub mod text;
pub mod webhook;
