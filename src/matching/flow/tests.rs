//! Thousands of small instances against a solver that shares nothing with this one: dynamic programming
//! over everything that the supplies could still have.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{Arc, Flaw, FlowError, Instance, Need, Supply};

/// What is served, weighted, and what it costs; more of the first is better, then less of the second.
type Worth = (i64, i64);

fn better(a: Worth, b: Worth) -> Worth {
    if (a.0, -a.1) >= (b.0, -b.1) { a } else { b }
}

fn worth(instance: &Instance, flow: &[i32]) -> Worth {
    let arcs = instance.arcs.iter().zip(flow);
    arcs.fold((0, 0), |(served, cost), (arc, amount)| {
        let amount = i64::from(*amount);
        let weight = instance.needs[arc.need].weight;
        (served + weight * amount, cost + arc.cost * amount)
    })
}

/// The best from arc `at` on, given what is left of needs, supplies and groups.
fn exhaustive(
    instance: &Instance,
    at: usize,
    left: &mut Vec<i32>,
    known: &mut HashMap<(usize, Vec<i32>), Worth>,
) -> Worth {
    let Some(arc) = instance.arcs.get(at) else {
        return (0, 0);
    };
    if let Some(worth) = known.get(&(at, left.clone())) {
        return *worth;
    }
    let (needs, supplies) = (instance.needs.len(), instance.supplies.len());
    let mut takes = vec![arc.need, needs + arc.supply];
    takes.extend(
        instance.supplies[arc.supply]
            .group
            .map(|g| needs + supplies + g),
    );
    let most = takes
        .iter()
        .map(|i| left[*i])
        .min()
        .unwrap_or(0)
        .min(arc.capacity);
    let mut best = (i64::MIN, 0);
    for amount in 0..=most {
        for at in &takes {
            left[*at] -= amount;
        }
        let rest = exhaustive(instance, at + 1, left, known);
        for at in &takes {
            left[*at] += amount;
        }
        let amount = i64::from(amount);
        let weight = instance.needs[arc.need].weight;
        best = better(best, (rest.0 + weight * amount, rest.1 + arc.cost * amount));
    }
    known.insert((at, left.clone()), best);
    best
}

fn best_of(instance: &Instance) -> Worth {
    let needs = instance.needs.iter().map(|n| n.demand);
    let supplies = instance.supplies.iter().map(|s| s.capacity);
    let mut left = Vec::from_iter(needs.chain(supplies).chain(instance.groups.iter().copied()));
    exhaustive(instance, 0, &mut left, &mut HashMap::new())
}

fn instances(most: i32) -> impl Strategy<Value = Instance> {
    instances_of(most, 6, 9)
}

/// With fewer than `nodes` needs and supplies and `arcs` arcs.
fn instances_of(most: i32, nodes: usize, arcs: usize) -> impl Strategy<Value = Instance> {
    let groups = prop::collection::vec(0..=most * 2, 0..nodes / 2);
    let needs = prop::collection::vec((0..=most, 1..4_i64), 0..nodes);
    let supplies = prop::collection::vec(
        (0..=most, any::<prop::sample::Index>(), any::<bool>()),
        0..nodes,
    );
    // Few costs make many ties.
    let costs = prop_oneof![0..3_i64, 0..2000_i64];
    let ends = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let arcs = prop::collection::vec((ends, 0..=most, costs), 0..arcs);
    (groups, needs, supplies, arcs).prop_map(|(groups, needs, supplies, arcs)| {
        let needs = Vec::from_iter(
            needs
                .into_iter()
                .map(|(demand, weight)| Need { demand, weight }),
        );
        let supplies = supplies.into_iter().map(|(capacity, group, has)| Supply {
            capacity,
            group: (has && !groups.is_empty()).then(|| group.index(groups.len())),
        });
        let supplies = Vec::from_iter(supplies);
        let arcs = arcs
            .into_iter()
            .filter(|_| !needs.is_empty() && !supplies.is_empty());
        let arcs = arcs.map(|((need, supply), capacity, cost)| Arc {
            need: need.index(needs.len()),
            supply: supply.index(supplies.len()),
            capacity,
            cost,
        });
        Instance {
            arcs: arcs.collect(),
            needs,
            supplies,
            groups,
        }
    })
}

const ENOUGH: u64 = 10_000_000;

fn agrees(instance: &Instance) {
    let solution = instance.solve(ENOUGH).expect("solved");
    assert_eq!(
        instance.verify(&solution),
        Ok(()),
        "{instance:?} {solution:?}"
    );
    assert_eq!(
        worth(instance, &solution.flow),
        best_of(instance),
        "{instance:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn it_serves_most_at_least_cost_where_all_are_single(instance in instances(1)) {
        agrees(&instance);
    }

    #[test]
    fn it_serves_most_at_least_cost_where_needs_are_shared(instance in instances(3)) {
        agrees(&instance);
    }

    /// A flow that is not best is never proven: one unit less, or none at all.
    #[test]
    fn no_worse_flow_is_proven(instance in instances(2), at in any::<prop::sample::Index>()) {
        let mut solution = instance.solve(ENOUGH).expect("solved");
        let used = Vec::from_iter((0..solution.flow.len()).filter(|i| solution.flow[*i] > 0));
        if !used.is_empty() {
            let at = used[at.index(used.len())];
            let weight = instance.needs[instance.arcs[at].need].weight;
            prop_assert!(weight > 0);
            solution.flow[at] -= 1;
            prop_assert_eq!(instance.verify(&solution), Err(Flaw::Unproven));
            solution.flow[at] += 1000;
            prop_assert_eq!(instance.verify(&solution), Err(Flaw::Infeasible));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Long ways through many, too many to try everything: the proof speaks for itself. And it takes no
    /// more than a search for each unit, each of which looks at nodes once and at arcs from both ends.
    #[test]
    fn a_town_is_proven_within_the_bound(instance in instances_of(4, 40, 300)) {
        let units: i32 = instance.needs.iter().map(|n| n.demand).sum();
        let (needs, supplies) = (instance.needs.len(), instance.supplies.len());
        let search = 2 * instance.arcs.len() + needs + 2 * supplies + instance.groups.len();
        let bound = u64::try_from(units).expect("positive") * search as u64;
        let solution = instance.solve(bound).expect("solved");
        prop_assert_eq!(instance.verify(&solution), Ok(()));
    }
}

fn pair(weight: i64, cost: i64) -> Instance {
    Instance {
        needs: vec![Need { demand: 1, weight }],
        supplies: vec![Supply {
            capacity: 1,
            group: None,
        }],
        groups: vec![],
        arcs: vec![Arc {
            need: 0,
            supply: 0,
            capacity: 1,
            cost,
        }],
    }
}

#[test]
fn nothing_is_solved_at_once() {
    agrees(&Instance::default());
    agrees(&pair(1, 0));
}

#[test]
fn a_single_meter_more_is_not_proven() {
    let mut instance = pair(1, 7);
    instance.supplies.push(instance.supplies[0]);
    instance.arcs.push(Arc {
        supply: 1,
        cost: 8,
        ..instance.arcs[0]
    });
    let mut solution = instance.solve(ENOUGH).expect("solved");
    assert_eq!(solution.flow, [1, 0]);
    solution.flow = vec![0, 1];
    assert_eq!(instance.verify(&solution), Err(Flaw::Unproven));
}

#[test]
fn what_would_overflow_or_makes_no_sense_is_refused() {
    let refused = |instance: &Instance| instance.solve(ENOUGH).expect_err("refused");
    assert_eq!(refused(&pair(1, i64::MAX / 2)), FlowError::TooLarge);
    assert_eq!(refused(&pair(i64::MAX, 1)), FlowError::TooLarge);
    assert_eq!(refused(&pair(0, 1)), FlowError::Malformed);
    assert_eq!(refused(&pair(1, -1)), FlowError::Malformed);
    let senseless: [fn(&mut Instance); 7] = [
        |i| i.arcs[0].need = 1,
        |i| i.arcs[0].supply = 1,
        |i| i.arcs[0].capacity = -1,
        |i| i.needs[0].demand = -1,
        |i| i.supplies[0].capacity = -1,
        |i| i.supplies[0].group = Some(0),
        |i| i.groups.push(-1),
    ];
    for (i, change) in senseless.iter().enumerate() {
        let mut instance = pair(1, 1);
        change(&mut instance);
        assert_eq!(refused(&instance), FlowError::Malformed, "change {i}");
    }
    assert_eq!(pair(1, 1).solve(1), Err(FlowError::TooLong));
}

#[test]
fn the_largest_costs_are_those_below_an_eighth_of_what_a_number_holds() {
    // A unit of a weight of 2 costs three times twice the dearest arc and 1: 2^60 - 1 of it is one too much.
    let dearest = ((i64::MAX / 8) / 3 - 1) / 2;
    let too_large = pair(2, dearest).solve(ENOUGH);
    assert_eq!(too_large, Err(FlowError::TooLarge));
    agrees(&pair(2, dearest - 1));
}

#[test]
fn what_is_no_flow_of_the_instance_is_infeasible() {
    let instance = pair(1, 7);
    let solved = instance.solve(ENOUGH).expect("solved");
    for amount in [-1, 2] {
        let mut flow = solved.clone();
        flow.flow = vec![amount];
        assert_eq!(instance.verify(&flow), Err(Flaw::Infeasible), "{amount}");
    }
    let mut more_arcs = solved.clone();
    more_arcs.flow.push(0);
    assert_eq!(instance.verify(&more_arcs), Err(Flaw::Infeasible));
    let mut more_prices = solved;
    more_prices.prices.push(0);
    assert_eq!(instance.verify(&more_prices), Err(Flaw::Infeasible));
}

#[test]
fn more_than_a_need_a_supply_or_a_group_can_take_together_is_infeasible() {
    let mut two_supplies = pair(1, 7);
    two_supplies.supplies.push(two_supplies.supplies[0]);
    two_supplies.arcs.push(Arc {
        supply: 1,
        ..two_supplies.arcs[0]
    });
    let mut two_needs = pair(1, 7);
    two_needs.needs.push(two_needs.needs[0]);
    two_needs.arcs.push(Arc {
        need: 1,
        ..two_needs.arcs[0]
    });
    let mut one_group = two_needs.clone();
    one_group.supplies.push(one_group.supplies[0]);
    one_group.arcs[1].supply = 1;
    one_group.groups.push(1);
    for supply in &mut one_group.supplies {
        supply.group = Some(0);
    }
    for instance in [two_supplies, two_needs, one_group] {
        let mut both = instance.solve(ENOUGH).expect("solved");
        assert_eq!(both.flow.iter().sum::<i32>(), 1);
        both.flow = vec![1, 1];
        assert_eq!(instance.verify(&both), Err(Flaw::Infeasible));
    }
}
