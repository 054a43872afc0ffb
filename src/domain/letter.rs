//! The letters: which there are, and in which order they leave when many wait.

use super::word::words;

words! {
    /// What a letter is about.
    LetterKind {
        /// Asks the volunteer to confirm the address and the offers.
        Confirm = "confirm",
        /// The post has arrived; holds the manage link.
        Received = "received",
        /// The volunteer's offers came from a list; holds the manage link.
        Imported = "imported",
        /// Asks a volunteer for help.
        Asked = "asked",
        /// The volunteer said yes; to both.
        Accepted = "accepted",
        /// Asks the neighbor whether this volunteer may come.
        Agree = "agree",
        /// The neighbor agreed: how to reach each other is behind the link; to both.
        Contact = "contact",
        /// The volunteer arrives at another time; to the neighbor.
        Arrival = "arrival",
        /// The help is due soon; to both.
        Reminder = "reminder",
        /// Asks whether the help was given: both when its time is over, the neighbor when her volunteer says so.
        DidItWork = "did_it_work",
        /// A volunteer has dropped out; others are asked.
        Changed = "changed",
        /// The help is called off.
        CalledOff = "called_off",
        /// Another group looks after the request now; to the neighbor.
        HandedOver = "handed_over",
        /// Somebody else helps already: thank you.
        Covered = "covered",
        /// Nobody found yet.
        NobodyYet = "nobody_yet",
        /// The offer ends soon unless it is renewed.
        Expiring = "expiring",
        /// A match waits for a coordinator.
        ReviewDue = "review_due",
        /// A neighbor is to be called before anybody is asked; to coordinators.
        CallDue = "call_due",
        /// Somebody reported a problem; to coordinators.
        Reported = "reported",
        /// Tasks are late, and nobody is at them; to administrators.
        TasksLate = "tasks_late",
        /// How it stands, in numbers; to coordinators, each morning.
        Digest = "digest",
        /// Tells a webhook that something has changed. No mail.
        Event = "event",
    }
}

/// Letters wait in two lines, each with connections of its own to the mail server, so that a flood of
/// posts from strangers delays nobody whose address is known to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// To people whose address works, or whom a coordinator knows.
    Confirmed,
    /// To addresses that somebody has typed in, and whose owner has not used a link of a letter yet.
    Unconfirmed,
}

impl Lane {
    /// Both, the more important one first.
    pub const ALL: [Self; 2] = [Self::Confirmed, Self::Unconfirmed];

    /// Whether it is the line for unconfirmed addresses.
    #[must_use]
    pub fn is_unconfirmed(self) -> bool {
        self == Self::Unconfirmed
    }
}

impl LetterKind {
    /// Smaller leaves first: what people wait for before what can wait, and mail to addresses that
    /// nobody has confirmed last, so that a flood of those delays no one.
    #[must_use]
    pub fn priority(self) -> i32 {
        match self {
            Self::CalledOff | Self::Contact | Self::Accepted | Self::Agree | Self::Reported => 0,
            Self::Asked | Self::Changed | Self::HandedOver | Self::Arrival | Self::Reminder => 1,
            Self::Covered
            | Self::DidItWork
            | Self::ReviewDue
            | Self::CallDue
            | Self::NobodyYet
            | Self::TasksLate => 2,
            Self::Received | Self::Imported => 3,
            Self::Expiring | Self::Digest => 4,
            Self::Confirm => 5,
            Self::Event => 6,
        }
    }

    /// Whether somebody acts by it within hours: it does not stand in line behind others when it has to wait.
    #[must_use]
    pub fn is_urgent(self) -> bool {
        self.priority() <= 1
    }
}
