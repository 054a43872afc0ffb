//! A request as coordinators see it: without who asks, where exactly, and what she wrote.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::matched::{self, MatchSheet};
use crate::actions::Ctx;
use crate::actions::know_by::next_ask_at;
use crate::domain::attribute::Attributes;
use crate::domain::clock::Ts;
use crate::domain::ids::{NeighborId, RequestId};
use crate::domain::lifecycle::{Attention, CloseReason, RequestState};
use crate::domain::need::{Handover, Urgency, Verified};
use crate::domain::remit::Remit;
use crate::domain::round::RoundSeen;
use crate::http::views::request::WindowView;
use crate::http::views::undo::{self, UndoView};
use crate::storage::matches::Match;
use crate::storage::neighbors::Neighbor;
use crate::storage::requests::{HeldBy, Request};
use crate::storage::rounds::Rounds;
use crate::storage::{
    Conn, StorageError, distinct, duplicates, matches, neighbors, requests, rounds,
};

/// A request, to a coordinator.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestSheet {
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
    #[schema(example = 4)]
    pub quantity: i32,
    /// How much of it is promised.
    #[schema(example = 0)]
    pub covered: i32,
    /// Whether several may share it.
    pub splittable: bool,
    /// How many at the most.
    #[schema(example = 1)]
    pub max_helpers: i32,
    /// How soon.
    pub urgency: Urgency,
    /// How far the neighbor travels, in meters.
    #[schema(example = 2000)]
    pub travel_m: i32,
    /// Where it changes hands.
    pub handover: Handover,
    /// When.
    pub needed: WindowView,
    /// Whether the helper must be there for the whole of that time.
    pub throughout: bool,
    /// What it must be like.
    #[schema(value_type = Object, example = json!({"diet": ["halal"]}))]
    pub requires: Attributes,
    /// Whether the helper must speak one of her languages.
    pub language_must: bool,
    /// Slots of one need share it.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub series: Option<String>,
    /// Who has hidden it.
    pub held_by: Option<HeldBy>,
    /// Why it was closed.
    pub close_reason: Option<CloseReason>,
    /// The request of which it was a duplicate.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub merged_into: Option<String>,
    /// Why a person must look at it.
    pub attention: Option<Attention>,
    /// Waves of asks so far.
    #[schema(example = 1)]
    pub wave: i32,
    /// By when the next ones are asked, if nobody says yes.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_ask_at: Option<Ts>,
    /// What the last round of matching saw.
    pub round: Option<RoundView>,
    /// When all of it was promised for the first time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub covered_at: Option<Ts>,
    /// When it was posted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Ts,
    /// When it was closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Ts>,
    /// Who asks.
    pub neighbor: NeighborSummary,
}

/// What the last round of matching saw.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoundView {
    /// It in numbers.
    #[serde(flatten)]
    pub seen: RoundSeen,
    /// It in a sentence.
    #[schema(example = "12 in reach: 9 asked, 3 resting")]
    pub says: String,
}

impl From<RoundSeen> for RoundView {
    fn from(seen: RoundSeen) -> Self {
        Self {
            says: seen.sentence(),
            seen,
        }
    }
}

/// A neighbor in short.
#[derive(Debug, Serialize, ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, in the answer by its name"
)]
pub struct NeighborSummary {
    /// Her id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// What she speaks, best first.
    #[schema(example = json!(["so", "en"]))]
    pub languages: Vec<String>,
    /// How far her contact was checked.
    pub verified: Verified,
    /// Whether she must agree to each volunteer first.
    pub agree_first: bool,
    /// Whether letters go to her; without them she must be called.
    pub mail: bool,
    /// The coordinator who entered it for her.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub entered_by: Option<String>,
    /// Whether she is blocked: nobody is asked for what she needs.
    pub blocked: bool,
    /// Whether she was erased.
    pub erased: bool,
    /// What can be undone now.
    pub undo: Vec<UndoView>,
}

/// A request with everything that happened to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestFile {
    /// The request.
    #[serde(flatten)]
    pub request: RequestSheet,
    /// Live requests that may be the same need posted twice: of people with the same e-mail address or phone
    /// number, of neighbors near each other for whom the same person has called, or of the same neighbor for the
    /// same time.
    #[schema(value_type = Vec<String>)]
    pub possible_duplicates: Vec<String>,
    /// Requests of which a coordinator has said that they are not the same need.
    #[schema(value_type = Vec<String>)]
    pub distinct_from: Vec<String>,
    /// What can be undone now.
    pub undo: Vec<UndoView>,
    /// All its matches, asks too, oldest first.
    pub matches: Vec<MatchSheet>,
}

/// The requests with who asks, in the order given.
///
/// # Errors
/// A failed query.
pub fn sheets(
    ctx: &Ctx,
    conn: &mut Conn,
    rows: Vec<Request>,
) -> Result<Vec<RequestSheet>, StorageError> {
    let ids: Vec<RequestId> = rows.iter().map(|r| r.id).collect();
    let mut progress: HashMap<RequestId, Rounds> = rounds::find_all(conn, &ids)?
        .into_iter()
        .map(|r| (r.request_id, r))
        .collect();
    let now = ctx.now();
    let ids: Vec<NeighborId> = rows.iter().map(|r| r.neighbor_id).collect();
    let owners: HashMap<NeighborId, Neighbor> = neighbors::find_all(conn, &ids)?
        .into_iter()
        .map(|n| (n.id, n))
        .collect();
    // A foreign key sees to it that none is missing.
    let mut sheet = |row: Request| {
        let owner = owners.get(&row.neighbor_id)?.into();
        let rounds = progress.remove(&row.id);
        Some(sheet(row, owner, rounds, now))
    };
    Ok(rows.into_iter().filter_map(&mut sheet).collect())
}

/// The request with all its matches; with those that its neighbor knows of, for who does not see all
/// requests. `None` if the remit holds none.
///
/// # Errors
/// A failed query.
pub fn file(
    ctx: &Ctx,
    conn: &mut Conn,
    remit: Remit,
    id: RequestId,
) -> Result<Option<RequestFile>, StorageError> {
    let Some(row) = requests::find_within(conn, remit, id)? else {
        return Ok(None);
    };
    let alike = duplicates::of(conn, &row)?;
    let possible_duplicates = seen(conn, remit, alike)?;
    let apart = distinct::of(conn, id)?;
    let distinct_from = seen(conn, remit, apart)?;
    let mut undo = undo::of_request(ctx, &row);
    undo.extend(
        distinct_from
            .iter()
            .map(|other| undo::of_distinct(id, *other)),
    );
    let Some(request) = sheets(ctx, conn, vec![row])?.pop() else {
        return Ok(None);
    };
    let mut all = matches::of_request(conn, id)?;
    if remit != Remit::All {
        all.retain(Match::is_known_to_neighbor);
    }
    let matches = matched::sheets(ctx, conn, &all)?;
    Ok(Some(RequestFile {
        request,
        possible_duplicates: texts(&possible_duplicates),
        distinct_from: texts(&distinct_from),
        undo,
        matches,
    }))
}

/// Those of them that the remit holds.
fn seen(
    conn: &mut Conn,
    remit: Remit,
    ids: Vec<RequestId>,
) -> Result<Vec<RequestId>, StorageError> {
    if remit == Remit::All {
        return Ok(ids);
    }
    let mut held = Vec::new();
    for id in ids {
        held.extend(requests::find_within(conn, remit, id)?.map(|r| r.id));
    }
    Ok(held)
}

fn texts(ids: &[RequestId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn sheet(row: Request, neighbor: NeighborSummary, rounds: Option<Rounds>, now: Ts) -> RequestSheet {
    let covered_at = rounds.as_ref().and_then(|r| r.covered_at);
    let seen = rounds.and_then(|r| r.seen).map(|seen| seen.0);
    let next_ask_at = next_ask_at(&row, seen.as_ref(), now);
    RequestSheet {
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
        requires: row.requires.0,
        language_must: row.language_must,
        series: row.series_id.map(|s| s.to_string()),
        held_by: row.held_by,
        close_reason: row.close_reason,
        merged_into: row.merged_into.map(|id| id.to_string()),
        attention: row.attention,
        wave: row.wave,
        next_ask_at,
        round: seen.map(RoundView::from),
        covered_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        closed_at: row.closed_at,
        neighbor,
    }
}

impl From<&Neighbor> for NeighborSummary {
    fn from(row: &Neighbor) -> Self {
        Self {
            id: row.id.to_string(),
            languages: row.languages.0.clone(),
            verified: row.verified,
            agree_first: row.agree_first,
            mail: row.email_hash.is_some() && row.mail_stopped_at.is_none(),
            entered_by: row.entered_by.map(|id| id.to_string()),
            blocked: row.blocked_at.is_some(),
            erased: row.erased_at.is_some(),
            undo: undo::of_neighbor(row, false),
        }
    }
}
