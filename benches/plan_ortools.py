"""Solves the instances that `benches/plan.rs` writes with OR-Tools, and compares the optimum.

python plan_ortools.py FILE...
"""

import sys
import time

import numpy as np
from ortools.graph.python import min_cost_flow


def compare(path):
    with open(path) as lines:
        needs, supplies, served, cost = map(int, next(lines).split())
        weights = np.array([int(next(lines)) for _ in range(needs)], dtype=np.int64)
        arcs = np.array([line.split() for line in lines], dtype=np.int64)
    penalty = (min(needs, supplies) + 1) * int(arcs[:, 2].max()) + 1
    end = needs + supplies
    every_need = np.arange(needs)
    every_supply = np.arange(supplies) + needs
    start = time.perf_counter()
    flow = min_cost_flow.SimpleMinCostFlow()
    direct = flow.add_arcs_with_capacity_and_unit_cost(
        arcs[:, 0], arcs[:, 1] + needs, np.ones(len(arcs), dtype=np.int64), arcs[:, 2]
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        every_need, np.full(needs, end), np.ones(needs, dtype=np.int64), weights * penalty
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        every_supply, np.full(supplies, end), np.ones(supplies, dtype=np.int64), np.zeros(supplies, dtype=np.int64)
    )
    flow.set_nodes_supplies(
        np.append(every_need, end), np.append(np.ones(needs, dtype=np.int64), -needs)
    )
    assert flow.solve() == flow.OPTIMAL
    took = time.perf_counter() - start
    amounts = flow.flows(direct)
    theirs = (int((amounts * weights[arcs[:, 0]]).sum()), int((amounts * arcs[:, 2]).sum()))
    same = "same" if theirs == (served, cost) else "DIFFERENT"
    print(f"{path}: {took:.3f} s, served {theirs[0]}, cost {theirs[1]}: {same} optimum")
    return theirs == (served, cost)


results = [compare(path) for path in sys.argv[1:]]
sys.exit(0 if all(results) else 1)
