//! The posts that share one point.

use std::cmp::Reverse;
use std::iter;

use smallvec::SmallVec;

use crate::domain::place::GeoPoint;

/// A post as its place lists it.
#[derive(Clone, Copy)]
pub(super) struct Post<K> {
    pub(super) key: K,
    pub(super) reach_m: u32,
}

impl<K: Copy + Ord> Post<K> {
    /// Lists are sorted by this: wide reaches first, so that a walk from afar doesn't look at the
    /// many posts of a place that it can't use, and by key within a class, so that it finds the
    /// ones that it can in the order it wants.
    fn rank(&self) -> (Reverse<u32>, K) {
        (Reverse(class(self.reach_m)), self.key)
    }
}

/// A reach's class: 0 for none, then one for each power of four (1 to 3 m, 4 to 15 m, … 262 144 to
/// 1 048 575 m).
fn class(reach_m: u32) -> u32 {
    (u32::BITS - reach_m.leading_zeros()).div_ceil(2)
}

/// A point with its posts.
pub(super) struct Place<K> {
    pub(super) point: GeoPoint,
    /// At most places one, which then needs no memory of its own.
    posts: SmallVec<[Post<K>; 1]>,
    widest_reach_m: Option<u32>,
}

impl<K: Copy + Ord> Place<K> {
    /// A point without posts.
    pub(super) fn new(point: GeoPoint) -> Self {
        Self {
            point,
            posts: SmallVec::new(),
            widest_reach_m: None,
        }
    }

    /// The widest reach here, `None` without posts.
    pub(super) fn widest_reach_m(&self) -> Option<u32> {
        self.widest_reach_m
    }

    /// Lists a post that isn't listed. Cost: O(log n) to find where, and a memory move.
    pub(super) fn add(&mut self, post: Post<K>) {
        let at = self
            .posts
            .partition_point(|other| other.rank() < post.rank());
        self.posts.insert(at, post);
        self.widest_reach_m = self.widest_reach_m.max(Some(post.reach_m));
    }

    /// Takes a post off the list, and unused room with it; `false` if it isn't listed. Cost: as [`Self::add`];
    /// for the one with the widest reach, also a look at the others of its class.
    pub(super) fn remove(&mut self, post: &Post<K>) -> bool {
        let Ok(at) = self.posts.binary_search_by_key(&post.rank(), Post::rank) else {
            return false;
        };
        self.posts.remove(at);
        if self.posts.len() < self.posts.capacity() / 4 {
            self.posts.shrink_to_fit();
        }
        if self.widest_reach_m == Some(post.reach_m) {
            self.widest_reach_m = self.find_widest_reach_m();
        }
        true
    }

    /// Lists a post where there are more to come: call [`Self::sort`] after the last.
    pub(super) fn add_unsorted(&mut self, post: Post<K>) {
        self.posts.push(post);
    }

    /// Puts in order what was listed unsorted.
    pub(super) fn sort(&mut self) {
        self.posts.sort_unstable_by_key(Post::rank);
        self.posts.shrink_to_fit();
        self.widest_reach_m = self.find_widest_reach_m();
    }

    fn find_widest_reach_m(&self) -> Option<u32> {
        self.runs().next()?.iter().map(|post| post.reach_m).max()
    }

    /// The posts class by class, the widest first, each sorted by key.
    fn runs(&self) -> impl Iterator<Item = &[Post<K>]> {
        let mut rest = self.posts.as_slice();
        iter::from_fn(move || {
            let class_of_run = class(rest.first()?.reach_m);
            let (run, others) =
                rest.split_at(rest.partition_point(|post| class(post.reach_m) == class_of_run));
            rest = others;
            Some(run)
        })
    }

    /// The runs that may hold a post of at least this reach.
    pub(super) fn runs_reaching(&self, meters: f64) -> impl Iterator<Item = &[Post<K>]> {
        self.runs().take_while(move |run| {
            let class_of_run = run.first().map_or(0, |post| class(post.reach_m));
            4_f64.powi(class_of_run.cast_signed()) > meters
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_leaves_leaves_no_room_behind() {
        let mut place = Place::new(GeoPoint::parse(44.98, -93.27).unwrap());
        let post = |key| Post { key, reach_m: 500 };
        (0..1_000).for_each(|key| place.add(post(key)));
        assert!((10..1_000).all(|key| place.remove(&post(key))));
        assert!(place.posts.capacity() < 64);
        // Nor is the list moved for each of few.
        let room = place.posts.capacity();
        assert!(place.remove(&post(0)));
        assert_eq!(place.posts.capacity(), room);
    }
}
