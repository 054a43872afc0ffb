//! The one judgement of a candidate: may this offer be asked for this request now, how good would that
//! be, or why not. A round of matching and the answer to "why?" both come from here.
//!
//! In two steps, because the first needs nothing but the index: whether the offer [`fits`](Asking::fits),
//! and whether its [`Person`] [may be asked](Asking::may_ask).

use super::card::{OfferCard, RequestCard};
use super::eligible::{Fit, Ineligible, eligible};
use super::hours::asking_from;
use super::passed::{Passed, PassedOver};
use super::score::{Record, score};
use super::wave::Round;
use crate::domain::area::Frozen;
use crate::domain::category::{Category, Review};
use crate::domain::clock::Ts;
use crate::domain::ids::VolunteerId;
use crate::domain::limits::{AskLimits, DAY, WEEK};
use crate::domain::need::Urgency;
use crate::domain::score::ScoreParts;
use crate::settings::matching::MatchingSettings;

/// How much a volunteer carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Asks and proposals without an answer.
    pub open_asks: u32,
    /// When the first of them ends by itself.
    pub open_until: Option<Ts>,
    /// Asks of this week that were not urgent, by when their letters left, oldest first. One that was
    /// withdrawn before its answer does not count, nor one whose letter never left.
    pub calm_asks: Vec<Ts>,
    /// Asks of this week of any urgency, counted likewise.
    pub recent_asks: u32,
    /// Those of them that are less than a day old, oldest first.
    pub days_asks: Vec<Ts>,
    /// How many of this week's were answered, with yes or no.
    pub answered: u32,
    /// Accepted matches that are not done.
    pub open_releases: u32,
}

/// What a judgement needs to know of a volunteer.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// Whether they may be asked for anything at all.
    pub is_askable: bool,
    /// Whether they and the neighbor are never to be brought together.
    pub is_parted: bool,
    /// How often and when they let themselves be asked.
    pub limits: &'a AskLimits,
    /// What they carry.
    pub load: &'a Load,
    /// When they were last asked for anything.
    pub last_asked: Option<Ts>,
}

/// An offer that may be asked, and how good that would be.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What it could do.
    pub fit: Fit,
    /// How good it is, from 0 to 1.
    pub score: f64,
    /// What the score is made of.
    pub parts: ScoreParts,
}

/// A request that looks for somebody to ask, at an instant.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The rules.
    pub settings: &'a MatchingSettings,
    /// The request's category.
    pub category: &'a Category,
    /// The request.
    pub request: &'a RequestCard,
    /// Who was asked already.
    pub round: &'a Round,
    /// Who helps with other slots of the same series, if there is one.
    pub series: Option<&'a [VolunteerId]>,
    /// Where nobody is asked.
    pub frozen: &'a Frozen,
    /// When.
    pub now: Ts,
}

impl Asking<'_> {
    /// Whether the offer fits, and is not one of a volunteer who is not to be asked again.
    ///
    /// # Errors
    /// Why it is passed over.
    pub fn fits(&self, offer: &OfferCard, distance_m: f64) -> Result<Fit, PassedOver> {
        if let Some(passed) = self.round.not_again.get(&offer.volunteer) {
            return Err(passed.clone());
        }
        if self.frozen.holds(offer.at) {
            return Err(PassedOver::new(Passed::Frozen));
        }
        eligible(self.category, self.request, offer, distance_m, self.now).map_err(|why| {
            let unmet = || {
                let (wanted, given) = (&self.request.requires, &offer.provides);
                self.category.unmet(wanted, given).map(str::to_owned)
            };
            PassedOver {
                attribute: (why == Ineligible::AttributeUnmet).then(unmet).flatten(),
                ..PassedOver::new(why.into())
            }
        })
    }

    /// Whether the volunteer of an offer that fits may be asked now, and how good that would be.
    ///
    /// # Errors
    /// Why the offer is passed over.
    pub fn may_ask(
        &self,
        offer: &OfferCard,
        fit: Fit,
        person: &Person<'_>,
    ) -> Result<Choice, PassedOver> {
        if !person.is_askable {
            return Err(PassedOver::new(Passed::NotAskable));
        }
        if person.is_parted {
            return Err(PassedOver::new(Passed::Parted));
        }
        let urgency = self.request.urgency;
        if let Some(full) = no_room(self.settings, person.limits, person.load, urgency) {
            return Err(full);
        }
        let (waves, either) = (&self.settings.waves, [self.request.said, urgency]);
        let zone = &offer.availability.timezone;
        // A proposal wakes nobody: the coordinator who approves it decides when.
        if self.category.policy.review == Review::None
            && let Some(at) = asking_from(waves, either, person.limits, zone, self.now)
        {
            return Err(PassedOver::until(Passed::Hours, Some(at)));
        }
        let record = Record {
            asked: person.load.recent_asks,
            answered: person.load.answered,
            last_asked: person.last_asked,
            same_helper: self.series.map(|all| all.contains(&offer.volunteer)),
        };
        let weights = &self.settings.weights;
        let (score, parts) = score(weights, self.request, offer, &fit, record, self.now);
        Ok(Choice { fit, score, parts })
    }

    /// Both steps at once.
    ///
    /// # Errors
    /// Why the offer is passed over.
    pub fn judge(
        &self,
        offer: &OfferCard,
        distance_m: f64,
        person: &Person<'_>,
    ) -> Result<Choice, PassedOver> {
        let fit = self.fits(offer, distance_m)?;
        self.may_ask(offer, fit, person)
    }
}

/// Which of the volunteer's limits leaves no room for one more ask, if one does; first those that end by the clock:
/// the others end by what somebody does, which is looked at when it is done.
#[must_use]
pub fn no_room(
    settings: &MatchingSettings,
    limits: &AskLimits,
    load: &Load,
    urgency: Urgency,
) -> Option<PassedOver> {
    if let Some(leaves) = leaves(&load.days_asks, limits.daily_asks) {
        return Some(PassedOver::until(
            Passed::DailyAsks,
            Some(leaves.after(DAY)),
        ));
    }
    if urgency == Urgency::Soon
        && let Some(leaves) = leaves(&load.calm_asks, limits.weekly_asks)
    {
        return Some(PassedOver::until(
            Passed::WeeklyAsks,
            Some(leaves.after(WEEK)),
        ));
    }
    if load.open_asks >= open_asks(settings, limits, urgency) {
        return Some(PassedOver::until(Passed::OpenAsks, load.open_until));
    }
    (load.open_releases >= u32::from(settings.open_releases))
        .then(|| PassedOver::new(Passed::OpenReleases))
}

/// For how many requests of that urgency the volunteer may be asked besides what they carry.
#[must_use]
pub fn room(
    settings: &MatchingSettings,
    limits: &AskLimits,
    load: &Load,
    urgency: Urgency,
) -> usize {
    if no_room(settings, limits, load, urgency).is_some() {
        return 0;
    }
    let open = open_asks(settings, limits, urgency).saturating_sub(load.open_asks);
    let day = usize::from(limits.daily_asks).saturating_sub(load.days_asks.len());
    day.min(usize::try_from(open).unwrap_or(usize::MAX))
}

/// Which of the asks must have left its span before there is room for another under the limit; `None` if there
/// is room now. There is when so many have left that fewer than the limit are in it.
fn leaves(asks: &[Ts], limit: u8) -> Option<Ts> {
    let over = asks.len().checked_sub(usize::from(limit))?;
    asks.get(over).copied()
}

/// How many asks the volunteer may have open at a time: more than the house's own limit only for what
/// cannot wait.
#[must_use]
pub fn open_asks(settings: &MatchingSettings, limits: &AskLimits, urgency: Urgency) -> u32 {
    let own = u32::from(limits.open_asks);
    match urgency {
        Urgency::Now => own,
        Urgency::Today | Urgency::Soon => own.min(u32::from(settings.open_asks)),
    }
}

#[cfg(test)]
mod tests;
