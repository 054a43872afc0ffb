//! At which hours a volunteer is asked: her quiet hours, the night, and the hours that the house keeps.

use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::Time;

use crate::domain::availability::TimeZoneName;
use crate::domain::clock::Ts;
use crate::domain::limits::AskLimits;
use crate::domain::need::Urgency;
use crate::settings::matching::{Wave, Waves};

/// Night, for asks that may wake somebody: local time.
const NIGHT: (Time, Time) = (Time::constant(22, 0, 0, 0), Time::constant(7, 0, 0, 0));

/// Whose clock tells a volunteer's hours: what she said of herself, else that of what she offers.
fn own_zone<'a>(limits: &'a AskLimits, of_offer: &'a TimeZoneName) -> &'a TimeZoneName {
    limits.quiet.as_ref().map_or(of_offer, |q| &q.timezone)
}

/// How soon a request is: as its neighbor has said, and as it is by now. What either allows may be done,
/// because a deadline that nears must not leave her with fewer who may be asked.
pub type Urgencies = [Urgency; 2];

/// Whether a volunteer may be asked at `now`, by the hours of the day.
#[must_use]
pub fn is_asking_time(
    waves: &Waves,
    either: Urgencies,
    limits: &AskLimits,
    zone: &TimeZoneName,
    now: Ts,
) -> bool {
    let allows = |urgency| allows(waves.of(urgency), urgency, limits, zone, now);
    either.into_iter().any(allows)
}

/// Whether that urgency allows it.
fn allows(
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
    let local = own_zone(limits, zone).to_local(now).time();
    if urgency == Urgency::Now && limits.quiet.is_none() && (local >= NIGHT.0 || local < NIGHT.1) {
        return false;
    }
    policy
        .asking_hours()
        .is_none_or(|hours| hours.contain(local))
}

/// When those are looked at again whose hours forbid every hour of the day: in vain.
const NEVER: Duration = Duration::from_hours(24);

/// When a volunteer who may not be asked at `now`, by the hours of the day, may be asked next: the first
/// end of some hours at which nothing else forbids it. `None`: she may be asked now.
#[must_use]
pub fn asking_from(
    waves: &Waves,
    either: Urgencies,
    limits: &AskLimits,
    zone: &TimeZoneName,
    now: Ts,
) -> Option<Ts> {
    let may = |at| is_asking_time(waves, either, limits, zone, at);
    if may(now) {
        return None;
    }
    let local = own_zone(limits, zone).to_local(now);
    let quiet = limits.quiet.as_ref().map(|quiet| quiet.until);
    let night = either.contains(&Urgency::Now).then_some(NIGHT.1);
    let [said, by_now] = either.map(|urgency| waves.of(urgency).ask_from);
    let ends = [quiet, night, said, by_now];
    let next = (0..=2)
        .flat_map(|days| ends.iter().flatten().map(move |end| (days, *end)))
        .filter_map(|(days, end)| {
            let day = local.date().checked_add(days.days()).ok()?;
            let at = day
                .to_datetime(end)
                .to_zoned(local.time_zone().clone())
                .ok()?;
            Some(Ts::from(at.timestamp()))
        })
        .filter(|at| *at > now && may(*at))
        .min();
    Some(next.unwrap_or_else(|| now.after(NEVER)))
}

#[cfg(test)]
mod tests;
