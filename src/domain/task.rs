//! What a person must do by a time, and what comes of it.

use super::word::words;

words! {
    /// What is to be done.
    TaskKind {
        /// Call a neighbor before anybody is sent to her home.
        Call = "call",
        /// Look at a request for which nobody is left to ask. Done by itself when it is covered or closed,
        /// or when somebody is asked after all.
        Look = "look",
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
        /// Somebody has looked at it, and done what could be done.
        Looked = "looked",
        /// There was no need to do it any more.
        NotNeeded = "not_needed",
    }
    /// How a coordinator ends a task.
    DoneOutcome {
        /// Of a call: she was reached, and her contact counts as checked.
        Reached = "reached",
        /// Of a call: nobody answered.
        Unreachable = "unreachable",
        /// Of a call: she does not want it, or never asked for it.
        Refused = "refused",
        /// Of a look: what could be done was done.
        Looked = "looked",
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

impl DoneOutcome {
    /// How the call ended, if it was one.
    #[must_use]
    pub fn of_call(self) -> Option<CallOutcome> {
        match self {
            Self::Reached => Some(CallOutcome::Reached),
            Self::Unreachable => Some(CallOutcome::Unreachable),
            Self::Refused => Some(CallOutcome::Refused),
            Self::Looked => None,
        }
    }
}
