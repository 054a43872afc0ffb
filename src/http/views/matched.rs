//! A match as its neighbor sees it: only volunteers who have said yes.

use serde::Serialize;
use utoipa::ToSchema;

use super::released::ReleasedView;
use crate::actions::Ctx;
use crate::actions::frozen::touches;
use crate::domain::area::Frozen;
use crate::domain::clock::Ts;
use crate::domain::lifecycle::{Agreement, FallReason, MatchState};
use crate::domain::place::DistanceBand;
use crate::domain::secret::{OfferSecret, VolunteerSecret};
use crate::storage::matches::Match;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::volunteers::Volunteer;
use crate::storage::{Conn, StorageError, offers, volunteers};

/// A volunteer who has said yes, to the neighbor.
#[derive(Debug, Serialize, ToSchema)]
pub struct NeighborMatchView {
    /// The match's id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Where it stands.
    pub state: MatchState,
    /// Whether the neighbor is to agree.
    pub agreement: Agreement,
    /// Until when she can.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub agree_by: Option<Ts>,
    /// How much the volunteer gives.
    pub quantity: i32,
    /// How far away.
    pub distance: DistanceBand,
    /// When the volunteer arrives.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub arrival_at: Option<Ts>,
    /// When the volunteer said that the help was given; until `done_until` the neighbor can say otherwise.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub done_at: Option<Ts>,
    /// Until when she can: then it counts as given.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub done_until: Option<Ts>,
    /// Why it came to nothing.
    pub fall_reason: Option<FallReason>,
    /// What the neighbor can do now. `agree` on a match that waits for no agreement shares her address.
    #[schema(example = json!(["agree", "refuse"]))]
    pub can: Vec<&'static str>,
    /// Who it is, while the match is alive.
    pub volunteer: Option<HelperView>,
    /// How to reach them, from agreement to the end of the match.
    pub contact: Option<ReleasedView>,
}

/// What a neighbor is told of a volunteer before she agrees.
#[derive(Debug, Serialize, ToSchema)]
pub struct HelperView {
    /// The first name.
    pub name: String,
    /// Whether a coordinator has met and vetted them.
    pub vetted: bool,
    /// What they speak.
    pub languages: Vec<String>,
    /// What their offer says.
    pub note: Option<String>,
}

/// Those matches of a request that its neighbor sees.
///
/// # Errors
/// A failed query, or a secret that does not open.
pub fn of_request(
    ctx: &Ctx,
    conn: &mut Conn,
    request: &Request,
    all: &[Match],
    frozen: &Frozen,
) -> Result<Vec<NeighborMatchView>, StorageError> {
    all.iter()
        .filter(|m| {
            matches!(
                m.state,
                MatchState::Accepted | MatchState::Fulfilled | MatchState::FellThrough
            )
        })
        .map(|m| view(ctx, conn, request, m, frozen))
        .collect()
}

fn view(
    ctx: &Ctx,
    conn: &mut Conn,
    request: &Request,
    m: &Match,
    frozen: &Frozen,
) -> Result<NeighborMatchView, StorageError> {
    let mut is_frozen = false;
    let (volunteer, mut contact) = match m.state {
        MatchState::Accepted => {
            let offer = offers::find(conn, m.offer_id)?;
            let owner = match &offer {
                Some(offer) => volunteers::find(conn, offer.volunteer_id)?,
                None => None,
            };
            match (offer, owner) {
                (Some(offer), Some(owner)) => {
                    is_frozen = touches(conn, frozen, request, &offer)?;
                    people(ctx, m, &offer, &owner)?
                }
                _ => (None, None),
            }
        }
        _ => (None, None),
    };
    let mut can = can(m);
    if is_frozen {
        contact = None;
        can.retain(|what| *what != "agree");
    }
    Ok(NeighborMatchView {
        id: m.id.to_string(),
        state: m.state,
        agreement: m.agreement,
        agree_by: m.agree_by,
        quantity: m.taken,
        distance: m.band,
        arrival_at: m.arrival_at,
        done_at: m.done_at,
        done_until: m
            .done_at
            .filter(|_| m.state == MatchState::Accepted)
            .map(|at| at.after(ctx.settings.matching.done_wait)),
        fall_reason: m.fall_reason,
        can,
        volunteer,
        contact,
    })
}

fn can(m: &Match) -> Vec<&'static str> {
    match (m.state, m.agreement) {
        (MatchState::Accepted, Agreement::Pending) => vec!["agree", "refuse", "report"],
        (MatchState::Accepted, Agreement::None) => vec!["done", "no-show", "agree", "report"],
        (MatchState::Accepted, _) => vec!["done", "no-show", "report"],
        (MatchState::Fulfilled | MatchState::FellThrough, _) => vec!["report"],
        _ => vec![],
    }
}

fn people(
    ctx: &Ctx,
    m: &Match,
    offer: &Offer,
    owner: &Volunteer,
) -> Result<(Option<HelperView>, Option<ReleasedView>), StorageError> {
    let (Some(of_owner), Some(of_offer)) = (&owner.sealed, &offer.sealed) else {
        return Ok((None, None));
    };
    let who: VolunteerSecret = ctx.vault.open(owner.id, owner.sealed_version, of_owner)?;
    let what: OfferSecret = ctx.vault.open(offer.id, offer.sealed_version, of_offer)?;
    let helper = HelperView {
        name: who.contact.name.first().to_owned(),
        vetted: owner.is_vetted(ctx.now()),
        languages: owner.languages.0.clone(),
        note: what.note.map(|n| n.expose().to_owned()),
    };
    let contact = m.is_released().then(|| ReleasedView {
        private_note: what.private_note.map(|n| n.expose().to_owned()),
        ..ReleasedView::of(&who.contact)
    });
    Ok((Some(helper), contact))
}
