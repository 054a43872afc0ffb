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

    use MatchState::{
        Accepted, Declined, FellThrough, Fulfilled, Lapsed, Notified, Proposed, Superseded, Vetoed,
    };

    type Transition<S> = fn(S) -> Step<S>;

    /// A transition is made from `from` only, gives `to`, and is made already in `made` only.
    fn leads<S: Copy + PartialEq + std::fmt::Debug>(
        all: &[S],
        transition: Transition<S>,
        (from, to, made): (&[S], S, &[S]),
    ) {
        for state in all {
            let expected = match () {
                () if from.contains(state) => Step::To(to),
                () if made.contains(state) => Step::AlreadyMade,
                () => Step::Impossible,
            };
            assert_eq!(transition(*state), expected, "{state:?}, to {to:?}");
        }
    }

    #[test]
    fn a_match_goes_these_ways_and_no_other() {
        let ways: [(Transition<MatchState>, &[_], _, &[_]); 9] = [
            (
                MatchState::approve,
                &[Proposed],
                Notified,
                &[Notified, Accepted, Fulfilled],
            ),
            (
                MatchState::accept,
                &[Notified, Declined, Lapsed],
                Accepted,
                &[Accepted, Fulfilled],
            ),
            (
                MatchState::decline,
                &[Notified, Lapsed],
                Declined,
                &[Declined],
            ),
            (MatchState::veto, &[Proposed, Notified], Vetoed, &[Vetoed]),
            (MatchState::lapse, &[Notified], Lapsed, &[Lapsed]),
            (
                MatchState::supersede,
                &[Proposed, Notified],
                Superseded,
                &[Superseded],
            ),
            (
                MatchState::fall_through,
                &[Accepted],
                FellThrough,
                &[FellThrough],
            ),
            (MatchState::fulfil, &[Accepted], Fulfilled, &[Fulfilled]),
            (MatchState::undo_done, &[Fulfilled], Accepted, &[Accepted]),
        ];
        for (transition, from, to, made) in ways {
            leads(MatchState::ALL, transition, (from, to, made));
        }
    }

    #[test]
    fn a_match_may_come_to_something_until_it_is_ended() {
        let active = MatchState::ALL.iter().filter(|state| state.is_active());
        assert_eq!(Vec::from_iter(active), [&Proposed, &Notified, &Accepted]);
    }

    #[test]
    fn contacts_wait_for_the_neighbors_yes_where_it_is_needed() {
        use Agreement::{Agreed, None, Pending, Refused};
        let releases = Agreement::ALL.iter().filter(|state| state.releases());
        assert_eq!(Vec::from_iter(releases), [&None, &Agreed]);
        leads(
            Agreement::ALL,
            Agreement::agree,
            (&[None, Pending], Agreed, &[Agreed]),
        );
        leads(
            Agreement::ALL,
            Agreement::refuse,
            (&[Pending], Refused, &[Refused]),
        );
    }

    #[test]
    fn an_offer_is_paused_closed_and_brought_back() {
        use OfferState::{Closed, Open, Paused, Unconfirmed};
        let ways: [(Transition<OfferState>, &[_], _, &[_]); 4] = [
            (OfferState::pause, &[Open], Paused, &[Paused]),
            (OfferState::resume, &[Paused], Open, &[Open]),
            (
                OfferState::close,
                &[Unconfirmed, Open, Paused],
                Closed,
                &[Closed],
            ),
            (OfferState::reopen, &[Closed], Open, &[Open, Paused]),
        ];
        for (transition, from, to, made) in ways {
            leads(OfferState::ALL, transition, (from, to, made));
        }
    }

    #[test]
    fn a_request_is_changed_until_it_is_closed() {
        for state in RequestState::ALL {
            assert_eq!(state.is_live(), *state != RequestState::Closed, "{state}");
        }
    }
}
