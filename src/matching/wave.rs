//! How many are asked, and when: the rounds of one request.
//!
//! A wave is the matches asked together. A decline is replaced at once; when the wave has had its
//! time, the next one is asked, whether or not the earlier have answered. Who has lapsed may be asked
//! again after a rest; who has declined, been vetoed or fallen through, not.

use std::collections::HashSet;

use jiff::civil::Time;

use crate::domain::availability::TimeZoneName;
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::lifecycle::{Attention, FallReason, MatchState};
use crate::domain::limits::AskLimits;
use crate::domain::need::Urgency;
use crate::settings::matching::{MatchingSettings, Wave};

/// What a round needs to know of an earlier match of the request.
#[derive(Clone, Copy, Debug)]
pub struct Earlier {
    /// With which offer.
    pub offer: OfferId,
    /// Of which volunteer.
    pub volunteer: VolunteerId,
    /// Where it stands.
    pub state: MatchState,
    /// Why it fell through, if it did.
    pub fall_reason: Option<FallReason>,
    /// In which wave.
    pub wave: i32,
    /// For which version of the request.
    pub version: i32,
    /// When it ended.
    pub ended_at: Option<Ts>,
}

/// Where a request stands between two rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The last wave; 0 before the first.
    pub wave: i32,
    /// When the next wave may be asked.
    pub next_wave_at: Option<Ts>,
    /// Counts material changes.
    pub version: i32,
}

/// What to do in this round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// The wave that new matches belong to.
    pub wave: i32,
    /// How many may be asked.
    pub ask: usize,
    /// When the wave after it may be asked, if anyone is asked now.
    pub next_wave_at: Ts,
    /// Volunteers that are not to be asked in this round.
    pub not_again: HashSet<VolunteerId>,
    /// When the first of those who lapsed may be asked again.
    pub second_round_at: Option<Ts>,
    /// Whether anyone is being asked, or has promised, already.
    pub busy: bool,
}

/// The round that is due at `now`.
#[must_use]
pub fn round(
    policy: &Wave,
    settings: &MatchingSettings,
    standing: Standing,
    earlier: &[Earlier],
    now: Ts,
) -> Round {
    let in_wave = |m: &&Earlier| m.wave == standing.wave && m.state.is_active();
    let running = standing.wave > 0 && standing.next_wave_at.is_some_and(|at| at > now);
    let (wave, ask, next_wave_at) = if running {
        let active = earlier.iter().filter(in_wave).count();
        (
            standing.wave,
            usize::from(policy.size).saturating_sub(active),
            // A wave that began when it was less urgent ends as one does now.
            standing
                .next_wave_at
                .map_or(now, |at| at.min(now.after(policy.next_wave_after))),
        )
    } else {
        (
            standing.wave + 1,
            usize::from(policy.size),
            now.after(policy.next_wave_after),
        )
    };
    let mut not_again = HashSet::new();
    let mut second_round_at: Option<Ts> = None;
    for m in earlier {
        match rest(m, standing.version, settings) {
            Rest::None => continue,
            Rest::Until(at) if at <= now => continue,
            Rest::Until(at) => {
                second_round_at = Some(second_round_at.map_or(at, |first| first.min(at)));
            }
            Rest::Forever => {}
        }
        not_again.insert(m.volunteer);
    }
    Round {
        wave,
        ask,
        next_wave_at,
        not_again,
        second_round_at,
        busy: earlier.iter().any(|m| m.state.is_active()),
    }
}

enum Rest {
    None,
    Until(Ts),
    Forever,
}

/// Whether the volunteer of an earlier match may be asked again for the same request.
fn rest(earlier: &Earlier, version: i32, settings: &MatchingSettings) -> Rest {
    let changed = earlier.version != version;
    match earlier.state {
        MatchState::Proposed | MatchState::Notified | MatchState::Accepted | MatchState::Vetoed => {
            Rest::Forever
        }
        MatchState::FellThrough if earlier.fall_reason == Some(FallReason::Refused) => {
            Rest::Forever
        }
        MatchState::Declined | MatchState::FellThrough | MatchState::Fulfilled if !changed => {
            Rest::Forever
        }
        MatchState::Lapsed if !changed => Rest::Until(
            earlier
                .ended_at
                .unwrap_or(Ts::EPOCH)
                .after(settings.second_round_after),
        ),
        _ => Rest::None,
    }
}

/// When the request is to be looked at again, and whether a person must look at it, after a round that
/// found `found` to ask, saw `near` offers in reach at all, and postponed some until `rested`.
#[must_use]
pub fn after(
    round: &Round,
    found: usize,
    near: usize,
    rested: Option<Ts>,
) -> (Option<Ts>, Option<Attention>) {
    let asked_out = found == 0 && !round.busy && rested.is_none();
    let attention = asked_out.then_some(if near == 0 {
        Attention::NoneInReach
    } else {
        Attention::AllAsked
    });
    let next_wave = (found > 0 || round.busy).then_some(round.next_wave_at);
    // With nobody left to ask, only a second round, a new offer or an answer changes anything; each of
    // the latter two makes the request due by itself.
    let due = [
        next_wave.filter(|_| found > 0 || near > 0),
        round.second_round_at,
        rested,
    ]
    .into_iter()
    .flatten()
    .min();
    (due, attention)
}

/// Night, for asks that may wake somebody: local time.
const NIGHT: (Time, Time) = (Time::constant(22, 0, 0, 0), Time::constant(7, 0, 0, 0));

/// Whether a volunteer may be asked at `now`, by the hours of the day.
#[must_use]
pub fn is_asking_time(
    policy: &Wave,
    urgency: Urgency,
    limits: &AskLimits,
    zone: &TimeZoneName,
    now: Ts,
) -> bool {
    if urgency == Urgency::Now && limits.nights {
        return true;
    }
    if limits.quiet.as_ref().is_some_and(|quiet| quiet.cover(now)) {
        return false;
    }
    let local = zone.to_local(now).time();
    if urgency == Urgency::Now && limits.quiet.is_none() && (local >= NIGHT.0 || local < NIGHT.1) {
        return false;
    }
    match (policy.ask_from, policy.ask_until) {
        (Some(from), Some(until)) => from <= local && local < until,
        _ => true,
    }
}
