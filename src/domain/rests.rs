//! Mail domains that take no letters for now, and when the letters to them come again.
//!
//! A domain that rests may be that of most letters which wait. They are all put off, but not all to the same instant: so
//! many come again every few seconds, and however many there are, looking at them costs the others nothing. What is urgent
//! does not stand in that line: it comes again with the first, and leaves before them.

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
    /// When urgent letters last began to be counted, and how many have come since.
    urgent: (Ts, u32),
}

impl Default for Line {
    fn default() -> Self {
        Self {
            next: Ts::EPOCH,
            joined: 0,
            urgent: (Ts::EPOCH, 0),
        }
    }
}

impl Line {
    /// When a letter comes again, never before `from`: just then if it is urgent, unless as many are as may come together.
    pub fn join(&mut self, from: Ts, is_urgent: bool) -> Ts {
        if is_urgent && self.has_room_for_urgent(from) {
            return from;
        }
        // Ahead of it by more than the line is long: the clock was, too.
        if self.next < from || self.next > from.after(LONGEST_LINE) {
            self.next = from;
            self.joined = 0;
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

    fn has_room_for_urgent(&mut self, from: Ts) -> bool {
        let (since, count) = &mut self.urgent;
        if from < *since || from.since(*since) >= STEP {
            (*since, *count) = (from, 0);
        }
        *count += 1;
        *count <= TOGETHER
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
    /// Whether any was put off.
    pub put_off: bool,
}

impl Rest {
    /// Nobody was put off yet.
    #[must_use]
    pub fn new(probes: u32, until: Ts, line: Line) -> Self {
        Self {
            probes,
            until,
            line,
            put_off: false,
        }
    }
}

/// The domains that rest, as somebody who sends letters knows them.
#[derive(Clone, Debug, Default)]
pub struct Rests(HashMap<MailDomain, Rest>);

impl Rests {
    /// When a letter to `domain` comes again; `None` if it may go now.
    pub fn put_off(&mut self, domain: &MailDomain, is_urgent: bool) -> Option<Ts> {
        let rest = self.0.get_mut(domain)?;
        if rest.probes > 0 {
            rest.probes -= 1;
            return None;
        }
        rest.put_off = true;
        Some(rest.line.join(rest.until, is_urgent))
    }

    /// Whether no domain rests.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Rests {
    type Item = (MailDomain, Rest);
    type IntoIter = std::collections::hash_map::IntoIter<MailDomain, Rest>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
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
            *due.entry(line.join(from, false)).or_default() += 1;
        }
        assert!(due.values().all(|count| *count == TOGETHER), "{due:?}");
        assert_eq!(due.keys().next(), Some(&from));
        assert!(due.keys().all(|at| at.since(from) <= LONGEST_LINE));
        // However many: none is put off for ever.
        let last = (0..90_000).map(|_| line.join(from, false)).max().unwrap();
        assert!(last.since(from) <= LONGEST_LINE);
    }

    #[test]
    fn what_is_urgent_comes_again_as_soon_as_the_rest_is_over_as_far_as_it_is_no_flood_itself() {
        let until = Ts::EPOCH.after(Duration::from_hours(1));
        let mut line = Line::default();
        for _ in 0..1_000 {
            line.join(until, false);
        }
        assert_eq!(line.join(until, true), until);
        let at_once = (0..5_000).filter(|_| line.join(until, true) == until);
        assert_eq!(at_once.count() + 1, TOGETHER as usize);
        let next_rest = until.after(STEP);
        assert_eq!(line.join(next_rest, true), next_rest);
        // The clock was ahead.
        assert_eq!(line.join(Ts::EPOCH, true), Ts::EPOCH);
    }

    #[test]
    fn a_line_from_a_clock_that_was_ahead_is_left() {
        let mut line = Line::default();
        let ahead = Ts::EPOCH.after(Duration::from_hours(24 * 3650));
        assert_eq!(line.join(ahead, false), ahead);
        let now = Ts::EPOCH.after(Duration::from_hours(1));
        assert_eq!(line.join(now, false), now);
    }

    #[test]
    fn probes_go_before_anything_is_put_off_and_others_are_not_kept() {
        let domain = |text: &str| EmailAddress::parse(text).unwrap().domain();
        let until = Ts::EPOCH.after(Duration::from_secs(10));
        let rest = Rest::new(1, until, Line::default());
        let mut rests = Rests::from_iter([(domain("a@Slow.example"), rest)]);
        assert_eq!(rests.put_off(&domain("b@slow.example"), false), None);
        assert_eq!(rests.put_off(&domain("c@slow.EXAMPLE"), false), Some(until));
        assert_eq!(rests.put_off(&domain("c@fast.example"), false), None);
    }
}
