//! The walk outward from a point: over the tree by chords, then over places by exact distances.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rstar::{ParentNode, RTreeNode};

use super::Hit;
use super::place::{Place, Post};
use super::tree::{Leaf, Tree, Unit, beyond, chord_2, chord_2_of, unit};
use crate::domain::place::GeoPoint;

/// The nearest part of the tree that is still ahead is always looked at first (Hjaltason & Samet,
/// "Distance browsing in spatial databases", 1999), and nothing is put ahead that lies beyond both
/// the radius and every reach in it. What is found waits until nothing ahead can be nearer.
pub(super) struct Walk<'a, K> {
    places: &'a [Place<K>],
    from: GeoPoint,
    at: Unit,
    radius_m: f64,
    radius_chord_2: f64,
    ahead: BinaryHeap<Ahead<'a>>,
    found: BinaryHeap<Found<'a, K>>,
}

impl<'a, K: Copy + Ord> Walk<'a, K> {
    pub(super) fn new(
        tree: &'a Tree,
        places: &'a [Place<K>],
        from: GeoPoint,
        radius_m: u32,
    ) -> Self {
        let radius_m = f64::from(radius_m);
        let mut walk = Self {
            places,
            from,
            at: unit(from),
            radius_m,
            radius_chord_2: chord_2_of(radius_m),
            ahead: BinaryHeap::with_capacity(64),
            found: BinaryHeap::new(),
        };
        walk.look_into(tree.root());
        walk
    }

    fn look_into(&mut self, parent: &'a ParentNode<Leaf>) {
        for node in parent.children() {
            let (chord_2, reach_chord_2) = match node {
                RTreeNode::Parent(parent) => {
                    let envelope = parent.envelope();
                    (envelope.chord_2_to(&self.at), envelope.reach_chord_2)
                }
                RTreeNode::Leaf(leaf) => (chord_2(&leaf.at, &self.at), leaf.reach_chord_2),
            };
            if chord_2 <= self.radius_chord_2.max(reach_chord_2) {
                self.ahead.push(Ahead { chord_2, node });
            }
        }
    }

    /// Here the exact distance decides who is in reach.
    fn arrive(&mut self, leaf: &Leaf, chord_2: f64) {
        let Some(place) = self.places.get(leaf.place as usize) else {
            return;
        };
        let distance_m = self.from.distance_m(place.point);
        let least_reach_m = if distance_m <= self.radius_m {
            0.0
        } else {
            distance_m
        };
        let settled_chord_2 = beyond(chord_2.sqrt());
        for run in place.runs_reaching(least_reach_m) {
            let found = Found {
                distance_m,
                settled_chord_2,
                least_reach_m,
                posts: run,
            };
            self.found.extend(found.at_next_in_reach());
        }
    }
}

impl<K: Copy + Ord> Iterator for Walk<'_, K> {
    type Item = Hit<K>;

    fn next(&mut self) -> Option<Hit<K>> {
        loop {
            let nearest_ahead = self.ahead.peek().map(|ahead| ahead.chord_2);
            let settled = |found: &Found<'_, K>| {
                nearest_ahead.is_none_or(|chord_2| chord_2 > found.settled_chord_2)
            };
            if self.found.peek().is_some_and(settled) {
                let found = self.found.pop()?;
                let (post, posts) = found.posts.split_first()?;
                self.found
                    .extend(Found { posts, ..found }.at_next_in_reach());
                return Some(Hit {
                    key: post.key,
                    distance_m: found.distance_m,
                });
            }
            let Ahead { node, chord_2 } = self.ahead.pop()?;
            match node {
                RTreeNode::Parent(parent) => self.look_into(parent),
                RTreeNode::Leaf(leaf) => self.arrive(leaf, chord_2),
            }
        }
    }
}

/// A part of the tree to look into, nearest on top of the heap.
struct Ahead<'a> {
    chord_2: f64,
    node: &'a RTreeNode<Leaf>,
}

impl Ord for Ahead<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.chord_2.total_cmp(&self.chord_2)
    }
}

impl PartialOrd for Ahead<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ahead<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ahead<'_> {}

/// What is left of a run of posts, its first one in reach; the next to be told on top of the heap.
struct Found<'a, K> {
    distance_m: f64,
    /// When all that is ahead has a longer chord than this, nothing there is as near.
    settled_chord_2: f64,
    least_reach_m: f64,
    posts: &'a [Post<K>],
}

impl<K: Copy + Ord> Found<'_, K> {
    /// Passes over the posts that don't reach as far; `None` if none does.
    fn at_next_in_reach(self) -> Option<Self> {
        let next = self
            .posts
            .iter()
            .position(|post| f64::from(post.reach_m) >= self.least_reach_m)?;
        Some(Self {
            posts: self.posts.get(next..)?,
            ..self
        })
    }

    fn next_key(&self) -> Option<K> {
        self.posts.first().map(|post| post.key)
    }
}

impl<K: Copy + Ord> Ord for Found<'_, K> {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .distance_m
            .total_cmp(&self.distance_m)
            .then_with(|| other.next_key().cmp(&self.next_key()))
    }
}

impl<K: Copy + Ord> PartialOrd for Found<'_, K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Copy + Ord> PartialEq for Found<'_, K> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<K: Copy + Ord> Eq for Found<'_, K> {}
