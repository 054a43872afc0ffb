//! Why a request stands as it does, for coordinators: bands and ids, no places and no persons.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::request::RoundView;
use crate::actions::Ctx;
use crate::actions::know_by::next_ask_at;
use crate::actions::why_request::{Considered, Passed, PassedOver, Why};
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::lifecycle::{Attention, MatchState, RequestState};
use crate::domain::place::DistanceBand;
use crate::domain::score::ScoreParts;
use crate::domain::word::words;
use crate::storage::matches::Match;

words! {
    /// What an offer is to a request.
    Regard {
        /// Its volunteer was asked, or waits for a review; `state` says what came of it.
        Asked = "asked",
        /// Its volunteer is asked in the next round.
        Next = "next",
        /// It is passed over.
        Passed = "passed",
    }
}

/// Why a request stands as it does.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhyView {
    /// The request's id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Where it stands.
    pub state: RequestState,
    /// Its category.
    #[schema(example = "food")]
    pub category: String,
    /// Why a person must look at it.
    pub attention: Option<Attention>,
    /// Whether coordinators have stopped all help in its area for now.
    pub frozen: bool,
    /// Waves of asks so far.
    #[schema(example = 1)]
    pub wave: i32,
    /// When the next are asked, as far as that is planned.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_ask_at: Option<Ts>,
    /// What the last round saw.
    pub round: Option<RoundView>,
    /// How much each part of a score counts; only their relation does.
    pub weights: ScoreParts,
    /// The nearest 50 offers in reach and some just out of reach, near first; then offers that were asked
    /// and are not among these. Of a request that is not open only those that were asked.
    pub offers: Vec<RegardedView>,
}

/// What an offer is to the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegardedView {
    /// The offer's id.
    #[schema(value_type = String, format = Uuid)]
    pub offer: String,
    /// Its volunteer's id.
    #[schema(value_type = String, format = Uuid)]
    pub volunteer: String,
    /// How far away.
    pub distance: DistanceBand,
    /// What it is to the request.
    pub regard: Regard,
    /// The last match of the two.
    #[schema(value_type = Option<String>, format = Uuid)]
    #[serde(rename = "match")]
    pub matched: Option<String>,
    /// Where that match stands.
    pub state: Option<MatchState>,
    /// In which wave it was asked.
    pub wave: Option<i32>,
    /// Its place among all who may be asked now, from 1.
    #[schema(example = 1)]
    pub rank: Option<usize>,
    /// How good it is, from 0 to 1: of the match, else as it is now.
    #[schema(example = 0.82)]
    pub score: Option<f64>,
    /// What the score is made of.
    pub parts: Option<ScoreParts>,
    /// Why it is passed over.
    pub passed: Option<PassedView>,
}

/// Why an offer is passed over.
#[derive(Debug, Serialize, ToSchema)]
pub struct PassedView {
    /// In a word.
    pub why: Passed,
    /// Which attribute is not met.
    #[schema(example = "diet")]
    pub attribute: Option<String>,
    /// When that ends by itself, as far as it does and that is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Ts>,
    /// What is free of it then, where that is too little.
    #[schema(example = 2)]
    pub free: Option<i32>,
    /// How much is needed, where that is too much.
    #[schema(example = 4)]
    pub needed: Option<i32>,
}

impl WhyView {
    /// The view of it.
    #[must_use]
    pub fn of(ctx: &Ctx, why: Why) -> Self {
        let weights = ctx.settings.matching.weights;
        let mut last: HashMap<OfferId, &(Match, VolunteerId)> = HashMap::new();
        for matched in &why.matches {
            last.insert(matched.0.offer_id, matched);
        }
        let mut offers: Vec<RegardedView> = Vec::new();
        for one in &why.near {
            let matched = last.remove(&one.offer).map(|(m, _)| m);
            offers.push(RegardedView::near(one, matched));
        }
        // Those that are left, in the order in which they were asked.
        let left = |m: &Match| last.get(&m.offer_id).is_some_and(|(l, _)| l.id == m.id);
        let asked = why.matches.iter().filter(|(m, _)| left(m));
        offers.extend(asked.map(|(m, volunteer)| RegardedView::asked(m, *volunteer)));
        Self {
            id: why.request.id.to_string(),
            state: why.request.state,
            category: why.request.category.to_string(),
            attention: why.request.attention,
            frozen: why.is_frozen,
            wave: why.request.wave,
            next_ask_at: next_ask_at(&why.request, why.seen.as_ref(), ctx.now()),
            round: why.seen.map(RoundView::from),
            weights: ScoreParts {
                proximity: weights.proximity,
                time: weights.time,
                capacity: weights.capacity,
                language: weights.language,
                responsiveness: weights.responsiveness,
                rotation: weights.rotation,
                same_helper: weights.same_helper,
            },
            offers,
        }
    }
}

impl RegardedView {
    fn near(one: &Considered, matched: Option<&Match>) -> Self {
        let regard = match (matched.map(|m| m.state.is_active()), &one.passed) {
            (Some(true), _) => Regard::Asked,
            (_, None) => Regard::Next,
            (_, Some(_)) => Regard::Passed,
        };
        let passed = one.passed.as_ref().filter(|_| regard == Regard::Passed);
        Self {
            offer: one.offer.to_string(),
            volunteer: one.volunteer.to_string(),
            distance: one.band,
            regard,
            matched: matched.map(|m| m.id.to_string()),
            state: matched.map(|m| m.state),
            wave: matched.map(|m| m.wave),
            rank: one.line.as_ref().map(|(rank, _)| *rank),
            score: one
                .line
                .as_ref()
                .map(|(_, c)| c.score)
                .or(matched.map(|m| m.score)),
            parts: one
                .line
                .as_ref()
                .map(|(_, c)| c.parts)
                .or(matched.map(|m| m.parts.0)),
            passed: passed.map(|passed| PassedView::of(passed, one)),
        }
    }

    fn asked(m: &Match, volunteer: VolunteerId) -> Self {
        Self {
            offer: m.offer_id.to_string(),
            volunteer: volunteer.to_string(),
            distance: m.band,
            regard: Regard::Asked,
            matched: Some(m.id.to_string()),
            state: Some(m.state),
            wave: Some(m.wave),
            rank: None,
            score: Some(m.score),
            parts: Some(m.parts.0),
            passed: None,
        }
    }
}

impl PassedView {
    fn of(passed: &PassedOver, one: &Considered) -> Self {
        let is_short = passed.why == Passed::NoCapacity;
        Self {
            why: passed.why,
            attribute: passed.attribute.clone(),
            until: passed.until,
            free: is_short.then_some(one.free),
            needed: is_short.then_some(one.needed),
        }
    }
}
