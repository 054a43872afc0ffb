//! Plans and their pairs, as coordinators see them. Distances are between cells and sites.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::apply_plan::Applied;
use crate::domain::clock::Ts;
use crate::domain::ids::PlanId;
use crate::domain::plan::{Figures, PairState, SkipReason};
use crate::storage::plans::{Plan, PlanPair, Standing};
use crate::storage::{Conn, StorageError, plans};

/// What one way of bringing people together achieves.
#[derive(Debug, Serialize, ToSchema)]
pub struct FigureSheet {
    /// Requests that are covered, all of them or in part.
    #[schema(example = 180)]
    pub requests: i64,
    /// Units of what they need.
    #[schema(example = 420)]
    pub units: i64,
    /// The same, each counted by urgency and by how long it was waited for.
    #[schema(example = 30_240)]
    pub weighted: i64,
    /// Meters between those who are brought together, over all units.
    #[schema(example = 512_000)]
    pub distance_m: i64,
    /// The same for one unit, in the middle; null where there is none.
    #[schema(example = 1219)]
    pub mean_distance_m: Option<i64>,
}

impl From<Figures> for FigureSheet {
    fn from(figures: Figures) -> Self {
        Self {
            requests: figures.requests,
            units: figures.units,
            weighted: figures.weighted,
            distance_m: figures.distance_m,
            mean_distance_m: figures.distance_m.checked_div(figures.units),
        }
    }
}

/// How many were skipped for one reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct SkippedPairs {
    /// Why.
    pub reason: SkipReason,
    /// How many pairs.
    #[schema(example = 3)]
    pub pairs: i64,
}

/// How many pairs stand where.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct PairCounts {
    /// To be applied.
    #[schema(example = 180)]
    pub planned: i64,
    /// Became matches.
    #[schema(example = 0)]
    pub applied: i64,
    /// Were not true any more.
    pub skipped: Vec<SkippedPairs>,
}

/// A plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanSheet {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// The category it was made for; null: all.
    #[schema(example = "food")]
    pub category: Option<String>,
    /// The H3 cell it was made for; null: everywhere.
    #[schema(example = "862649b27ffffff")]
    pub area: Option<String>,
    /// Whether it is proven that no plan serves more, or as much over less distance, among the nearest
    /// candidates who may be asked now.
    pub exact: bool,
    /// The weighted units that no plan exceeds among the nearest candidates who may be asked now.
    #[schema(example = 30_240)]
    pub bound: i64,
    /// The part of the bound that this plan does not reach, from 0 to 1.
    #[schema(example = 0.0)]
    pub gap: f64,
    /// What it achieves.
    pub plan: FigureSheet,
    /// What rounds would achieve: the most urgent first, each with its best offer.
    pub greedy: FigureSheet,
    /// Requests that it serves beyond those.
    #[schema(example = 21)]
    pub gain: i64,
    /// Requests that were looked at.
    #[schema(example = 300)]
    pub requests: i64,
    /// Those of them that nobody who may be asked now can serve.
    #[schema(example = 14)]
    pub stranded: i64,
    /// Its pairs.
    pub pairs: PairCounts,
    /// Whether all of its pairs are written, so that it can be applied.
    pub ready: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// By which coordinator.
    #[schema(value_type = String, format = Uuid)]
    pub created_by: String,
}

/// A pair of a plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanPairSheet {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// The request.
    #[schema(value_type = String, format = Uuid)]
    pub request: String,
    /// The offer.
    #[schema(value_type = String, format = Uuid)]
    pub offer: String,
    /// How much.
    #[schema(example = 4)]
    pub quantity: i32,
    /// Meters between the two.
    #[schema(example = 1200)]
    pub distance_m: i64,
    /// What became of it.
    pub state: PairState,
    /// Why it was skipped.
    pub reason: Option<SkipReason>,
    /// The match that came of it.
    #[serde(rename = "match")]
    #[schema(value_type = Option<String>, format = Uuid)]
    pub matched: Option<String>,
}

/// What came of applying a plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppliedSheet {
    /// Pairs that became matches in this call.
    #[schema(example = 50)]
    pub applied: i64,
    /// Pairs that were skipped in this call.
    pub skipped: Vec<SkippedPairs>,
    /// Pairs that have to wait, because the volunteer has enough asks for now, or it is no hour to ask at:
    /// tried once in a call, they stay planned.
    pub waiting: Vec<SkippedPairs>,
    /// Pairs that are left, with those that wait: call again.
    #[schema(example = 130)]
    pub left: i64,
}

/// The plans with how far they were applied, in the order given.
///
/// # Errors
/// A failed query.
pub fn sheets(conn: &mut Conn, rows: &[Plan]) -> Result<Vec<PlanSheet>, StorageError> {
    let ids: Vec<PlanId> = rows.iter().map(|plan| plan.id).collect();
    let mut counts: HashMap<PlanId, PairCounts> = HashMap::new();
    for (id, state, reason, pairs) in plans::standing(conn, &ids)? {
        let counts = counts.entry(id).or_default();
        match (state, reason) {
            (PairState::Planned, _) => counts.planned += pairs,
            (PairState::Applied, _) => counts.applied += pairs,
            (PairState::Skipped, Some(reason)) => {
                counts.skipped.push(SkippedPairs { reason, pairs });
            }
            (PairState::Skipped, None) => {}
        }
    }
    let sheets = rows.iter().map(|plan| {
        let mut counts = counts.remove(&plan.id).unwrap_or_default();
        counts.skipped.sort_by_key(|skipped| skipped.reason);
        sheet(plan, counts)
    });
    Ok(sheets.collect())
}

fn sheet(plan: &Plan, pairs: PairCounts) -> PlanSheet {
    let figures = plan.figures.0;
    let missed = (plan.bound - figures.plan.weighted).max(0);
    PlanSheet {
        id: plan.id.to_string(),
        category: plan.category.as_ref().map(ToString::to_string),
        area: plan.area.map(|area| area.to_string()),
        exact: plan.exact,
        bound: plan.bound,
        gap: missed as f64 / plan.bound.max(1) as f64,
        gain: figures.plan.requests - figures.greedy.requests,
        plan: figures.plan.into(),
        greedy: figures.greedy.into(),
        requests: figures.requests,
        stranded: figures.stranded,
        pairs,
        ready: plan.ready_at.is_some(),
        created_at: plan.created_at,
        created_by: plan.created_by.to_string(),
    }
}

impl From<&PlanPair> for PlanPairSheet {
    fn from(pair: &PlanPair) -> Self {
        Self {
            id: pair.id.to_string(),
            request: pair.request_id.to_string(),
            offer: pair.offer_id.to_string(),
            quantity: pair.quantity,
            distance_m: pair.distance_m,
            state: pair.state,
            reason: pair.reason,
            matched: pair.match_id.map(|id| id.to_string()),
        }
    }
}

/// What came of it, with how much is left.
///
/// # Errors
/// A failed query.
pub fn applied(
    conn: &mut Conn,
    id: PlanId,
    applied: &Applied,
) -> Result<AppliedSheet, StorageError> {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let is_left = |standing: &&Standing| standing.1 == PairState::Planned;
    let standing = plans::standing(conn, &[id])?;
    let by_reason = |all: &BTreeMap<SkipReason, usize>| {
        let all = all.iter();
        all.map(|(reason, pairs)| SkippedPairs {
            reason: *reason,
            pairs: count(*pairs),
        })
        .collect()
    };
    Ok(AppliedSheet {
        applied: count(applied.applied),
        skipped: by_reason(&applied.skipped),
        waiting: by_reason(&applied.waiting),
        left: standing.iter().filter(is_left).map(|s| s.3).sum(),
    })
}
