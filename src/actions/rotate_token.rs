//! Somebody makes a manage link new, or has lost it and has a coordinator make one; the old one stops
//! working.

use super::{Ctx, Outcome};
use crate::crypto::token::{Purpose, Token};
use crate::domain::ids::{NeighborId, VolunteerId};
use crate::domain::remit::Remit;
use crate::storage::audit::Actor;

/// Ends every manage token of the neighbor and gives a new one.
///
/// # Errors
/// A neighbor who is not there, or outside the remit.
pub async fn rotate_token(ctx: &Ctx, id: NeighborId, remit: Remit, actor: Actor) -> Outcome<Token> {
    ctx.write(actor, move |tx| {
        tx.lock_neighbor(id)?;
        tx.refuse_outside(remit, id)?;
        tx.audit("token_rotated", ("neighbor", id), &[])?;
        tx.mint_only(Purpose::Neighbor, id)
    })
    .await
}

/// Ends every manage token of the volunteer and gives a new one.
///
/// # Errors
/// A volunteer who is not there.
pub async fn rotate_volunteers_token(ctx: &Ctx, id: VolunteerId, actor: Actor) -> Outcome<Token> {
    ctx.write(actor, move |tx| {
        tx.lock_volunteer(id)?;
        tx.audit("token_rotated", ("volunteer", id), &[])?;
        tx.mint_only(Purpose::Volunteer, id)
    })
    .await
}
