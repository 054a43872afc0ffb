//! The least dear way from a need to where there is something left, in the manner of Dijkstra.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::FlowError;
use super::net::Net;

/// How a node was reached, and from which.
#[derive(Clone, Copy, Debug)]
pub(super) enum Via {
    /// From a need, over one of its ways.
    Way(u32, u32),
    /// From a supply, back over the way of a need.
    Back(u32, u32),
    /// From a supply, into its group.
    Into(u32),
    /// From a group, back to one of its supplies.
    OutOf(u32),
}

impl Via {
    fn from(self) -> usize {
        let (Self::Way(from, _) | Self::Back(from, _) | Self::Into(from) | Self::OutOf(from)) =
            self;
        from as usize
    }
}

/// The path that a search found, kept backward: how each node on it was reached.
pub(super) struct Path {
    last: usize,
    via: Vec<Via>,
}

impl Path {
    /// The supply or group that has something left, or the need that gives way.
    pub(super) fn last(&self) -> usize {
        self.last
    }

    /// The nodes behind the need where it starts, from the last, and how each is reached.
    pub(super) fn steps(&self, start: usize) -> impl Iterator<Item = (usize, Via)> {
        let mut at = self.last;
        std::iter::from_fn(move || {
            let to = at;
            (to != start).then(|| {
                at = self.via[to].from();
                (to, self.via[to])
            })
        })
    }
}

/// Not reached.
const FAR: i64 = i64::MAX;

/// What searches work with; between them all distances are `FAR`.
pub(super) struct Search {
    pub(super) path: Path,
    /// How far the path is.
    far: i64,
    distance: Vec<i64>,
    reached: Vec<u32>,
    /// Those that are just as far as what is looked at now.
    near: Vec<u32>,
    rest: BinaryHeap<Reverse<(i64, u32)>>,
    now: i64,
    looks_left: u64,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "nodes and arcs were counted when the scale was chosen"
)]
impl Search {
    pub(super) fn new(nodes: usize, looks: u64) -> Self {
        let via = vec![Via::Into(0); nodes];
        Self {
            path: Path { last: 0, via },
            far: FAR,
            distance: vec![FAR; nodes],
            reached: Vec::new(),
            near: Vec::new(),
            rest: BinaryHeap::new(),
            now: 0,
            looks_left: looks,
        }
    }

    /// Finds the shortest path from a need. It always has an end: the need itself is not served.
    pub(super) fn run(&mut self, net: &Net, need: usize) -> Result<(), FlowError> {
        (self.far, self.now) = (FAR, 0);
        self.reach(net, need as u32, 0, Via::Into(0));
        while let Some(node) = self.next() {
            let node = node as usize;
            let looks = match node.checked_sub(net.needs) {
                None => self.leave_need(net, node),
                Some(giver) => self.leave_giver(net, giver),
            };
            let left = self.looks_left.checked_sub(looks as u64 + 1);
            self.looks_left = left.ok_or(FlowError::TooLong)?;
        }
        Ok(())
    }

    /// Lowers the price of each node by as much as it is nearer than the path's end, which makes every
    /// step of the path cost nothing; and forgets the distances.
    pub(super) fn settle(&mut self, net: &mut Net) {
        for node in self.reached.drain(..) {
            let distance = std::mem::replace(&mut self.distance[node as usize], FAR);
            net.prices[node as usize] -= (self.far - distance).max(0);
        }
        self.near.clear();
        self.rest.clear();
    }

    /// The nearest node that was not looked at yet, if it is nearer than the end that is known.
    fn next(&mut self) -> Option<u32> {
        if self.now >= self.far {
            return None;
        }
        if let Some(node) = self.near.pop() {
            return Some(node);
        }
        loop {
            let Reverse((distance, node)) = self.rest.pop()?;
            if distance >= self.far {
                return None;
            }
            if distance == self.distance[node as usize] {
                self.now = distance;
                return Some(node);
            }
        }
    }

    fn leave_need(&mut self, net: &Net, need: usize) -> usize {
        let here = self.now + net.prices[need];
        self.end_at(need, here + net.unserved[need]);
        let range = net.ways_of(need);
        let mut looks = 0;
        for (at, way) in range.clone().zip(&net.ways[range]) {
            looks += 1;
            // Prices are 0 at most: what follows costs more and is farther.
            if here + way.cost >= self.far {
                break;
            }
            if way.room > 0 {
                let distance = here + way.cost - net.prices[way.to as usize];
                self.reach(net, way.to, distance, Via::Way(need as u32, at as u32));
            }
        }
        looks
    }

    fn leave_giver(&mut self, net: &Net, giver: usize) -> usize {
        let node = net.needs + giver;
        let giver = &net.givers[giver];
        let here = self.now + net.prices[node];
        let node = node as u32;
        if giver.room > 0 {
            let distance = here - net.prices[giver.next as usize];
            self.reach(net, giver.next, distance, Via::Into(node));
        }
        for feed in &giver.feeds {
            let distance = here - feed.cost - net.prices[feed.from as usize];
            let via = match (feed.from as usize) < net.needs {
                true => Via::Back(node, feed.way),
                false => Via::OutOf(node),
            };
            self.reach(net, feed.from, distance, via);
        }
        giver.feeds.len()
    }

    fn reach(&mut self, net: &Net, node: u32, distance: i64, via: Via) {
        let at = node as usize;
        if distance >= self.far || distance >= self.distance[at] {
            return;
        }
        if self.distance[at] == FAR {
            self.reached.push(node);
        }
        self.distance[at] = distance;
        self.path.via[at] = via;
        // What has something left for the end costs what the end costs, 0, and need not be looked at.
        if net.is_free(at) {
            self.end_at(at, distance);
        } else if distance == self.now {
            self.near.push(node);
        } else {
            self.rest.push(Reverse((distance, node)));
        }
    }

    fn end_at(&mut self, node: usize, distance: i64) {
        if distance < self.far {
            (self.path.last, self.far) = (node, distance);
        }
    }
}
