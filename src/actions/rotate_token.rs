//! Somebody makes a manage link new; the old one stops working.

use super::{Ctx, Outcome};
use crate::crypto::token::{Purpose, Token};
use crate::domain::ids::{NeighborId, RecordId, VolunteerId};
use crate::storage::audit::{Actor, ActorKind};

/// Ends every manage token of the neighbor and gives a new one.
///
/// # Errors
/// A neighbor who is not there.
pub async fn rotate_token(ctx: &Ctx, id: NeighborId) -> Outcome<Token> {
    ctx.write(
        Actor::person(ActorKind::Neighbor, RecordId::from(id)),
        move |tx| {
            tx.lock_neighbor(id)?;
            tx.audit("token_rotated", ("neighbor", id), &[])?;
            tx.mint_only(Purpose::Neighbor, id)
        },
    )
    .await
}

/// Ends every manage token of the volunteer and gives a new one.
///
/// # Errors
/// A volunteer who is not there.
pub async fn rotate_volunteers_token(ctx: &Ctx, id: VolunteerId) -> Outcome<Token> {
    ctx.write(
        Actor::person(ActorKind::Volunteer, RecordId::from(id)),
        move |tx| {
            tx.lock_volunteer(id)?;
            tx.audit("token_rotated", ("volunteer", id), &[])?;
            tx.mint_only(Purpose::Volunteer, id)
        },
    )
    .await
}
