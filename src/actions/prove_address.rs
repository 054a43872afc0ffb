//! A neighbor uses a manage token out of a letter: the address that she gave is hers.

use super::{Ctx, Outcome};
use crate::crypto::token::Token;
use crate::domain::ids::{NeighborId, RecordId};
use crate::domain::need::Verified;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::{StorageError, letters, neighbors, tokens};

/// Notes that the address works, if the token came in a letter to the address that the neighbor still
/// has. To be called when something is changed with the token: mail scanners open links too.
///
/// # Errors
/// A failed query.
pub async fn prove_address(ctx: &Ctx, token: &Token) -> Outcome<()> {
    let hash = token.hash(&ctx.vault.keys()?.hasher);
    let unproven = ctx
        .db
        .read(move |conn| {
            let Some((subject, address)) = tokens::mailed(conn, hash)? else {
                return Ok(None);
            };
            let id = NeighborId::from(subject);
            let neighbor = neighbors::find(conn, id)?;
            let is_open = neighbor
                .is_some_and(|n| n.verified == Verified::None && n.email_hash == Some(address));
            Ok::<_, StorageError>(is_open.then_some((id, address)))
        })
        .await?;
    let Some((id, address)) = unproven else {
        return Ok(());
    };
    let actor = Actor::person(ActorKind::Neighbor, RecordId::from(id));
    ctx.write(actor, move |tx| {
        let before = tx.lock_neighbor_and_requests(id)?;
        if neighbors::prove_address(tx.conn, id, address, tx.now)? {
            letters::confirm(tx.conn, id.into())?;
            tx.audit("address_proven", ("neighbor", id), &[])?;
            tx.follow_verification(&before)?;
        }
        Ok(())
    })
    .await
}
