//! A plan for everybody at once: who helps whom, so that most is served and people go the least way.
//!
//! Where needs are single or may be shared freely, the flow of least cost (`flow`) is the answer, and
//! proven. A need that one person must cover whole, that few may share, or volunteers who may only be asked
//! for so many, are more than a flow can say: then the flow is the bound that no plan exceeds, and the plan is
//! made of it by keeping what holds, placing the rest anew, and moving others aside where that makes room.
//! The same people brought together one after the other (`greedy`) are the measure of what a plan gains.

mod place;
#[cfg(test)]
mod tests;

use self::place::Placing;
use super::flow::{self, FlowError, Instance};
use crate::domain::plan::Figures;

/// A request, in the order in which requests are claimed.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// How much is needed.
    pub quantity: i32,
    /// How many may share it; 1: whoever helps covers all of it.
    pub helpers: i32,
    /// What a unit counts.
    pub weight: i64,
}

/// An offer in one of its periods.
#[derive(Clone, Copy, Debug)]
pub struct Supply {
    /// What is free.
    pub free: i32,
    /// Which volunteer's.
    pub volunteer: usize,
}

/// A pair that may be brought together.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// Which need.
    pub need: usize,
    /// Which supply.
    pub supply: usize,
    /// Whole meters between them.
    pub distance_m: i64,
    /// How good it is, from 0 to 1.
    pub score: f64,
}

/// Everybody whom a plan may bring together.
#[derive(Clone, Debug, Default)]
pub struct Town {
    /// The requests.
    pub needs: Vec<Need>,
    /// The offers.
    pub supplies: Vec<Supply>,
    /// How often each volunteer may still be asked.
    pub rooms: Vec<i32>,
    /// The pairs.
    pub links: Vec<Link>,
}

/// A pair of the plan: which link, and how much over it.
pub type Placed = (usize, i32);

/// The plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its pairs, in the order of their needs.
    pub pairs: Vec<Placed>,
    /// What it achieves.
    pub figures: Figures,
    /// The weighted units that no plan exceeds.
    pub bound: i64,
    /// Whether it is proven that none serves more, or as much over less distance.
    pub exact: bool,
    /// What one request after the other would achieve.
    pub greedy: Figures,
}

/// Makes the plan, in at most about `steps` steps of the solver.
///
/// # Errors
/// Too large, or too many steps.
pub fn plan(town: &Town, steps: u64) -> Result<Plan, FlowError> {
    let relaxed = relaxed(town);
    let solution = relaxed.solve(steps)?;
    let is_proven = relaxed.verify(&solution).is_ok();
    let flow: Vec<Placed> = solution.flow.iter().copied().enumerate().collect();
    let bound = town.figures(&flow);
    let greedy = greedy(town);
    let mut placing = Placing::keeping(town, &flow);
    placing.fill();
    placing.improve();
    let (mut pairs, mut figures) = placing.finish();
    let greedy_figures = town.figures(&greedy);
    if is_better(&greedy_figures, &figures) {
        (pairs, figures) = (greedy, greedy_figures);
    }
    pairs.sort_unstable_by_key(|(link, _)| (town.links[*link].need, *link));
    let reaches = (figures.weighted, figures.distance_m) == (bound.weighted, bound.distance_m);
    Ok(Plan {
        pairs,
        figures,
        bound: bound.weighted,
        exact: is_proven && reaches,
        greedy: greedy_figures,
    })
}

fn is_better(one: &Figures, other: &Figures) -> bool {
    (one.weighted, -one.distance_m) > (other.weighted, -other.distance_m)
}

/// One request after the other, each with the best offers that are left.
fn greedy(town: &Town) -> Vec<Placed> {
    let mut placing = Placing::empty(town, |one, other| {
        other
            .score
            .total_cmp(&one.score)
            .then(one.distance_m.cmp(&other.distance_m))
    });
    placing.fill();
    placing.finish().0
}

/// The problem without what a flow cannot say. Whoever may be asked so many times gives at most as many of
/// the largest pairs; that is exact where all are single.
fn relaxed(town: &Town) -> Instance {
    let mut largest = vec![0; town.rooms.len()];
    let mut offers = vec![0; town.rooms.len()];
    for supply in &town.supplies {
        offers[supply.volunteer] += 1;
    }
    for link in &town.links {
        let volunteer = town.supplies[link.supply].volunteer;
        largest[volunteer] = town.most(link).max(largest[volunteer]);
    }
    let mut instance = Instance::default();
    let mut groups = vec![None; town.rooms.len()];
    let limits = largest.iter().zip(&town.rooms);
    let limits: Vec<i32> = limits
        .map(|(l, room): (&i32, &i32)| l.saturating_mul(*room))
        .collect();
    for supply in &town.supplies {
        let volunteer = supply.volunteer;
        let alone = offers[volunteer] == 1;
        if !alone && groups[volunteer].is_none() {
            groups[volunteer] = Some(instance.groups.len());
            instance.groups.push(limits[volunteer]);
        }
        instance.supplies.push(flow::Supply {
            capacity: supply.free.min(limits[volunteer]),
            group: groups[volunteer],
        });
    }
    instance.needs = Vec::from_iter(town.needs.iter().map(|need| flow::Need {
        demand: need.quantity,
        weight: need.weight,
    }));
    instance.arcs = Vec::from_iter(town.links.iter().map(|link| flow::Arc {
        need: link.need,
        supply: link.supply,
        capacity: town.most(link),
        cost: link.distance_m,
    }));
    instance
}

impl Town {
    /// How much may go over a link by itself.
    fn most(&self, link: &Link) -> i32 {
        self.needs[link.need]
            .quantity
            .min(self.supplies[link.supply].free)
    }

    /// What these pairs achieve.
    fn figures(&self, pairs: &[Placed]) -> Figures {
        let mut served = vec![false; self.needs.len()];
        let mut figures = Figures::default();
        for (link, amount) in pairs.iter().filter(|(_, amount)| *amount > 0) {
            let link = &self.links[*link];
            let units = i64::from(*amount);
            figures.units += units;
            figures.weighted += units * self.needs[link.need].weight;
            figures.distance_m += units * link.distance_m;
            figures.requests += i64::from(!std::mem::replace(&mut served[link.need], true));
        }
        figures
    }
}
