//! A coordinator takes a task on, so that no two do the same.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::{CoordinatorId, RecordId, TaskId};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::tasks;

/// After this, a task that was taken and not done may be taken by another.
const STALE: std::time::Duration = std::time::Duration::from_hours(1);

/// Takes a task; taking it again changes nothing.
///
/// # Errors
/// A task that is done, or that another has taken.
pub async fn claim_task(ctx: &Ctx, id: TaskId, by: CoordinatorId) -> Outcome<()> {
    let actor = Actor::person(ActorKind::Coordinator, RecordId::from(by));
    ctx.write(actor, move |tx| {
        let Some(task) = tasks::lock(tx.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        if task.done_at.is_none() && task.claimed_by == Some(by) {
            return Ok(());
        }
        if !tasks::claim(tx.conn, id, by, tx.now.before(STALE), tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.audit("task_claimed", ("task", id), &[])
    })
    .await
}
