//! Who is given to whom when there is not enough: the exact answer, as a flow of least cost.
//!
//! Needs have a demand and a weight, supplies a capacity, and arcs between them a cost. [`Instance::solve`]
//! finds the flow that serves most weighted demand and, of all those, one of least total cost. A unit that
//! is not served costs its weight times a `penalty` that no detour can outweigh: what changes a flow is made
//! of simple cycles, and such a cycle meets every need and every supply once at most, so that its arcs
//! cost less than `(supplies + 1) * dearest arc`, or needs instead of supplies where they are fewer. One
//! number stands for both aims, in integers throughout.
//!
//! The method is successive shortest paths (Jewell 1958; Busacker and Gowen 1960) with prices (Edmonds and
//! Karp, "Theoretical improvements in algorithmic efficiency for network flow problems", 1972; for single
//! needs it is the Hungarian method in the manner of Jonker and Volgenant, 1987). Needs come in one after the
//! other. Each takes the cheapest way to something that is left: at a supply, at a supply that somebody else
//! leaves for another, and so on; or it ends at one that gives way, or at itself, not served. Any order is
//! right. The heaviest come first because a heavier one then never gives way (what can be served together is
//! a polymatroid), and searches end at once where all is taken by heavier ones.
//!
//! The end has the price 0, the others 0 at most, such that no arc with room costs less than 0 when the price
//! of the node where it starts is added and that of the node to which it leads is taken off. So Dijkstra's
//! method finds the ways. As those costs and the plain ones have the same sum over a cycle, no change makes
//! the flow better: the prices prove it, and [`Instance::verify`] checks that without trusting how they were
//! found. No price falls below `-penalty * (heaviest weight + 1)`: to not serving, less a way through the town.
//!
//! It ends: a search places or gives up at least one unit, so there are at most as many as units are needed,
//! and each looks at nodes once and at arcs from both ends: `units * (arcs + nodes) * log nodes` in all, and
//! a test holds it to that. There is no pivoting that could cycle or go on exponentially. In practice a
//! search among 10 000 needs looks at some hundred arcs.
//!
//! Cost scaling (Goldberg and Tarjan 1990; Goldberg 1997), whose bound does not depend on units, was built
//! first. It takes 4 to 10 times as long where needs are single, and 1.3 to 5 times as long for up to 8 units
//! each; from hundreds of units each on it is faster, up to 6 times.
//!
//! Looked at instead: `mcmf` (LEMON in C++, unmaintained since 2018, network simplex without a bound and
//! without prices), `rs-graph` (GPL), `pathfinding` (dense Hungarian method: 100 million cells for a city),
//! `petgraph` and `rustworkx-core` (no flow of least cost), `good_lp` with `highs` (a C++ build for one linear
//! program).

use std::cmp::Reverse;

mod check;
mod net;
mod search;
#[cfg(test)]
mod tests;

pub use self::check::Flaw;
use self::net::Net;
use self::search::Search;

/// Somebody who needs.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// How many units.
    pub demand: i32,
    /// What a unit of it counts; at least 1.
    pub weight: i64,
}

/// Somebody who gives.
#[derive(Clone, Copy, Debug)]
pub struct Supply {
    /// How many units at most.
    pub capacity: i32,
    /// The group whose limit it shares.
    pub group: Option<usize>,
}

/// A supply that could serve a need.
#[derive(Clone, Copy, Debug)]
pub struct Arc {
    /// Which need.
    pub need: usize,
    /// Which supply.
    pub supply: usize,
    /// How many units at most.
    pub capacity: i32,
    /// What a unit costs; 0 at least.
    pub cost: i64,
}

/// A problem: needs, supplies, the units that supplies of one group give together at most, and arcs.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Instance {
    pub needs: Vec<Need>,
    pub supplies: Vec<Supply>,
    pub groups: Vec<i32>,
    pub arcs: Vec<Arc>,
}

/// A flow, and the prices that prove it best.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// Units on each arc, in the order of the instance's.
    pub flow: Vec<i32>,
    /// Prices of needs, supplies, groups, and the end, in this order.
    pub prices: Vec<i64>,
}

/// Why there is no solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// A negative number, a weight of 0, or an arc to nowhere.
    #[error("the instance is malformed")]
    Malformed,
    /// Costs or numbers so large that their sums would overflow.
    #[error("the numbers of the instance are too large")]
    TooLarge,
    /// More work than was allowed.
    #[error("it takes more steps than are allowed")]
    TooLong,
}

/// Costs and prices stay below this in size, so that a few of them have a sum without overflow.
const LARGEST: i64 = i64::MAX / 8;

/// How many nodes there are, and what a unit of weight costs that is not served.
#[derive(Clone, Copy, Debug)]
struct Scale {
    nodes: usize,
    penalty: i64,
}

impl Instance {
    fn scale(&self) -> Result<Scale, FlowError> {
        let sound = |arc: &Arc| {
            arc.need < self.needs.len()
                && arc.supply < self.supplies.len()
                && arc.capacity >= 0
                && arc.cost >= 0
        };
        let sound = self.arcs.iter().all(sound)
            && self.needs.iter().all(|n| n.demand >= 0 && n.weight >= 1)
            && self.groups.iter().all(|limit| *limit >= 0)
            && self
                .supplies
                .iter()
                .all(|s| s.capacity >= 0 && s.group.is_none_or(|group| group < self.groups.len()));
        if !sound {
            return Err(FlowError::Malformed);
        }
        let nodes = self.needs.len() + self.supplies.len() + self.groups.len() + 1;
        let dearest = self.arcs.iter().map(|a| a.cost).max().unwrap_or(0);
        let heaviest = self.needs.iter().map(|n| n.weight).max().unwrap_or(1);
        let checked = || {
            let longest = self.supplies.len().min(self.needs.len());
            let longest = i64::try_from(longest).ok()?.checked_add(1)?;
            let penalty = longest.checked_mul(dearest)?.checked_add(1)?;
            let most = penalty.checked_mul(heaviest.checked_add(1)?)?;
            let ids = u32::try_from(self.arcs.len() + nodes).is_ok();
            (most < LARGEST && ids).then_some(Scale { nodes, penalty })
        };
        checked().ok_or(FlowError::TooLarge)
    }

    /// The flow that serves most at least cost, in at most about `steps` looks at an arc or a node.
    ///
    /// # Errors
    /// An instance that is malformed, too large, or not solved within `steps`.
    pub fn solve(&self, steps: u64) -> Result<Solution, FlowError> {
        let scale = self.scale()?;
        let mut net = Net::of(self, scale);
        let mut search = Search::new(scale.nodes, steps);
        let mut order = Vec::from_iter(0..self.needs.len());
        order.sort_by_key(|need| Reverse(self.needs[*need].weight));
        for need in order {
            net.welcome(need);
            let mut left = self.needs[need].demand;
            while left > 0 {
                search.run(&net, need)?;
                search.settle(&mut net);
                left -= net.send(need, &search.path, left);
            }
        }
        Ok(Solution {
            flow: net.flow(self.arcs.len()),
            prices: net.prices,
        })
    }

    /// What an arc can carry, given its two ends.
    fn limit(&self, arc: &Arc) -> i32 {
        let (need, supply) = (&self.needs[arc.need], &self.supplies[arc.supply]);
        arc.capacity.min(need.demand).min(supply.capacity)
    }
}
