//! A coordinator has looked at a request for which nobody was left to ask.

use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{CoordinatorId, RecordId, RequestId, TaskId};
use crate::domain::task::{TaskKind, TaskOutcome};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::requests::Request;
use crate::storage::tasks;
use crate::storage::tasks::Task;

/// Ends a look. Saying so again changes nothing.
///
/// # Errors
/// A task that is no look, or not needed any more.
pub async fn finish_look(ctx: &Ctx, id: TaskId, by: CoordinatorId) -> Outcome<()> {
    let actor = Actor::person(ActorKind::Coordinator, RecordId::from(by));
    ctx.write(actor, move |tx| {
        let Some(task) = tasks::lock(tx.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        match (task.kind, task.outcome) {
            (TaskKind::Look, None) => {}
            (TaskKind::Look, Some(TaskOutcome::Looked)) => return Ok(()),
            _ => return refuse(Refusal::NotPossible),
        }
        let outcome = TaskOutcome::Looked;
        if !tasks::finish(tx.conn, id, outcome, Some(by), tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.audit("task_done", ("task", id), &[("outcome", outcome.into())])
    })
    .await
}

impl Tx<'_> {
    /// Leaves a task to look at a request, which is locked, unless there is one. `is_new`: the reason has
    /// just come up, so that an earlier look does not count; nor does one that was taken off the list, as when
    /// the request was hidden.
    pub(super) fn ask_for_look(&mut self, request: &Request, is_new: bool) -> Outcome<()> {
        let last = tasks::last_look(self.conn, request.id)?;
        let counts = |task: Task| match task.outcome {
            None => true,
            Some(outcome) => outcome == TaskOutcome::Looked && !is_new,
        };
        if last.is_some_and(counts) {
            return Ok(());
        }
        let wave = self.ctx.wave(request, self.now);
        let task = Task {
            id: TaskId::new(self.ctx.entropy.as_ref()),
            kind: TaskKind::Look,
            request_id: Some(request.id),
            neighbor_id: None,
            created_at: self.now,
            due_at: self.now.after(wave.respond_within),
            claimed_by: None,
            claimed_at: None,
            done_at: None,
            done_by: None,
            outcome: None,
        };
        Ok(tasks::insert(self.conn, &task)?)
    }

    /// Takes the look off the list: the request is covered, hidden or over, or somebody is asked after all.
    pub(super) fn drop_needless_look(&mut self, request: RequestId) -> Outcome<()> {
        tasks::drop_look(self.conn, request, self.now)?;
        Ok(())
    }
}
