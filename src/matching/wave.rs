//! How many are asked, and when: the rounds of one request.
//!
//! A wave is the matches asked together. A decline is replaced at once; when the wave has had its
//! time, the next one is asked, whether or not the earlier have answered; each may be wider than the one
//! before. Who has lapsed may be asked again after a rest; who has declined, been vetoed or fallen
//! through, not.

use std::collections::HashMap;
use std::time::Duration;

use super::card::RequestCard;
use super::passed::{Passed, PassedOver};

use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::lifecycle::{Attention, FallReason, MatchState};
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
    /// Whether a plan has chosen it.
    pub planned: bool,
    /// For which version of the request.
    pub version: i32,
    /// When it came into being.
    pub created_at: Ts,
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
    /// Volunteers that are not to be asked in this round, and why.
    pub not_again: HashMap<VolunteerId, PassedOver>,
    /// When the first of those who lapsed may be asked again.
    pub second_round_at: Option<Ts>,
    /// Whether anyone is being asked, or has promised, already.
    pub busy: bool,
    /// When the last of the earlier came to its end.
    pub last_end: Option<Ts>,
    /// How long volunteers have for an answer.
    pub respond_within: Duration,
    /// From when on the review of the oldest proposal is late: it has as long as an answer.
    pub review_late_at: Option<Ts>,
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
    let proposed_at = earlier
        .iter()
        .filter(|m| m.state == MatchState::Proposed)
        .map(|m| m.created_at)
        .min();
    // More proposals would only keep more volunteers from being asked for anything else.
    let running = standing.wave > 0
        && (proposed_at.is_some() || standing.next_wave_at.is_some_and(|at| at > now));
    let (wave, ask, next_wave_at) = if running {
        let active = earlier.iter().filter(in_wave).count();
        let size = planned(earlier, standing.wave).unwrap_or_else(|| size(policy, standing.wave));
        (
            standing.wave,
            size.saturating_sub(active),
            // A wave that began when it was less urgent ends as one does now.
            standing
                .next_wave_at
                .filter(|at| *at > now)
                .map_or(now.after(policy.next_wave_after), |at| {
                    at.min(now.after(policy.next_wave_after))
                }),
        )
    } else {
        (
            standing.wave + 1,
            size(policy, standing.wave + 1),
            now.after(policy.next_wave_after),
        )
    };
    let mut not_again: HashMap<VolunteerId, PassedOver> = HashMap::new();
    for m in earlier {
        let Some(passed) = rest(m, standing.version, settings, now) else {
            continue;
        };
        // What lasts outweighs what ends, and of what ends the later end counts.
        let lasts = |p: &PassedOver| (p.until.is_none(), p.until);
        let known = not_again.get(&m.volunteer);
        if known.is_none_or(|known| lasts(known) < lasts(&passed)) {
            not_again.insert(m.volunteer, passed);
        }
    }
    let second_round_at = not_again.values().filter_map(|p| p.until).min();
    Round {
        wave,
        ask,
        next_wave_at,
        not_again,
        second_round_at,
        busy: earlier.iter().any(|m| m.state.is_active()),
        last_end: earlier.iter().filter_map(|m| m.ended_at).max(),
        respond_within: policy.respond_within,
        review_late_at: proposed_at.map(|at| at.after(policy.respond_within)),
    }
}

/// How many a plan has chosen for a wave, if it was a plan that opened it: such a wave is as large as that. The
/// others near are meant for somebody else; who says no is replaced all the same.
fn planned(earlier: &[Earlier], wave: i32) -> Option<usize> {
    let of_plan = |m: &&Earlier| m.wave == wave && m.planned;
    Some(earlier.iter().filter(of_plan).count()).filter(|count| *count > 0)
}

/// No wave is wider than this, however many came before it.
const WIDEST: usize = 50;

/// How many a wave asks: each so many more than the one before, whoever is in reach.
fn size(policy: &Wave, wave: i32) -> usize {
    let before = usize::try_from(wave - 1).unwrap_or(0);
    let wider = usize::from(policy.widen_by).saturating_mul(before);
    usize::from(policy.size)
        .saturating_add(wider)
        .min(WIDEST.max(usize::from(policy.size)))
}

/// Why the volunteer of an earlier match may not be asked again for the same request, which stands in that version, at
/// `now`.
#[must_use]
pub fn rest(
    earlier: &Earlier,
    version: i32,
    settings: &MatchingSettings,
    now: Ts,
) -> Option<PassedOver> {
    let changed = earlier.version != version;
    let why = match earlier.state {
        MatchState::Proposed | MatchState::Notified | MatchState::Accepted => Passed::Asked,
        MatchState::Vetoed => Passed::Vetoed,
        MatchState::FellThrough if earlier.fall_reason == Some(FallReason::Refused) => {
            Passed::CameToNothing
        }
        MatchState::Declined if !changed => Passed::Declined,
        MatchState::FellThrough | MatchState::Fulfilled if !changed => Passed::CameToNothing,
        MatchState::Lapsed if !changed => {
            let ended = earlier.ended_at.unwrap_or(Ts::EPOCH);
            let until = ended.after(settings.second_round_after);
            return (until > now).then(|| PassedOver::until(Passed::Lapsed, Some(until)));
        }
        _ => return None,
    };
    Some(PassedOver::new(why))
}

/// What a round saw of those it could not ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Offers in reach, as far as it looked.
    pub in_reach: u32,
    /// Of them, those that fit and whose volunteers rest; the lapsed of this request are not among them.
    pub resting: u32,
    /// Of them, those that do not fit.
    pub unfit: u32,
    /// Of them, those that could have been asked too.
    pub left: u32,
    /// When the first rest ends, as far as that is known.
    pub rests_until: Option<Ts>,
    /// When the first of those ends that end by the clock alone.
    pub wakes_at: Option<Ts>,
}

impl Sight {
    /// Adds what was found out of those that fit.
    pub fn add(&mut self, judged: &Self) {
        self.resting += judged.resting;
        self.unfit += judged.unfit;
        self.rests_until = first(&[self.rests_until, judged.rests_until]);
        self.wakes_at = first(&[self.wakes_at, judged.wakes_at]);
    }

    /// Counts an offer that is passed over.
    pub fn pass(&mut self, passed: &PassedOver) {
        self.unfit += u32::from(passed.why.is_unfit());
        if passed.why.is_rest() && passed.why != Passed::Lapsed {
            self.resting += 1;
            self.rests_until = first(&[self.rests_until, passed.until]);
            if !passed.why.ends_by_an_act() {
                self.wakes_at = first(&[self.wakes_at, passed.until]);
            }
        }
    }
}

fn first(times: &[Option<Ts>]) -> Option<Ts> {
    times.iter().copied().flatten().min()
}

/// What comes after a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// When the request is looked at again.
    pub due: Option<Ts>,
    /// When somebody is asked again, as far as that is known: it may be looked at earlier in vain.
    pub asks_at: Option<Ts>,
    /// Whether a person must look at it.
    pub attention: Option<Attention>,
}

/// While all who could be asked rest, a round does not look again before this, even if a rest should have ended
/// already: what ends it may be late.
const SOONEST: Duration = Duration::from_mins(1);

/// What comes after a round that asked `asked` people for a request.
#[must_use]
pub fn after(
    round: &Round,
    settings: &MatchingSettings,
    asked: usize,
    sight: &Sight,
    request: &RequestCard,
    now: Ts,
) -> Next {
    let is_idle = asked == 0 && !round.busy;
    let asked_out = is_idle && !is_hope(round, settings, sight, request, now);
    let attention = if round.review_late_at.is_some_and(|at| at <= now) {
        Some(Attention::ReviewLate)
    } else if asked_out && sight.in_reach == 0 {
        Some(Attention::NoneInReach)
    } else {
        asked_out.then_some(Attention::AllAsked)
    };
    // A round that could ask and found nobody does not find anybody either when its wave is over.
    let is_full = round.ask == 0 && round.busy && sight.in_reach > 0;
    let next_wave = (asked > 0 || is_full).then_some(round.next_wave_at);
    let rested = (sight.resting > 0).then(|| {
        // Whatever ends a rest early makes the offer due, and that the requests it suits. The latest is the net under
        // it, and when the neighbor learns at the latest that those who rested are gone.
        let latest = settings.sweep_every.min(round.respond_within * 2);
        let (soonest, latest) = (now.after(SOONEST), now.after(latest));
        sight
            .wakes_at
            .map_or(latest, |at| at.clamp(soonest, latest))
    });
    let review_late_at = round.review_late_at.filter(|at| *at > now);
    // With nobody left to ask, only the end of a rest, a second round, a new offer or an answer changes
    // anything; each of the latter two makes the request due by itself.
    let hope_ends = hope_ends(round, settings, request);
    let hope_ends = (is_idle && sight.resting > 0 && hope_ends > now).then_some(hope_ends);
    let rests_until = sight.rests_until.filter(|at| *at > now);
    Next {
        due: first(&[
            next_wave,
            round.second_round_at,
            rested,
            hope_ends,
            review_late_at,
        ]),
        asks_at: first(&[next_wave, round.second_round_at, rests_until]),
        attention,
    }
}

/// Whether those who rest are a hope: for `second_round_after` from the post, or from the last ask that
/// came to nothing, unless it cannot wait and the first rest ends only after that; and for what is needed
/// some day also later, if the first rest ends in good time. A neighbor whom nobody could be asked for
/// otherwise needs a person, whatever comes later.
fn is_hope(
    round: &Round,
    settings: &MatchingSettings,
    sight: &Sight,
    request: &RequestCard,
    now: Ts,
) -> bool {
    let in_good_time = |at: Ts| at.after(round.respond_within) <= request.deadline();
    let hope_ends = hope_ends(round, settings, request);
    // What cannot wait has nothing from a volunteer who has had enough until tomorrow.
    let is_too_late = |at: Ts| request.urgency == Urgency::Now && at > hope_ends;
    sight.resting > 0
        && ((now < hope_ends && !sight.rests_until.is_some_and(is_too_late))
            || (request.urgency == Urgency::Soon && sight.rests_until.is_some_and(in_good_time)))
}

fn hope_ends(round: &Round, settings: &MatchingSettings, request: &RequestCard) -> Ts {
    let since = round
        .last_end
        .map_or(request.since, |end| end.max(request.since));
    since.after(settings.second_round_after)
}

#[cfg(test)]
mod tests;
