//! What one side of a match reports of the other.

use super::word::words;

words! {
    /// What is reported.
    #[schema(as = ReportedProblem)]
    Problem {
        /// Somebody felt unsafe.
        Unsafe = "unsafe",
        /// The person is not who they said.
        NotWhoTheySaid = "not_who_they_said",
        /// Money was asked for.
        AskedForMoney = "asked_for_money",
        /// Anything else.
        Other = "other",
    }
    /// Who reported it.
    Reporter {
        /// The neighbor.
        Neighbor = "neighbor",
        /// The volunteer.
        Volunteer = "volunteer",
        /// A coordinator who heard of it.
        Coordinator = "coordinator",
    }
    /// One of the two that a match brings together.
    Side {
        /// Who asks.
        Neighbor = "neighbor",
        /// Who offers.
        Volunteer = "volunteer",
    }
}

impl Side {
    /// The other of the two.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Neighbor => Self::Volunteer,
            Self::Volunteer => Self::Neighbor,
        }
    }
}
