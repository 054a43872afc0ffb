//! The flow so far, and how a phase makes it better: push and relabel.

use std::collections::VecDeque;
use std::ops::Range;

use super::{FlowError, Instance, LARGEST, Scale};

/// One end's view of an arc.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    to: u32,
    /// Where the other end has it.
    back: u32,
    /// What can be sent this way.
    room: i32,
    /// What can be sent the other way.
    used: i32,
    cost: i64,
    /// Which arc of the instance it is; as many as there are for any other.
    arc: u32,
}

/// The flow so far: what is left on each arc and, at each node, what is still too much.
pub(super) struct Net {
    /// Where each node's steps begin.
    first: Vec<u32>,
    /// Where its steps with room end; behind them are those without.
    open: Vec<u32>,
    /// The step of each node that is looked at next.
    current: Vec<u32>,
    steps: Vec<Step>,
    pub(super) prices: Vec<i64>,
    excess: Vec<i64>,
    active: VecDeque<u32>,
    looks_left: u64,
    needs: usize,
    /// For price updates: nodes by their distance, and the distance of each.
    buckets: Vec<Vec<u32>>,
    distance: Vec<u32>,
}

/// Beyond this a price update does not look.
const FARTHEST: usize = 1 << 16;
/// Not reached by a price update.
const FAR: u32 = u32::MAX;

#[expect(
    clippy::cast_possible_truncation,
    reason = "nodes and arcs were counted when the scale was chosen"
)]
impl Net {
    pub(super) fn of(instance: &Instance, scale: Scale, looks: u64) -> Self {
        let (needs, supplies) = (instance.needs.len(), instance.supplies.len());
        let end = scale.nodes - 1;
        let of_group = |g: usize| needs + supplies + g;
        let mut list: Vec<(usize, usize, i32, i64)> = Vec::new();
        for arc in &instance.arcs {
            let cost = arc.cost * scale.factor;
            list.push((arc.need, needs + arc.supply, instance.limit(arc), cost));
        }
        for (i, need) in instance.needs.iter().enumerate() {
            let cost = need.weight * scale.penalty * scale.factor;
            list.push((i, end, need.demand, cost));
        }
        for (s, supply) in instance.supplies.iter().enumerate() {
            let to = supply.group.map_or(end, of_group);
            list.push((needs + s, to, supply.capacity, 0));
        }
        for (g, limit) in instance.groups.iter().enumerate() {
            list.push((of_group(g), end, *limit, 0));
        }
        let mut excess: Vec<i64> = vec![0; scale.nodes];
        for (at, need) in excess.iter_mut().zip(&instance.needs) {
            *at = i64::from(need.demand);
        }
        excess[end] = -excess.iter().sum::<i64>();
        let (first, steps) = linked(scale.nodes, &list, instance.arcs.len());
        let mut net = Self {
            open: first[1..].to_vec(),
            current: first[..scale.nodes].to_vec(),
            first,
            steps,
            prices: vec![0; scale.nodes],
            excess,
            active: VecDeque::new(),
            looks_left: looks,
            needs,
            buckets: vec![Vec::new()],
            distance: vec![0; scale.nodes],
        };
        for node in 0..scale.nodes {
            for at in net.all(node).rev() {
                if net.steps[at].room == 0 {
                    net.shut(node, at);
                }
            }
        }
        net
    }

    /// What flows on each arc of the instance.
    pub(super) fn flow(&self, arcs: usize) -> Vec<i32> {
        let mut flow = vec![0; arcs];
        for step in &self.steps[..self.first[self.needs] as usize] {
            if let Some(flow) = flow.get_mut(step.arc as usize) {
                *flow = step.used;
            }
        }
        flow
    }

    pub(super) fn dearest(&self) -> i64 {
        self.steps.iter().map(|step| step.cost).max().unwrap_or(0)
    }

    /// A node's steps.
    fn all(&self, node: usize) -> Range<usize> {
        self.first[node] as usize..self.first[node + 1] as usize
    }

    /// Those of them that have room.
    fn with_room(&self, node: usize) -> Range<usize> {
        self.first[node] as usize..self.open[node] as usize
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.steps.swap(one, other);
        for at in [one, other] {
            let back = self.steps[at].back as usize;
            self.steps[back].back = at as u32;
        }
    }

    /// Puts a step behind those with room.
    fn shut(&mut self, node: usize, at: usize) {
        self.open[node] -= 1;
        self.swap(at, self.open[node] as usize);
    }

    /// Makes the flow ε-optimal.
    pub(super) fn refine(&mut self, epsilon: i64) -> Result<(), FlowError> {
        let nodes = self.prices.len();
        for node in 0..nodes {
            // From behind, for what is full is put there.
            for at in self.with_room(node).rev() {
                let step = self.steps[at];
                if step.cost + self.prices[node] < self.prices[step.to as usize] {
                    self.send(node, at, step.room);
                }
            }
        }
        self.current.copy_from_slice(&self.first[..nodes]);
        self.active.clear();
        let active = (0..nodes).filter(|n| self.excess[*n] > 0);
        self.active.extend(active.map(|n| n as u32));
        let mut relabeled = nodes;
        while let Some(node) = self.active.pop_front() {
            if relabeled >= nodes {
                relabeled = 0;
                self.update_prices(epsilon)?;
            }
            let node = node as usize;
            relabeled += match node < self.needs {
                true => self.bid(node, epsilon)?,
                false => self.discharge(node, epsilon)?,
            };
        }
        Ok(())
    }

    /// Sends something on. Whoever has too much now has it looked at: a supply at once, so that what it
    /// gives back meets the prices that took it away.
    fn send(&mut self, from: usize, at: usize, amount: i32) {
        let Step { to, back, .. } = self.steps[at];
        let (to, back) = (to as usize, back as usize);
        self.steps[at].room -= amount;
        self.steps[at].used += amount;
        self.steps[back].used -= amount;
        self.steps[back].room += amount;
        if back >= self.open[to] as usize {
            self.swap(back, self.open[to] as usize);
            self.open[to] += 1;
        }
        if self.steps[at].room == 0 {
            self.shut(from, at);
        }
        let had = self.excess[to];
        self.excess[from] -= i64::from(amount);
        self.excess[to] += i64::from(amount);
        if had <= 0 && self.excess[to] > 0 {
            match to < self.needs {
                true => self.active.push_back(to as u32),
                false => self.active.push_front(to as u32),
            }
        }
    }

    /// Sends on what is too much at a need, each time to the best, and then lowers its price as far as its
    /// second best allows: it gives way to others only for more than that (Bertsekas' auction; Goldberg and
    /// Kennedy, 1995). Tells how often its price fell.
    fn bid(&mut self, node: usize, epsilon: i64) -> Result<usize, FlowError> {
        let mut relabeled = 0;
        loop {
            let (mut best, mut second, mut place) = (i64::MIN, i64::MIN, 0);
            let range = self.with_room(node);
            self.pay(range.len())?;
            for at in range {
                let step = &self.steps[at];
                let value = self.prices[step.to as usize] - step.cost;
                if value > best {
                    (second, best, place) = (best, value, at);
                } else if value > second {
                    second = value;
                }
            }
            relabeled += self.lower(node, best, epsilon)?;
            let room = self.steps[place].room;
            let amount = self.excess[node].min(room.into()) as i32;
            self.send(node, place, amount);
            if self.excess[node] == 0 {
                if amount == room && second > i64::MIN {
                    relabeled += self.lower(node, second, epsilon)?;
                }
                return Ok(relabeled);
            }
        }
    }

    /// Lowers a price to ε below the value of its best step, if that is lower by ε.
    fn lower(&mut self, node: usize, best: i64, epsilon: i64) -> Result<usize, FlowError> {
        let price = best.checked_sub(epsilon).filter(|price| *price > -LARGEST);
        let price = price.ok_or(FlowError::TooLarge)?;
        if price > self.prices[node] - epsilon {
            return Ok(0);
        }
        self.prices[node] = price;
        Ok(1)
    }

    /// Sends on what is too much at any other node, over whichever step comes first.
    fn discharge(&mut self, node: usize, epsilon: i64) -> Result<usize, FlowError> {
        let mut relabeled = 0;
        loop {
            let mut at = self.current[node];
            while at < self.open[node] {
                self.pay(1)?;
                let step = self.steps[at as usize];
                if step.cost + self.prices[node] >= self.prices[step.to as usize] {
                    at += 1;
                    continue;
                }
                let amount = self.excess[node].min(step.room.into()) as i32;
                // If that fills it, another stands in its place afterward.
                self.send(node, at as usize, amount);
                if self.excess[node] == 0 {
                    self.current[node] = at;
                    return Ok(relabeled);
                }
            }
            let range = self.with_room(node);
            self.pay(range.len())?;
            let steps = self.steps[range].iter();
            let best = steps
                .map(|step| self.prices[step.to as usize] - step.cost)
                .max();
            // A node with too much has at least the way back on which it came.
            relabeled += self.lower(node, best.unwrap_or(i64::MIN), epsilon)?;
            self.current[node] = self.first[node];
        }
    }

    fn pay(&mut self, looks: usize) -> Result<(), FlowError> {
        let left = self.looks_left.checked_sub(looks as u64 + 1);
        self.looks_left = left.ok_or(FlowError::TooLong)?;
        Ok(())
    }

    /// Lowers every price by ε times the node's distance to where something is missing, which opens the
    /// ways there. A step is as long as its reduced cost in ε, and one more.
    fn update_prices(&mut self, epsilon: i64) -> Result<(), FlowError> {
        let reached = self.measure(epsilon)?;
        for (price, distance) in self.prices.iter_mut().zip(&self.distance) {
            *price -= epsilon * i64::from((*distance).min(reached));
        }
        self.current
            .copy_from_slice(&self.first[..self.prices.len()]);
        match self.prices.iter().min().is_some_and(|p| *p <= -LARGEST) {
            true => Err(FlowError::TooLarge),
            false => Ok(()),
        }
    }

    /// Measures the distances, until every node with too much is reached; tells how far that was.
    fn measure(&mut self, epsilon: i64) -> Result<u32, FlowError> {
        self.distance.fill(FAR);
        for bucket in &mut self.buckets {
            bucket.clear();
        }
        let mut waiting = self.excess.iter().filter(|e| **e > 0).count();
        for (node, excess) in self.excess.iter().enumerate() {
            if *excess < 0 {
                self.distance[node] = 0;
                self.buckets[0].push(node as u32);
            }
        }
        let mut level = 0;
        while level < self.buckets.len() {
            while let Some(node) = self.buckets[level].pop() {
                let node = node as usize;
                if self.distance[node] as usize != level {
                    continue;
                }
                if self.excess[node] > 0 {
                    waiting -= 1;
                    if waiting == 0 {
                        return Ok(level as u32);
                    }
                }
                self.pay(self.all(node).len())?;
                for at in self.all(node) {
                    let step = self.steps[at];
                    let from = step.to as usize;
                    if step.used == 0 || self.distance[from] as usize <= level {
                        continue;
                    }
                    let reduced = self.prices[from] - step.cost - self.prices[node];
                    let length = usize::try_from(reduced.div_euclid(epsilon) + 1).unwrap_or(0);
                    let far = level.saturating_add(length);
                    if far < FARTHEST && far < self.distance[from] as usize {
                        if self.buckets.len() <= far {
                            self.buckets.resize_with(far + 1, Vec::new);
                        }
                        self.distance[from] = far as u32;
                        self.buckets[far].push(step.to);
                    }
                }
            }
            level += 1;
        }
        Ok(level as u32)
    }
}

/// The arcs as both ends see them, by node: where each node's steps begin, and the steps.
#[expect(
    clippy::cast_possible_truncation,
    reason = "nodes and arcs were counted when the scale was chosen"
)]
fn linked(nodes: usize, list: &[(usize, usize, i32, i64)], arcs: usize) -> (Vec<u32>, Vec<Step>) {
    let mut first = vec![0_u32; nodes + 1];
    for (from, to, ..) in list {
        first[from + 1] += 1;
        first[to + 1] += 1;
    }
    for node in 0..nodes {
        first[node + 1] += first[node];
    }
    let mut next = first.clone();
    let mut steps = vec![Step::default(); 2 * list.len()];
    for (i, (from, to, room, cost)) in list.iter().enumerate() {
        let (at, back) = (next[*from], next[*to]);
        next[*from] += 1;
        next[*to] += 1;
        let arc = i.min(arcs) as u32;
        steps[at as usize] = Step {
            to: *to as u32,
            back,
            room: *room,
            used: 0,
            cost: *cost,
            arc,
        };
        steps[back as usize] = Step {
            to: *from as u32,
            back: at,
            room: 0,
            used: *room,
            cost: -*cost,
            arc,
        };
    }
    (first, steps)
}
