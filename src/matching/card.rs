//! What matching knows of a post: the row without its secrets, its hours turned into intervals.

use std::sync::Arc;

use crate::domain::attribute::Attributes;
use crate::domain::availability::{Availability, Window, Windows};
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::ids::{NeighborId, OfferId, RequestId, VolunteerId};
use crate::domain::need::{Deadlines, LeadTime, Reach, Renews, Urgency};
use crate::domain::place::GeoPoint;

/// An open offer.
#[derive(Clone, Debug)]
pub struct OfferCard {
    /// Which offer.
    pub id: OfferId,
    /// Whose.
    pub volunteer: VolunteerId,
    /// Of which category.
    pub category: CategoryKey,
    /// A site's own point, or the center of a private offer's cell; never a private exact point.
    pub at: GeoPoint,
    /// How far it reaches.
    pub reach: Reach,
    /// What it holds in each period.
    pub capacity: i32,
    /// When it holds that again.
    pub renews: Renews,
    /// How long before helping its volunteer must know.
    pub lead: LeadTime,
    /// What is taken of it, by period.
    pub taken: Vec<(Ts, i32)>,
    /// When it stands, as it was written.
    pub availability: Availability,
    /// When it stands, as intervals up to the horizon.
    pub windows: Windows,
    /// What it provides.
    pub provides: Attributes,
    /// Until when its volunteer is vetted.
    pub vetted_until: Option<Ts>,
    /// What its volunteer speaks, best first.
    pub languages: Arc<[String]>,
}

impl OfferCard {
    /// The period an instant belongs to.
    #[must_use]
    pub fn period(&self, at: Ts) -> Ts {
        self.availability.period_start(self.renews, at)
    }

    /// What is free in a period.
    #[must_use]
    pub fn free(&self, period: Ts) -> i32 {
        let taken = self
            .taken
            .iter()
            .find(|(p, _)| *p == period)
            .map_or(0, |(_, taken)| *taken);
        self.capacity - taken
    }

    /// Whether the other says the same, but for the intervals, which follow from the rest and the time.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let taken = |card: &Self| {
            let mut taken = card.taken.clone();
            taken.retain(|(_, amount)| *amount > 0);
            taken.sort_unstable();
            taken
        };
        self.id == other.id
            && self.volunteer == other.volunteer
            && self.category == other.category
            && self.at == other.at
            && self.reach == other.reach
            && self.capacity == other.capacity
            && self.renews == other.renews
            && self.lead == other.lead
            && self.availability == other.availability
            && self.provides == other.provides
            && self.vetted_until == other.vetted_until
            && self.languages == other.languages
            && taken(self) == taken(other)
    }
}

/// An open request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestCard {
    /// Which request.
    pub id: RequestId,
    /// Whose.
    pub neighbor: NeighborId,
    /// Of which category.
    pub category: CategoryKey,
    /// The center of its cell.
    pub at: GeoPoint,
    /// How far the neighbor travels.
    pub travel: Reach,
    /// What is still needed.
    pub needed: i32,
    /// Whether several may share it.
    pub splittable: bool,
    /// How many more may share it.
    pub helpers_left: i32,
    /// How soon, as its neighbor has said.
    pub said: Urgency,
    /// How soon: in a round, how urgent it is by then; elsewhere what was said.
    pub urgency: Urgency,
    /// Since when it waits.
    pub since: Ts,
    /// When.
    pub window: Window,
    /// Whether the helper must be there for the whole of it.
    pub throughout: bool,
    /// What it requires.
    pub requires: Attributes,
    /// What the neighbor speaks, best first.
    pub languages: Arc<[String]>,
    /// Whether a common language is a must.
    pub language_must: bool,
}

impl RequestCard {
    /// How urgent it is at `now`: as its neighbor has said, or more, because its deadline nears.
    #[must_use]
    pub fn urgency_at(&self, now: Ts, near: Deadlines) -> Urgency {
        self.said.at(self.deadline(), now, near)
    }

    /// By when help must be found.
    #[must_use]
    pub fn deadline(&self) -> Ts {
        if self.throughout {
            self.window.from()
        } else {
            self.window.until()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::category::Catalog;
    use crate::domain::entropy::SeededEntropy;
    use crate::domain::limits::DAY;
    use crate::matching::eligible::tests::{noon, offer, request};

    /// Each says one thing otherwise.
    const CHANGES: [fn(&mut OfferCard); 14] = [
        |card| card.id = OfferId::new(&SeededEntropy::new(9)),
        |card| card.volunteer = VolunteerId::new(&SeededEntropy::new(9)),
        |card| {
            card.category = Catalog::shipped()
                .unwrap()
                .get("towing")
                .unwrap()
                .key
                .clone();
        },
        |card| card.at = GeoPoint::parse(44.96, -93.26).unwrap(),
        |card| card.reach = Reach::ZERO,
        |card| card.capacity += 1,
        |card| card.renews = Renews::Daily,
        |card| card.lead = LeadTime::try_from(60).unwrap(),
        |card| card.availability.until = Some(noon()),
        |card| card.provides = serde_json::from_str(r#"{"quiet": true}"#).unwrap(),
        |card| card.vetted_until = Some(noon()),
        |card| card.languages = ["so".to_owned()].into(),
        |card| card.taken.push((noon(), 1)),
        |card| card.taken.push((noon(), 2)),
    ];

    #[test]
    fn whatever_an_offer_says_otherwise_is_noticed() {
        assert!(offer().agrees_with(&offer()));
        for (i, change) in CHANGES.iter().enumerate() {
            let mut other = offer();
            change(&mut other);
            assert!(!offer().agrees_with(&other), "{i}");
            assert!(other.agrees_with(&other.clone()), "{i}");
        }
    }

    #[test]
    fn what_follows_from_the_rest_makes_no_difference() {
        let mut taken = offer();
        taken.taken = vec![(noon(), 1), (Ts::EPOCH, 2)];
        let mut other = offer();
        // In another order, with a period of which everything was given back, and its hours not worked out yet.
        other.taken = vec![(Ts::EPOCH, 2), (noon().after(DAY), 0), (noon(), 1)];
        other.windows = other.availability.windows(request().window);
        assert!(taken.agrees_with(&other));
    }

    #[test]
    fn help_for_the_whole_time_is_found_by_its_beginning_and_other_help_by_its_end() {
        let mut request = request();
        assert_eq!(request.deadline(), request.window.until());
        request.throughout = true;
        assert_eq!(request.deadline(), request.window.from());
    }
}
