//! A coordinator gives a task to somebody: the one way in which people at the phones (`intake`) get one.

use super::claim_task::Desk;
use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::{CoordinatorId, TaskId};
use crate::storage::{coordinators, tasks};

/// Gives a task to somebody, whoever had it; giving it to them again changes nothing, unless they have had it for so
/// long that anybody may take it.
///
/// # Errors
/// A task that is done, or somebody who coordinates no more.
pub async fn assign_task(
    ctx: &Ctx,
    id: TaskId,
    to: CoordinatorId,
    by: CoordinatorId,
) -> Outcome<()> {
    let desk = Desk::from(by);
    ctx.write(desk.actor(), move |tx| {
        let task = tx.lock_task(id, desk)?;
        let is_theirs = task.claimed_by == Some(to)
            && task.assigned_by.is_some()
            && !task.is_free(tx.ctx.stale_claims(tx.now));
        if task.done_at.is_none() && is_theirs {
            return Ok(());
        }
        let receiver = coordinators::lock(tx.conn, to)?;
        let Some(receiver) = receiver.filter(|c| c.revoked_at.is_none()) else {
            return refuse(Refusal::NobodyThere);
        };
        if !tasks::give(tx.conn, id, Some(to), Some(by), tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        let detail = [("scope", receiver.scope.into())];
        tx.audit("task_assigned", ("task", id), &detail)
    })
    .await
}
