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
    /// In a series: whether the volunteer has promised, or given, another slot of it. 1 where there is
    /// no series, and for matches made before this counted.
    #[serde(default = "neutral")]
    pub same_helper: f64,
}

fn neutral() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_were_kept_before_there_were_series_are_still_read() {
        let kept = r#"{"proximity": 0.5, "time": 1.0, "capacity": 0.5, "language": 0.0,
            "responsiveness": 0.5, "rotation": 1.0}"#;
        let parts: ScoreParts = serde_json::from_str(kept).unwrap();
        assert_eq!((parts.rotation, parts.same_helper), (1.0, 1.0));
    }
}
