//! Areas in which nothing is matched for now.

use super::place::{Cell, GeoPoint};
use super::word::words;

words! {
    /// Why an area is frozen.
    AreaReason {
        /// Somebody threatens people there.
        Threat = "threat",
        /// Those who come to help are not who they say.
        Impostors = "impostors",
        /// The way there is not safe.
        Roads = "roads",
        /// People are being brought away.
        Evacuation = "evacuation",
        /// Anything else.
        Other = "other",
    }
    /// What of a freeze, or of its end, is being carried out.
    Settling {
        /// Asks that touch the area are withdrawn.
        Asks = "asks",
        /// Requests of the area are made due again.
        Requests = "requests",
        /// Offers of the area are made due again.
        Offers = "offers",
    }
}

/// How far an area reaches, in meters: 100 to 50 000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Radius(i32);

impl Radius {
    /// Meters.
    #[must_use]
    pub fn meters(self) -> i32 {
        self.0
    }
}

impl TryFrom<i64> for Radius {
    type Error = &'static str;
    fn try_from(m: i64) -> Result<Self, Self::Error> {
        i32::try_from(m)
            .ok()
            .filter(|m| (100..=50_000).contains(m))
            .map(Self)
            .ok_or("must be whole meters from 100 to 50000")
    }
}

/// A circle around the middle of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    /// The cell.
    pub cell: Cell,
    /// How far.
    pub radius: Radius,
}

impl Circle {
    /// Whether the point lies within, or so near that it may. For a private post the point is its cell's
    /// middle, and so is that of the circle: each may stand an edge of the cell from where it really is,
    /// and nobody within the circle must be missed.
    #[must_use]
    pub fn holds(&self, point: GeoPoint) -> bool {
        let reach = f64::from(self.radius.meters()) + 2.0 * self.cell.edge_m();
        self.cell.center().distance_m(point) <= reach
    }
}

/// Every area that is frozen now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frozen(pub Vec<Circle>);

impl Frozen {
    /// Whether nothing is frozen at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the point lies in any of them.
    #[must_use]
    pub fn holds(&self, point: GeoPoint) -> bool {
        self.0.iter().any(|circle| circle.holds(point))
    }
}
