//! Nobody is sent to a home that no one has spoken with: a request of an unverified neighbor waits for
//! a call where its category says so.
//!
//! Whether a request waits follows from its handover, its category and what is known of the neighbor;
//! `cards` leaves out whatever waits, so that no round of matching and no match by hand can miss it.

use super::{Ctx, Outcome, Tx};
use crate::domain::category::CategoryKey;
use crate::domain::ids::{NeighborId, RequestId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::Attention;
use crate::domain::need::{Handover, Verified};
use crate::domain::task::{TaskKind, TaskOutcome};
use crate::storage::neighbors::Neighbor;
use crate::storage::requests::Request;
use crate::storage::tasks::Task;
use crate::storage::{neighbors, requests, tasks};

/// Whether the neighbor is to be called before anybody is asked for the request.
#[must_use]
pub fn waits_for_call(ctx: &Ctx, request: &Request, verified: Verified) -> bool {
    needs_call(ctx, &request.category, request.handover, verified)
}

/// The same of a request of that category and handover.
#[must_use]
pub fn needs_call(
    ctx: &Ctx,
    category: &CategoryKey,
    handover: Handover,
    verified: Verified,
) -> bool {
    ctx.catalog
        .get(category.as_str())
        .is_some_and(|c| c.policy.call_first.needs_call(handover, verified))
}

impl Tx<'_> {
    /// Leaves a task to call the neighbor, and a letter to those who call, unless she is to be called
    /// already. `waiting` are requests that wait for it.
    pub(super) fn ask_for_call(&mut self, who: NeighborId, waiting: &[Request]) -> Outcome<()> {
        let Some(first) = waiting.iter().min_by_key(|r| self.ctx.urgency(r, self.now)) else {
            return Ok(());
        };
        let due_at = self
            .now
            .after(self.ctx.wave(first, self.now).respond_within);
        if let Some(task) = tasks::open_call(self.conn, who)? {
            tasks::hurry(self.conn, task.id, due_at, self.now)?;
            return Ok(());
        }
        let task = Task {
            request_id: Some(first.id),
            neighbor_id: Some(who),
            ..self.new_task(TaskKind::Call, due_at)
        };
        tasks::insert(self.conn, &task)?;
        self.audit("call_needed", ("neighbor", who), &[])?;
        self.letter_to_reviewers(LetterKind::CallDue, first.id, None)
    }

    /// Her live requests that wait for a call.
    pub(super) fn waiting_for_call(&mut self, who: &Neighbor) -> Outcome<Vec<Request>> {
        let ctx = self.ctx;
        let all = requests::of_neighbor(self.conn, who.id)?;
        Ok(all
            .into_iter()
            .filter(|r| r.state.is_live() && waits_for_call(ctx, r, who.verified))
            .collect())
    }

    /// Takes the call off the list when nothing of hers waits for it any more.
    pub(super) fn drop_needless_call(&mut self, who: NeighborId) -> Outcome<()> {
        let Some(task) = tasks::open_call(self.conn, who)? else {
            return Ok(());
        };
        if let Some(neighbor) = neighbors::find(self.conn, who)?
            && !self.waiting_for_call(&neighbor)?.is_empty()
        {
            return Ok(());
        }
        tasks::finish(self.conn, task.id, TaskOutcome::NotNeeded, None, self.now)?;
        Ok(())
    }

    /// After what is known of a neighbor has changed: what waited for a call may be matched now, or the
    /// other way round.
    pub(super) fn follow_verification(&mut self, old: &Neighbor) -> Outcome<()> {
        let new = self.neighbor(old.id)?;
        let ids = |all: &[Request]| all.iter().map(|r| r.id).collect::<Vec<RequestId>>();
        let waited = ids(&self.waiting_for_call(old)?);
        let waiting = self.waiting_for_call(&new)?;
        if waiting.is_empty() && !waited.is_empty() {
            requests::set_attention(self.conn, &waited, None)?;
            requests::make_due(self.conn, &waited, self.now)?;
            self.drop_needless_call(old.id)?;
            self.requests_changed(&waited)?;
        } else if waited.is_empty() && !waiting.is_empty() {
            let waiting_ids = ids(&waiting);
            requests::set_attention(self.conn, &waiting_ids, Some(Attention::CallBack))?;
            self.ask_for_call(new.id, &waiting)?;
            self.requests_changed(&waiting_ids)?;
        }
        Ok(())
    }

    /// After a request was changed: it may wait for a call now, or no longer.
    pub(super) fn follow_handover(&mut self, old: &Request, id: RequestId) -> Outcome<()> {
        let request = self.request(id, None)?;
        let neighbor = self.neighbor(request.neighbor_id)?;
        let waited = waits_for_call(self.ctx, old, neighbor.verified);
        let waits = waits_for_call(self.ctx, &request, neighbor.verified);
        match (waited, waits) {
            (false, true) => {
                requests::set_attention(self.conn, &[id], Some(Attention::CallBack))?;
                self.ask_for_call(neighbor.id, &[request])
            }
            (true, false) => {
                requests::set_attention(self.conn, &[id], None)?;
                self.drop_needless_call(neighbor.id)
            }
            _ => Ok(()),
        }
    }
}
