//! What a request and an offer say of themselves: how much, how urgent, how far, how it changes hands.

use serde::{Deserialize, Serialize};

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
        /// At each local midnight.
        Daily = "daily",
        /// At each local Monday midnight.
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
