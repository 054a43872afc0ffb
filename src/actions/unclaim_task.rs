//! A coordinator puts a task back, for whoever comes next: their own, or one that another will not get to.

use super::claim_task::Desk;
use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::{CoordinatorId, TaskId};
use crate::storage::tasks;

/// Takes a task from whoever has it; where nobody has, that changes nothing.
///
/// # Errors
/// A task that is done.
pub async fn unclaim_task(ctx: &Ctx, id: TaskId, by: CoordinatorId) -> Outcome<()> {
    let desk = Desk::from(by);
    ctx.write(desk.actor(), move |tx| {
        let task = tx.lock_task(id, desk)?;
        if task.done_at.is_none() && task.claimed_by.is_none() {
            return Ok(());
        }
        if !tasks::give(tx.conn, id, None, None, tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.audit("task_unclaimed", ("task", id), &[])
    })
    .await
}
