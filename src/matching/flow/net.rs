//! The flow so far, and the prices that prove it best of all flows for the needs that were looked at.

use super::search::{Path, Via};
use super::{Instance, Scale};

/// An arc as its need sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) cost: i64,
    /// The node of the supply.
    pub(super) to: u32,
    /// What can still go over it.
    pub(super) room: i32,
}

/// Where the flow through a supply or group comes from, and could be sent back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feed {
    pub(super) cost: i64,
    pub(super) from: u32,
    /// The way over which it comes; [`NO_WAY`] from a supply into its group.
    pub(super) way: u32,
}

/// Not over an arc of the instance.
const NO_WAY: u32 = u32::MAX;

/// A supply or a group.
#[derive(Clone, Debug)]
pub(super) struct Giver {
    /// The node to which its flow goes on: a group, or the end.
    pub(super) next: u32,
    /// What it can still give.
    pub(super) room: i32,
    /// What it gives.
    given: i32,
    /// Whence it flows: needs into a supply, supplies into a group.
    pub(super) feeds: Vec<Feed>,
}

/// The nodes are needs, supplies, groups, and the end.
pub(super) struct Net {
    pub(super) needs: usize,
    /// Where each need's ways begin.
    first: Vec<u32>,
    /// Each need's, the cheapest first.
    pub(super) ways: Vec<Way>,
    /// Which arc of the instance each is, and what it can carry.
    arcs: Vec<(u32, i32)>,
    /// By node, from the first supply on.
    pub(super) givers: Vec<Giver>,
    /// What it costs not to serve a unit, by need.
    pub(super) unserved: Vec<i64>,
    pub(super) prices: Vec<i64>,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "nodes and arcs were counted when the scale was chosen"
)]
impl Net {
    /// Nothing flows yet.
    pub(super) fn of(instance: &Instance, scale: Scale) -> Self {
        let (needs, supplies) = (instance.needs.len(), instance.supplies.len());
        let end = scale.nodes - 1;
        let mut arcs: Vec<(u32, i32)> = (0..)
            .zip(instance.arcs.iter().map(|a| instance.limit(a)))
            .collect();
        arcs.retain(|(_, limit)| *limit > 0);
        let of = |at: u32| &instance.arcs[at as usize];
        arcs.sort_unstable_by_key(|(at, _)| (of(*at).need, of(*at).cost, *at));
        let mut first = vec![0; needs + 1];
        for (at, _) in &arcs {
            first[of(*at).need + 1] += 1;
        }
        for need in 0..needs {
            first[need + 1] += first[need];
        }
        let ways = arcs.iter().map(|(at, limit)| Way {
            cost: of(*at).cost,
            to: (needs + of(*at).supply) as u32,
            room: *limit,
        });
        let giver = |next: usize, room: i32| Giver {
            next: next as u32,
            room,
            given: 0,
            feeds: Vec::new(),
        };
        let of_supplies = instance.supplies.iter().map(|supply| {
            let next = supply.group.map_or(end, |group| needs + supplies + group);
            giver(next, supply.capacity)
        });
        let of_groups = instance.groups.iter().map(|limit| giver(end, *limit));
        let unserved = instance.needs.iter().map(|n| n.weight * scale.penalty);
        Self {
            needs,
            first,
            ways: ways.collect(),
            givers: of_supplies.chain(of_groups).collect(),
            unserved: unserved.collect(),
            prices: vec![0; scale.nodes],
            arcs,
        }
    }

    /// What flows on each arc of the instance.
    pub(super) fn flow(&self, arcs: usize) -> Vec<i32> {
        let mut flow = vec![0; arcs];
        for ((arc, limit), way) in self.arcs.iter().zip(&self.ways) {
            flow[*arc as usize] = limit - way.room;
        }
        flow
    }

    /// The ways of a need.
    pub(super) fn ways_of(&self, need: usize) -> std::ops::Range<usize> {
        self.first[need] as usize..self.first[need + 1] as usize
    }

    /// Lets a need that nobody knew before come in: as dear as its best way, or as not being served.
    pub(super) fn welcome(&mut self, need: usize) {
        let mut price = -self.unserved[need];
        for way in &self.ways[self.ways_of(need)] {
            // Prices are 0 at most, and ways are sorted.
            if -way.cost <= price {
                break;
            }
            price = price.max(self.prices[way.to as usize] - way.cost);
        }
        self.prices[need] = price;
    }

    /// Whether it is a supply or group that could give more without asking another group.
    pub(super) fn is_free(&self, node: usize) -> bool {
        let giver = node.checked_sub(self.needs).map(|at| &self.givers[at]);
        giver.is_some_and(|g| g.room > 0 && g.next as usize == self.prices.len() - 1)
    }

    /// Sends as much as fits, and `most` at most, from a need along the path that was found; tells how much.
    pub(super) fn send(&mut self, need: usize, path: &Path, most: i32) -> i32 {
        // A path that ends at a need gives up a unit of it.
        let last = path.last().checked_sub(self.needs);
        let most = last.map_or(most, |giver| most.min(self.givers[giver].room));
        let rooms = path.steps(need).map(|(to, via)| self.room(via, to));
        let amount = rooms.fold(most, i32::min);
        if let Some(giver) = last {
            self.give(giver, amount);
        }
        for (to, via) in path.steps(need) {
            self.carry(via, to, amount);
        }
        amount
    }

    /// What can go over a step to this node.
    fn room(&self, via: Via, to: usize) -> i32 {
        match via {
            Via::Way(_, way) => self.ways[way as usize].room,
            Via::Back(_, way) => self.used(way),
            Via::Into(supply) => self.givers[supply as usize - self.needs].room,
            Via::OutOf(_) => self.givers[to - self.needs].given,
        }
    }

    fn used(&self, way: u32) -> i32 {
        self.arcs[way as usize].1 - self.ways[way as usize].room
    }

    /// Sends something over a step to this node.
    fn carry(&mut self, via: Via, to: usize, amount: i32) {
        match via {
            Via::Way(from, way) => {
                if self.used(way) == 0 {
                    let cost = self.ways[way as usize].cost;
                    self.givers[to - self.needs]
                        .feeds
                        .push(Feed { cost, from, way });
                }
                self.ways[way as usize].room -= amount;
            }
            Via::Back(supply, way) => {
                self.ways[way as usize].room += amount;
                if self.used(way) == 0 {
                    let feeds = &mut self.givers[supply as usize - self.needs].feeds;
                    feeds.retain(|feed| feed.way != way);
                }
            }
            Via::Into(supply) => self.give(supply as usize - self.needs, amount),
            Via::OutOf(_) => self.give(to - self.needs, -amount),
        }
    }

    /// Lets a supply or group give so much more, or less, to what comes next.
    fn give(&mut self, giver: usize, amount: i32) {
        let Giver { next, given, .. } = self.givers[giver];
        self.givers[giver].room -= amount;
        self.givers[giver].given += amount;
        let from = (self.needs + giver) as u32;
        // The end takes nothing back.
        let Some(group) = self.givers.get_mut(next as usize - self.needs) else {
            return;
        };
        if given == 0 && amount > 0 {
            let (cost, way) = (0, NO_WAY);
            group.feeds.push(Feed { cost, from, way });
        } else if given > 0 && given + amount == 0 {
            group.feeds.retain(|feed| feed.from != from);
        }
    }
}
