//! A coordinator takes a task on, so that no two do the same.

use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, RecordId, TaskId};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::tasks;
use crate::storage::tasks::Task;

/// Who is at a task.
#[derive(Clone, Copy, Debug)]
pub struct Desk {
    /// Which coordinator.
    pub by: CoordinatorId,
    /// Whether they see only the tasks that were given to them.
    pub only_own: bool,
}

impl From<CoordinatorId> for Desk {
    fn from(by: CoordinatorId) -> Self {
        Self {
            by,
            only_own: false,
        }
    }
}

impl Desk {
    /// The coordinator as the audit names them.
    #[must_use]
    pub fn actor(self) -> Actor {
        Actor::person(ActorKind::Coordinator, RecordId::from(self.by))
    }

    /// Whether the task is there for them.
    #[must_use]
    pub fn sees(self, task: &Task) -> bool {
        !self.only_own || task.claimed_by == Some(self.by)
    }
}

impl Ctx {
    /// Whoever took a task then or before has it no more: anybody may take it.
    #[must_use]
    pub fn stale_claims(&self, now: Ts) -> Ts {
        now.before(self.settings.tasks.claim_for)
    }
}

impl Tx<'_> {
    /// The task, locked; not found if it is not there for whoever is at it.
    pub(super) fn lock_task(&mut self, id: TaskId, desk: Desk) -> Outcome<Task> {
        match tasks::lock(self.conn, id)? {
            Some(task) if desk.sees(&task) => Ok(task),
            _ => refuse(Refusal::NotFound),
        }
    }
}

/// Takes a task; taking it again changes nothing, unless it was so long ago that anybody may take it.
///
/// # Errors
/// A task that is done, or that another has taken.
pub async fn claim_task(ctx: &Ctx, id: TaskId, desk: impl Into<Desk>) -> Outcome<()> {
    let desk = desk.into();
    ctx.write(desk.actor(), move |tx| {
        let task = tx.lock_task(id, desk)?;
        let stale = tx.ctx.stale_claims(tx.now);
        let is_theirs = task.claimed_by == Some(desk.by) && !task.is_free(stale);
        if task.done_at.is_none() && is_theirs {
            return Ok(());
        }
        if !tasks::claim(tx.conn, id, desk.by, stale, tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.audit("task_claimed", ("task", id), &[])
    })
    .await
}
