//! A coordinator takes back that a task was done, where saying so was all that happened.

use super::claim_task::Desk;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{CoordinatorId, TaskId};
use crate::domain::lifecycle::RequestState;
use crate::domain::task::TaskKind;
use crate::storage::letters::LetterState;
use crate::storage::tasks::Task;
use crate::storage::{letters, neighbors, requests, tasks, volunteers};

/// Opens a task again; one that is open stays so.
///
/// # Errors
/// A task that ended by an act or by itself, whose cause is gone, or in whose place there is another.
pub async fn reopen_task(ctx: &Ctx, id: TaskId, by: CoordinatorId) -> Outcome<()> {
    let desk = Desk::from(by);
    ctx.write(desk.actor(), move |tx| {
        let Some(read) = tasks::find(tx.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        // Before the task, as whoever ends it does.
        let is_due = is_there(tx, &read)?;
        let task = tx.lock_task(id, desk)?;
        if task.done_at.is_none() {
            return Ok(());
        }
        if !is_due || !tasks::reopen(tx.conn, id, tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.audit("task_reopened", ("task", id), &[])
    })
    .await
}

/// Whether there still is what the task asks for, and nobody is asked for it by another; what tells so is locked.
fn is_there(tx: &mut Tx<'_>, task: &Task) -> Outcome<bool> {
    Ok(
        match (task.kind, task.request_id, task.neighbor_id, task.letter_id) {
            (TaskKind::Look, Some(request), ..) => {
                let request = requests::lock(tx.conn, request)?;
                let is_open =
                    request.is_some_and(|r| r.state == RequestState::Open && r.attention.is_some());
                let last = match task.request_id {
                    Some(id) => tasks::last_look(tx.conn, id)?,
                    None => None,
                };
                is_open && last.is_some_and(|last| last.id == task.id)
            }
            (TaskKind::Tell, _, Some(neighbor), _) => {
                neighbors::lock(tx.conn, neighbor)?;
                tx.out_of_mail(neighbor)?.is_some()
                    && tasks::open_of(tx.conn, neighbor, TaskKind::Tell)?.is_empty()
            }
            (TaskKind::DeadLetter, _, _, Some(letter)) => {
                let letter = letters::lock(tx.conn, letter)?;
                letter.is_some_and(|l| l.state == LetterState::Dead)
            }
            (TaskKind::Dispute, Some(request), ..) => requests::lock(tx.conn, request)?.is_some(),
            (TaskKind::VolunteerCheck, ..) => match task.volunteer_id {
                Some(id) => {
                    let volunteer = volunteers::lock(tx.conn, id)?;
                    volunteer.is_some_and(|v| v.erased_at.is_none())
                        && !tasks::has_open_of_volunteer(tx.conn, id, TaskKind::VolunteerCheck)?
                }
                None => false,
            },
            _ => false,
        },
    )
}
