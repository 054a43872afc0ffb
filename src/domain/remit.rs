//! Whose requests somebody may see and work on.

use super::ids::{CoordinatorId, NeighborId};

/// Whose requests somebody may see and work on. Whatever leads from an id in a call to a request, a match or
/// a neighbor takes one, so that none can be reached without it being decided. Coordinators for some
/// categories or areas only are held back before that, by `http::part`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remit {
    /// Everybody's.
    All,
    /// Her own.
    Neighbor(NeighborId),
    /// Those of neighbors whom this coordinator has entered, or whom an open task is about that they have.
    EnteredBy(CoordinatorId),
}
