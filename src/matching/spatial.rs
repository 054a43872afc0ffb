//! Who is near enough: posts at points, each with a reach of its own, found nearest first.
//!
//! Answers one question: which posts lie within a radius of a point or have the point within their
//! own reach? It knows nothing of categories, states or time; callers walk outward and take the first
//! few that suit them. Whether a post is in reach is decided by [`GeoPoint::distance_m`], boundary
//! included, so the answer is the same as that of a scan over all posts.
//!
//! **Space.** Points stand on the unit sphere in an R-tree. A chord is `2 sin(d / 2R)` long, with the
//! great-circle distance `d` and R = 6 371 008.8 m (the mean radius of GRS 80, Moritz 2000), so near by
//! chord is near on the ground and neither the poles nor the antimeridian are special. (A tree of
//! longitudes and latitudes returns wrong neighbors there.)
//!
//! **Reach.** Thousands of near posts with a small reach can hide a far one with a large reach; at a
//! city's edge, walking past them takes a millisecond. So every node of the tree knows the widest reach
//! below it, and the walk leaves aside what lies beyond both the radius and that. (A tree for each class
//! of reach is as good at the edge, but takes three times as long in the middle of a city, where each
//! tree must be searched: `benches/spatial.rs` compares all three.)
//!
//! **Crowds.** Private posts stand at the centers of their cells, so many share a point. The tree
//! holds each occupied point once; its posts are in a list, by class of reach and by key.

mod place;
mod tree;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use rstar::RTreeObject;

use self::place::{Place, Post};
use self::tree::{Leaf, Tree};
use self::walk::Walk;
use crate::domain::place::GeoPoint;

/// Posts at points, each with its own reach.
///
/// Distances are meters along great circles of a sphere. A reach is meant to be up to 1 000 000 m;
/// more is allowed.
///
/// ```
/// use manyhands::domain::place::GeoPoint;
/// use manyhands::matching::spatial::SpatialIndex;
///
/// # fn main() -> Result<(), (&'static str, &'static str)> {
/// let downtown = GeoPoint::parse(44.98, -93.27)?;
/// let suburb = GeoPoint::parse(44.86, -93.45)?; // 19 km away
/// let next_town = GeoPoint::parse(45.56, -94.17)?; // 96 km away
///
/// let mut offers = SpatialIndex::new();
/// offers.insert("soup kitchen", downtown, 2_000);
/// offers.insert("van with a driver", suburb, 25_000);
/// offers.insert("spare room", next_town, 5_000);
///
/// let who = |radius_m| offers.within(downtown, radius_m).map(|hit| hit.key).collect::<Vec<_>>();
/// assert_eq!(who(0), ["soup kitchen", "van with a driver"]); // who comes here
/// assert_eq!(who(100_000), ["soup kitchen", "van with a driver", "spare room"]); // or would I go there?
///
/// assert_eq!(offers.within(suburb, 0).next().map(|hit| hit.distance_m), Some(0.0));
/// # Ok(())
/// # }
/// ```
pub struct SpatialIndex<K> {
    len: usize,
    places: Vec<Place<K>>,
    /// Numbers of places that are empty now.
    vacant: Vec<u32>,
    /// Every place that isn't empty, and the only way to find the place at a point.
    tree: Tree,
}

/// A post in reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit<K> {
    /// Which post.
    pub key: K,
    /// How far it is, in meters: [`GeoPoint::distance_m`] of the two points.
    pub distance_m: f64,
}

impl<K> std::fmt::Debug for SpatialIndex<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpatialIndex")
            .field("posts", &self.len)
            .field("places", &self.tree.size())
            .finish_non_exhaustive()
    }
}

impl<K: Copy + Ord> SpatialIndex<K> {
    /// An index without posts.
    #[must_use]
    pub fn new() -> Self {
        Self {
            len: 0,
            places: Vec::new(),
            vacant: Vec::new(),
            tree: Tree::new_with_params(),
        }
    }

    /// An index of many posts (key, point, reach in meters) at once, each with a key of its own: better packed
    /// and several times faster than inserting them one by one.
    ///
    /// Cost: O(n log n).
    #[must_use]
    pub fn bulk_load(posts: impl IntoIterator<Item = (K, GeoPoint, u32)>) -> Self {
        let mut index = Self::new();
        let mut numbers = HashMap::new();
        for (key, point, reach_m) in posts {
            let number = *numbers
                .entry(bits(point))
                .or_insert_with(|| index.new_place(point));
            if let Some(place) = index.places.get_mut(number as usize) {
                place.add_unsorted(Post { key, reach_m });
                index.len += 1;
            }
        }
        drop(numbers);
        index.places.shrink_to_fit();
        let mut leaves = Vec::with_capacity(index.places.len());
        for (number, place) in (0..).zip(&mut index.places) {
            place.sort();
            let reach_m = place.widest_reach_m();
            leaves.extend(reach_m.map(|reach_m| Leaf::new(number, place.point, reach_m)));
        }
        index.tree = Tree::bulk_load_with_params(leaves);
        index
    }

    /// Adds a post whose key is not in the index: one that moves, or takes another reach, is taken out first.
    ///
    /// Cost: O(log n), and a memory move in the list of the posts at that point.
    pub fn insert(&mut self, key: K, point: GeoPoint, reach_m: u32) {
        let number = self.find_place(point);
        let number = number.unwrap_or_else(|| self.new_place(point));
        self.change(number, |place| place.add(Post { key, reach_m }));
        self.len += 1;
    }

    /// Takes a post out of where it was put; `false` if it isn't there. Whoever holds the post knows its point
    /// and its reach: the index keeps no second list of them.
    ///
    /// Cost: as [`Self::insert`].
    pub fn remove(&mut self, key: K, point: GeoPoint, reach_m: u32) -> bool {
        let Some(number) = self.find_place(point) else {
            return false;
        };
        let is_out = self.change(number, |place| place.remove(&Post { key, reach_m }));
        self.len -= usize::from(is_out);
        is_out
    }

    /// How many posts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The posts at most `radius_m` meters from a point or with the point within their own reach,
    /// nearest first, then by key. Both bounds are inclusive.
    ///
    /// Lazy: what isn't taken isn't looked for. Cost: O(log n) for a post, more where many boxes
    /// of the tree touch the edge of what is in reach.
    pub fn within(&self, from: GeoPoint, radius_m: u32) -> impl Iterator<Item = Hit<K>> {
        Walk::new(&self.tree, &self.places, from, radius_m)
    }

    /// The number of the place at a point.
    fn find_place(&self, point: GeoPoint) -> Option<u32> {
        let is_here = |leaf: &&Leaf| {
            let place = self.places.get(leaf.place as usize);
            place.is_some_and(|place| bits(place.point) == bits(point))
        };
        let there = Leaf::new(0, point, 0).envelope();
        let mut near = self.tree.locate_in_envelope_intersecting(there);
        near.find(is_here).map(|leaf| leaf.place)
    }

    fn new_place(&mut self, point: GeoPoint) -> u32 {
        if let Some(number) = self.vacant.pop()
            && let Some(place) = self.places.get_mut(number as usize)
        {
            *place = Place::new(point);
            return number;
        }
        self.places.push(Place::new(point));
        #[expect(
            clippy::cast_possible_truncation,
            reason = "2^32 places would fill 200 GB"
        )]
        let number = (self.places.len() - 1) as u32;
        number
    }

    /// Changes a place's list, and the tree where it must know.
    fn change<T: Default>(&mut self, number: u32, change: impl FnOnce(&mut Place<K>) -> T) -> T {
        let Some(place) = self.places.get_mut(number as usize) else {
            return T::default();
        };
        let before = place.widest_reach_m();
        let changed = change(place);
        let after = place.widest_reach_m();
        if before == after {
            return changed;
        }
        if let Some(reach_m) = before {
            self.tree.remove(&Leaf::new(number, place.point, reach_m));
        }
        if let Some(reach_m) = after {
            self.tree.insert(Leaf::new(number, place.point, reach_m));
        } else {
            self.vacant.push(number);
        }
        changed
    }
}

impl<K: Copy + Ord> Default for SpatialIndex<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// Points are the same place when they are the same to the last bit, as the centers of one cell are.
fn bits(point: GeoPoint) -> (u64, u64) {
    (point.lat().to_bits(), point.lon().to_bits())
}
