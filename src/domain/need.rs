//! What a request and an offer say of themselves: how much, how urgent, how far, how it changes hands.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::Ts;
use super::word::words;

words! {
    /// How soon a request must be met.
    Urgency {
        /// Tonight, at any hour, of those who opted in.
        Now = "now",
        /// Within the day.
        Today = "today",
        /// Within days.
        Soon = "soon",
    }
    /// Where the help changes hands, which decides whether an address must be told.
    Handover {
        /// Brought to the neighbor's door.
        Door = "door",
        /// Done inside the neighbor's home.
        Home = "home",
        /// The neighbor comes to the volunteer.
        Pickup = "pickup",
        /// They meet at a third place.
        Meet = "meet",
    }
    /// When an offer's capacity comes back.
    Renews {
        /// Never: what is taken is gone.
        None = "none",
        /// Each day; a night belongs to the day on which it began.
        Daily = "daily",
        /// Each week, from Monday on.
        Weekly = "weekly",
    }
    /// How far a neighbor's contact was checked.
    Verified {
        /// Not at all.
        None = "none",
        /// A link sent to the e-mail address was opened.
        Email = "email",
        /// A coordinator called back.
        Called = "called",
        /// A coordinator knows the person.
        Vouched = "vouched",
    }
}

/// How long before a request's deadline it is more urgent than its neighbor has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// From then on it is at least [`Urgency::Today`].
    pub today: Duration,
    /// From then on it is [`Urgency::Now`]; shorter.
    pub now: Duration,
}

impl Urgency {
    /// How urgent it is at `now`: what the neighbor has said, or more, where the deadline is near.
    #[must_use]
    pub fn at(self, deadline: Ts, now: Ts, near: Deadlines) -> Self {
        let left = deadline.since(now);
        if left <= near.now {
            Self::Now
        } else if left <= near.today {
            self.min(Self::Today)
        } else {
            self
        }
    }

    /// When it becomes more urgent by itself than it is at `now`.
    #[must_use]
    pub fn rises_at(self, deadline: Ts, now: Ts, near: Deadlines) -> Option<Ts> {
        let is = self.at(deadline, now, near);
        [near.today, near.now]
            .map(|left| deadline.before(left))
            .into_iter()
            .find(|line| *line > now && self.at(deadline, *line, near) < is)
    }
}

impl Handover {
    /// Whether the volunteer must be told the neighbor's address.
    #[must_use]
    pub fn needs_address(self) -> bool {
        matches!(self, Self::Door | Self::Home)
    }
}

/// How much is needed, given or taken, in the category's unit: 1 to [`Quantity::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i32);

impl Quantity {
    /// The largest quantity of any category; categories set lower limits.
    pub const MAX: i32 = 100_000;
    /// One.
    pub const ONE: Self = Self(1);

    /// The number.
    #[must_use]
    pub fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i64> for Quantity {
    type Error = &'static str;
    fn try_from(n: i64) -> Result<Self, Self::Error> {
        i32::try_from(n)
            .ok()
            .filter(|n| (1..=Self::MAX).contains(n))
            .map(Self)
            .ok_or("must be a whole number from 1 to 100000")
    }
}

impl From<Quantity> for i64 {
    fn from(q: Quantity) -> Self {
        q.0.into()
    }
}

/// How long before helping a volunteer must know of it: none to a week, in minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeadTime(i32);

impl LeadTime {
    /// A week.
    pub const MAX: i32 = 7 * 24 * 60;
    /// At once.
    pub const NONE: Self = Self(0);

    /// Minutes.
    #[must_use]
    pub fn minutes(self) -> i32 {
        self.0
    }

    /// The same as a span of time.
    #[must_use]
    pub fn length(self) -> Duration {
        Duration::from_mins(self.0.unsigned_abs().into())
    }
}

impl TryFrom<i64> for LeadTime {
    type Error = &'static str;
    fn try_from(minutes: i64) -> Result<Self, Self::Error> {
        i32::try_from(minutes)
            .ok()
            .filter(|m| (0..=Self::MAX).contains(m))
            .map(Self)
            .ok_or("must be whole minutes from 0 to 10080")
    }
}

/// How far somebody travels, in meters: 0 (not at all) to [`Reach::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Reach(i32);

impl Reach {
    /// 1 000 km: farther than anyone drives to help, and a bound for every search.
    pub const MAX: i32 = 1_000_000;
    /// Does not travel.
    pub const ZERO: Self = Self(0);

    /// Meters.
    #[must_use]
    pub fn meters(self) -> i32 {
        self.0
    }
}

impl TryFrom<i64> for Reach {
    type Error = &'static str;
    fn try_from(m: i64) -> Result<Self, Self::Error> {
        i32::try_from(m)
            .ok()
            .filter(|m| (0..=Self::MAX).contains(m))
            .map(Self)
            .ok_or("must be whole meters from 0 to 1000000")
    }
}

impl From<Reach> for i64 {
    fn from(r: Reach) -> Self {
        r.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR: Deadlines = Deadlines {
        today: Duration::from_hours(24),
        now: Duration::from_hours(2),
    };

    fn hours(n: u64) -> Ts {
        Ts::EPOCH.after(Duration::from_hours(n))
    }

    #[test]
    fn a_deadline_that_nears_makes_urgent_what_was_not() {
        use Urgency::{Now, Soon, Today};
        for (said, left, is, rises_after) in [
            (Soon, 100, Soon, Some(76)),
            (Soon, 25, Soon, Some(1)),
            (Soon, 24, Today, Some(22)),
            (Soon, 3, Today, Some(1)),
            (Soon, 2, Now, None),
            (Today, 100, Today, Some(98)),
            (Today, 2, Now, None),
            (Now, 100, Now, None),
            // Gone by.
            (Soon, 0, Now, None),
        ] {
            let deadline = hours(left);
            assert_eq!(said.at(deadline, Ts::EPOCH, NEAR), is, "{said} {left}");
            let rises = said.rises_at(deadline, Ts::EPOCH, NEAR);
            assert_eq!(rises, rises_after.map(hours), "{said} {left}");
        }
    }

    #[test]
    fn only_what_is_said_counts_where_the_lines_are_at_zero() {
        let never = Deadlines {
            today: Duration::ZERO,
            now: Duration::ZERO,
        };
        let deadline = hours(1);
        assert_eq!(Urgency::Soon.at(deadline, Ts::EPOCH, never), Urgency::Soon);
    }
}
