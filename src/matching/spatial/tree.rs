//! The tree under the index: places as points on the unit sphere in rstar, every node knowing the
//! widest reach below it.

use std::f64::consts::FRAC_PI_2;
use std::fmt;

use rstar::{AABB, Envelope, RStarInsertionStrategy, RTree, RTreeObject, RTreeParams};

use crate::domain::place::GeoPoint;

/// A point on the unit sphere.
pub(super) type Unit = [f64; 3];

/// The tree of places.
pub(super) type Tree = RTree<Leaf, Wide>;

/// The sphere of [`GeoPoint::distance_m`].
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// How far a chord is allowed to be from the one that its exact distance would have: 6 µm on the
/// ground, a hundred times what rounding can do. So cutting off by chords loses nothing.
pub(super) const SLACK: f64 = 1e-12;

/// `point` on the unit sphere.
pub(super) fn unit(point: GeoPoint) -> Unit {
    let (sin_lat, cos_lat) = point.lat().to_radians().sin_cos();
    let (sin_lon, cos_lon) = point.lon().to_radians().sin_cos();
    [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat]
}

/// The square of the chord between two points of the unit sphere.
pub(super) fn chord_2(a: &Unit, b: &Unit) -> f64 {
    let squared = |axis: usize| (a[axis] - b[axis]) * (a[axis] - b[axis]);
    squared(0) + squared(1) + squared(2)
}

/// The square of the chord that `meters` along a great circle span, `2 sin(d / 2R)`, and a little
/// more: no place within `meters` has a longer one.
pub(super) fn chord_2_of(meters: f64) -> f64 {
    let half_angle = (meters / (2.0 * EARTH_RADIUS_M)).min(FRAC_PI_2);
    beyond(2.0 * half_angle.sin())
}

/// The square of a chord that is longer than `chord` by more than any rounding.
pub(super) fn beyond(chord: f64) -> f64 {
    (chord + SLACK) * (chord + SLACK)
}

/// A place in the tree.
#[derive(Clone, Copy)]
pub(super) struct Leaf {
    /// Where it is, on the unit sphere.
    pub(super) at: Unit,
    /// [`chord_2_of`] the widest reach of its posts.
    pub(super) reach_chord_2: f64,
    /// Which it is; this alone makes two leaves equal.
    pub(super) place: u32,
}

impl Leaf {
    /// The place of this number at `point`, where the widest reach is `reach_m`.
    pub(super) fn new(place: u32, point: GeoPoint, reach_m: u32) -> Self {
        Self {
            at: unit(point),
            reach_chord_2: chord_2_of(f64::from(reach_m)),
            place,
        }
    }
}

impl PartialEq for Leaf {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl RTreeObject for Leaf {
    type Envelope = ReachBox;

    fn envelope(&self) -> ReachBox {
        ReachBox {
            space: AABB::from_point(self.at),
            reach_chord_2: self.reach_chord_2,
        }
    }
}

/// The box around some places, with the widest reach among them: a walk leaves a node aside when its
/// box is farther than that. rstar means its trait for its own box only; this one adds the reach and
/// leaves all else to that.
#[derive(Clone, PartialEq)]
pub(super) struct ReachBox {
    space: AABB<Unit>,
    /// [`chord_2_of`] the widest reach in the box.
    pub(super) reach_chord_2: f64,
}

impl ReachBox {
    /// The square of the chord to the nearest point of the box. In floating point, too, it is never
    /// more than [`chord_2`] to anything in it: each difference only shrinks, and rounding is monotone.
    pub(super) fn chord_2_to(&self, at: &Unit) -> f64 {
        chord_2(&self.space.min_point(at), at)
    }
}

/// Hidden as [`GeoPoint`] is: a box may be a single place.
impl fmt::Debug for ReachBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReachBox(redacted)")
    }
}

impl Envelope for ReachBox {
    type Point = Unit;

    fn new_empty() -> Self {
        Self {
            space: AABB::new_empty(),
            reach_chord_2: 0.0,
        }
    }

    fn is_empty(&self) -> bool {
        self.space.is_empty()
    }

    fn contains_point(&self, point: &Unit) -> bool {
        self.space.contains_point(point)
    }

    fn contains_envelope(&self, other: &Self) -> bool {
        self.reach_chord_2 >= other.reach_chord_2 && self.space.contains_envelope(&other.space)
    }

    fn merge(&mut self, other: &Self) {
        self.space.merge(&other.space);
        self.reach_chord_2 = self.reach_chord_2.max(other.reach_chord_2);
    }

    fn merged(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.merge(other);
        both
    }

    fn intersects(&self, other: &Self) -> bool {
        self.space.intersects(&other.space)
    }

    fn intersection_area(&self, other: &Self) -> f64 {
        self.space.intersection_area(&other.space)
    }

    fn area(&self) -> f64 {
        self.space.area()
    }

    fn distance_2(&self, point: &Unit) -> f64 {
        self.space.distance_2(point)
    }

    fn min_max_dist_2(&self, point: &Unit) -> f64 {
        self.space.min_max_dist_2(point)
    }

    fn center(&self) -> Unit {
        self.space.center()
    }

    fn perimeter_value(&self) -> f64 {
        self.space.perimeter_value()
    }

    fn sort_envelopes<T: RTreeObject<Envelope = Self>>(axis: usize, envelopes: &mut [T]) {
        let lower = |object: &T| object.envelope().space.lower()[axis];
        envelopes.sort_unstable_by(|a, b| lower(a).total_cmp(&lower(b)));
    }

    fn partition_envelopes<T: RTreeObject<Envelope = Self>>(
        axis: usize,
        envelopes: &mut [T],
        selection_size: usize,
    ) {
        let lower = |object: &T| object.envelope().space.lower()[axis];
        envelopes.select_nth_unstable_by(selection_size, |a, b| lower(a).total_cmp(&lower(b)));
    }
}

/// Wider nodes than rstar's 3 to 6. Freshly loaded trees are walked as fast with either; after three
/// million moves in a million posts a walk to the nearest ten took 3.5 µs instead of 7.3 µs.
pub(super) struct Wide;

impl RTreeParams for Wide {
    const MIN_SIZE: usize = 4;
    const MAX_SIZE: usize = 12;
    const REINSERTION_COUNT: usize = 3;
    type DefaultInsertionStrategy = RStarInsertionStrategy;
}
