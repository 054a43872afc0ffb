//! How the work goes, in counts and times, for coordinators: what `storage::activity` gives, counted up by the
//! formulas of `matching::fairness`.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::clock::Ts;
use crate::domain::ids::VolunteerId;
use crate::domain::lifecycle::MatchState;
use crate::domain::place::DistanceBand;
use crate::matching::fairness::{gini, percentile};
use crate::storage::activity::{Ask, MOST};

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
    /// Requests that are open now and not wholly covered, whenever they were posted.
    #[schema(example = 6)]
    pub open: usize,
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
    /// Requests that were closed because help was given here.
    pub helped: i64,
    /// Requests whose time went by.
    pub unmet: i64,
    /// From post to cover.
    pub waits: Vec<Duration>,
    /// Since the posts that are open now.
    pub waiting: Vec<Duration>,
    /// How often each volunteer who could be asked was asked.
    pub asked: HashMap<VolunteerId, u32>,
    asks: usize,
    acceptances: usize,
    answers: Vec<Duration>,
    distances: BTreeMap<DistanceBand, usize>,
}

/// Those of all categories, and of all together.
#[derive(Debug, Default)]
pub struct Tallies {
    total: Tally,
    categories: BTreeMap<String, Tally>,
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
        let yes = [
            MatchState::Accepted,
            MatchState::Fulfilled,
            MatchState::FellThrough,
        ];
        if yes.contains(&ask.state) {
            self.acceptances += 1;
            *self.distances.entry(ask.band).or_default() += 1;
        }
    }

    fn figures(mut self) -> Figures {
        let counts: Vec<u32> = self.asked.into_values().collect();
        for times in [&mut self.waits, &mut self.waiting, &mut self.answers] {
            times.sort_unstable();
        }
        let seconds = |times: &[Duration], p| percentile(times, p).map(|d| d.as_secs());
        Figures {
            posted: self.posted,
            covered: self.waits.len(),
            helped: self.helped,
            unmet: self.unmet,
            open: self.waiting.len(),
            wait_p50_s: seconds(&self.waits, 50.0),
            wait_p95_s: seconds(&self.waits, 95.0),
            waiting_p95_s: seconds(&self.waiting, 95.0),
            asks: self.asks,
            acceptances: self.acceptances,
            asks_per_acceptance: (self.acceptances > 0)
                .then(|| self.asks as f64 / self.acceptances as f64),
            answer_p50_s: seconds(&self.answers, 50.0),
            volunteers: counts.len(),
            gini: gini(&counts),
            distances: self.distances,
        }
    }
}

impl Tallies {
    /// Counts something of a category, there and in total.
    pub fn each(&mut self, category: &str, mut count: impl FnMut(&mut Tally)) {
        count(&mut self.total);
        if !self.categories.contains_key(category) {
            self.categories
                .insert(category.to_owned(), Tally::default());
        }
        if let Some(of_category) = self.categories.get_mut(category) {
            count(of_category);
        }
    }

    /// Notes that so many rows were read at a time.
    pub fn saw(&mut self, rows: usize) {
        self.is_cut |= i64::try_from(rows).is_ok_and(|rows| rows >= MOST);
    }

    /// What is shown of it: everything, or only one category, which is the total then.
    #[must_use]
    pub fn view(mut self, days: u32, from: Ts, until: Ts, only: Option<&str>) -> StatsView {
        if let Some(only) = only {
            self.categories.retain(|category, _| category == only);
        }
        let mut categories: BTreeMap<String, Figures> = self
            .categories
            .into_iter()
            .map(|(category, tally)| (category, tally.figures()))
            .collect();
        let total = match only {
            Some(only) => categories
                .remove(only)
                .unwrap_or_else(|| Tally::default().figures()),
            None => self.total.figures(),
        };
        StatsView {
            days,
            from,
            until,
            complete: !self.is_cut,
            total,
            categories,
        }
    }
}
