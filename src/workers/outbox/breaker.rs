//! When whoever takes letters is left alone for a while: the mail server, or one domain of recipients.
//!
//! After so many failures in a row it rests. When the rest is over, one letter tries it; if that fails too it rests
//! for twice as long, up to a limit, and with the first success everything is as before. Pure: the time and the jitter are
//! passed in. A rest holds only between its two instants, so that a clock which was ahead leaves nothing behind.

use std::time::Duration;

use crate::actions::settle_letter::backoff;
use crate::domain::clock::Ts;

/// How much is borne, and how long the rests are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Failures in a row that are one too many.
    pub failures: u32,
    /// The first rest at the longest; jitter makes it shorter, by half at the most.
    pub first: Duration,
    /// The longest rest.
    pub longest: Duration,
}

/// Of which time an attempt is. What was begun before a rest tells nothing new by failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round(u64);

/// What may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Anything.
    Open,
    /// One attempt, to see.
    Probe,
    /// Nothing until the probe has ended.
    Probing,
    /// Nothing before that instant.
    Resting(Ts),
}

/// Whether somebody may be tried.
#[derive(Clone, Debug)]
pub(super) struct Breaker {
    patience: Patience,
    failures: u32,
    /// Rests in a row.
    rests: i32,
    /// From when until when.
    rest: Option<(Ts, Ts)>,
    is_probed: bool,
    round: u64,
}

impl Breaker {
    pub(super) fn new(patience: Patience) -> Self {
        Self {
            patience,
            failures: 0,
            rests: 0,
            rest: None,
            is_probed: false,
            round: 0,
        }
    }

    /// What may be tried at `now`.
    pub(super) fn gate(&self, now: Ts) -> Gate {
        match self.rest {
            None => Gate::Open,
            Some((from, until)) if from <= now && now < until => Gate::Resting(until),
            Some(_) if self.is_probed => Gate::Probing,
            Some(_) => Gate::Probe,
        }
    }

    /// Whether nothing is held against it.
    pub(super) fn is_well(&self) -> bool {
        self.rest.is_none() && self.failures == 0
    }

    /// Whether it has rested, and nothing has succeeded since.
    pub(super) fn is_doubted(&self) -> bool {
        self.rest.is_some()
    }

    /// Something is tried, which the gate let through.
    pub(super) fn begin(&mut self) -> Round {
        self.is_probed = self.rest.is_some();
        Round(self.round)
    }

    /// It succeeded.
    pub(super) fn succeed(&mut self) {
        self.failures = 0;
        self.rests = 0;
        self.rest = None;
        self.is_probed = false;
    }

    /// It failed: `gravely` if once is enough. Gives how long the rest is that begins by this.
    pub(super) fn fail(
        &mut self,
        round: Round,
        gravely: bool,
        now: Ts,
        jitter: f64,
    ) -> Option<Duration> {
        if round.0 != self.round {
            return None;
        }
        self.failures = self.failures.saturating_add(1);
        if !gravely && !self.is_doubted() && self.failures < self.patience.failures {
            return None;
        }
        self.rests = self.rests.saturating_add(1);
        let rest = backoff(
            self.patience.first,
            self.patience.longest,
            self.rests,
            jitter,
        );
        // Whole milliseconds: the database keeps no finer ones, and a letter that is put off until the end of the
        // rest would be due just before it.
        let rest = Duration::from_millis(u64::try_from(rest.as_millis()).unwrap_or(u64::MAX));
        self.rest = Some((now, now.after(rest)));
        self.is_probed = false;
        self.round += 1;
        Some(rest)
    }

    /// It ended in a way that tells nothing.
    pub(super) fn leave(&mut self, round: Round) {
        if round.0 == self.round {
            self.is_probed = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATIENCE: Patience = Patience {
        failures: 3,
        first: Duration::from_secs(10),
        longest: Duration::from_mins(1),
    };
    const START: Duration = Duration::from_hours(24);

    fn at(seconds: u64) -> Ts {
        Ts::EPOCH.after(START + Duration::from_secs(seconds))
    }

    #[test]
    fn it_rests_after_failures_in_a_row_and_only_these() {
        let mut breaker = Breaker::new(PATIENCE);
        for _ in 0..5 {
            for _ in 0..2 {
                let round = breaker.begin();
                assert_eq!(breaker.fail(round, false, at(0), 1.0), None);
            }
            breaker.succeed();
        }
        assert_eq!(breaker.gate(at(0)), Gate::Open);
        for _ in 0..2 {
            let round = breaker.begin();
            assert_eq!(breaker.fail(round, false, at(0), 1.0), None);
        }
        let round = breaker.begin();
        let rest = breaker.fail(round, false, at(0), 1.0);
        assert_eq!(rest, Some(PATIENCE.first));
        assert_eq!(breaker.gate(at(9)), Gate::Resting(at(10)));
    }

    #[test]
    fn one_tries_it_and_the_rests_grow_until_it_succeeds() {
        let mut breaker = Breaker::new(PATIENCE);
        let mut now = at(0);
        for expected in [10, 20, 40, 60, 60] {
            assert!(matches!(breaker.gate(now), Gate::Open | Gate::Probe));
            let round = breaker.begin();
            assert!(!breaker.is_doubted() || breaker.gate(now) == Gate::Probing);
            let rest = breaker.fail(round, true, now, 1.0).unwrap();
            assert_eq!(rest, Duration::from_secs(expected));
            now = now.after(rest);
        }
        breaker.begin();
        breaker.succeed();
        assert_eq!(breaker.gate(now), Gate::Open);
        let round = breaker.begin();
        assert_eq!(
            breaker.fail(round, true, now, 0.0),
            Some(PATIENCE.first / 2)
        );
    }

    #[test]
    fn what_was_begun_before_the_rest_makes_it_no_longer() {
        let mut breaker = Breaker::new(PATIENCE);
        let rounds = [breaker.begin(), breaker.begin()];
        assert!(breaker.fail(rounds[0], true, at(0), 1.0).is_some());
        assert_eq!(breaker.fail(rounds[1], true, at(1), 1.0), None);
        assert_eq!(breaker.gate(at(1)), Gate::Resting(at(10)));
        // A probe is out, and the late news does not end it.
        breaker.begin();
        breaker.leave(rounds[1]);
        assert_eq!(breaker.gate(at(11)), Gate::Probing);
    }

    #[derive(Clone, Copy, Debug)]
    enum Move {
        Clock(i64),
        Begin,
        Succeed,
        Fail(bool),
        Leave,
    }

    fn moves() -> impl Strategy<Value = Move> {
        const TEN_YEARS: i64 = 10 * 365 * 86_400;
        prop_oneof![
            4 => (-5_i64..90).prop_map(Move::Clock),
            1 => prop_oneof![Just(-3_600), Just(TEN_YEARS), Just(-TEN_YEARS)].prop_map(Move::Clock),
            4 => Just(Move::Begin),
            1 => Just(Move::Succeed),
            3 => any::<bool>().prop_map(Move::Fail),
            1 => Just(Move::Leave),
        ]
    }

    proptest! {
        /// Whatever happens, and however the clock leaps: nobody rests for longer than the longest rest from now, at most
        /// one probe is out, and once every attempt has ended it may be tried, at once or when the longest rest is over.
        #[test]
        fn nobody_rests_for_ever(moves in prop::collection::vec(moves(), 1..200), jitter in 0.0..=1.0_f64) {
            let mut breaker = Breaker::new(PATIENCE);
            let mut seconds = 20 * 365 * 86_400_i64;
            let mut running = Vec::new();
            let now = |seconds: i64| Ts::from_micros(seconds * 1_000_000);
            for one in moves {
                match one {
                    Move::Clock(by) => seconds += by,
                    Move::Begin => match breaker.gate(now(seconds)) {
                        Gate::Open | Gate::Probe => running.push(breaker.begin()),
                        Gate::Probing | Gate::Resting(_) => {}
                    },
                    Move::Succeed => if running.pop().is_some() { breaker.succeed() },
                    Move::Fail(gravely) => if let Some(round) = running.pop() {
                        breaker.fail(round, gravely, now(seconds), jitter);
                    },
                    Move::Leave => if let Some(round) = running.pop() { breaker.leave(round) },
                }
                if let Gate::Resting(until) = breaker.gate(now(seconds)) {
                    prop_assert!(until.since(now(seconds)) <= PATIENCE.longest);
                }
                if breaker.gate(now(seconds)) == Gate::Probing {
                    prop_assert!(!running.is_empty(), "nobody is out, and it is waited for");
                }
            }
            for round in running {
                breaker.leave(round);
            }
            // At once where the clock has gone back to before the rest.
            let instants = [now(seconds), now(seconds).after(PATIENCE.longest)];
            prop_assert!(instants.iter().any(|at| matches!(breaker.gate(*at), Gate::Open | Gate::Probe)));
        }
    }
}
