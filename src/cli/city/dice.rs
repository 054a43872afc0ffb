//! Chance that repeats itself: one seed gives one story.

use std::time::Duration;

use crate::domain::entropy::{Entropy, SeededEntropy};

/// Draws that belong to a seed and a name.
#[derive(Debug)]
pub(in crate::cli) struct Dice(SeededEntropy);

impl Dice {
    /// The draws of `name` in the story of `seed`. What one person decides so depends on nobody else,
    /// also where people act at the same time.
    pub fn of(seed: u64, name: &str) -> Self {
        let hash = blake3::hash(format!("{seed} {name}").as_bytes());
        let bytes = hash.as_bytes();
        let mut first = [0; 8];
        first.copy_from_slice(&bytes[..8]);
        Self(SeededEntropy::new(u64::from_le_bytes(first)))
    }

    /// A number from 0 (inclusive) to 1 (exclusive).
    pub fn fraction(&self) -> f64 {
        (&self.0 as &dyn Entropy).fraction()
    }

    /// True with this probability.
    pub fn chance(&self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// A whole number between two, both included.
    pub fn whole(&self, (low, high): (i64, i64)) -> i64 {
        let width = high.abs_diff(low) + 1;
        let drawn = u64::from_le_bytes((&self.0 as &dyn Entropy).bytes()) % width;
        low.saturating_add_unsigned(drawn)
    }

    /// A number between two.
    pub fn between(&self, low: f64, high: f64) -> f64 {
        low + self.fraction() * (high - low)
    }

    /// A time between two, in minutes.
    pub fn minutes(&self, low: u32, high: u32) -> Duration {
        let seconds = self.whole((i64::from(low) * 60, i64::from(high) * 60));
        Duration::from_secs(seconds.unsigned_abs())
    }

    /// One of `all`, which has some.
    pub fn one<'a, T>(&self, all: &'a [T]) -> &'a T {
        let last = i64::try_from(all.len()).unwrap_or(1) - 1;
        &all[usize::try_from(self.whole((0, last))).unwrap_or(0)]
    }

    /// One of these texts.
    pub fn text(&self, all: &[&'static str]) -> &'static str {
        self.one::<&'static str>(all)
    }
}
