//! Nobody answered: somebody is to call again, before what the call is for is over.

use super::claim_task::Desk;
use super::{Outcome, Refusal, Tx, refuse};
use crate::domain::clock::Ts;
use crate::domain::ids::TaskId;
use crate::domain::letter::LetterKind;
use crate::domain::note::PrivateNote;
use crate::domain::task::TaskKind;
use crate::storage::tasks::Task;
use crate::storage::{matches, neighbors, requests, tasks};

impl Tx<'_> {
    /// Counts a call that nobody answered, and gives the task back: anybody may take it, and it is due again.
    pub(super) fn call_again(
        &mut self,
        id: TaskId,
        note: Option<&PrivateNote>,
        desk: Desk,
    ) -> Outcome<()> {
        let task = self.lock_task(id, desk)?;
        if task.done_at.is_some() {
            return refuse(Refusal::NotPossible);
        }
        // Before it is given back: then it may be there no more for whoever called.
        if note.is_some() {
            self.note(&task, note)?;
        }
        let due_at = self.next_call(&task)?;
        if !tasks::call_again(self.conn, id, due_at, self.now)? {
            return refuse(Refusal::NotPossible);
        }
        let detail = [
            ("attempts", (task.attempts + 1).into()),
            ("due_at", due_at.into()),
        ];
        self.audit("task_tried", ("task", id), &detail)
    }

    /// After a while, but no later than what she is called for ends; of a question, within half of the time that she
    /// has left for her answer.
    fn next_call(&mut self, task: &Task) -> Outcome<Ts> {
        let now = self.now;
        let again = now.after(self.ctx.settings.tasks.call_again);
        let ends = self.ends_of_call(task)?;
        let end = ends.into_iter().filter(|at| *at > now).min();
        Ok(match (task.kind, end) {
            (_, None) => again,
            (TaskKind::Ask, Some(end)) => again.min(now.after(end.since(now) / 2)),
            (_, Some(end)) => again.min(end),
        })
    }

    fn ends_of_call(&mut self, task: &Task) -> Outcome<Vec<Ts>> {
        let matched = match task.match_id {
            Some(id) => matches::find(self.conn, id)?,
            None => None,
        };
        if task.kind == TaskKind::Ask {
            return Ok(Vec::from_iter(matched.and_then(|m| m.agree_by)));
        }
        if task.kind == TaskKind::Call
            && let Some(id) = task.neighbor_id
            && let Some(neighbor) = neighbors::find(self.conn, id)?
        {
            let waiting = self.waiting_for_call(&neighbor)?;
            return Ok(waiting.iter().map(|r| r.needed_until).collect());
        }
        let request = match task.request_id {
            Some(id) => requests::find(self.conn, id)?,
            None => None,
        };
        let end = request.map(|request| match task.about {
            Some(LetterKind::Reminder) => matched
                .and_then(|m| m.arrival_at)
                .unwrap_or(request.needed_from),
            _ => request.needed_until,
        });
        Ok(Vec::from_iter(end))
    }
}
