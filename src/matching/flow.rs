//! Who is given to whom when there is not enough: the exact answer, as a flow of least cost.
//!
//! Needs have a demand and a weight, supplies a capacity, and arcs between them a cost. [`Instance::solve`]
//! finds the flow that serves most weighted demand and, of all those, one of least total cost. A unit that
//! is not served costs its weight times a `penalty` that no detour can outweigh: what changes a flow is made
//! of simple cycles, and such a cycle meets every need and every supply once at most, so that its arcs
//! cost less than `(supplies + 1) * dearest arc`, or needs instead of supplies where they are fewer. One number stands for both aims, in integers throughout.
//!
//! The method is cost scaling with push and relabel (Goldberg and Tarjan, "Finding minimum-cost circulations
//! by successive approximation", 1990), with the global price updates of Goldberg, "An efficient
//! implementation of a scaling minimum-cost flow algorithm" (J. Algorithms 22, 1997). Costs are multiplied
//! by `factor`, one more than there are nodes. A phase makes a flow ε-optimal: no arc with room has a reduced
//! cost below -ε. It ends: a price only falls, by ε at least at each relabeling, and by `3 * nodes * ε` at
//! most in a phase, which bounds relabelings by nodes², pushes by nodes² * arcs, in any order of the nodes;
//! phases are logarithmic in the dearest cost. There is no pivoting that could cycle or go on exponentially.
//! At ε = 1 the flow is optimal, because a cycle of n arcs that costs less than 0 would cost `-factor` at
//! most, and its reduced costs, which sum to the same, are -1 at least each. So the prices of the last
//! phase prove the flow best, and [`Instance::verify`] checks that proof without trusting how it was found.
//!
//! Looked at instead: `mcmf` (LEMON in C++, unmaintained since 2018, network simplex without a bound and
//! without prices), `rs-graph` (GPL), `pathfinding` (dense Hungarian method: 100 million cells for a city),
//! `petgraph` and `rustworkx-core` (no flow of least cost), `good_lp` with `highs` (a C++ build for one linear
//! program).

mod check;
mod net;
#[cfg(test)]
mod tests;

pub use self::check::Flaw;
use self::net::Net;

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

/// How the tolerance shrinks from phase to phase; measured, 8 to 16 do not differ much.
const SHRINK: i64 = 12;

/// Costs and prices stay below this in size, so that a reduced cost is a sum without overflow.
const LARGEST: i64 = i64::MAX / 8;

/// What costs are multiplied by.
#[derive(Clone, Copy, Debug)]
struct Scale {
    nodes: usize,
    factor: i64,
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
            let factor = i64::try_from(nodes).ok()?.checked_add(1)?;
            let longest = self.supplies.len().min(self.needs.len());
            let longest = i64::try_from(longest).ok()?.checked_add(1)?;
            let penalty = longest.checked_mul(dearest)?.checked_add(1)?;
            let most = penalty.checked_mul(heaviest)?.checked_mul(factor)?;
            let ids = u32::try_from(2 * (self.arcs.len() + nodes)).is_ok();
            (most < LARGEST && ids).then_some(Scale {
                nodes,
                factor,
                penalty,
            })
        };
        checked().ok_or(FlowError::TooLarge)
    }

    /// The flow that serves most at least cost, in at most about `steps` looks at an arc.
    ///
    /// # Errors
    /// An instance that is malformed, too large, or not solved within `steps`.
    pub fn solve(&self, steps: u64) -> Result<Solution, FlowError> {
        let scale = self.scale()?;
        let mut net = Net::of(self, scale, steps);
        let mut epsilon = net.dearest().max(1);
        loop {
            epsilon = (epsilon / SHRINK).max(1);
            net.refine(epsilon)?;
            if epsilon == 1 {
                break;
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
