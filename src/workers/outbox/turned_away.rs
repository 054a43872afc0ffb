//! Domains whose rests are over, and that were turned away because others were being tried: the one that has waited
//! longest comes next. Otherwise one whose letters are looked at first, and that keeps a connection until it gives up,
//! would come before the others for ever.

use std::collections::HashMap;
use std::time::Duration;

use crate::domain::clock::Ts;
use crate::domain::contact::MailDomain;

/// One of which no letter has come up for as long keeps nobody waiting: it may have none any more.
const FORGOTTEN: Duration = Duration::from_secs(30);

/// Domains that wait to be tried.
#[derive(Debug, Default)]
pub(super) struct TurnedAway(HashMap<MailDomain, Wait>);

#[derive(Clone, Copy, Debug)]
struct Wait {
    since: Ts,
    seen: Ts,
}

impl Wait {
    /// Not if the clock was ahead when it came.
    fn is_fresh(self, now: Ts) -> bool {
        self.seen <= now && now.since(self.seen) < FORGOTTEN
    }
}

impl TurnedAway {
    /// A letter to `domain` came up in vain.
    pub(super) fn note(&mut self, domain: &MailDomain, now: Ts) {
        let before = self.0.get(domain).filter(|wait| wait.is_fresh(now));
        let since = before.map_or(now, |wait| wait.since);
        self.0.insert(domain.clone(), Wait { since, seen: now });
    }

    /// How many have waited for longer than `domain`.
    pub(super) fn before(&self, domain: &MailDomain, now: Ts) -> usize {
        let since = self.0.get(domain).filter(|wait| wait.is_fresh(now));
        let since = since.map_or(now, |wait| wait.since);
        let is_before = |(other, wait): &(&MailDomain, &Wait)| {
            *other != domain && wait.is_fresh(now) && wait.since < since
        };
        self.0.iter().filter(is_before).count()
    }

    /// It is tried, or is well.
    pub(super) fn remove(&mut self, domain: &MailDomain) {
        self.0.remove(domain);
    }
}
