//! A neighbor who is known already needs something more.

use super::post_requests::{MAX_OPEN, NewNeed, insert_needs};
use super::{Call, Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::{NeighborId, RequestId};
use crate::domain::remit::Remit;
use crate::storage::audit::Actor;
use crate::storage::requests;
use crate::storage::requests::Request;

/// Adds requests to a neighbor's.
///
/// # Errors
/// A neighbor outside the remit, a key used for another call, or more open requests than one neighbor may have.
pub async fn add_requests(
    ctx: &Ctx,
    neighbor: NeighborId,
    remit: Remit,
    needs: Vec<NewNeed>,
    call: Option<Call>,
    actor: Actor,
) -> Outcome<Vec<Request>> {
    ctx.write(actor, move |tx| {
        let known = tx.lock_neighbor(neighbor)?;
        tx.refuse_outside(remit, neighbor)?;
        let group = RequestId::new(tx.ctx.entropy.as_ref());
        let all = requests::of_neighbor(tx.conn, neighbor)?;
        if let Some(first) = tx.repeated(call, group)? {
            // The call's id stands in for the series of everything it made.
            return Ok(all
                .into_iter()
                .filter(|r| r.series_id == Some(first))
                .collect());
        }
        let open = all.iter().filter(|r| r.state.is_live()).count();
        let more: usize = needs.iter().map(|n| n.windows.len()).sum();
        if open + more > MAX_OPEN {
            return refuse(Refusal::TooManyPosts);
        }
        let added = insert_needs(tx, &known, &needs, Some(group.into()))?;
        tx.audit(
            "requests_posted",
            ("neighbor", neighbor),
            &[("requests", added.len().into())],
        )?;
        Ok(added)
    })
    .await
}
