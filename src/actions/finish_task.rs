//! A coordinator says that a task is done: of a call, how it went; of news, of a look and of a letter that cannot
//! be delivered, that it was seen to; of a promise that nobody spoke of, whether it was kept. Whatever has a call of its own is done by that call.
//! Or that nobody answered: then it stays to be done (`call_again`).

use super::claim_task::Desk;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{RequestId, TaskId};
use crate::domain::note::PrivateNote;
use crate::domain::task::{DoneOutcome, TaskKind, TaskOutcome};
use crate::storage::requests::Request;
use crate::storage::tasks;
use crate::storage::tasks::Task;

/// Ends a task, or counts a call that nobody answered. Saying the same end again changes nothing; who could not be
/// reached may be reached later.
///
/// # Errors
/// A task that ended otherwise or is not needed any more, that has a call of its own, or of which that word
/// says nothing.
pub async fn finish_task(
    ctx: &Ctx,
    id: TaskId,
    outcome: DoneOutcome,
    note: Option<PrivateNote>,
    desk: impl Into<Desk>,
) -> Outcome<()> {
    let desk = desk.into();
    ctx.write(desk.actor(), move |tx| {
        let found = tasks::find(tx.conn, id)?.filter(|task| desk.sees(task));
        let Some(task) = found else {
            return refuse(Refusal::NotFound);
        };
        if outcome == DoneOutcome::NoAnswer && task.kind.is_call() {
            return tx.call_again(id, note.as_ref(), desk);
        }
        match (task.kind, outcome.of_call(), outcome.of_marked(task.kind)) {
            (kind, ..) if kind.has_its_act() => return refuse(Refusal::HasItsAct(kind)),
            (TaskKind::Call, Some(outcome), _) => tx.finish_call(&task, outcome, desk)?,
            (TaskKind::FollowUp, ..) => match outcome.of_follow_up() {
                Some(outcome) => tx.finish_follow_up(&task, outcome, desk)?,
                None => return refuse(Refusal::NotPossible),
            },
            (_, _, Some(outcome)) => mark(tx, id, outcome, desk)?,
            _ => return refuse(Refusal::NotPossible),
        }
        if let Some(note) = &note {
            let task = tx.lock_task(id, desk)?;
            tx.note(&task, Some(note))?;
        }
        Ok(())
    })
    .await
}

fn mark(tx: &mut Tx<'_>, id: TaskId, outcome: TaskOutcome, desk: Desk) -> Outcome<()> {
    if tx.lock_task(id, desk)?.outcome == Some(outcome) {
        return Ok(());
    }
    if !tasks::finish(tx.conn, id, outcome, Some(desk.by), tx.now)? {
        return refuse(Refusal::NotPossible);
    }
    tx.audit("task_done", ("task", id), &[("outcome", outcome.into())])
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
            request_id: Some(request.id),
            neighbor_id: Some(request.neighbor_id),
            ..self.new_task(TaskKind::Look, self.now.after(wave.respond_within))
        };
        Ok(tasks::insert(self.conn, &task)?)
    }

    /// Takes the look off the list: the request is covered, hidden or over, or somebody is asked after all.
    pub(super) fn drop_needless_look(&mut self, request: RequestId) -> Outcome<()> {
        tasks::drop_look(self.conn, request, self.now)?;
        Ok(())
    }
}
