//! A neighbor posts what she needs: one record of her, one request for each need and slot.

use std::time::Duration;

use super::call_first::waits_for_call;
use super::tx::To;
use super::{Call, Ctx, Outcome, Refusal, Tx, refuse};
use crate::crypto::token::{Purpose, Token};
use crate::domain::attribute::Attributes;
use crate::domain::availability::Window;
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::contact::{Contact, StreetAddress};
use crate::domain::ids::{CoordinatorId, NeighborId, RecordId, RequestId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{Attention, RequestState};
use crate::domain::need::{Handover, Quantity, Reach, Urgency, Verified};
use crate::domain::note::{Note, PrivateNote};
use crate::domain::place::{Cell, GeoPoint};
use crate::domain::report::Side;
use crate::domain::secret::{NeighborSecret, RequestSecret};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::neighbors::Neighbor;
use crate::storage::requests::Request;
use crate::storage::sql_types::Json;
use crate::storage::{neighbors, requests};

/// What is posted.
#[derive(Clone, Debug)]
pub struct PostRequests {
    /// How to reach her.
    pub contact: Contact,
    /// Who posts for her.
    pub caller: Option<Contact>,
    /// Where she is.
    pub place: GeoPoint,
    /// Her street address.
    pub address: Option<StreetAddress>,
    /// What she speaks, best first.
    pub languages: Vec<String>,
    /// The language of her letters.
    pub locale: String,
    /// Whether she must agree to each volunteer first.
    pub agree_first: bool,
    /// What she needs.
    pub needs: Vec<NewNeed>,
    /// The coordinator who enters it for her.
    pub entered_by: Option<CoordinatorId>,
    /// How far her contact was checked by whoever enters it.
    pub verified: Verified,
}

/// One need.
#[derive(Clone, Debug)]
pub struct NewNeed {
    /// Of which category.
    pub category: CategoryKey,
    /// How much.
    pub quantity: Quantity,
    /// Whether several may share it.
    pub splittable: bool,
    /// How many at the most.
    pub max_helpers: i32,
    /// How soon.
    pub urgency: Urgency,
    /// How far she travels for it.
    pub travel: Reach,
    /// Where it changes hands.
    pub handover: Handover,
    /// When; several are a series.
    pub windows: Vec<Window>,
    /// Whether the helper must be there for the whole of a window.
    pub throughout: bool,
    /// What it must be like.
    pub requires: Attributes,
    /// Whether a common language is a must.
    pub language_must: bool,
    /// May be shown before acceptance.
    pub note: Option<Note>,
    /// Released with the contact.
    pub private_note: Option<PrivateNote>,
}

/// Requests that one neighbor may have open at a time.
pub const MAX_OPEN: usize = 100;

/// What came of it.
#[derive(Debug)]
pub struct Posted {
    /// Lets her manage it.
    pub token: Token,
    /// Who.
    pub neighbor: Neighbor,
    /// What.
    pub requests: Vec<Request>,
}

/// Posts requests of a new neighbor.
///
/// # Errors
/// A key used for another call, or the post of an erased neighbor repeated.
pub async fn post_requests(ctx: &Ctx, post: PostRequests, call: Option<Call>) -> Outcome<Posted> {
    let actor = match post.entered_by {
        Some(id) => Actor::person(ActorKind::Coordinator, id).on_behalf_of(Side::Neighbor),
        None => Actor::ANYONE,
    };
    ctx.write(actor, move |tx| {
        let id = NeighborId::new(tx.ctx.entropy.as_ref());
        if let Some(made) = tx.repeated(call, id)? {
            return repeat(tx, made.into());
        }
        let neighbor = new_neighbor(tx, id, &post)?;
        neighbors::insert(tx.conn, &neighbor)?;
        let requests = insert_needs(tx, &neighbor, &post.needs, None)?;
        let token = tx.mint(Purpose::Neighbor, id, None)?;
        if post.contact.email.is_some() {
            tx.letter(LetterKind::Received, To::Neighbor(id), None, None)?;
        }
        tx.audit(
            "requests_posted",
            ("neighbor", id),
            &[("requests", requests.len().into())],
        )?;
        Ok(Posted {
            token,
            neighbor,
            requests,
        })
    })
    .await
}

/// The same call once more: what it made is shown anew, with another token, for the first may never
/// have arrived.
fn repeat(tx: &mut Tx<'_>, id: NeighborId) -> Outcome<Posted> {
    let Some(neighbor) = neighbors::find(tx.conn, id)?.filter(|n| n.erased_at.is_none()) else {
        return refuse(Refusal::Gone);
    };
    let requests = requests::of_neighbor(tx.conn, id)?;
    let token = tx.mint(Purpose::Neighbor, id, None)?;
    Ok(Posted {
        token,
        neighbor,
        requests,
    })
}

pub(super) fn new_neighbor(
    tx: &mut Tx<'_>,
    id: NeighborId,
    post: &PostRequests,
) -> Outcome<Neighbor> {
    let hasher = &tx.keys.hasher;
    let caller = post.caller.as_ref();
    let email_hash = post.contact.email.as_ref().map(|e| hasher.email(e));
    let phone_hash = post.contact.phone.as_ref().map(|p| hasher.phone(p));
    let contacts: Vec<_> = email_hash.into_iter().chain(phone_hash).collect();
    let blocked = tx.is_person_blocked(&contacts)?;
    let secret = NeighborSecret {
        contact: post.contact.clone(),
        caller: post.caller.clone(),
        place: post.place,
        address: post.address.clone(),
    };
    Ok(Neighbor {
        id,
        cell: Cell::of(post.place, tx.ctx.settings.area.cell_resolution),
        email_hash,
        phone_hash,
        verified: post.verified,
        languages: Json(post.languages.clone()),
        locale: post.locale.clone(),
        agree_first: post.agree_first,
        entered_by: post.entered_by,
        mail_stopped_at: None,
        erased_at: None,
        created_at: tx.now,
        updated_at: tx.now,
        group_id: None,
        sealed: Some(tx.seal(id, 1, &secret)?),
        sealed_version: 1,
        sealed_epoch: Some(tx.epoch()),
        caller_email_hash: caller.and_then(|c| Some(hasher.email(c.email.as_ref()?))),
        caller_phone_hash: caller.and_then(|c| Some(hasher.phone(c.phone.as_ref()?))),
        // Whoever was blocked comes back as she left.
        blocked_at: blocked.then_some(tx.now),
    })
}

/// Writes one request for each need and slot, due for matching at once unless the neighbor is to be
/// called first. The slots of one need are a series; `series` names one for all of them.
pub(super) fn insert_needs(
    tx: &mut Tx<'_>,
    neighbor: &Neighbor,
    needs: &[NewNeed],
    series: Option<RecordId>,
) -> Outcome<Vec<Request>> {
    let mut rows = Vec::new();
    for need in needs {
        let of_slots =
            (need.windows.len() > 1).then(|| RequestId::new(tx.ctx.entropy.as_ref()).into());
        let series = series.or(of_slots);
        for window in &need.windows {
            // A microsecond apart, so that every list keeps the order in which they were posted.
            let created_at = tx.now.after(Duration::from_micros(rows.len() as u64));
            rows.push(new_request(
                tx, neighbor, need, *window, series, created_at,
            )?);
        }
    }
    requests::insert(tx.conn, &rows)?;
    let waiting: Vec<Request> = rows
        .iter()
        .filter(|r| r.attention == Some(Attention::CallBack))
        .cloned()
        .collect();
    tx.ask_for_call(neighbor.id, &waiting)?;
    let ids: Vec<RequestId> = rows.iter().map(|r| r.id).collect();
    tx.requests_changed(&ids)?;
    Ok(rows)
}

pub(super) fn new_request(
    tx: &Tx<'_>,
    neighbor: &Neighbor,
    need: &NewNeed,
    window: Window,
    series_id: Option<RecordId>,
    created_at: Ts,
) -> Outcome<Request> {
    let id = RequestId::new(tx.ctx.entropy.as_ref());
    let secret = RequestSecret {
        note: need.note.clone(),
        private_note: need.private_note.clone(),
        handed_over: None,
    };
    let mut request = Request {
        id,
        neighbor_id: neighbor.id,
        series_id,
        category: need.category.clone(),
        quantity: need.quantity,
        covered: 0,
        splittable: need.splittable,
        max_helpers: need.max_helpers,
        urgency: need.urgency,
        travel_m: need.travel,
        handover: need.handover,
        language_must: need.language_must,
        needed_from: window.from(),
        needed_until: window.until(),
        requires: Json(need.requires.clone()),
        cell: neighbor.cell,
        state: RequestState::Open,
        held_by: None,
        close_reason: None,
        closed_at: None,
        attention: None,
        version: 1,
        wave: 0,
        next_wave_at: None,
        match_due_at: Some(tx.now),
        lease_id: None,
        lease_until: None,
        created_at,
        updated_at: tx.now,
        sealed: Some(tx.seal(id, 1, &secret)?),
        sealed_version: 1,
        sealed_epoch: Some(tx.epoch()),
        throughout: need.throughout,
        merged_into: None,
        import_id: None,
    };
    if waits_for_call(tx.ctx, &request, neighbor.verified) {
        request.attention = Some(Attention::CallBack);
        request.match_due_at = None;
    }
    Ok(request)
}
