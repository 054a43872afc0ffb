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
use std::hash::Hash;

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
    /// Every post's place and reach.
    posts: HashMap<K, (u32, u32)>,
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
            .field("posts", &self.posts.len())
            .field("places", &self.tree.size())
            .finish_non_exhaustive()
    }
}

impl<K: Copy + Eq + Hash + Ord> SpatialIndex<K> {
    /// An index without posts.
    #[must_use]
    pub fn new() -> Self {
        Self {
            posts: HashMap::new(),
            places: Vec::new(),
            vacant: Vec::new(),
            tree: Tree::new_with_params(),
        }
    }

    /// An index of many posts (key, point, reach in meters) at once: better packed and several times
    /// faster than inserting them one by one. Of two posts with one key the later counts.
    ///
    /// Cost: O(n log n).
    #[must_use]
    pub fn bulk_load(posts: impl IntoIterator<Item = (K, GeoPoint, u32)>) -> Self {
        let posts = posts.into_iter();
        let mut index = Self::new();
        index.posts.reserve(posts.size_hint().0);
        let mut numbers = HashMap::new();
        for (key, point, reach_m) in posts {
            let number = *numbers
                .entry(bits(point))
                .or_insert_with(|| index.new_place(point));
            index.posts.insert(key, (number, reach_m));
        }
        drop(numbers);
        index.places.shrink_to_fit();
        for (&key, &(place, reach_m)) in &index.posts {
            if let Some(place) = index.places.get_mut(place as usize) {
                place.add_unsorted(Post { key, reach_m });
            }
        }
        let mut leaves = Vec::with_capacity(index.places.len());
        for (number, place) in (0..).zip(&mut index.places) {
            place.sort();
            if let Some(reach_m) = place.widest_reach_m() {
                leaves.push(Leaf::new(number, place.point, reach_m));
            } else {
                // All who stood here stand elsewhere by a later post of the same key.
                index.vacant.push(number);
            }
        }
        index.tree = Tree::bulk_load_with_params(leaves);
        index
    }

    /// Adds a post; one with the same key moves, and takes the new reach.
    ///
    /// Cost: O(log n), and a memory move in the list of the posts at that point.
    pub fn insert(&mut self, key: K, point: GeoPoint, reach_m: u32) {
        self.remove(&key);
        let number = self.place_at(point);
        self.posts.insert(key, (number, reach_m));
        self.change(number, |place| place.add(Post { key, reach_m }));
    }

    /// Takes a post out; `false` if there is none with this key.
    ///
    /// Cost: as [`Self::insert`].
    pub fn remove(&mut self, key: &K) -> bool {
        let Some((number, reach_m)) = self.posts.remove(key) else {
            return false;
        };
        self.change(number, |place| place.remove(&Post { key: *key, reach_m }));
        true
    }

    /// How many posts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.posts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.posts.is_empty()
    }

    /// The posts at most `radius_m` meters from a point or with the point within their own reach,
    /// nearest first, then by key. Both bounds are inclusive.
    ///
    /// Lazy: what isn't taken isn't looked for. Cost: O(log n) for a post, more where many boxes
    /// of the tree touch the edge of what is in reach.
    pub fn within(&self, from: GeoPoint, radius_m: u32) -> impl Iterator<Item = Hit<K>> {
        Walk::new(&self.tree, &self.places, from, radius_m)
    }

    /// The number of the place at a point; a new, empty one where there is none.
    fn place_at(&mut self, point: GeoPoint) -> u32 {
        let is_here = |leaf: &&Leaf| {
            let place = self.places.get(leaf.place as usize);
            place.is_some_and(|place| bits(place.point) == bits(point))
        };
        let there = Leaf::new(0, point, 0).envelope();
        let found = self
            .tree
            .locate_in_envelope_intersecting(there)
            .find(is_here)
            .map(|leaf| leaf.place);
        found.unwrap_or_else(|| self.new_place(point))
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
    fn change(&mut self, number: u32, change: impl FnOnce(&mut Place<K>)) {
        let Some(place) = self.places.get_mut(number as usize) else {
            return;
        };
        let before = place.widest_reach_m();
        change(place);
        let after = place.widest_reach_m();
        if before == after {
            return;
        }
        if let Some(reach_m) = before {
            self.tree.remove(&Leaf::new(number, place.point, reach_m));
        }
        if let Some(reach_m) = after {
            self.tree.insert(Leaf::new(number, place.point, reach_m));
        } else {
            self.vacant.push(number);
        }
    }
}

impl<K: Copy + Eq + Hash + Ord> Default for SpatialIndex<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// Points are the same place when they are the same to the last bit, as the centers of one cell are.
fn bits(point: GeoPoint) -> (u64, u64) {
    (point.lat().to_bits(), point.lon().to_bits())
}
