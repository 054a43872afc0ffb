//! What a person must do by a time, and what comes of it.

use super::word::words;

words! {
    /// What is to be done.
    TaskKind {
        /// Call a neighbor before anybody is sent to her home.
        Call = "call",
    }
    /// Where a task stands.
    TaskState {
        /// To be done.
        Open = "open",
        /// Done, or not needed any more.
        Done = "done",
    }
    /// What came of it.
    TaskOutcome {
        /// The person was reached.
        Reached = "reached",
        /// Nobody answered.
        Unreachable = "unreachable",
        /// The person does not want it.
        Refused = "refused",
        /// There was no need to do it any more.
        NotNeeded = "not_needed",
    }
    /// How a call ended.
    CallOutcome {
        /// She was reached: her contact counts as checked.
        Reached = "reached",
        /// Nobody answered.
        Unreachable = "unreachable",
        /// She does not want it, or never asked for it.
        Refused = "refused",
    }
}

impl From<CallOutcome> for TaskOutcome {
    fn from(outcome: CallOutcome) -> Self {
        match outcome {
            CallOutcome::Reached => Self::Reached,
            CallOutcome::Unreachable => Self::Unreachable,
            CallOutcome::Refused => Self::Refused,
        }
    }
}
