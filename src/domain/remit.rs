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
    /// Those of neighbors whom this coordinator has entered.
    EnteredBy(CoordinatorId),
}

impl Remit {
    /// Whether it holds what this neighbor asks, whom that coordinator entered.
    #[must_use]
    pub fn holds(self, neighbor: NeighborId, entered_by: Option<CoordinatorId>) -> bool {
        match self {
            Self::All => true,
            Self::Neighbor(id) => id == neighbor,
            Self::EnteredBy(id) => entered_by == Some(id),
        }
    }
}
