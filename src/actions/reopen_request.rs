//! A close is undone: the need is open again, and matching goes on where it was. What was called off when
//! it was closed stays so.

use super::call_first::waits_for_call;
use super::post_requests::MAX_OPEN;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::crypto::token::Purpose;
use crate::domain::clock::Ts;
use crate::domain::ids::{RecordId, RequestId};
use crate::domain::lifecycle::{Attention, CloseReason, RequestState};
use crate::domain::need::Verified;
use crate::domain::remit::Remit;
use crate::domain::secret::RequestSecret;
use crate::storage::audit::Actor;
use crate::storage::requests::{Reopening, Request};
use crate::storage::{matches, requests, tokens};

/// Opens a closed request again; one that is not closed stays as it is. The neighbor herself undoes nothing
/// that only a coordinator does.
///
/// # Errors
/// A request whose time is over, whose sealed part is destroyed, or whose neighbor was erased.
pub async fn reopen_request(ctx: &Ctx, id: RequestId, remit: Remit, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let owner = tx.request(id, None)?.neighbor_id;
        tx.refuse_outside(remit, owner)?;
        let neighbor = tx.lock_neighbor(owner)?;
        let request = tx.lock_request(id, Some(owner))?;
        if request.state.is_live() {
            return Ok(());
        }
        may_reopen(tx, &request, remit)?;
        tx.open_again(&request, neighbor.verified, tx.now)?;
        tx.requests_changed(&[id])
    })
    .await
}

impl Tx<'_> {
    /// Opens a closed request again whose time ends later than `ends_after`. It is locked, and its neighbor is.
    pub(super) fn open_again(
        &mut self,
        request: &Request,
        verified: Verified,
        ends_after: Ts,
    ) -> Outcome<()> {
        let (id, owner) = (request.id, request.neighbor_id);
        let all = requests::of_neighbor(self.conn, owner)?;
        if all.iter().filter(|r| r.state.is_live()).count() >= MAX_OPEN {
            return refuse(Refusal::TooManyPosts);
        }
        let mut new = reopening(self, request, ends_after)?;
        let waits = new.state == RequestState::Open && waits_for_call(self.ctx, request, verified);
        new.attention = waits.then_some(Attention::CallBack);
        if !requests::reopen(self.conn, id, &new, self.now)? {
            return refuse(Refusal::NotPossible);
        }
        self.end_news_of_closing(id)?;
        if waits {
            let request = self.request(id, None)?;
            self.ask_for_call(owner, &[request])?;
        }
        let asked = matches::of_request(self.conn, id)?;
        let asked: Vec<RecordId> = asked.iter().map(|m| m.id.into()).collect();
        tokens::keep(self.conn, &asked, Purpose::Answer, self.now)?;
        self.audit("request_reopened", ("request", id), &[])
    }
}

fn may_reopen(tx: &Tx<'_>, request: &Request, remit: Remit) -> Outcome<()> {
    let by_coordinators = [CloseReason::Duplicate, CloseReason::HandedOver];
    if remit != Remit::All
        && request
            .close_reason
            .is_some_and(|r| by_coordinators.contains(&r))
    {
        return refuse(Refusal::NotPossible);
    }
    let kept = tx.ctx.settings.retention.sealed_after_close;
    match request.reopens_until(kept) {
        None => refuse(Refusal::Gone),
        Some(until) if until <= tx.now => refuse(Refusal::NotPossible),
        Some(_) => Ok(()),
    }
}

/// The request as it is from now on; what was given counts as before.
fn reopening(tx: &Tx<'_>, request: &Request, ends_after: Ts) -> Outcome<Reopening> {
    let Some(sealed) = &request.sealed else {
        return refuse(Refusal::Gone);
    };
    let secret: RequestSecret = tx.keys.open(request.id, request.sealed_version, sealed)?;
    let secret = RequestSecret {
        handed_over: None,
        ..secret
    };
    let sealed_version = request.sealed_version + 1;
    Ok(Reopening {
        state: match request.still_needed() {
            0 => RequestState::Covered,
            _ => RequestState::Open,
        },
        attention: None,
        sealed: tx.seal(request.id, sealed_version, &secret)?,
        sealed_version,
        sealed_epoch: tx.epoch(),
        ends_after,
    })
}
