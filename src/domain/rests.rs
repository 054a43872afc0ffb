//! Mail domains that take no letters for now, and when the letters to them come again.
//!
//! A domain that rests may be that of most letters which wait. They are all put off, but not all to the same instant: so
//! many come again every few seconds, and however many there are, looking at them costs the others nothing.

use std::collections::HashMap;
use std::time::Duration;

use super::clock::Ts;
use super::contact::MailDomain;

/// Letters to one domain that come again together,
const TOGETHER: u32 = 300;
/// so long after those before them.
const STEP: Duration = Duration::from_secs(10);
/// When the line begins anew: no letter waits for longer than this beyond the rest.
pub const LONGEST_LINE: Duration = Duration::from_mins(5);

/// When letters to one domain come again: a line that moves on as letters join it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    next: Ts,
    joined: u32,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            next: Ts::EPOCH,
            joined: 0,
        }
    }
}

impl Line {
    /// When a letter comes again that joins the line, never before `from`.
    pub fn join(&mut self, from: Ts) -> Ts {
        // Ahead of it by more than the line is long: the clock was, too.
        if self.next < from || self.next > from.after(LONGEST_LINE) {
            *self = Self {
                next: from,
                joined: 0,
            };
        }
        let due = self.next;
        self.joined += 1;
        if self.joined == TOGETHER {
            self.joined = 0;
            self.next = self.next.after(STEP);
            if self.next > from.after(LONGEST_LINE) {
                self.next = from;
            }
        }
        due
    }
}

/// A domain that takes few letters for now, or none.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    /// Letters that may go all the same, to see whether it takes them again.
    pub probes: u32,
    /// When others may come again.
    pub until: Ts,
    /// Where they wait.
    pub line: Line,
}

/// The domains that rest, as somebody who sends letters knows them.
#[derive(Clone, Debug, Default)]
pub struct Rests(HashMap<MailDomain, Rest>);

impl Rests {
    /// When a letter to `domain` comes again; `None` if it may go now.
    pub fn put_off(&mut self, domain: &MailDomain) -> Option<Ts> {
        let rest = self.0.get_mut(domain)?;
        if rest.probes > 0 {
            rest.probes -= 1;
            return None;
        }
        Some(rest.line.join(rest.until))
    }

    /// Whether no domain rests.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, and where its line has come to.
    pub fn lines(self) -> impl Iterator<Item = (MailDomain, Line)> {
        self.0.into_iter().map(|(domain, rest)| (domain, rest.line))
    }
}

impl FromIterator<(MailDomain, Rest)> for Rests {
    fn from_iter<I: IntoIterator<Item = (MailDomain, Rest)>>(rests: I) -> Self {
        Self(rests.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::contact::EmailAddress;

    #[test]
    fn nine_thousand_letters_come_again_a_few_at_a_time_and_all_within_minutes() {
        let from = Ts::EPOCH.after(Duration::from_hours(1));
        let mut line = Line::default();
        let mut due: BTreeMap<Ts, u32> = BTreeMap::new();
        for _ in 0..9_000 {
            *due.entry(line.join(from)).or_default() += 1;
        }
        assert!(due.values().all(|count| *count == TOGETHER), "{due:?}");
        assert_eq!(due.keys().next(), Some(&from));
        assert!(due.keys().all(|at| at.since(from) <= LONGEST_LINE));
        // However many: none is put off for ever.
        let last = (0..90_000).map(|_| line.join(from)).max().unwrap();
        assert!(last.since(from) <= LONGEST_LINE);
    }

    #[test]
    fn a_line_from_a_clock_that_was_ahead_is_left() {
        let mut line = Line::default();
        let ahead = Ts::EPOCH.after(Duration::from_hours(24 * 3650));
        assert_eq!(line.join(ahead), ahead);
        let now = Ts::EPOCH.after(Duration::from_hours(1));
        assert_eq!(line.join(now), now);
    }

    #[test]
    fn probes_go_before_anything_is_put_off_and_others_are_not_kept() {
        let domain = |text: &str| EmailAddress::parse(text).unwrap().domain();
        let until = Ts::EPOCH.after(Duration::from_secs(10));
        let rest = Rest {
            probes: 1,
            until,
            line: Line::default(),
        };
        let mut rests = Rests::from_iter([(domain("a@Slow.example"), rest)]);
        assert_eq!(rests.put_off(&domain("b@slow.example")), None);
        assert_eq!(rests.put_off(&domain("c@slow.EXAMPLE")), Some(until));
        assert_eq!(rests.put_off(&domain("c@fast.example")), None);
    }
}
