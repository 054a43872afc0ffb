//! What a person must do by a time, and what comes of it.
//!
//! To add a kind: its word here, what leaves it in `actions::leave_tasks`, what ends it in
//! `actions::end_tasks`, and which call does it in `http::views::coordinator::task`.

use super::word::words;

words! {
    /// What is to be done.
    TaskKind {
        /// Call a neighbor before anybody is sent to her home.
        Call = "call",
        /// Tell a neighbor whom no letter reaches the news.
        Tell = "tell",
        /// Ask a neighbor whom no letter reaches whether she agrees to a volunteer.
        Ask = "ask",
        /// Look at a request for which nobody is left to ask. Done by itself when it is covered or closed,
        /// or when somebody is asked after all.
        Look = "look",
        /// Decide on a match that waits for a coordinator.
        Review = "review",
        /// Check a public place, and list it.
        SiteCheck = "site_check",
        /// Look into what somebody reported.
        Report = "report",
        /// See to a letter that cannot be delivered.
        DeadLetter = "dead_letter",
        /// Find out whether help was given that was promised: neither side has said how it went.
        FollowUp = "follow_up",
        /// Find out what happened: a volunteer says that the help was given, the neighbor that nobody came.
        Dispute = "dispute",
        /// Look at a volunteer who did not come, and not for the first time.
        VolunteerCheck = "volunteer_check",
    }
    /// Where a task stands.
    TaskState {
        /// To be done.
        Open = "open",
        /// Done, or not needed any more.
        Done = "done",
    }
    /// In which order tasks are listed.
    TaskOrder {
        /// Those that came up last, first.
        Newest = "newest",
        /// Those that are due soonest, first.
        Due = "due",
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
        /// What it asked for was done, by the call that does it.
        Done = "done",
        /// There was no need to do it any more.
        NotNeeded = "not_needed",
        /// The help was given.
        Helped = "helped",
        /// The help was not given.
        NotHelped = "not_helped",
        /// Nobody could find out.
        Unknown = "unknown",
    }
    /// How a coordinator ends a task.
    DoneOutcome {
        /// Of a call: she was reached, and her contact counts as checked. Of news: she was told.
        Reached = "reached",
        /// Of a call, or of news: she cannot be reached, and nobody tries again.
        Unreachable = "unreachable",
        /// Of a call, of news or of a question: nobody answered. It stays to be done, by whoever takes it, and is due
        /// again after a while.
        NoAnswer = "no_answer",
        /// Of a call: she does not want it, or never asked for it.
        Refused = "refused",
        /// Of a look, of a letter that cannot be delivered, of two stories that differ, or of a volunteer who did not
        /// come: what could be done was done.
        Looked = "looked",
        /// Of a promise that nobody said anything of: the help was given.
        Helped = "helped",
        /// Of such a promise: the help was not given. The search goes on while there is time, or it ends as unmet.
        NotHelped = "not_helped",
        /// Of such a promise: nobody could find out. It counts as kept after a while.
        Unknown = "unknown",
    }
    /// How a follow-up ended.
    FollowUpOutcome {
        /// The help was given.
        Helped = "helped",
        /// The help was not given.
        NotHelped = "not_helped",
        /// Nobody could find out.
        Unknown = "unknown",
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

impl TaskKind {
    /// Whether it ends by saying so, and nothing else happens; that can be undone.
    #[must_use]
    pub fn is_marked(self) -> bool {
        matches!(
            self,
            Self::Tell | Self::Look | Self::DeadLetter | Self::Dispute | Self::VolunteerCheck
        )
    }

    /// Whether a neighbor is called for it.
    #[must_use]
    pub fn is_call(self) -> bool {
        matches!(self, Self::Call | Self::Tell | Self::Ask)
    }

    /// Whether it ends by a call of its own, and not by saying that it was done.
    #[must_use]
    pub fn has_its_act(self) -> bool {
        matches!(
            self,
            Self::Ask | Self::Review | Self::SiteCheck | Self::Report
        )
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

impl From<FollowUpOutcome> for TaskOutcome {
    fn from(outcome: FollowUpOutcome) -> Self {
        match outcome {
            FollowUpOutcome::Helped => Self::Helped,
            FollowUpOutcome::NotHelped => Self::NotHelped,
            FollowUpOutcome::Unknown => Self::Unknown,
        }
    }
}

impl From<CallOutcome> for DoneOutcome {
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
            _ => None,
        }
    }

    /// What was found out, if it was a follow-up.
    #[must_use]
    pub fn of_follow_up(self) -> Option<FollowUpOutcome> {
        match self {
            Self::Helped => Some(FollowUpOutcome::Helped),
            Self::NotHelped => Some(FollowUpOutcome::NotHelped),
            Self::Unknown => Some(FollowUpOutcome::Unknown),
            _ => None,
        }
    }

    /// What comes of a task of that kind that merely ends; none where the word says nothing of such a one.
    #[must_use]
    pub fn of_marked(self, kind: TaskKind) -> Option<TaskOutcome> {
        match (kind, self) {
            (TaskKind::Tell, Self::Reached) => Some(TaskOutcome::Reached),
            (TaskKind::Tell, Self::Unreachable) => Some(TaskOutcome::Unreachable),
            (
                TaskKind::Look
                | TaskKind::DeadLetter
                | TaskKind::Dispute
                | TaskKind::VolunteerCheck,
                Self::Looked,
            ) => Some(TaskOutcome::Looked),
            _ => None,
        }
    }
}
