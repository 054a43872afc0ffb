//! A coordinator has called a neighbor whose requests waited for it, or has tried to.

use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{CoordinatorId, RecordId, RequestId, TaskId};
use crate::domain::lifecycle::{Attention, CloseReason};
use crate::domain::need::Verified;
use crate::domain::task::{CallOutcome, TaskOutcome};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::neighbors::Neighbor;
use crate::storage::{neighbors, requests, tasks};

/// Ends a call. Saying the same again changes nothing; a neighbor whom nobody could reach may be
/// reached by a later call.
///
/// # Errors
/// A call that ended otherwise, or is not needed any more.
pub async fn finish_call(
    ctx: &Ctx,
    id: TaskId,
    outcome: CallOutcome,
    by: CoordinatorId,
) -> Outcome<()> {
    let actor = Actor::person(ActorKind::Coordinator, RecordId::from(by));
    ctx.write(actor, move |tx| {
        let neighbor = match tasks::find(tx.conn, id)? {
            Some(task) => task.neighbor_id,
            None => return refuse(Refusal::NotFound),
        };
        // Whoever ends the call for another reason has locked her first.
        neighbors::lock_all(tx.conn, neighbor.as_slice())?;
        let Some(task) = tasks::lock(tx.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        let new = TaskOutcome::from(outcome);
        if task.outcome == Some(new) {
            return Ok(());
        }
        let Some(neighbor) = neighbor else {
            return refuse(Refusal::NotPossible);
        };
        let neighbor = tx.lock_neighbor_and_requests(neighbor)?;
        if !tasks::finish(tx.conn, id, new, Some(by), tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.audit("task_done", ("task", id), &[("outcome", new.into())])?;
        match outcome {
            CallOutcome::Reached => reached(tx, &neighbor),
            CallOutcome::Unreachable => {
                let waiting = waiting(tx, &neighbor)?;
                Ok(requests::set_attention(
                    tx.conn,
                    &waiting,
                    Some(Attention::Unreachable),
                )?)
            }
            CallOutcome::Refused => {
                for request in tx.waiting_for_call(&neighbor)? {
                    tx.close_request(&request, CloseReason::NotNeeded)?;
                }
                Ok(())
            }
        }
    })
    .await
}

fn waiting(tx: &mut Tx<'_>, neighbor: &Neighbor) -> Outcome<Vec<RequestId>> {
    let waiting = tx.waiting_for_call(neighbor)?;
    Ok(waiting.iter().map(|r| r.id).collect())
}

/// Her contact is checked: whatever waited for that is matched now.
fn reached(tx: &mut Tx<'_>, neighbor: &Neighbor) -> Outcome<()> {
    if neighbors::verify(tx.conn, neighbor.id, Verified::Called, tx.now)? {
        tx.audit("neighbor_verified", ("neighbor", neighbor.id), &[])?;
    }
    tx.follow_verification(neighbor)
}
