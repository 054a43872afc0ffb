//! Whoever is at a task notes something of it, or puts it off: "call again at five".

use super::claim_task::Desk;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::clock::Ts;
use crate::domain::ids::TaskId;
use crate::domain::note::PrivateNote;
use crate::domain::secret::TaskSecret;
use crate::storage::tasks;
use crate::storage::tasks::Task;

/// What is changed of a task; the rest stays as it is.
#[derive(Clone, Debug, Default)]
pub struct TaskEdit {
    /// Another note, or none.
    pub note: Option<Option<PrivateNote>>,
    /// When it is to be done by.
    pub due_at: Option<Ts>,
}

/// Changes an open task.
///
/// # Errors
/// A task that is done.
pub async fn update_task(
    ctx: &Ctx,
    id: TaskId,
    edit: TaskEdit,
    desk: impl Into<Desk>,
) -> Outcome<()> {
    let desk = desk.into();
    ctx.write(desk.actor(), move |tx| {
        let task = tx.lock_task(id, desk)?;
        if task.done_at.is_some() {
            return refuse(Refusal::NotPossible);
        }
        if let Some(note) = &edit.note {
            tx.note(&task, note.as_ref())?;
        }
        if let Some(due) = edit.due_at {
            tasks::set_due(tx.conn, id, due, tx.now)?;
        }
        let detail = [
            ("noted", edit.note.is_some().into()),
            ("due_at", edit.due_at.into()),
        ];
        tx.audit("task_updated", ("task", id), &detail)
    })
    .await
}

impl Tx<'_> {
    /// Seals another note of a task, which is locked, in the place of what was noted before.
    pub(super) fn note(&mut self, task: &Task, note: Option<&PrivateNote>) -> Outcome<()> {
        let version = task.sealed_version + 1;
        let sealed = match note {
            Some(note) => {
                let secret = TaskSecret { note: note.clone() };
                Some(self.seal(task.id, version, &secret)?)
            }
            None => None,
        };
        let epoch = self.epoch();
        if !tasks::set_note(self.conn, task.id, task.sealed_version, sealed, epoch)? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        Ok(())
    }
}

/// What is noted of a task, for those who may see the task.
///
/// # Errors
/// A note that does not open, or keys that are locked.
pub fn noted(ctx: &Ctx, task: &Task) -> Outcome<Option<PrivateNote>> {
    let Some(sealed) = &task.sealed else {
        return Ok(None);
    };
    let keys = ctx.vault.keys()?;
    let secret: TaskSecret = keys.open(task.id, task.sealed_version, sealed)?;
    Ok(Some(secret.note))
}
