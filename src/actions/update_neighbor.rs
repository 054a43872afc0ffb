//! A neighbor corrects what she said of herself, or a coordinator for her, by phone.

use super::pair::person_hashes;
use super::tx::To;
use super::{Ctx, Outcome, Refusal, refuse};
use crate::crypto::token::{Purpose, Token};
use crate::domain::ids::{NeighborId, RequestId};
use crate::domain::letter::LetterKind;
use crate::domain::remit::Remit;
use crate::domain::secret::NeighborSecret;
use crate::storage::audit::Actor;
use crate::storage::neighbors::{Neighbor, NeighborEdit};
use crate::storage::sql_types::Json;
use crate::storage::{blocks, neighbors, requests, tokens};

/// What she may change; the secret part as a whole.
#[derive(Clone, Debug)]
pub struct NewNeighbor {
    /// Contact and place as they are from now on.
    pub secret: NeighborSecret,
    /// What she speaks, best first.
    pub languages: Vec<String>,
    /// The language of her letters.
    pub locale: String,
    /// Whether she must agree to each volunteer first.
    pub agree_first: bool,
}

/// Changes a neighbor, and who calls for her; `by` is the token in her hand, if she does it herself. Her cell stays while the new point is within one ring of it.
///
/// # Errors
/// A neighbor who is not there, or outside the remit; somebody changed her meanwhile.
pub async fn update_neighbor(
    ctx: &Ctx,
    id: NeighborId,
    remit: Remit,
    by: Option<Token>,
    read_version: i32,
    new: NewNeighbor,
    actor: Actor,
) -> Outcome<Neighbor> {
    ctx.write(actor, move |tx| {
        let old = tx.lock_neighbor_and_requests(id)?;
        tx.refuse_outside(remit, id)?;
        let hasher = &tx.keys.hasher;
        let version = read_version + 1;
        let caller = new.secret.caller.as_ref();
        let edit = NeighborEdit {
            cell: old
                .cell
                .moved_to(new.secret.place, tx.ctx.settings.area.cell_resolution),
            email_hash: new.secret.contact.email.as_ref().map(|e| hasher.email(e)),
            phone_hash: new.secret.contact.phone.as_ref().map(|p| hasher.phone(p)),
            languages: Json(new.languages.clone()),
            locale: new.locale.clone(),
            agree_first: new.agree_first,
            updated_at: tx.now,
            sealed: Some(tx.seal(id, version, &new.secret)?),
            sealed_version: version,
            sealed_epoch: Some(tx.epoch()),
            caller_email_hash: caller.and_then(|c| Some(hasher.email(c.email.as_ref()?))),
            caller_phone_hash: caller.and_then(|c| Some(hasher.phone(c.phone.as_ref()?))),
        };
        if !neighbors::edit(tx.conn, id, read_version, &edit)? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        if edit.email_hash != old.email_hash {
            // Links that went to the former address open nothing any more: it may be a stranger's. But
            // the one in her hand must not break, lest a wrong letter locks her out.
            let in_hand = by.as_ref().map(|by| by.hash(&tx.keys.hasher));
            tokens::revoke_mailed(tx.conn, id.into(), in_hand)?;
            tokens::revoke(tx.conn, id.into(), Purpose::Unsubscribe)?;
            neighbors::forget_proof(tx.conn, id)?;
            tx.letter(LetterKind::Received, To::Neighbor(id), None, None)?;
            tx.follow_verification(&old)?;
            tx.follow_mail(id)?;
        }
        tx.follow_block(&old, &edit)?;
        if edit.cell != old.cell {
            tx.move_requests(id, edit.cell)?;
        } else if edit.languages.0 != old.languages.0 {
            tx.look_again(id)?;
        }
        tx.audit("neighbor_updated", ("neighbor", id), &[])?;
        tx.neighbor(id)
    })
    .await
}

impl super::Tx<'_> {
    /// Another contact is no way around a block, neither out of it nor into another's.
    fn follow_block(&mut self, old: &Neighbor, edit: &NeighborEdit) -> Outcome<()> {
        let contacts: Vec<_> = edit.email_hash.into_iter().chain(edit.phone_hash).collect();
        if old.blocked_at.is_some() {
            let known_by = person_hashes(&self.keys.hasher, &contacts);
            blocks::insert(self.conn, &known_by, self.now)?;
        } else if self.is_person_blocked(&contacts)? {
            neighbors::set_blocked(self.conn, old.id, Some(self.now), self.now)?;
            self.look_again(old.id)?;
        }
        Ok(())
    }

    /// Others may have a language in common with her now.
    fn look_again(&mut self, id: NeighborId) -> Outcome<()> {
        let all = requests::of_neighbor(self.conn, id)?;
        let ids: Vec<RequestId> = all.iter().map(|r| r.id).collect();
        requests::make_due(self.conn, &ids, self.now)?;
        self.requests_changed(&ids)
    }

    /// A neighbor has moved to another cell: her open requests start again from there.
    fn move_requests(&mut self, id: NeighborId, cell: crate::domain::place::Cell) -> Outcome<()> {
        let mut moved: Vec<RequestId> = Vec::new();
        for request in requests::of_neighbor(self.conn, id)? {
            if request.state.is_live() {
                self.supersede_asks_of(request.id)?;
                requests::move_to(self.conn, request.id, cell, self.now)?;
                moved.push(request.id);
            }
        }
        requests::make_due(self.conn, &moved, self.now)?;
        self.requests_changed(&moved)
    }
}
