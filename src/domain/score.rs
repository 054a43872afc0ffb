//! Why one match is better than another.

use serde::{Deserialize, Serialize};

/// The parts of a match's score, each from 0 (worst) to 1 (best), kept with the match and shown to
/// coordinators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScoreParts {
    /// Nearness, relative to the reach.
    pub proximity: f64,
    /// How much of the time needed is covered.
    pub time: f64,
    /// How well the free capacity fits the need.
    pub capacity: f64,
    /// A language in common, the neighbor's first choice counting most.
    pub language: f64,
    /// How often the volunteer answered when asked.
    pub responsiveness: f64,
    /// How long the volunteer has not been asked.
    pub rotation: f64,
}
