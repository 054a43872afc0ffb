//! How the work goes, in counts and times, for coordinators: what `storage::activity` gives, counted up by the
//! formulas of `matching::fairness`.

mod carriers;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

pub use self::carriers::CarrierView;
use self::carriers::{Carriers, is_yes};
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::ids::VolunteerId;
use crate::domain::lifecycle::CloseReason;
use crate::domain::part::Part;
use crate::domain::place::{Cell, CellSize, DistanceBand};
use crate::domain::upward::merge_upward;
use crate::matching::fairness::{gini, percentile};
use crate::storage::activity::{Ask, MOST};

/// An area shows what is of at least so many requests.
const LEAST: usize = 5;

/// How the work goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatsView {
    /// Of how many days.
    #[schema(example = 7)]
    pub days: u32,
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    pub from: Ts,
    /// Until when: now.
    #[schema(value_type = String, format = DateTime)]
    pub until: Ts,
    /// Whether everything was counted; `false` where there was more of something than is read at a time.
    pub complete: bool,
    /// All of it together.
    pub total: Figures,
    /// The same for each category of which there is anything, by its key.
    pub categories: BTreeMap<String, Figures>,
    /// The same for each category and area with at least five requests, posted in these days or open now.
    pub areas: Vec<AreaFigures>,
    /// Who carries how much: those who said yes most often, at most twenty.
    pub carriers: Vec<CarrierView>,
}

/// Counts and times of one category in one area.
#[derive(Debug, Serialize, ToSchema)]
pub struct AreaFigures {
    /// The H3 cell, two sizes coarser than those of posts. Where it would hold fewer than five requests they are
    /// counted in the next larger one, together with the other small ones there: no larger cell holds what a
    /// smaller one shows.
    #[schema(value_type = String, example = "862649b2fffffff")]
    pub area: Cell,
    /// The category's key.
    #[schema(example = "food")]
    pub category: String,
    /// Of these.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Counts and times.
#[derive(Debug, Serialize, ToSchema)]
pub struct Figures {
    /// Requests that were posted.
    #[schema(example = 40)]
    pub posted: i64,
    /// Requests all of which was promised for the first time.
    #[schema(example = 31)]
    pub covered: usize,
    /// Requests that were closed because help was given here.
    #[schema(example = 28)]
    pub helped: i64,
    /// Requests whose time went by without help.
    #[schema(example = 2)]
    pub unmet: i64,
    /// All requests that were closed, by the reason; these two among them.
    #[schema(value_type = Object, example = json!({"helped_here": 28, "unmet": 2, "not_needed": 4}))]
    pub closed: BTreeMap<CloseReason, i64>,
    /// Requests that are open now and not wholly covered, whenever they were posted.
    #[schema(example = 6)]
    pub open: usize,
    /// Of those open: nothing has been promised yet.
    #[schema(example = 4)]
    pub waiting: usize,
    /// Of those covered: from post to first full cover, in seconds; half waited no longer.
    #[schema(example = 1260)]
    pub wait_p50_s: Option<u64>,
    /// As before; 95 of 100 waited no longer.
    #[schema(example = 14_400)]
    pub wait_p95_s: Option<u64>,
    /// Of those open now: since the post, in seconds; 95 of 100 wait no longer.
    #[schema(example = 86_400)]
    pub waiting_p95_s: Option<u64>,
    /// Asks whose letters left.
    #[schema(example = 130)]
    pub asks: usize,
    /// How many of them were answered with yes, whatever came of it.
    #[schema(example = 33)]
    pub acceptances: usize,
    /// Asks for each yes; null without a yes.
    #[schema(example = 3.9)]
    pub asks_per_acceptance: Option<f64>,
    /// From when the letter left to the answer, yes or no, in seconds; half took no longer.
    #[schema(example = 420)]
    pub answer_p50_s: Option<u64>,
    /// As before; 95 of 100 took no longer.
    #[schema(example = 3600)]
    pub answer_p95_s: Option<u64>,
    /// Volunteers who could be asked.
    #[schema(example = 52)]
    pub volunteers: usize,
    /// How unevenly the asks fell on them: 0 is even, near 1 is all on a few.
    #[schema(example = 0.31)]
    pub gini: f64,
    /// How many of those who said yes are how far away.
    #[schema(value_type = Object, example = json!({"under_2_km": 20, "under_5_km": 13}))]
    pub distances: BTreeMap<DistanceBand, usize>,
}

/// What is counted up before it is shown.
#[derive(Debug, Default)]
pub struct Tally {
    /// Requests that were posted.
    pub posted: i64,
    /// Requests that were closed, and why.
    pub closed: BTreeMap<CloseReason, i64>,
    /// From post to cover.
    pub waits: Vec<Duration>,
    /// Since the posts that are open now.
    pub open: Vec<Duration>,
    /// How many of them have no promise at all.
    pub waiting: usize,
    /// How often each volunteer who could be asked was asked.
    pub asked: HashMap<VolunteerId, u32>,
    asks: usize,
    acceptances: usize,
    answers: Vec<Duration>,
    distances: BTreeMap<DistanceBand, usize>,
}

/// What the numbers are of.
#[derive(Clone, Debug)]
pub struct Of {
    /// Of so many days.
    pub days: u32,
    /// From when.
    pub from: Ts,
    /// Until when.
    pub until: Ts,
    /// Only of this category.
    pub category: Option<CategoryKey>,
    /// Only of what lies in this cell.
    pub area: Option<Cell>,
    /// Only of what the caller reaches.
    pub part: Part,
    /// How fine the areas are that are told apart.
    pub fineness: CellSize,
}

/// Those of all categories, of each, of each in each area, and of all together.
#[derive(Debug)]
pub struct Tallies {
    of: Of,
    total: Tally,
    categories: BTreeMap<String, Tally>,
    areas: BTreeMap<String, BTreeMap<Cell, Tally>>,
    carriers: Carriers,
    is_cut: bool,
}

impl Tally {
    /// Counts an ask.
    pub fn ask(&mut self, ask: &Ask) {
        self.asks += 1;
        *self.asked.entry(ask.volunteer).or_default() += 1;
        if let Some(at) = ask.answered_at {
            self.answers.push(at.since(ask.asked_at));
        }
        if is_yes(ask) {
            self.acceptances += 1;
            *self.distances.entry(ask.band).or_default() += 1;
        }
    }

    fn add(&mut self, other: Self) {
        self.posted += other.posted;
        for (reason, count) in other.closed {
            *self.closed.entry(reason).or_default() += count;
        }
        self.waiting += other.waiting;
        self.asks += other.asks;
        self.acceptances += other.acceptances;
        self.waits.extend(other.waits);
        self.open.extend(other.open);
        self.answers.extend(other.answers);
        for (volunteer, asks) in other.asked {
            *self.asked.entry(volunteer).or_default() += asks;
        }
        for (band, count) in other.distances {
            *self.distances.entry(band).or_default() += count;
        }
    }

    /// Whether it is of so many requests that it says nothing of one of them.
    fn is_enough(&self) -> bool {
        usize::try_from(self.posted).is_ok_and(|n| n >= LEAST) || self.open.len() >= LEAST
    }

    fn figures(mut self) -> Figures {
        let counts: Vec<u32> = self.asked.into_values().collect();
        for times in [&mut self.waits, &mut self.open, &mut self.answers] {
            times.sort_unstable();
        }
        let closed = |reason| self.closed.get(&reason).copied().unwrap_or(0);
        let seconds = |times: &[Duration], p| percentile(times, p).map(|d| d.as_secs());
        Figures {
            posted: self.posted,
            covered: self.waits.len(),
            helped: closed(CloseReason::HelpedHere),
            unmet: closed(CloseReason::Unmet),
            closed: self.closed,
            open: self.open.len(),
            waiting: self.waiting,
            wait_p50_s: seconds(&self.waits, 50.0),
            wait_p95_s: seconds(&self.waits, 95.0),
            waiting_p95_s: seconds(&self.open, 95.0),
            asks: self.asks,
            acceptances: self.acceptances,
            asks_per_acceptance: (self.acceptances > 0)
                .then(|| self.asks as f64 / self.acceptances as f64),
            answer_p50_s: seconds(&self.answers, 50.0),
            answer_p95_s: seconds(&self.answers, 95.0),
            volunteers: counts.len(),
            gini: gini(&counts),
            distances: self.distances,
        }
    }
}

impl Tallies {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(of: Of) -> Self {
        Self {
            of,
            total: Tally::default(),
            categories: BTreeMap::new(),
            areas: BTreeMap::new(),
            carriers: Carriers::default(),
            is_cut: false,
        }
    }

    /// Counts something of a category in a cell, wherever it belongs.
    pub fn each(&mut self, category: &CategoryKey, cell: Cell, mut count: impl FnMut(&mut Tally)) {
        if !self.is_of(category, cell) {
            return;
        }
        count(&mut self.total);
        let key = category.as_str();
        if !self.categories.contains_key(key) {
            self.categories.insert(key.to_owned(), Tally::default());
            self.areas.insert(key.to_owned(), BTreeMap::new());
        }
        if let Some(of_category) = self.categories.get_mut(key) {
            count(of_category);
        }
        if let Some(of_category) = self.areas.get_mut(key) {
            let area = cell.coarsened(self.of.fineness);
            count(of_category.entry(area).or_default());
        }
    }

    /// Counts an ask, also for who was asked.
    pub fn ask(&mut self, ask: &Ask) {
        if self.is_of(&ask.category, ask.cell) {
            self.carriers.ask(ask);
        }
        self.each(&ask.category, ask.cell, |tally| tally.ask(ask));
    }

    fn is_of(&self, category: &CategoryKey, cell: Cell) -> bool {
        self.of
            .category
            .as_ref()
            .is_none_or(|only| only == category)
            && self.of.area.is_none_or(|area| cell.is_within(area))
            && self.of.part.holds(category.as_str(), cell)
    }

    /// Notes that so many rows were read at a time.
    pub fn saw(&mut self, rows: usize) {
        self.is_cut |= i64::try_from(rows).is_ok_and(|rows| rows >= MOST);
    }

    /// What is shown of it. Of one category, the total is that category's.
    #[must_use]
    pub fn view(self) -> StatsView {
        let Of {
            days,
            from,
            until,
            category,
            ..
        } = self.of;
        let mut areas = Vec::new();
        for (category, cells) in self.areas {
            let (shown, _) = merge_upward(cells, Tally::is_enough, Tally::add);
            areas.extend(shown.into_iter().map(|(area, tally)| AreaFigures {
                area,
                category: category.clone(),
                figures: tally.figures(),
            }));
        }
        let categories = self.categories.into_iter().filter(|_| category.is_none());
        StatsView {
            days,
            from,
            until,
            complete: !self.is_cut,
            total: self.total.figures(),
            categories: categories
                .map(|(category, tally)| (category, tally.figures()))
                .collect(),
            areas,
            carriers: self.carriers.view(),
        }
    }
}
