//! Pairs that hold: what everybody has left, and how a need is placed, or moved aside for another.

use std::cmp::Ordering;

use super::{Figures, Link, Placed, Town};

/// How often it is tried to move others aside.
const PASSES: usize = 3;

/// Which of two links of a need is tried first.
type Order = fn(&Link, &Link) -> Ordering;

/// Pairs, and what is left beside them.
pub(super) struct Placing<'a> {
    town: &'a Town,
    /// The links of each need, the first to be tried first.
    links: Vec<Vec<usize>>,
    /// The links of each volunteer's supplies that are in use.
    in_use: Vec<Vec<usize>>,
    /// How much goes over each link.
    amounts: Vec<i32>,
    needed: Vec<i32>,
    helpers: Vec<i32>,
    free: Vec<i32>,
    rooms: Vec<i32>,
}

impl<'a> Placing<'a> {
    /// Nobody is placed.
    pub(super) fn empty(town: &'a Town, order: Order) -> Self {
        let mut links = vec![Vec::new(); town.needs.len()];
        for (at, link) in town.links.iter().enumerate() {
            links[link.need].push(at);
        }
        for of_need in &mut links {
            of_need.sort_by(|one, other| order(&town.links[*one], &town.links[*other]));
        }
        Self {
            links,
            in_use: vec![Vec::new(); town.rooms.len()],
            amounts: vec![0; town.links.len()],
            needed: town.needs.iter().map(|n| n.quantity).collect(),
            helpers: town.needs.iter().map(|n| n.helpers.max(1)).collect(),
            free: town.supplies.iter().map(|s| s.free).collect(),
            rooms: town.rooms.clone(),
            town,
        }
    }

    /// What of a flow holds: needs that it covers as they allow; the heavier first, for volunteers may be
    /// asked more often in it than they allow.
    pub(super) fn keeping(town: &'a Town, flow: &[Placed]) -> Self {
        let mut placing = Self::empty(town, |one, other| one.distance_m.cmp(&other.distance_m));
        let mut pairs: Vec<Placed> = flow.iter().copied().filter(|(_, n)| *n > 0).collect();
        pairs.sort_by_key(|(at, amount)| {
            let need = &town.needs[town.links[*at].need];
            (-need.weight, town.links[*at].need, -*amount)
        });
        for (at, amount) in pairs {
            if placing.fits(at) >= amount && placing.is_enough(at, amount) {
                placing.put(at, amount);
            }
        }
        placing
    }

    /// The pairs, and what they achieve.
    pub(super) fn finish(self) -> (Vec<Placed>, Figures) {
        let pairs = self.amounts.iter().copied().enumerate();
        let pairs: Vec<Placed> = pairs.filter(|(_, amount)| *amount > 0).collect();
        let figures = self.town.figures(&pairs);
        (pairs, figures)
    }

    fn volunteer(&self, at: usize) -> usize {
        self.town.supplies[self.town.links[at].supply].volunteer
    }

    /// How much could go over a link now; 0 for one that is in use, or whose volunteer helps already.
    fn fits(&self, at: usize) -> i32 {
        let link = &self.town.links[at];
        let volunteer = self.volunteer(at);
        let has_met = || {
            let mut met = self.in_use[volunteer].iter();
            met.any(|other| self.town.links[*other].need == link.need)
        };
        if self.helpers[link.need] < 1 || self.rooms[volunteer] < 1 || has_met() {
            return 0;
        }
        self.needed[link.need].min(self.free[link.supply])
    }

    /// Whether a need takes so little, or only all.
    fn is_enough(&self, at: usize, amount: i32) -> bool {
        let need = self.town.links[at].need;
        amount > 0 && (self.town.needs[need].helpers > 1 || amount == self.needed[need])
    }

    fn put(&mut self, at: usize, amount: i32) {
        let link = self.town.links[at];
        let volunteer = self.volunteer(at);
        self.amounts[at] += amount;
        self.in_use[volunteer].push(at);
        self.needed[link.need] -= amount;
        self.helpers[link.need] -= 1;
        self.free[link.supply] -= amount;
        self.rooms[volunteer] -= 1;
    }

    /// Takes a pair apart; tells how much it was.
    fn take(&mut self, at: usize) -> i32 {
        let link = self.town.links[at];
        let volunteer = self.volunteer(at);
        let amount = std::mem::take(&mut self.amounts[at]);
        self.in_use[volunteer].retain(|other| *other != at);
        self.needed[link.need] += amount;
        self.helpers[link.need] += 1;
        self.free[link.supply] += amount;
        self.rooms[volunteer] += 1;
        amount
    }

    /// The first link over which a need could get at least so much.
    fn first_for(&self, need: usize, least: i32, but: Option<usize>) -> Option<usize> {
        let links = self.links[need].iter().copied();
        links
            .filter(|at| Some(*at) != but)
            .find(|at| self.fits(*at) >= least && self.is_enough(*at, self.fits(*at)))
    }

    /// Gives every need, in order, the first that is left, until it is covered.
    pub(super) fn fill(&mut self) {
        for need in 0..self.needed.len() {
            while self.needed[need] > 0
                && let Some(at) = self.first_for(need, 1, None)
            {
                self.put(at, self.fits(at));
            }
        }
    }

    /// Where a need is left, looks for somebody who would move aside: a single other pair of the same
    /// volunteer that can be had elsewhere. Then fills what became free.
    pub(super) fn improve(&mut self) {
        for _ in 0..PASSES {
            let mut order: Vec<usize> = (0..self.needed.len()).collect();
            order.retain(|need| self.needed[*need] > 0);
            order.sort_by_key(|need| -self.town.needs[*need].weight);
            let moved = order
                .into_iter()
                .filter(|need| self.make_room(*need))
                .count();
            self.fill();
            if moved == 0 {
                break;
            }
        }
    }

    fn make_room(&mut self, need: usize) -> bool {
        for at in self.links[need].clone() {
            let volunteer = self.volunteer(at);
            for other in self.in_use[volunteer].clone() {
                let moved = self.town.links[other].need;
                if moved == need {
                    continue;
                }
                let amount = self.take(other);
                let fits = self.fits(at);
                if self.is_enough(at, fits) {
                    self.put(at, fits);
                    if let Some(elsewhere) = self.first_for(moved, amount, Some(other)) {
                        let most = self.fits(elsewhere);
                        self.put(elsewhere, most);
                        return true;
                    }
                    // A heavier need takes the place of lighter ones.
                    let worth = |need: usize, n: i32| self.town.needs[need].weight * i64::from(n);
                    if worth(need, fits) > worth(moved, amount) {
                        return true;
                    }
                    self.take(at);
                }
                self.put(other, amount);
            }
        }
        false
    }
}
