//! The domains of recipients, as far as something is known of them: how many letters are on their way to each, and
//! which rest.
//!
//! A domain that answers slowly, or not at all, would hold every connection as soon as there are enough letters to it. So
//! only a few are on their way to one domain at a time, and those that have failed lately have all but one connection
//! together. In memory only, and bounded; nothing here shows which domain it is.

use std::collections::HashMap;
use std::time::Duration;

use super::breaker::{Breaker, Gate, Patience, Round};
use crate::domain::clock::Ts;
use crate::domain::contact::MailDomain;
use crate::domain::rests::{Line, Rest, Rests};

/// A domain may fail a few times in a row by bad luck; by silence it keeps a connection from others.
const PATIENCE: Patience = Patience {
    failures: 5,
    first: Duration::from_secs(10),
    longest: Duration::from_mins(1),
};
/// A letter that is on its way for longer keeps others of its domain from being begun.
pub(super) const SLOW: Duration = Duration::from_secs(5);
/// How long a letter waits at least that could not be begun because others of its domain were tried.
const TRY_AGAIN: Duration = Duration::from_secs(10);
/// Most domains remembered; of more, those are forgotten whose rest ends first.
const KNOWN: usize = 1000;

/// Domains of recipients.
#[derive(Debug)]
pub(super) struct Domains {
    /// Letters on their way to one domain at a time.
    each: usize,
    /// To all those together that have failed lately.
    doubted: usize,
    known: HashMap<MailDomain, Known>,
}

#[derive(Debug)]
struct Known {
    breaker: Breaker,
    /// Since when letters are on their way.
    running: Vec<(Round, Ts)>,
    line: Line,
}

/// Whether a letter may be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// At once.
    Now,
    /// When one to the same domain has ended.
    Soon,
    /// Its domain rests, and it is to be put off until then.
    NotBefore(Ts),
}

/// A letter on its way.
#[derive(Debug)]
pub(super) struct Pass {
    domain: MailDomain,
    round: Round,
    since: Ts,
}

/// What a letter told of its domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was answered.
    Well,
    /// The domain, or whoever takes its letters, could not take it.
    Failed {
        /// By silence, or by a connection that broke.
        gravely: bool,
    },
    /// Nothing.
    Nothing,
}

impl Domains {
    /// None known, `each` letters to one at a time, over so many connections.
    pub(super) fn new(each: usize, connections: usize) -> Self {
        let all_but_one = connections.saturating_sub(1).max(1);
        Self {
            each: each.clamp(1, all_but_one),
            doubted: all_but_one,
            known: HashMap::new(),
        }
    }

    /// Whether a letter to `domain` may be begun.
    pub(super) fn turn(&mut self, domain: &MailDomain, now: Ts) -> Turn {
        let Some(known) = self.known.get(domain) else {
            return Turn::Now;
        };
        let not_before = match known.breaker.gate(now) {
            Gate::Open if known.running.len() < self.each => return Turn::Now,
            Gate::Open => return Turn::Soon,
            Gate::Probe if self.running_to_doubted() < self.doubted => return Turn::Now,
            Gate::Probe | Gate::Probing => now.after(TRY_AGAIN),
            Gate::Resting(until) => until,
        };
        let line = self.known.get_mut(domain).map(|known| &mut known.line);
        Turn::NotBefore(line.map_or(not_before, |line| line.join(not_before)))
    }

    /// A letter whose turn it is leaves.
    pub(super) fn begin(&mut self, domain: MailDomain, now: Ts) -> Pass {
        if self.known.len() >= KNOWN && !self.known.contains_key(&domain) {
            self.forget_one(now);
        }
        let known = self.known.entry(domain.clone()).or_insert_with(|| Known {
            breaker: Breaker::new(PATIENCE),
            running: Vec::new(),
            line: Line::default(),
        });
        let round = known.breaker.begin();
        known.running.push((round, now));
        Pass {
            domain,
            round,
            since: now,
        }
    }

    /// A letter has ended its way.
    pub(super) fn end(&mut self, pass: Pass, verdict: Verdict, now: Ts, jitter: f64) {
        let Pass {
            domain,
            round,
            since,
        } = pass;
        let Some(known) = self.known.get_mut(&domain) else {
            return;
        };
        let this = |one: &(Round, Ts)| *one == (round, since);
        if let Some(at) = known.running.iter().position(this) {
            known.running.swap_remove(at);
        }
        match verdict {
            Verdict::Well => known.breaker.succeed(),
            Verdict::Failed { gravely } => {
                known.breaker.fail(round, gravely, now, jitter);
            }
            Verdict::Nothing => known.breaker.leave(round),
        }
        if known.running.is_empty() && known.breaker.is_well() {
            self.known.remove(&domain);
        }
    }

    /// Lets those rest that have not answered for a while: whoever answers after all rests no more.
    pub(super) fn note_slow(&mut self, now: Ts, jitter: impl Fn() -> f64) {
        for known in self.known.values_mut() {
            let is_slow = |(_, since): &&(Round, Ts)| now.since(*since) > SLOW;
            let slow: Vec<Round> = known
                .running
                .iter()
                .filter(is_slow)
                .map(|(r, _)| *r)
                .collect();
            for round in slow {
                known.breaker.fail(round, true, now, jitter());
            }
        }
    }

    /// The domains that rest, for who claims letters.
    pub(super) fn rests(&self, now: Ts) -> Rests {
        let has_room = self.running_to_doubted() < self.doubted;
        let rest = |(domain, known): (&MailDomain, &Known)| {
            let (probes, until) = match known.breaker.gate(now) {
                Gate::Open => return None,
                Gate::Resting(until) => (0, until),
                Gate::Probe if has_room => (1, now.after(TRY_AGAIN)),
                Gate::Probe | Gate::Probing => (0, now.after(TRY_AGAIN)),
            };
            let line = known.line;
            Some((
                domain.clone(),
                Rest {
                    probes,
                    until,
                    line,
                },
            ))
        };
        self.known.iter().filter_map(rest).collect()
    }

    /// Letters have joined the lines of domains that rest.
    pub(super) fn keep_lines(&mut self, rests: Rests) {
        for (domain, line) in rests.lines() {
            if let Some(known) = self.known.get_mut(&domain) {
                known.line = line;
            }
        }
    }

    /// How many rest.
    pub(super) fn resting(&self, now: Ts) -> usize {
        let rests = |known: &&Known| known.breaker.gate(now) != Gate::Open;
        self.known.values().filter(rests).count()
    }

    fn running_to_doubted(&self) -> usize {
        let doubted = self.known.values().filter(|k| k.breaker.is_doubted());
        doubted.map(|known| known.running.len()).sum()
    }

    fn forget_one(&mut self, now: Ts) {
        let idle = self.known.iter().filter(|(_, k)| k.running.is_empty());
        let first = idle.min_by_key(|(_, known)| match known.breaker.gate(now) {
            Gate::Resting(until) => until,
            Gate::Open | Gate::Probe | Gate::Probing => Ts::EPOCH,
        });
        if let Some(domain) = first.map(|(domain, _)| domain.clone()) {
            self.known.remove(&domain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::EmailAddress;

    const NOW: Ts = Ts::EPOCH;
    const GRAVELY: Verdict = Verdict::Failed { gravely: true };

    fn domain(name: &str) -> MailDomain {
        EmailAddress::parse(&format!("a@{name}.example"))
            .unwrap()
            .domain()
    }

    fn later(seconds: u64) -> Ts {
        NOW.after(Duration::from_secs(seconds))
    }

    #[test]
    fn one_domain_never_has_all_connections_unless_there_is_one_only() {
        for (each, connections, expected) in [(2, 4, 2), (9, 4, 3), (2, 2, 1), (2, 1, 1)] {
            let mut domains = Domains::new(each, connections);
            let begun = (0..10).filter(|_| {
                let is_now = domains.turn(&domain("slow"), NOW) == Turn::Now;
                if is_now {
                    domains.begin(domain("slow"), NOW);
                }
                is_now
            });
            assert_eq!(begun.count(), expected, "{each} of {connections}");
            assert_eq!(domains.turn(&domain("other"), NOW), Turn::Now);
        }
    }

    #[test]
    fn those_that_failed_leave_one_connection_to_the_others() {
        let mut domains = Domains::new(2, 2);
        for name in ["a", "b", "c"] {
            let pass = domains.begin(domain(name), NOW);
            domains.end(pass, GRAVELY, NOW, 1.0);
            assert_eq!(domains.turn(&domain(name), NOW), Turn::NotBefore(later(10)));
        }
        assert_eq!(domains.resting(NOW), 3);
        // Their rests are over; one of them is tried, and the others wait.
        assert_eq!(domains.turn(&domain("a"), later(10)), Turn::Now);
        let probe = domains.begin(domain("a"), later(10));
        assert_eq!(
            domains.turn(&domain("b"), later(10)),
            Turn::NotBefore(later(20))
        );
        assert_eq!(domains.turn(&domain("good"), later(10)), Turn::Now);
        domains.end(probe, Verdict::Well, later(11), 1.0);
        assert_eq!(domains.turn(&domain("b"), later(20)), Turn::Now);
        assert_eq!(domains.resting(later(20)), 2);
    }

    #[test]
    fn one_that_is_slow_rests_until_it_answers() {
        let mut domains = Domains::new(2, 4);
        let slow = domains.begin(domain("slow"), NOW);
        domains.note_slow(later(5), || 1.0);
        assert_eq!(domains.turn(&domain("slow"), later(5)), Turn::Now);
        domains.note_slow(later(6), || 1.0);
        domains.note_slow(later(7), || 1.0);
        assert_eq!(
            domains.turn(&domain("slow"), later(7)),
            Turn::NotBefore(later(16))
        );
        domains.end(slow, Verdict::Well, later(8), 1.0);
        assert_eq!(domains.turn(&domain("slow"), later(8)), Turn::Now);
        assert!(domains.known.is_empty(), "nothing is kept of who is well");
    }

    #[test]
    fn the_claim_passes_over_those_that_rest_but_for_a_probe() {
        let mut domains = Domains::new(2, 4);
        let pass = domains.begin(domain("dead"), NOW);
        domains.end(pass, GRAVELY, NOW, 1.0);
        let mut rests = domains.rests(NOW);
        let due: Vec<_> = (0..400)
            .map(|_| rests.put_off(&domain("dead")).unwrap())
            .collect();
        assert_eq!(due[0], later(10));
        assert_eq!(due[399], later(20), "they come again a few at a time");
        domains.keep_lines(rests);
        let mut rests = domains.rests(later(10));
        assert_eq!(rests.put_off(&domain("dead")), None);
        assert_eq!(rests.put_off(&domain("dead")), Some(later(20)));
    }

    #[test]
    fn a_flood_of_domains_is_forgotten_but_for_a_thousand() {
        let mut domains = Domains::new(2, 4);
        for n in 0..3 * KNOWN {
            let pass = domains.begin(domain(&format!("d{n}")), NOW);
            domains.end(pass, GRAVELY, NOW, 1.0);
        }
        assert_eq!(domains.known.len(), KNOWN);
        assert_eq!(domains.turn(&domain("good"), NOW), Turn::Now);
    }
}
