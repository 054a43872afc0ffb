//! How often a volunteer may be asked by one plan, as one number: the limits of a round, for what the
//! plan could ask them.

use crate::domain::need::Urgency;
use crate::matching::judge::{Person, open_asks};
use crate::settings::matching::MatchingSettings;

/// For how many requests of which urgency a volunteer could be asked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    now: u32,
    today: u32,
    soon: u32,
}

/// How often that may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    pub asks: i32,
    /// Whether some of these asks are for what cannot wait, or can, alone: the number does not say which.
    pub is_simpler: bool,
}

impl Wanted {
    pub(super) fn add(&mut self, urgency: Urgency) {
        match urgency {
            Urgency::Now => self.now += 1,
            Urgency::Today => self.today += 1,
            Urgency::Soon => self.soon += 1,
        }
    }

    /// As many as may be asked, the most urgent first.
    pub(super) fn room(&self, settings: &MatchingSettings, person: &Person<'_>) -> Room {
        let (limits, load) = (person.limits, person.load);
        if load.open_releases >= u32::from(settings.open_releases) {
            return Room::default();
        }
        let open = |urgency| open_asks(settings, limits, urgency).saturating_sub(load.open_asks);
        // Only what cannot wait goes beyond the house's own limit.
        let usual = open(Urgency::Today);
        let most = open(Urgency::Now).min(self.now).max(usual);
        let is_mixed = self.today + self.soon > 0;
        // Only what can wait counts for the week.
        let used = u32::try_from(load.calm_asks.len()).unwrap_or(u32::MAX);
        let calm = u32::from(limits.weekly_asks).saturating_sub(used);
        let others = self.now + self.today;
        let is_scarce_week = calm < self.soon.min(most);
        let today = u32::try_from(load.days_asks.len()).unwrap_or(u32::MAX);
        let day = u32::from(limits.daily_asks).saturating_sub(today);
        let asks = most.min(calm.saturating_add(others)).min(day);
        Room {
            asks: i32::try_from(asks).unwrap_or(i32::MAX),
            is_simpler: (is_mixed && most > usual) || (is_scarce_week && others > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Ts;
    use crate::domain::limits::AskLimits;
    use crate::matching::judge::Load;
    use crate::settings::{Settings, Sources};

    fn room(wanted: (u32, u32, u32), limits: (u8, u8), load: &Load) -> (i32, bool) {
        let settings = Settings::load(Sources::default()).unwrap().matching;
        assert_eq!(settings.open_asks, 3);
        let limits = AskLimits {
            open_asks: limits.0,
            weekly_asks: limits.1,
            daily_asks: 8,
            nights: true,
            quiet: None,
        };
        let person = Person {
            is_askable: true,
            is_parted: false,
            limits: &limits,
            load,
            last_asked: None,
        };
        let (now, today, soon) = wanted;
        let room = Wanted { now, today, soon }.room(&settings, &person);
        (room.asks, room.is_simpler)
    }

    #[test]
    fn the_week_counts_for_what_can_wait_alone() {
        let load = Load {
            calm_asks: vec![Ts::EPOCH; 4],
            ..Load::default()
        };
        assert_eq!(room((0, 0, 9), (3, 5), &load), (1, false));
        assert_eq!(room((0, 9, 0), (3, 5), &load), (3, false));
        assert_eq!(room((0, 1, 9), (3, 5), &load), (2, true));
        assert_eq!(room((0, 9, 9), (3, 50), &load), (3, false));
    }

    #[test]
    fn only_what_cannot_wait_goes_beyond_the_limit_of_the_house() {
        let load = Load {
            open_asks: 1,
            ..Load::default()
        };
        assert_eq!(room((9, 0, 0), (8, 5), &load), (7, false));
        assert_eq!(room((0, 9, 0), (8, 5), &load), (2, false));
        assert_eq!(room((1, 9, 0), (8, 5), &load), (2, false));
        assert_eq!(room((4, 9, 0), (8, 5), &load), (4, true));
    }

    #[test]
    fn the_day_counts_for_everything() {
        let load = Load {
            days_asks: vec![Ts::EPOCH; 6],
            ..Load::default()
        };
        assert_eq!(room((9, 9, 9), (3, 50), &load), (2, false));
        assert_eq!(room((9, 0, 0), (8, 50), &load), (2, false));
    }

    #[test]
    fn nobody_is_asked_who_has_promised_as_much_as_one_may() {
        let load = Load {
            open_releases: u32::MAX,
            ..Load::default()
        };
        assert_eq!(room((9, 9, 9), (8, 50), &load), (0, false));
    }
}
