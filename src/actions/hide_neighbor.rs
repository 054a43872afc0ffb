//! "Hide now": nobody new is told of a neighbor's needs until she shows them again. What was
//! accepted stays; what was only asked is withdrawn.

use super::{Ctx, Outcome};
use crate::domain::ids::{NeighborId, RequestId};
use crate::domain::remit::Remit;
use crate::storage::audit::Actor;
use crate::storage::requests;
use crate::storage::requests::HeldBy;

/// Hides all her open requests.
///
/// # Errors
/// A neighbor who is not there, or outside the remit.
pub async fn hide(ctx: &Ctx, id: NeighborId, remit: Remit, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        tx.lock_neighbor_and_requests(id)?;
        tx.refuse_outside(remit, id)?;
        let mut hidden: Vec<RequestId> = Vec::new();
        for request in requests::of_neighbor(tx.conn, id)? {
            if requests::hold(tx.conn, request.id, HeldBy::Neighbor, tx.now)? {
                tx.supersede_asks_of(request.id)?;
                tx.drop_needless_look(request.id)?;
                hidden.push(request.id);
            }
        }
        tx.audit(
            "neighbor_hidden",
            ("neighbor", id),
            &[("requests", hidden.len().into())],
        )?;
        tx.requests_changed(&hidden)
    })
    .await
}

/// Shows again what she had hidden.
///
/// # Errors
/// A neighbor who is not there, or outside the remit.
pub async fn show(ctx: &Ctx, id: NeighborId, remit: Remit, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        tx.lock_neighbor_and_requests(id)?;
        tx.refuse_outside(remit, id)?;
        let mut shown: Vec<RequestId> = Vec::new();
        for request in requests::of_neighbor(tx.conn, id)? {
            if requests::unhold(tx.conn, request.id, HeldBy::Neighbor, tx.now)? {
                shown.push(request.id);
            }
        }
        tx.audit(
            "neighbor_shown",
            ("neighbor", id),
            &[("requests", shown.len().into())],
        )?;
        tx.requests_changed(&shown)
    })
    .await
}
