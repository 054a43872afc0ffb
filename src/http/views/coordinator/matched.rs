//! A match as coordinators see it, with those it brings together.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::Ctx;
use crate::actions::pair::are_parted;
use crate::actions::undo_done::undoable_until;
use crate::domain::clock::Ts;
use crate::domain::ids::{NeighborId, OfferId, RequestId, VolunteerId};
use crate::domain::lifecycle::{
    Agreement, Attention, DeclineReason, FallReason, MatchState, OfferState, RequestState, Step,
};
use crate::domain::need::Urgency;
use crate::domain::place::DistanceBand;
use crate::domain::report::Side;
use crate::domain::score::ScoreParts;
use crate::http::views::request::WindowView;
use crate::http::views::undo::{self, UndoView};
use crate::storage::matches::{DoneBy, Match};
use crate::storage::neighbors::Neighbor;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::volunteers::Volunteer;
use crate::storage::{Conn, StorageError, neighbors, offers, requests, volunteers};

/// A match, to a coordinator.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatchSheet {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Where it stands.
    pub state: MatchState,
    /// Whether the neighbor must agree, and has.
    pub agreement: Agreement,
    /// What a coordinator can do with it now, also for one of the two: the last parts of the paths of these calls.
    #[schema(example = json!(["approve", "veto", "reassign"]))]
    pub can: Vec<&'static str>,
    /// What can be undone now.
    pub undo: Vec<UndoView>,
    /// Whether its two people are never to be brought together again.
    pub parted: bool,
    /// When a veto was taken back.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub veto_undone_at: Option<Ts>,
    /// How much is asked for, in the category's unit.
    #[schema(example = 4)]
    pub quantity: i32,
    /// How much is promised.
    #[schema(example = 0)]
    pub taken: i32,
    /// How far apart the two are.
    pub distance: DistanceBand,
    /// How good it is, from 0 to 1, as the parts are weighted; 1 for a match by hand.
    #[schema(example = 0.82)]
    pub score: f64,
    /// The parts of the score.
    pub parts: ScoreParts,
    /// The wave in which it was asked, from 1; for a match by hand the last one before it.
    #[schema(example = 1)]
    pub wave: i32,
    /// Whether a coordinator brought the two together.
    pub by_hand: bool,
    /// Why the volunteer said no.
    pub decline_reason: Option<DeclineReason>,
    /// Why it came to nothing.
    pub fall_reason: Option<FallReason>,
    /// Which side said that the other did not come.
    pub no_show_by: Option<Side>,
    /// When it was taken back that somebody did not come: it counts against nobody, and the match counts as called off.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub no_show_undone_at: Option<Ts>,
    /// When the volunteer said that the help was given; the neighbor is asked then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub done_at: Option<Ts>,
    /// When both sides were asked whether it worked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub followed_up_at: Option<Ts>,
    /// Who said that the help was given.
    pub done_by: Option<DoneBy>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// By when the ask must have left; one that has not does not count.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub max_wait_at: Option<Ts>,
    /// When the ask left.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub asked_at: Option<Ts>,
    /// Until when an answer is waited for.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub respond_by: Option<Ts>,
    /// When the volunteer answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub answered_at: Option<Ts>,
    /// Until when the neighbor may agree.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub agree_by: Option<Ts>,
    /// When contacts were released.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub released_at: Option<Ts>,
    /// When the volunteer arrives, or expects the neighbor.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub arrival_at: Option<Ts>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Ts>,
    /// What is needed.
    pub request: RequestSummary,
    /// What is given.
    pub offer: OfferSummary,
    /// Who gives it.
    pub volunteer: VolunteerSummary,
}

/// A request in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestSummary {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Where it stands.
    pub state: RequestState,
    /// Its category.
    #[schema(example = "childcare")]
    pub category: String,
    /// The H3 cell that stands for the neighbor's place.
    #[schema(example = "882649b2d3fffff")]
    pub cell: String,
    /// How much is needed.
    #[schema(example = 4)]
    pub quantity: i32,
    /// How much of it is promised.
    #[schema(example = 0)]
    pub covered: i32,
    /// How soon.
    pub urgency: Urgency,
    /// When.
    pub needed: WindowView,
    /// Why a person must look at it.
    pub attention: Option<Attention>,
}

/// An offer in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferSummary {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Where it stands.
    pub state: OfferState,
    /// The H3 cell that stands for its place.
    #[schema(example = "882649b2d3fffff")]
    pub cell: String,
    /// How much there is of it in each period.
    #[schema(example = 10)]
    pub capacity: i32,
    /// Whether it is open to the public.
    pub site: bool,
}

/// A volunteer in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct VolunteerSummary {
    /// The volunteer's id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Until when they are, or were, vetted.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub vetted_until: Option<Ts>,
    /// Whether they are blocked.
    pub blocked: bool,
}

impl From<&Request> for RequestSummary {
    fn from(row: &Request) -> Self {
        Self {
            id: row.id.to_string(),
            state: row.state,
            category: row.category.to_string(),
            cell: row.cell.to_string(),
            quantity: row.quantity.get(),
            covered: row.covered,
            urgency: row.urgency,
            needed: WindowView {
                from: row.needed_from,
                until: row.needed_until,
            },
            attention: row.attention,
        }
    }
}

impl From<&Offer> for OfferSummary {
    fn from(row: &Offer) -> Self {
        Self {
            id: row.id.to_string(),
            state: row.state,
            cell: row.cell.to_string(),
            capacity: row.capacity.get(),
            site: row.is_site,
        }
    }
}

impl From<&Volunteer> for VolunteerSummary {
    fn from(row: &Volunteer) -> Self {
        Self {
            id: row.id.to_string(),
            vetted_until: row.vetted_until,
            blocked: row.blocked_at.is_some(),
        }
    }
}

/// The matches with those they bring together, in the order given.
///
/// # Errors
/// A failed query.
pub fn sheets(ctx: &Ctx, conn: &mut Conn, rows: &[Match]) -> Result<Vec<MatchSheet>, StorageError> {
    let ids: Vec<RequestId> = rows.iter().map(|m| m.request_id).collect();
    let requests: HashMap<RequestId, Request> = requests::find_all(conn, &ids)?
        .into_iter()
        .map(|r| (r.id, r))
        .collect();
    let ids: Vec<OfferId> = rows.iter().map(|m| m.offer_id).collect();
    let offers: HashMap<OfferId, Offer> = offers::find_all(conn, &ids)?
        .into_iter()
        .map(|o| (o.id, o))
        .collect();
    let ids: Vec<VolunteerId> = offers.values().map(|o| o.volunteer_id).collect();
    let volunteers: HashMap<VolunteerId, Volunteer> = volunteers::find_all(conn, &ids)?
        .into_iter()
        .map(|v| (v.id, v))
        .collect();
    let ids: Vec<NeighborId> = requests.values().map(|r| r.neighbor_id).collect();
    let neighbors: HashMap<NeighborId, Neighbor> = neighbors::find_all(conn, &ids)?
        .into_iter()
        .map(|n| (n.id, n))
        .collect();
    // Foreign keys see to it that none of the four is missing.
    let between = |m: &'_ Match| {
        let request = requests.get(&m.request_id)?;
        let offer = offers.get(&m.offer_id)?;
        let volunteer = volunteers.get(&offer.volunteer_id)?;
        let neighbor = neighbors.get(&request.neighbor_id)?;
        Some((m.clone(), request, offer, volunteer, neighbor))
    };
    let between: Vec<_> = rows.iter().filter_map(between).collect();
    let pairs: Vec<_> = between.iter().map(|(.., v, n)| (*n, *v)).collect();
    let parted = are_parted(ctx, conn, &pairs)?;
    let both = between.iter().zip(parted);
    Ok(both
        .map(|((m, request, offer, volunteer, neighbor), parted)| {
            let until = undoable_until(&ctx.settings, request, offer, volunteer, neighbor);
            let done_until = until.filter(|at| {
                let is_over = *at <= ctx.now() || parted;
                m.state == MatchState::Fulfilled && !is_over
            });
            sheet(m, request, offer, volunteer, parted, done_until)
        })
        .collect())
}

fn sheet(
    m: &Match,
    request: &Request,
    offer: &Offer,
    volunteer: &Volunteer,
    parted: bool,
    done_until: Option<Ts>,
) -> MatchSheet {
    MatchSheet {
        id: m.id.to_string(),
        state: m.state,
        agreement: m.agreement,
        can: can(m, request, done_until.is_some()),
        undo: undo::of_match(m, parted, done_until),
        parted,
        veto_undone_at: m.veto_undone_at,
        quantity: m.quantity.get(),
        taken: m.taken,
        distance: m.band,
        score: m.score,
        parts: m.parts.0,
        wave: m.wave,
        by_hand: m.by_hand,
        decline_reason: m.decline_reason,
        fall_reason: m.fall_reason,
        no_show_by: m.no_show_by,
        no_show_undone_at: m.no_show_undone_at,
        done_at: m.done_at,
        followed_up_at: m.followed_up_at,
        done_by: m.done_by,
        created_at: m.created_at,
        max_wait_at: m.max_wait_at,
        asked_at: m.asked_at,
        respond_by: m.respond_by,
        answered_at: m.answered_at,
        agree_by: m.agree_by,
        released_at: m.released_at,
        arrival_at: m.arrival_at,
        ended_at: m.ended_at,
        request: request.into(),
        offer: offer.into(),
        volunteer: volunteer.into(),
    }
}

/// What a coordinator can do with the match as it stands: the last parts of the paths of calls.
fn can(m: &Match, request: &Request, is_undoable: bool) -> Vec<&'static str> {
    let is_open = request.state == RequestState::Open;
    let is_accepted = m.state == MatchState::Accepted;
    let is_settled = is_accepted && m.agreement.releases();
    let waits = is_accepted && m.agreement == Agreement::Pending;
    let may = |step: Step<MatchState>| matches!(step, Step::To(_));
    let all = [
        ("approve", is_open && may(m.state.approve())),
        ("veto", may(m.state.veto())),
        ("accept", is_open && may(m.state.accept())),
        ("decline", may(m.state.decline())),
        ("agree", waits),
        ("refuse", waits),
        ("release", is_accepted),
        ("done", is_settled),
        ("no-show", is_settled),
        ("reassign", m.state.is_active()),
        ("undo-done", is_undoable),
        ("undo-no-show", m.no_show_by.is_some()),
    ];
    all.into_iter()
        .filter(|(_, may)| *may)
        .map(|(call, _)| call)
        .collect()
}
