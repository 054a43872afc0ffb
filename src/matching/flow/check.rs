//! The proof that a flow is best, checked without knowing how it was found.

use super::{Instance, Scale, Solution};

/// What is wrong with a solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// More than an arc, a need, a supply or a group can take; or it is for another instance.
    #[error("the flow is not feasible")]
    Infeasible,
    /// A change that the prices do not rule out might be better.
    #[error("the prices do not prove the flow best")]
    Unproven,
}

impl Instance {
    /// Whether the flow is feasible, and its prices prove that none serves more, or as much at less cost:
    /// no arc with room has a reduced cost below 0. One look at each arc.
    ///
    /// # Errors
    /// The first flaw.
    pub fn verify(&self, solution: &Solution) -> Result<(), Flaw> {
        let scale = self.scale().map_err(|_| Flaw::Infeasible)?;
        let Solution { flow, prices } = solution;
        if flow.len() != self.arcs.len() || prices.len() != scale.nodes {
            return Err(Flaw::Infeasible);
        }
        let used = self.used(flow).ok_or(Flaw::Infeasible)?;
        match self.is_proven(scale, flow, &used, prices) {
            true => Ok(()),
            false => Err(Flaw::Unproven),
        }
    }

    /// What needs get, and what supplies and groups give; none if it is more than they can.
    fn used(&self, flow: &[i32]) -> Option<Used> {
        let mut used = Used {
            needs: vec![0; self.needs.len()],
            supplies: vec![0; self.supplies.len()],
            groups: vec![0; self.groups.len()],
        };
        for (arc, amount) in self.arcs.iter().zip(flow) {
            if *amount < 0 || *amount > self.limit(arc) {
                return None;
            }
            let amount = i64::from(*amount);
            used.needs[arc.need] += amount;
            used.supplies[arc.supply] += amount;
            if let Some(group) = self.supplies[arc.supply].group {
                used.groups[group] += amount;
            }
        }
        let needs = self.needs.iter().map(|n| n.demand);
        let supplies = self.supplies.iter().map(|s| s.capacity);
        let fits = within(&used.needs, needs)
            && within(&used.supplies, supplies)
            && within(&used.groups, self.groups.iter().copied());
        fits.then_some(used)
    }

    fn is_proven(&self, scale: Scale, flow: &[i32], used: &Used, prices: &[i64]) -> bool {
        let (of_needs, rest) = prices.split_at(self.needs.len());
        let (of_supplies, rest) = rest.split_at(self.supplies.len());
        let (of_groups, end) = rest.split_at(self.groups.len());
        let end = end[0];
        // Both ways: on while there is room, back while there is flow.
        let holds = |cost: i64, from: i64, to: i64, amount: i64, limit: i64| {
            let reduced = i128::from(cost) + i128::from(from) - i128::from(to);
            (amount >= limit || reduced >= 0) && (amount == 0 || reduced <= 0)
        };
        let arcs = self.arcs.iter().zip(flow).all(|(arc, amount)| {
            let (from, to) = (of_needs[arc.need], of_supplies[arc.supply]);
            let limit = self.limit(arc).into();
            holds(arc.cost, from, to, (*amount).into(), limit)
        });
        let needs = self.needs.iter().enumerate().all(|(i, need)| {
            let demand = i64::from(need.demand);
            let unserved = demand - used.needs[i];
            let cost = need.weight * scale.penalty;
            holds(cost, of_needs[i], end, unserved, demand)
        });
        let supplies = self.supplies.iter().enumerate().all(|(s, supply)| {
            let to = supply.group.map_or(end, |group| of_groups[group]);
            let limit = supply.capacity.into();
            holds(0, of_supplies[s], to, used.supplies[s], limit)
        });
        let groups = self
            .groups
            .iter()
            .enumerate()
            .all(|(g, limit)| holds(0, of_groups[g], end, used.groups[g], (*limit).into()));
        arcs && needs && supplies && groups
    }
}

struct Used {
    needs: Vec<i64>,
    supplies: Vec<i64>,
    groups: Vec<i64>,
}

fn within(used: &[i64], limits: impl Iterator<Item = i32>) -> bool {
    used.iter()
        .zip(limits)
        .all(|(used, limit)| *used <= limit.into())
}
