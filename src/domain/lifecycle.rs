//! The states of requests, offers and matches, and every way from one to another.
//!
//! A transition is a function of the state: it gives the next state, or says that it was made
//! already (repeating it is no error), or that it is not possible from here. The database repeats
//! the condition in its `UPDATE`; these functions are what the condition is made from.

use super::word::words;

words! {
    /// Where a request stands.
    RequestState {
        /// Needs help.
        Open = "open",
        /// All of it is promised.
        Covered = "covered",
        /// Hidden by a coordinator or by the neighbor.
        Held = "held",
        /// Over.
        Closed = "closed",
    }
    /// Where an offer stands.
    OfferState {
        /// The e-mail address has not been confirmed.
        Unconfirmed = "unconfirmed",
        /// May be asked.
        Open = "open",
        /// Not to be asked for now.
        Paused = "paused",
        /// Over.
        Closed = "closed",
    }
    /// Where a match stands.
    MatchState {
        /// Waits for a coordinator's review.
        Proposed = "proposed",
        /// The volunteer is asked.
        Notified = "notified",
        /// The volunteer said yes; it counts as cover.
        Accepted = "accepted",
        /// The help was given.
        Fulfilled = "fulfilled",
        /// The volunteer said no.
        Declined = "declined",
        /// No answer in time.
        Lapsed = "lapsed",
        /// A coordinator said no.
        Vetoed = "vetoed",
        /// Not needed any more, or not possible any more.
        Superseded = "superseded",
        /// Was accepted, and came to nothing.
        FellThrough = "fell_through",
    }
    /// Whether the neighbor agreed to the volunteer, where that is needed.
    Agreement {
        /// Not needed.
        None = "none",
        /// Waited for.
        Pending = "pending",
        /// Yes.
        Agreed = "agreed",
        /// No.
        Refused = "refused",
    }
    /// Why an accepted match came to nothing.
    FallReason {
        /// The volunteer gave it back.
        Released = "released",
        /// The neighbor refused the volunteer.
        Refused = "refused",
        /// The neighbor did not answer in time.
        NotAgreed = "not_agreed",
        /// Somebody did not come.
        NoShow = "no_show",
        /// The request or the offer was called off.
        CalledOff = "called_off",
    }
    /// Why a request was closed.
    CloseReason {
        /// Helped through Manyhands.
        HelpedHere = "helped_here",
        /// Helped by others.
        HelpedElsewhere = "helped_elsewhere",
        /// Not needed any more.
        NotNeeded = "not_needed",
        /// Its time went by without help.
        Unmet = "unmet",
        /// The neighbor could not be reached.
        Unreachable = "unreachable",
        /// The same need was posted twice.
        Duplicate = "duplicate",
        /// Another group took it over.
        HandedOver = "handed_over",
    }
    /// Why a volunteer declined.
    DeclineReason {
        /// Not at this time.
        NotNow = "not_now",
        /// Too far.
        TooFar = "too_far",
        /// It seems unsafe.
        Unsafe = "unsafe",
        /// Not for this person; the pair is never proposed again.
        NotThisPerson = "not_this_person",
    }
    /// Why a request needs a coordinator's attention.
    Attention {
        /// No offer can reach it.
        NoneInReach = "none_in_reach",
        /// Everyone in reach was asked, does not fit, or cannot be asked now.
        AllAsked = "all_asked",
        /// A match waits too long for its review.
        ReviewLate = "review_late",
        /// The neighbor cannot be reached.
        Unreachable = "unreachable",
        /// She is to be called before anybody is asked.
        CallBack = "call_back",
    }
}

/// What a transition does from a given state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<S> {
    /// Go to this state.
    To(S),
    /// It was made already: answer as if it had just been made, and change nothing.
    AlreadyMade,
    /// Not possible from here.
    Impossible,
}

impl MatchState {
    /// Active matches count as the one that a request and an offer may have together.
    pub const ACTIVE: [Self; 3] = [Self::Proposed, Self::Notified, Self::Accepted];

    /// Whether the match may still come to something by itself.
    #[must_use]
    pub fn is_active(self) -> bool {
        Self::ACTIVE.contains(&self)
    }

    /// A coordinator approves the proposal.
    #[must_use]
    pub fn approve(self) -> Step<Self> {
        match self {
            Self::Proposed => Step::To(Self::Notified),
            Self::Notified | Self::Accepted | Self::Fulfilled => Step::AlreadyMade,
            _ => Step::Impossible,
        }
    }

    /// A coordinator refuses the proposal or stops the ask.
    #[must_use]
    pub fn veto(self) -> Step<Self> {
        match self {
            Self::Proposed | Self::Notified => Step::To(Self::Vetoed),
            Self::Vetoed => Step::AlreadyMade,
            _ => Step::Impossible,
        }
    }

    /// The volunteer says yes; also late ("I can, after all").
    #[must_use]
    pub fn accept(self) -> Step<Self> {
        match self {
            Self::Notified | Self::Declined | Self::Lapsed => Step::To(Self::Accepted),
            Self::Accepted | Self::Fulfilled => Step::AlreadyMade,
            _ => Step::Impossible,
        }
    }

    /// The volunteer says no.
    #[must_use]
    pub fn decline(self) -> Step<Self> {
        match self {
            Self::Notified | Self::Lapsed => Step::To(Self::Declined),
            Self::Declined => Step::AlreadyMade,
            _ => Step::Impossible,
        }
    }

    /// The time for the answer is over.
    #[must_use]
    pub fn lapse(self) -> Step<Self> {
        match self {
            Self::Notified => Step::To(Self::Lapsed),
            Self::Lapsed => Step::AlreadyMade,
            _ => Step::Impossible,
        }
    }

    /// Need or capacity is used up elsewhere.
    #[must_use]
    pub fn supersede(self) -> Step<Self> {
        match self {
            Self::Proposed | Self::Notified => Step::To(Self::Superseded),
            Self::Superseded => Step::AlreadyMade,
            _ => Step::Impossible,
        }
    }

    /// An accepted match comes to nothing.
    #[must_use]
    pub fn fall_through(self) -> Step<Self> {
        match self {
            Self::Accepted => Step::To(Self::FellThrough),
            Self::FellThrough => Step::AlreadyMade,
            _ => Step::Impossible,
        }
    }

    /// The help was given.
    #[must_use]
    pub fn fulfil(self) -> Step<Self> {
        match self {
            Self::Accepted => Step::To(Self::Fulfilled),
            Self::Fulfilled => Step::AlreadyMade,
            _ => Step::Impossible,
        }
    }

    /// That the help was given is taken back: it is promised as before.
    #[must_use]
    pub fn undo_done(self) -> Step<Self> {
        match self {
            Self::Fulfilled => Step::To(Self::Accepted),
            Self::Accepted => Step::AlreadyMade,
            _ => Step::Impossible,
        }
    }
}

impl Agreement {
    /// Whether contacts of an accepted match may be released.
    #[must_use]
    pub fn releases(self) -> bool {
        matches!(self, Self::None | Self::Agreed)
    }

    /// The neighbor says yes; where nobody asked her to, it is her wish to share her address too.
    #[must_use]
    pub fn agree(self) -> Step<Self> {
        match self {
            Self::None | Self::Pending => Step::To(Self::Agreed),
            Self::Agreed => Step::AlreadyMade,
            Self::Refused => Step::Impossible,
        }
    }

    /// The neighbor says no.
    #[must_use]
    pub fn refuse(self) -> Step<Self> {
        match self {
            Self::Pending => Step::To(Self::Refused),
            Self::Refused => Step::AlreadyMade,
            Self::None | Self::Agreed => Step::Impossible,
        }
    }
}

impl RequestState {
    /// Whether the neighbor or a coordinator may still change it.
    #[must_use]
    pub fn is_live(self) -> bool {
        self != Self::Closed
    }
}

impl OfferState {
    /// The volunteer pauses the offer.
    #[must_use]
    pub fn pause(self) -> Step<Self> {
        match self {
            Self::Open => Step::To(Self::Paused),
            Self::Paused => Step::AlreadyMade,
            Self::Unconfirmed | Self::Closed => Step::Impossible,
        }
    }

    /// The volunteer resumes the offer.
    #[must_use]
    pub fn resume(self) -> Step<Self> {
        match self {
            Self::Paused => Step::To(Self::Open),
            Self::Open => Step::AlreadyMade,
            Self::Unconfirmed | Self::Closed => Step::Impossible,
        }
    }

    /// The volunteer closes the offer.
    #[must_use]
    pub fn close(self) -> Step<Self> {
        match self {
            Self::Closed => Step::AlreadyMade,
            Self::Unconfirmed | Self::Open | Self::Paused => Step::To(Self::Closed),
        }
    }

    /// A close is undone.
    #[must_use]
    pub fn reopen(self) -> Step<Self> {
        match self {
            Self::Closed => Step::To(Self::Open),
            Self::Open | Self::Paused => Step::AlreadyMade,
            Self::Unconfirmed => Step::Impossible,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Transition = fn(MatchState) -> Step<MatchState>;
    const TRANSITIONS: [Transition; 8] = [
        MatchState::approve,
        MatchState::veto,
        MatchState::accept,
        MatchState::decline,
        MatchState::lapse,
        MatchState::supersede,
        MatchState::fall_through,
        MatchState::fulfil,
    ];

    #[test]
    fn a_transition_made_twice_is_made_once() {
        for state in MatchState::ALL {
            for transition in TRANSITIONS {
                if let Step::To(next) = transition(*state) {
                    assert_eq!(transition(next), Step::AlreadyMade, "{state} -> {next}");
                }
            }
        }
    }

    #[test]
    fn only_a_done_is_taken_back() {
        for state in MatchState::ALL {
            let is_made = matches!(state.undo_done(), Step::To(MatchState::Accepted));
            assert_eq!(is_made, *state == MatchState::Fulfilled, "{state}");
        }
    }

    #[test]
    fn nothing_leads_out_of_an_end() {
        for end in [
            MatchState::Fulfilled,
            MatchState::Vetoed,
            MatchState::Superseded,
            MatchState::FellThrough,
        ] {
            for transition in TRANSITIONS {
                assert!(!matches!(transition(end), Step::To(_)), "{end}");
            }
        }
    }

    #[test]
    fn only_an_accepted_match_is_reached_by_a_yes() {
        for state in MatchState::ALL {
            for transition in TRANSITIONS {
                if transition(*state) == Step::To(MatchState::Accepted) {
                    assert!(matches!(
                        state,
                        MatchState::Notified | MatchState::Declined | MatchState::Lapsed
                    ));
                }
            }
        }
    }
}
