//! A match as its volunteer sees it.

use serde::Serialize;
use utoipa::ToSchema;

use super::released::ReleasedView;
use super::request::WindowView;
use crate::actions::Ctx;
use crate::actions::frozen::is_frozen;
use crate::actions::pair::is_blocked;
use crate::domain::attribute::Attributes;
use crate::domain::clock::Ts;
use crate::domain::ids::VolunteerId;
use crate::domain::lifecycle::{Agreement, FallReason, MatchState, RequestState, Step};
use crate::domain::need::{Handover, Urgency, Verified};
use crate::domain::place::DistanceBand;
use crate::domain::secret::{NeighborSecret, RequestSecret};
use crate::storage::matches::{Between, Match};
use crate::storage::neighbors::Neighbor;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::{Conn, StorageError, matches, neighbors, offers, requests, volunteers};

/// A match, to the volunteer who is asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerView {
    /// The match's id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Where it stands.
    pub state: MatchState,
    /// Whether the neighbor must agree, and has.
    pub agreement: Agreement,
    /// What can be done now; `arrive`: to name another time of arrival, by `accept`.
    #[schema(example = json!(["accept", "decline"]))]
    pub can: Vec<&'static str>,
    /// The category.
    #[schema(example = "food")]
    pub category: String,
    /// How much is asked for, or was promised, in the category's unit.
    pub quantity: i32,
    /// The unit for that number.
    #[schema(example = "meals")]
    pub unit: String,
    /// Whether less than that is of use too.
    pub splittable: bool,
    /// How soon.
    pub urgency: Urgency,
    /// When.
    pub needed: WindowView,
    /// How far away.
    pub distance: DistanceBand,
    /// Where it changes hands.
    pub handover: Handover,
    /// What it must be like.
    #[schema(value_type = Object)]
    pub requires: Attributes,
    /// What the neighbor speaks, best first.
    pub languages: Vec<String>,
    /// How far her contact was checked.
    pub verified: Verified,
    /// What she says to whoever is asked; only while the question is open or answered with yes.
    pub note: Option<String>,
    /// Until when an answer is waited for.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub respond_by: Option<Ts>,
    /// Until when a yes counts while it is still needed, however late: the end of the need. Null where it
    /// cannot be accepted.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub counts_until: Option<Ts>,
    /// How many others are asked at the same time; 0 when the question is not open any more.
    #[schema(example = 4)]
    pub others_asked: usize,
    /// How much is still needed of it by anybody, while it can be accepted.
    #[schema(example = 4)]
    pub still_needed: Option<i32>,
    /// When the volunteer said they arrive.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub arrival_at: Option<Ts>,
    /// When the volunteer said that the help was given. While the match is `accepted`, the neighbor is asked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub done_at: Option<Ts>,
    /// Why it came to nothing.
    pub fall_reason: Option<FallReason>,
    /// Whether coordinators have stopped all help in the area for now.
    pub frozen: bool,
    /// How to reach the neighbor, from agreement to the end of the match.
    pub contact: Option<ReleasedView>,
}

/// The match with what its volunteer may see.
///
/// # Errors
/// A failed query, or a secret that does not open.
pub fn load(ctx: &Ctx, conn: &mut Conn, m: &Match) -> Result<Option<AnswerView>, StorageError> {
    let (Some(request), Some(offer)) = (
        requests::find(conn, m.request_id)?,
        offers::find(conn, m.offer_id)?,
    ) else {
        return Ok(None);
    };
    let Some(neighbor) = neighbors::find(conn, request.neighbor_id)? else {
        return Ok(None);
    };
    let secret: RequestSecret = match &request.sealed {
        Some(sealed) => ctx.vault.open(request.id, request.sealed_version, sealed)?,
        None => RequestSecret::default(),
    };
    let Some(volunteer) = volunteers::find(conn, offer.volunteer_id)? else {
        return Ok(None);
    };
    let mut can = can(m, &request, &offer, ctx.now());
    let frozen = is_frozen(conn, &request, &offer)?;
    if frozen {
        can.retain(|what| *what != "accept");
    }
    // "I can, after all" is not for two who were parted.
    if !m.state.is_active() && is_blocked(ctx, conn, &neighbor, &volunteer)? {
        can.retain(|what| *what != "accept");
    }
    let is_open = m.state.is_active() || can.contains(&"accept");
    let vetted = volunteer.is_vetted(ctx.now());
    // Who is not vetted any more is not told either.
    let may_know = vetted
        || ctx
            .catalog
            .get(request.category.as_str())
            .is_some_and(|c| !c.policy.vetted_only);
    let contact = match &neighbor.sealed {
        Some(sealed) if m.is_released_to_volunteer() && !frozen && may_know => {
            let who: NeighborSecret =
                ctx.vault
                    .open(neighbor.id, neighbor.sealed_version, sealed)?;
            Some(released(m, &request, &who, &secret, vetted))
        }
        _ => None,
    };
    let note = secret
        .note
        .filter(|_| is_open && !frozen)
        .map(|n| n.expose().to_owned());
    let others_asked = match m.state {
        MatchState::Notified => others(conn, m)?,
        _ => 0,
    };
    let mut view = view(ctx, m, request, neighbor, can, note, contact);
    view.others_asked = others_asked;
    view.frozen = frozen;
    Ok(Some(view))
}

/// How many others are asked for the same request now.
fn others(conn: &mut Conn, m: &Match) -> Result<usize, StorageError> {
    let asked = matches::active_of_requests(conn, &[m.request_id])?;
    let is_other = |o: &&Between| o.state == MatchState::Notified && o.id != m.id;
    Ok(asked.iter().filter(is_other).count())
}

/// What a volunteer was asked, newest first, up to `limit`. What waits for a review is not theirs to know yet.
///
/// # Errors
/// As [`load`].
pub fn of_volunteer(
    ctx: &Ctx,
    conn: &mut Conn,
    volunteer: VolunteerId,
    limit: i64,
) -> Result<Vec<AnswerView>, StorageError> {
    let mut views = Vec::new();
    for m in matches::of_volunteer(conn, volunteer, limit)? {
        if m.state != MatchState::Proposed && (m.asked_at.is_some() || m.max_wait_at.is_some()) {
            views.extend(load(ctx, conn, &m)?);
        }
    }
    Ok(views)
}

fn view(
    ctx: &Ctx,
    m: &Match,
    request: Request,
    neighbor: Neighbor,
    can: Vec<&'static str>,
    note: Option<String>,
    contact: Option<ReleasedView>,
) -> AnswerView {
    let quantity = if m.taken > 0 {
        m.taken
    } else {
        m.quantity.get()
    };
    let unit = ctx
        .catalog
        .get(request.category.as_str())
        .map_or("", |c| c.unit_for(quantity));
    let may_accept = can.contains(&"accept");
    let still_needed = may_accept.then(|| request.still_needed());
    AnswerView {
        id: m.id.to_string(),
        state: m.state,
        agreement: m.agreement,
        can,
        category: request.category.to_string(),
        quantity,
        unit: unit.to_owned(),
        splittable: request.splittable,
        urgency: request.urgency,
        needed: WindowView {
            from: request.needed_from,
            until: request.needed_until,
        },
        distance: m.band,
        handover: request.handover,
        requires: request.requires.0,
        languages: neighbor.languages.0,
        verified: neighbor.verified,
        note,
        respond_by: m.respond_by,
        counts_until: may_accept.then_some(request.needed_until),
        others_asked: 0,
        still_needed,
        arrival_at: m.arrival_at,
        done_at: m.done_at,
        fall_reason: m.fall_reason,
        frozen: false,
        contact,
    }
}

/// What the volunteer can do with the match as it stands.
fn can(m: &Match, request: &Request, offer: &Offer, now: Ts) -> Vec<&'static str> {
    let mut can = Vec::new();
    let is_open = request.state == RequestState::Open
        && offer.state != crate::domain::lifecycle::OfferState::Closed;
    if is_open && matches!(m.state.accept(), Step::To(_)) {
        can.push("accept");
    }
    if matches!(m.state.decline(), Step::To(_)) {
        can.push("decline");
    }
    if m.state == MatchState::Accepted {
        can.push("release");
        if m.done_at.is_none() && request.needed_until > now {
            can.push("arrive");
        }
        if m.agreement.releases() && m.done_at.is_none() {
            can.extend(["done", "no-show"]);
        }
    }
    if matches!(
        m.state,
        MatchState::Notified
            | MatchState::Accepted
            | MatchState::Fulfilled
            | MatchState::FellThrough
    ) {
        can.push("report");
    }
    can
}

/// The neighbor's contact; her address only if the help is brought there, and only to a volunteer who
/// is vetted or whom she agreed to.
fn released(
    m: &Match,
    request: &Request,
    who: &NeighborSecret,
    secret: &RequestSecret,
    is_vetted: bool,
) -> ReleasedView {
    let may_know_where =
        request.handover.needs_address() && (is_vetted || m.agreement == Agreement::Agreed);
    ReleasedView {
        address: who
            .address
            .as_ref()
            .filter(|_| may_know_where)
            .map(|a| a.expose().to_owned()),
        point: may_know_where.then(|| [who.place.lat(), who.place.lon()]),
        private_note: secret.private_note.as_ref().map(|n| n.expose().to_owned()),
        ..ReleasedView::of_neighbor(who)
    }
}
