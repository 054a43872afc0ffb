//! A neighbor who is known already needs something more.

use super::post_requests::{MAX_OPEN, NewNeed, insert_needs};
use super::{Call, Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::{NeighborId, RecordId, RequestId};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::requests;
use crate::storage::requests::Request;

/// Adds requests to a neighbor's.
///
/// # Errors
/// A key used for another call, or more open requests than one neighbor may have.
pub async fn add_requests(
    ctx: &Ctx,
    neighbor: NeighborId,
    needs: Vec<NewNeed>,
    call: Option<Call>,
) -> Outcome<Vec<Request>> {
    ctx.write(
        Actor::person(ActorKind::Neighbor, RecordId::from(neighbor)),
        move |tx| {
            let known = tx.lock_neighbor(neighbor)?;
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
        },
    )
    .await
}
