//! A coordinator has found out about a promise of which neither side had said anything.

use super::claim_task::Desk;
use super::ending::Tell;
use super::finish_match::close_if_helped;
use super::{Outcome, Refusal, Tx, refuse};
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::{CloseReason, FallReason};
use crate::domain::task::{FollowUpOutcome, TaskOutcome};
use crate::storage::matches::{DoneBy, Match};
use crate::storage::tasks::Task;
use crate::storage::{matches, tasks};

impl Tx<'_> {
    /// Ends a follow-up, as it was read, and with it the promises of which nothing was known. Saying the same again
    /// changes nothing.
    pub(super) fn finish_follow_up(
        &mut self,
        read: &Task,
        outcome: FollowUpOutcome,
        desk: Desk,
    ) -> Outcome<()> {
        let Some(request) = read.request_id else {
            return refuse(Refusal::NotPossible);
        };
        // Whoever ends it for another reason has locked these first.
        self.lock_request_and_matches(request, None)?;
        let task = self.lock_task(read.id, desk)?;
        let new = TaskOutcome::from(outcome);
        if task.outcome == Some(new) {
            return Ok(());
        }
        if !tasks::finish(self.conn, task.id, new, Some(desk.by), self.now)? {
            return refuse(Refusal::NotPossible);
        }
        self.audit("task_done", ("task", task.id), &[("outcome", new.into())])?;
        match outcome {
            FollowUpOutcome::Helped => helped(self, request),
            FollowUpOutcome::NotHelped => not_helped(self, request),
            FollowUpOutcome::Unknown => Ok(()),
        }
    }
}

fn silent(tx: &mut Tx<'_>, request: RequestId) -> Outcome<Vec<Match>> {
    let mut all = matches::of_request(tx.conn, request)?;
    all.retain(Match::is_silent);
    Ok(all)
}

fn helped(tx: &mut Tx<'_>, id: RequestId) -> Outcome<()> {
    for matched in silent(tx, id)? {
        let (_, request, offer) = tx.matched(matched.id)?;
        tx.fulfil(&matched, &request, &offer, Some(DoneBy::Coordinator))?;
    }
    close_if_helped(tx, id)
}

/// Who was at fault is not said, so it counts against nobody. The two have just been asked: they need no letter.
fn not_helped(tx: &mut Tx<'_>, id: RequestId) -> Outcome<()> {
    for matched in silent(tx, id)? {
        let (_, request, offer) = tx.matched(matched.id)?;
        let why = FallReason::NoShow;
        tx.fall_through(&matched, &request, &offer, why, Tell::Nobody)?;
    }
    let request = tx.request(id, None)?;
    let waits = matches::of_request(tx.conn, id)?;
    let is_promised = waits
        .iter()
        .any(|m| m.done_at.is_some() && m.ended_at.is_none());
    if request.needed_until <= tx.now && !is_promised {
        let reason = match request.covered {
            0 => CloseReason::Unmet,
            _ => CloseReason::HelpedHere,
        };
        tx.close_request(&request, reason)?;
    }
    Ok(())
}
