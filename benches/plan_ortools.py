"""Solves an instance that `benches/plan.rs` writes with OR-Tools.

python plan_ortools.py FILE

Prints the processor seconds from the instance to the flow, what is served, weighted, and at what cost.
"""

import sys
import time

import numpy as np
from ortools.graph.python import min_cost_flow


def numbers(lines, count):
    return np.array([next(lines).split() for _ in range(count)], dtype=np.int64)


with open(sys.argv[1]) as lines:
    needs, supplies = map(int, next(lines).split())
    demands, weights = numbers(lines, needs).T
    capacities = numbers(lines, supplies)[:, 0]
    arcs = np.array([line.split() for line in lines], dtype=np.int64)
from_needs, to_supplies, limits, costs = np.ascontiguousarray(arcs.T)
penalty = (min(needs, supplies) + 1) * int(costs.max()) + 1
end = needs + supplies
every_need = np.arange(needs)
every_supply = np.arange(supplies) + needs

start = time.process_time()
flow = min_cost_flow.SimpleMinCostFlow()
direct = flow.add_arcs_with_capacity_and_unit_cost(from_needs, to_supplies + needs, limits, costs)
flow.add_arcs_with_capacity_and_unit_cost(every_need, np.full(needs, end), demands, weights * penalty)
flow.add_arcs_with_capacity_and_unit_cost(
    every_supply, np.full(supplies, end), capacities, np.zeros(supplies, dtype=np.int64)
)
flow.set_nodes_supplies(np.append(every_need, end), np.append(demands, -demands.sum()))
assert flow.solve() == flow.OPTIMAL
took = time.process_time() - start

amounts = flow.flows(direct)
print(took, (amounts * weights[from_needs]).sum(), (amounts * costs).sum())
