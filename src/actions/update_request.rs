//! A neighbor or a coordinator corrects a request. What matters to a helper starts the matching again.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::attribute::Attributes;
use crate::domain::availability::Window;
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::MatchState;
use crate::domain::need::{Handover, Quantity, Reach, Urgency};
use crate::domain::remit::Remit;
use crate::domain::secret::RequestSecret;
use crate::storage::audit::Actor;
use crate::storage::requests::{Request, RequestEdit};
use crate::storage::sql_types::Json;
use crate::storage::{matches, requests};

/// The request as it is from now on; its category cannot change.
#[derive(Clone, Debug)]
pub struct NewRequest {
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
    /// When.
    pub window: Window,
    /// Whether the helper must be there for the whole of it.
    pub throughout: bool,
    /// What it must be like.
    pub requires: Attributes,
    /// Whether a common language is a must.
    pub language_must: bool,
    /// The free text.
    pub secret: RequestSecret,
}

/// Changes a request. A change of time, quantity or requirements withdraws the asks and starts again;
/// while an accepted match depends on it, such a change is refused.
///
/// # Errors
/// A closed request, an accepted match, or somebody changed it meanwhile.
pub async fn update_request(
    ctx: &Ctx,
    id: RequestId,
    remit: Remit,
    read_version: i32,
    new: NewRequest,
    actor: Actor,
) -> Outcome<Request> {
    ctx.write(actor, move |tx| {
        let old = tx.lock_request_and_matches(id, None)?;
        tx.refuse_outside(remit, old.neighbor_id)?;
        if !old.state.is_live() {
            return refuse(Refusal::NotPossible);
        }
        let material = is_material(&old, &new);
        let accepted = matches::of_request(tx.conn, id)?
            .iter()
            .any(|m| m.state == MatchState::Accepted);
        if material && accepted {
            return refuse(Refusal::HasAcceptedMatch);
        }
        if new.quantity.get() < old.covered {
            return refuse(Refusal::NotPossible);
        }
        let version = read_version + 1;
        let edit = RequestEdit {
            quantity: new.quantity,
            splittable: new.splittable,
            max_helpers: new.max_helpers,
            urgency: new.urgency,
            travel_m: new.travel,
            handover: new.handover,
            language_must: new.language_must,
            needed_from: new.window.from(),
            needed_until: new.window.until(),
            requires: Json(new.requires.clone()),
            cell: old.cell,
            version: old.version + i32::from(material),
            updated_at: tx.now,
            sealed: Some(tx.seal(id, version, &new.secret)?),
            sealed_version: version,
            sealed_epoch: Some(tx.epoch()),
            throughout: new.throughout,
        };
        if !requests::edit(tx.conn, id, read_version, &edit)? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        if material {
            tx.supersede_asks_of(id)?;
            requests::restart(tx.conn, id, tx.now)?;
        } else if old.urgency != new.urgency {
            requests::make_due(tx.conn, &[id], tx.now)?;
        }
        tx.follow_handover(&old, id)?;
        tx.audit(
            "request_updated",
            ("request", id),
            &[("material", material.into())],
        )?;
        tx.requests_changed(&[id])?;
        tx.request(id, None)
    })
    .await
}

fn is_material(old: &Request, new: &NewRequest) -> bool {
    old.quantity != new.quantity
        || old.splittable != new.splittable
        || old.max_helpers != new.max_helpers
        || old.travel_m != new.travel
        || old.handover != new.handover
        || old.needed_from != new.window.from()
        || old.needed_until != new.window.until()
        || old.throughout != new.throughout
        || old.requires.0 != new.requires
        || old.language_must != new.language_must
}
