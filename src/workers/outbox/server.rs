//! The mail server, as far as it is known whether it is there.
//!
//! Once it was not, it rests. When the rest is over it is knocked at without a letter, which would be written anew and
//! counted as tried by each attempt; if somebody answers, one letter goes, and only if that is taken all the others.

use std::time::Duration;

use super::breaker::{Breaker, Gate, Patience, Round};
use crate::domain::clock::Ts;

/// A mail server that is not there once rests.
const PATIENCE: Patience = Patience {
    failures: 1,
    first: Duration::from_secs(5),
    longest: Duration::from_mins(1),
};

/// The mail server.
#[derive(Debug)]
pub(super) struct Server {
    breaker: Breaker,
    /// Whether it has answered since it last rested.
    has_answered: bool,
}

/// What may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Any letter.
    Open,
    /// A connection, without a letter.
    Knock,
    /// One letter.
    OneLetter,
    /// Nothing until what was tried has ended.
    Waiting,
    /// Nothing before that instant.
    Resting(Ts),
}

/// What an attempt told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It was there.
    There,
    /// It was not, or does not want us.
    Absent,
    /// Nothing: it was not even looked for.
    Nothing,
}

impl Server {
    /// Thought to be there.
    pub(super) fn new() -> Self {
        Self {
            breaker: Breaker::new(PATIENCE),
            has_answered: false,
        }
    }

    /// What may be tried at `now`.
    pub(super) fn access(&self, now: Ts) -> Access {
        match self.breaker.gate(now) {
            Gate::Open => Access::Open,
            Gate::Probe if self.has_answered => Access::OneLetter,
            Gate::Probe => Access::Knock,
            Gate::Probing => Access::Waiting,
            Gate::Resting(until) => Access::Resting(until),
        }
    }

    /// Whether it has rested, and no letter has reached it since.
    pub(super) fn is_doubted(&self) -> bool {
        self.breaker.is_doubted()
    }

    /// Something is tried to which there is access.
    pub(super) fn begin(&mut self) -> Round {
        self.breaker.begin()
    }

    /// What a letter told. Gives how long the rest is that begins by this.
    pub(super) fn letter_ended(
        &mut self,
        round: Round,
        told: Told,
        now: Ts,
        jitter: f64,
    ) -> Option<Duration> {
        match told {
            Told::There => self.breaker.succeed(),
            Told::Absent => return self.rest(round, now, jitter),
            Told::Nothing => self.breaker.leave(round),
        }
        None
    }

    /// What knocking told; as [`Server::letter_ended`].
    pub(super) fn knock_ended(
        &mut self,
        round: Round,
        told: Told,
        now: Ts,
        jitter: f64,
    ) -> Option<Duration> {
        if told == Told::Absent {
            return self.rest(round, now, jitter);
        }
        self.has_answered = told == Told::There;
        self.breaker.leave(round);
        None
    }

    fn rest(&mut self, round: Round, now: Ts, jitter: f64) -> Option<Duration> {
        let rest = self.breaker.fail(round, true, now, jitter);
        if rest.is_some() {
            self.has_answered = false;
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Ts {
        Ts::EPOCH.after(Duration::from_hours(24) + Duration::from_secs(seconds))
    }

    #[test]
    fn after_a_rest_it_is_knocked_at_then_gets_one_letter_then_all() {
        let mut server = Server::new();
        assert_eq!(server.access(at(0)), Access::Open);
        let round = server.begin();
        let rest = server.letter_ended(round, Told::Absent, at(0), 1.0);
        assert_eq!(rest, Some(PATIENCE.first));
        assert_eq!(server.access(at(4)), Access::Resting(at(5)));

        // Nobody answers.
        assert_eq!(server.access(at(5)), Access::Knock);
        let round = server.begin();
        assert_eq!(server.access(at(5)), Access::Waiting);
        let rest = server.knock_ended(round, Told::Absent, at(5), 1.0);
        assert_eq!(rest, Some(2 * PATIENCE.first));

        // It answers, and takes no letter; so it has to answer again.
        let round = server.begin();
        assert_eq!(server.knock_ended(round, Told::There, at(15), 1.0), None);
        assert_eq!(server.access(at(15)), Access::OneLetter);
        let round = server.begin();
        assert_eq!(server.access(at(15)), Access::Waiting);
        let rest = server.letter_ended(round, Told::Absent, at(15), 1.0);
        assert_eq!(rest, Some(4 * PATIENCE.first));
        assert_eq!(server.access(at(35)), Access::Knock);

        let round = server.begin();
        server.knock_ended(round, Told::There, at(35), 1.0);
        let round = server.begin();
        server.letter_ended(round, Told::There, at(35), 1.0);
        assert!(!server.is_doubted());
        assert_eq!(server.access(at(35)), Access::Open);
    }

    #[test]
    fn a_letter_that_cannot_be_written_tells_nothing_and_leaves_room_for_the_next() {
        let mut server = Server::new();
        let round = server.begin();
        server.letter_ended(round, Told::Absent, at(0), 1.0);
        let round = server.begin();
        server.knock_ended(round, Told::There, at(5), 1.0);
        let round = server.begin();
        server.letter_ended(round, Told::Nothing, at(5), 1.0);
        assert!(server.is_doubted());
        assert_eq!(server.access(at(5)), Access::OneLetter);
    }

    #[test]
    fn whoever_succeeds_clears_the_doubt_however_long_ago_it_began() {
        let mut server = Server::new();
        let early = server.begin();
        let round = server.begin();
        server.letter_ended(round, Told::Absent, at(0), 1.0);
        server.letter_ended(early, Told::There, at(1), 1.0);
        assert_eq!(server.access(at(1)), Access::Open);
    }
}
