//! The figures of all policies, side by side.

use std::time::Duration;

use serde_json::{Value, json};

use super::figures::Figures;
use super::policy::Policy;
use crate::cli::print;

/// A policy with the figures of each seed.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    pub policy: &'a Policy,
    pub runs: Vec<(u64, Figures)>,
}

/// A figure over several seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    mean: f64,
    min: f64,
    max: f64,
}

/// A column: its name in JSON, its head for people, how many decimals, and where it comes from.
struct Column {
    key: &'static str,
    head: &'static str,
    decimals: usize,
    of: fn(&Figures) -> Option<f64>,
}

const COLUMNS: [Column; 9] = [
    column("served_percent", "served %", 1, |f| {
        Some(f.served_percent())
    }),
    column("wait_p50_minutes", "wait p50 min", 0, |f| {
        minutes(f.wait_p50)
    }),
    column("wait_p95_minutes", "p95 min", 0, |f| minutes(f.wait_p95)),
    column("waited_longer", "longer", 0, |f| {
        Some(f.waited_longer as f64)
    }),
    column("asks", "asks", 0, |f| Some(f.asks as f64)),
    column(
        "asks_per_acceptance",
        "asks per yes",
        2,
        Figures::asks_per_acceptance,
    ),
    column("fell_through", "fell through", 0, |f| {
        Some(f.fell_through as f64)
    }),
    column("distance_m", "distance m", 0, |f| f.distance_m),
    column("gini", "Gini", 3, |f| Some(f.gini)),
];

const fn column(
    key: &'static str,
    head: &'static str,
    decimals: usize,
    of: fn(&Figures) -> Option<f64>,
) -> Column {
    Column {
        key,
        head,
        decimals,
        of,
    }
}

fn minutes(wait: Option<Duration>) -> Option<f64> {
    Some(wait?.as_secs_f64() / 60.0)
}

/// The mean of those that can be told, with the least and the greatest.
fn spread(values: impl Iterator<Item = Option<f64>>) -> Option<Spread> {
    let values: Vec<f64> = values.flatten().collect();
    let first = *values.first()?;
    Some(Spread {
        mean: values.iter().sum::<f64>() / values.len() as f64,
        min: values.iter().copied().fold(first, f64::min),
        max: values.iter().copied().fold(first, f64::max),
    })
}

impl Outcome<'_> {
    fn spread(&self, column: &Column) -> Option<Spread> {
        spread(self.runs.iter().map(|(_, figures)| (column.of)(figures)))
    }

    fn row(&self) -> [String; 10] {
        let mut cells = COLUMNS.iter().map(|column| {
            let Some(all) = self.spread(column) else {
                return "-".to_owned();
            };
            let n = column.decimals;
            match self.runs.len() {
                1 => format!("{:.n$}", all.mean),
                _ => format!("{:.n$} ({:.n$}..{:.n$})", all.mean, all.min, all.max),
            }
        });
        std::array::from_fn(|i| match i {
            0 => self.policy.name.clone(),
            _ => cells.next().unwrap_or_default(),
        })
    }

    fn json(&self) -> Value {
        let mut all = json!({
            "name": self.policy.name,
            "about": self.policy.about,
            "sets": self.policy.overrides().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        });
        for column in &COLUMNS {
            all[column.key] = self.spread(column).map_or(
                Value::Null,
                |s| json!({"mean": rounded(s.mean), "min": rounded(s.min), "max": rounded(s.max)}),
            );
        }
        all["runs"] = self
            .runs
            .iter()
            .map(|(seed, f)| run_json(*seed, f))
            .collect();
        all
    }
}

fn run_json(seed: u64, figures: &Figures) -> Value {
    let mut run = json!({
        "seed": seed,
        "requests": figures.requests,
        "volunteers": figures.volunteers,
        "served": figures.served,
        "acceptances": figures.acceptances,
    });
    for column in &COLUMNS {
        run[column.key] = (column.of)(figures).map_or(Value::Null, |v| json!(rounded(v)));
    }
    run
}

/// To the fourth decimal: what is behind it says nothing.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// For people.
pub(super) fn table(outcomes: &[Outcome<'_>]) {
    let mut head = [""; 10];
    head[0] = "policy";
    for (cell, column) in head[1..].iter_mut().zip(&COLUMNS) {
        *cell = column.head;
    }
    let rows: Vec<[String; 10]> = outcomes.iter().map(Outcome::row).collect();
    print::table(head, &rows);
}

/// For programs.
pub(super) fn json(day: &Value, outcomes: &[Outcome<'_>]) {
    let policies: Vec<Value> = outcomes.iter().map(Outcome::json).collect();
    print::json(&json!({"day": day, "policies": policies}));
}
