//! What callers are shown. A view is made for one kind of caller and holds only what that one may see.

pub mod answer;
pub mod coordinator;
pub mod matched;
pub mod neighbor;
pub mod offer;
pub mod released;
pub mod request;
pub mod undo;
pub mod volunteer;
