//! A request as its neighbor sees it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::matched::NeighborMatchView;
use super::undo::{self, UndoView};
use crate::actions::Ctx;
use crate::actions::know_by::{know_by, next_ask_at};
use crate::domain::attribute::Attributes;
use crate::domain::clock::Ts;
use crate::domain::lifecycle::{Attention, CloseReason, MatchState, RequestState};
use crate::domain::need::{Handover, Urgency};
use crate::domain::round::RoundSeen;
use crate::domain::secret::{HandedOver, RequestSecret};
use crate::storage::StorageError;
use crate::storage::matches::Match;
use crate::storage::requests::{HeldBy, Request};

/// A request, to its neighbor.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Where it stands.
    pub state: RequestState,
    /// Its category.
    #[schema(example = "food")]
    pub category: String,
    /// The H3 cell that stands for the neighbor's place.
    #[schema(example = "882649b2d3fffff")]
    pub cell: String,
    /// How much is needed, in the category's unit.
    pub quantity: i32,
    /// How much of it is promised.
    pub covered: i32,
    /// Whether several may share it.
    pub splittable: bool,
    /// How many at the most.
    pub max_helpers: i32,
    /// How soon.
    pub urgency: Urgency,
    /// How far the neighbor travels, in meters.
    pub travel_m: i32,
    /// Where it changes hands.
    pub handover: Handover,
    /// When.
    pub needed: WindowView,
    /// Whether the helper must be there for the whole of that time.
    pub throughout: bool,
    /// What it must be like.
    #[schema(value_type = Object)]
    pub requires: Attributes,
    /// Whether the helper must speak one of her languages.
    pub language_must: bool,
    /// What may be shown before anything is agreed.
    pub note: Option<String>,
    /// What is released with the contact.
    pub private_note: Option<String>,
    /// Slots of one need share it.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub series: Option<String>,
    /// Who has hidden it.
    pub held_by: Option<HeldBy>,
    /// Why it was closed.
    pub close_reason: Option<CloseReason>,
    /// Who looks after it now, once a coordinator handed it over.
    pub handed_over: Option<HandedOverView>,
    /// The request of her own of which it was a duplicate.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub merged_into: Option<String>,
    /// What she can undo now.
    pub undo: Vec<UndoView>,
    /// How the search goes.
    pub progress: ProgressView,
    /// Volunteers who have said yes.
    pub matches: Vec<NeighborMatchView>,
    /// When it was posted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
}

/// Another group that looks after a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandedOverView {
    /// What it is called.
    #[schema(example = "North Side Food Shelf")]
    pub to: String,
    /// By what they know it.
    #[schema(example = "case 4711, ask for Grace")]
    pub reference: String,
}

impl From<&HandedOver> for HandedOverView {
    fn from(known: &HandedOver) -> Self {
        Self {
            to: known.to.expose().to_owned(),
            reference: known.reference.expose().to_owned(),
        }
    }
}

/// A span of time.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowView {
    /// Its first instant.
    #[schema(value_type = String, format = DateTime)]
    pub from: Ts,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime)]
    pub until: Ts,
}

/// How the search for help goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgressView {
    /// How many volunteers were asked so far.
    pub asked: usize,
    /// How many of them have not answered yet.
    pub waiting: usize,
    /// How many proposals a coordinator looks at.
    pub in_review: usize,
    /// When the next ones are asked, if nobody says yes before.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_ask_at: Option<Ts>,
    /// By when she knows whether somebody helps: when those who are asked now, or next, have answered or let
    /// the time go by. Null where nothing is planned: then a person looks at it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub know_by: Option<Ts>,
    /// Why a person must look at it.
    pub attention: Option<Attention>,
    /// Whether coordinators have stopped all help in her area for now.
    pub frozen: bool,
}

impl ProgressView {
    fn of(ctx: &Ctx, request: &Request, matches: &[Match], seen: Option<&RoundSeen>) -> Self {
        let count = |wanted: MatchState| matches.iter().filter(|m| m.state == wanted).count();
        Self {
            asked: matches
                .iter()
                .filter(|m| m.asked_at.is_some() || m.answered_at.is_some())
                .count(),
            waiting: count(MatchState::Notified),
            in_review: count(MatchState::Proposed),
            next_ask_at: next_ask_at(request, seen, ctx.now()),
            know_by: know_by(ctx, request, matches, seen, ctx.now()),
            attention: request.attention,
            frozen: false,
        }
    }
}

impl RequestView {
    /// The view of a request with its matches, those of them that the neighbor sees, and what the last
    /// round saw.
    ///
    /// # Errors
    /// A secret that does not open.
    pub fn of(
        ctx: &Ctx,
        row: &Request,
        all: &[Match],
        seen: Option<&RoundSeen>,
        shown: Vec<NeighborMatchView>,
    ) -> Result<Self, StorageError> {
        let secret: RequestSecret = match &row.sealed {
            Some(sealed) => ctx.vault.open(row.id, row.sealed_version, sealed)?,
            None => RequestSecret::default(),
        };
        Ok(Self {
            id: row.id.to_string(),
            state: row.state,
            category: row.category.to_string(),
            cell: row.cell.to_string(),
            quantity: row.quantity.get(),
            covered: row.covered,
            splittable: row.splittable,
            max_helpers: row.max_helpers,
            urgency: row.urgency,
            travel_m: row.travel_m.meters(),
            handover: row.handover,
            needed: WindowView {
                from: row.needed_from,
                until: row.needed_until,
            },
            throughout: row.throughout,
            requires: row.requires.0.clone(),
            language_must: row.language_must,
            note: secret.note.map(|n| n.expose().to_owned()),
            private_note: secret.private_note.map(|n| n.expose().to_owned()),
            series: row.series_id.map(|s| s.to_string()),
            held_by: row.held_by,
            close_reason: row.close_reason,
            handed_over: secret.handed_over.as_ref().map(Into::into),
            // Another's is not hers to know of.
            merged_into: None,
            undo: undo::of_own_request(ctx, row),
            progress: ProgressView::of(ctx, row, all, seen),
            matches: shown,
            created_at: row.created_at,
        })
    }
}
