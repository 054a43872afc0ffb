//! Plans: who would help whom when there is not enough.

use serde::{Deserialize, Serialize};

use super::word::words;

words! {
    /// What became of a pair of a plan.
    PairState {
        /// Nothing yet.
        Planned = "planned",
        /// The volunteer is asked, or a coordinator is.
        Applied = "applied",
        /// It was not true any more.
        Skipped = "skipped",
    }
    /// Why a pair of a plan was skipped.
    SkipReason {
        /// The request is covered, closed, hidden or past, or waits for a call.
        RequestNotOpen = "request_not_open",
        /// The request is not the one any more that was planned for.
        RequestChanged = "request_changed",
        /// The offer is closed, paused, or its volunteer is not asked any more.
        OfferNotOpen = "offer_not_open",
        /// The two do not fit together any more, or too little is left.
        DoesNotFit = "does_not_fit",
        /// They have a match, or are not to be brought together again.
        PairTaken = "pair_taken",
        /// The volunteer has as many asks as one may have.
        VolunteerBusy = "volunteer_busy",
        /// It is no hour at which the volunteer is asked.
        NotNow = "not_now",
        /// Nothing is matched in that area for now.
        AreaFrozen = "area_frozen",
    }
}

/// What one way of bringing people together achieves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Requests that are covered, all of them or in part.
    pub requests: i64,
    /// Units of what they need.
    pub units: i64,
    /// The same, each counted with its weight.
    pub weighted: i64,
    /// Meters between those who are brought together, over all units.
    pub distance_m: i64,
}

/// What a plan achieves, and what it was made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reckoning {
    /// The plan.
    pub plan: Figures,
    /// One request after the other, the most urgent first, each with its best offer.
    pub greedy: Figures,
    /// Requests that were looked at.
    pub requests: i64,
    /// Those of them that nobody can serve.
    pub stranded: i64,
}
