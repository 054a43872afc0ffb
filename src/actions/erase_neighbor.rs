//! A neighbor takes everything back, herself or by phone: open requests are closed, helpers are told, and her
//! sealed parts and hashes are destroyed.

use super::{Ctx, Outcome, Tx};
use crate::domain::ids::{NeighborId, RequestId};
use crate::domain::lifecycle::CloseReason;
use crate::domain::remit::Remit;
use crate::domain::report::Side;
use crate::storage::audit::Actor;
use crate::storage::{neighbors, requests, tokens};

/// Erases a neighbor at her own wish.
///
/// # Errors
/// A neighbor who is not there, or outside the remit.
pub async fn erase_neighbor(ctx: &Ctx, id: NeighborId, remit: Remit, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        tx.lock_neighbor_and_requests(id)?;
        tx.refuse_outside(remit, id)?;
        tx.forget_statements(Side::Neighbor, id)?;
        tx.erase_neighbor(id, CloseReason::NotNeeded)
    })
    .await
}

impl Tx<'_> {
    /// Closes what is open and destroys what is sealed; numbers without a person remain. She and all
    /// of hers are locked.
    pub(super) fn erase_neighbor(&mut self, id: NeighborId, reason: CloseReason) -> Outcome<()> {
        let all = requests::of_neighbor(self.conn, id)?;
        for request in &all {
            self.close_request(request, reason)?;
        }
        let ids: Vec<RequestId> = all.iter().map(|r| r.id).collect();
        requests::erase_secrets(self.conn, &ids)?;
        neighbors::erase(self.conn, id, self.now)?;
        self.forget_tasks_of_neighbor(id, &ids)?;
        tokens::revoke_all(self.conn, id.into())?;
        self.audit(
            "neighbor_erased",
            ("neighbor", id),
            &[("requests", ids.len().into())],
        )
    }
}
