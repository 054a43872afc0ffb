//! What comes of a call to a neighbor whose requests waited for it, or of an attempt.

use super::claim_task::Desk;
use super::{Outcome, Refusal, Tx, refuse};
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::{Attention, CloseReason};
use crate::domain::need::Verified;
use crate::domain::task::{CallOutcome, TaskOutcome};
use crate::storage::neighbors::Neighbor;
use crate::storage::tasks::Task;
use crate::storage::{neighbors, requests, tasks};

impl Tx<'_> {
    /// Ends a call, as it was read. Saying the same again changes nothing; a neighbor whom nobody could reach may be
    /// reached by a later call.
    pub(super) fn finish_call(
        &mut self,
        read: &Task,
        outcome: CallOutcome,
        desk: Desk,
    ) -> Outcome<()> {
        // Whoever ends the call for another reason has locked her first.
        neighbors::lock_all(self.conn, read.neighbor_id.as_slice())?;
        let task = self.lock_task(read.id, desk)?;
        let new = TaskOutcome::from(outcome);
        if task.outcome == Some(new) {
            return Ok(());
        }
        let Some(neighbor) = read.neighbor_id else {
            return refuse(Refusal::NotPossible);
        };
        let neighbor = self.lock_neighbor_and_requests(neighbor)?;
        if !tasks::finish(self.conn, task.id, new, Some(desk.by), self.now)? {
            return refuse(Refusal::NotPossible);
        }
        self.audit("task_done", ("task", task.id), &[("outcome", new.into())])?;
        match outcome {
            CallOutcome::Reached => reached(self, &neighbor),
            CallOutcome::Unreachable => {
                let waiting = waiting(self, &neighbor)?;
                Ok(requests::set_attention(
                    self.conn,
                    &waiting,
                    Some(Attention::Unreachable),
                )?)
            }
            CallOutcome::Refused => {
                for request in self.waiting_for_call(&neighbor)? {
                    self.close_request(&request, CloseReason::NotNeeded)?;
                }
                Ok(())
            }
        }
    }
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
