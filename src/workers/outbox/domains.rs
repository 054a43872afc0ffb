//! The domains of recipients, as far as something is known of them: how many letters are on their way to each, and
//! which rest.
//!
//! A domain that answers slowly, or not at all, would hold every connection as soon as there are enough letters to it. So
//! only a few are on their way to one domain at a time, and those that have failed lately have all but one connection
//! together, in turns. In memory only, and bounded; nothing here shows which domain it is.

use std::collections::HashMap;
use std::time::Duration;

use super::breaker::{Breaker, Gate, Patience, Round};
use super::turned_away::TurnedAway;
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
/// How long one waits at least that was passed over for others, because enough were on their way to its domain.
const PASSED_OVER: Duration = Duration::from_secs(2);
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
    turned_away: TurnedAway,
}

#[derive(Debug)]
struct Known {
    breaker: Breaker,
    /// Since when letters are on their way.
    running: Vec<(Round, Ts)>,
    line: Line,
    /// Whether nothing is held against it but that it was slow.
    was_slow: bool,
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
    /// It was not asked: the mail server was not there. If it seemed slow, that was why.
    Unasked,
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
            turned_away: TurnedAway::default(),
        }
    }

    /// Whether a letter to `domain` may be begun.
    pub(super) fn turn(&mut self, domain: &MailDomain, is_urgent: bool, now: Ts) -> Turn {
        let Some(known) = self.known.get(domain) else {
            return Turn::Now;
        };
        let not_before = match known.breaker.gate(now) {
            Gate::Open if known.running.len() < self.each => return Turn::Now,
            Gate::Open => return Turn::Soon,
            Gate::Probe if self.may_probe(domain, now) => return Turn::Now,
            Gate::Probe => {
                self.turned_away.note(domain, now);
                now.after(TRY_AGAIN)
            }
            Gate::Probing => now.after(TRY_AGAIN),
            Gate::Resting(until) => until,
        };
        let line = self.known.get_mut(domain).map(|known| &mut known.line);
        Turn::NotBefore(line.map_or(not_before, |line| line.join(not_before, is_urgent)))
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
            was_slow: false,
        });
        let round = known.breaker.begin();
        known.running.push((round, now));
        self.turned_away.remove(&domain);
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
                known.was_slow = false;
            }
            Verdict::Unasked if known.was_slow => known.breaker.succeed(),
            Verdict::Unasked | Verdict::Nothing => known.breaker.leave(round),
        }
        if known.breaker.gate(now) != Gate::Probe {
            self.turned_away.remove(&domain);
        }
        if known.breaker.is_well() {
            known.was_slow = false;
            if known.running.is_empty() {
                self.known.remove(&domain);
            }
        }
    }

    /// Lets those rest that have not answered for a while: whoever answers after all rests no more. Not to be asked while
    /// the mail server itself is doubted.
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
                let was_doubted = known.breaker.is_doubted();
                let rest = known.breaker.fail(round, true, now, jitter());
                known.was_slow |= rest.is_some() && !was_doubted;
            }
        }
    }

    /// The domains that rest, for who claims letters.
    pub(super) fn rests(&self, now: Ts) -> Rests {
        self.resting(now).collect()
    }

    /// The same, for who claims letters past those domains too that have as many on their way as they may. Of each of
    /// these, as many are to wait among those `taken`.
    pub(super) fn rests_and_busy(&self, taken: impl Iterator<Item = MailDomain>, now: Ts) -> Rests {
        let mut waiting: HashMap<MailDomain, usize> = HashMap::new();
        for domain in taken {
            *waiting.entry(domain).or_default() += 1;
        }
        let is_busy = |(_, known): &(&MailDomain, &Known)| {
            known.breaker.gate(now) == Gate::Open && known.running.len() >= self.each
        };
        let busy = self.known.iter().filter(is_busy).map(|(domain, known)| {
            let wait = waiting.get(domain).copied().unwrap_or_default();
            let more = u32::try_from(self.each.saturating_sub(wait)).unwrap_or_default();
            let rest = Rest::new(more, now.after(PASSED_OVER), known.line);
            (domain.clone(), rest)
        });
        self.resting(now).chain(busy).collect()
    }

    fn resting(&self, now: Ts) -> impl Iterator<Item = (MailDomain, Rest)> {
        self.known.iter().filter_map(move |(domain, known)| {
            let (probes, until) = match known.breaker.gate(now) {
                Gate::Open => return None,
                Gate::Resting(until) => (0, until),
                Gate::Probe if self.may_probe(domain, now) => (1, now.after(TRY_AGAIN)),
                Gate::Probe | Gate::Probing => (0, now.after(TRY_AGAIN)),
            };
            Some((domain.clone(), Rest::new(probes, until, known.line)))
        })
    }

    /// Letters have joined the lines of domains that were passed over.
    pub(super) fn keep_lines(&mut self, rests: Rests, now: Ts) {
        for (domain, rest) in rests {
            let Some(known) = self.known.get_mut(&domain) else {
                continue;
            };
            known.line = rest.line;
            if rest.put_off && known.breaker.gate(now) == Gate::Probe {
                self.turned_away.note(&domain, now);
            }
        }
    }

    /// Whether there is a connection for one more of those that have failed lately, and nobody has waited longer for it.
    fn may_probe(&self, domain: &MailDomain, now: Ts) -> bool {
        let free = self.doubted.saturating_sub(self.running_to_doubted());
        self.turned_away.before(domain, now) < free
    }

    /// How many rest.
    pub(super) fn how_many_rest(&self, now: Ts) -> usize {
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
            self.turned_away.remove(&domain);
            self.known.remove(&domain);
        }
    }
}

#[cfg(test)]
mod tests;
