//! A volunteer says no; another is asked at once.

use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::crypto::lookup::{Hasher, KeyedHash};
use crate::domain::ids::MatchId;
use crate::domain::lifecycle::{DeclineReason, Step};
use crate::storage::audit::Actor;
use crate::storage::neighbors::Neighbor;
use crate::storage::volunteers::Volunteer;
use crate::storage::{blocks, matches, requests};

/// Declines a match for its volunteer. Declining what one has declined already changes nothing.
///
/// # Errors
/// A match that was accepted, or is over.
pub async fn decline_match(
    ctx: &Ctx,
    id: MatchId,
    reason: Option<DeclineReason>,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let (matched, request, offer) = tx.matched(id)?;
        match matched.state.decline() {
            Step::AlreadyMade => return Ok(()),
            Step::Impossible => return refuse(Refusal::NotPossible),
            Step::To(_) => {}
        }
        if !matches::decline(tx.conn, id, reason, tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        if reason == Some(DeclineReason::NotThisPerson) {
            let neighbor = tx.neighbor(request.neighbor_id)?;
            let volunteer = tx.volunteer(offer.volunteer_id)?;
            tx.block_pair(&neighbor, &volunteer)?;
        }
        requests::make_due(tx.conn, &[request.id], tx.now)?;
        tx.audit(
            "match_declined",
            ("match", id),
            &[("reason", reason.into())],
        )
    })
    .await
}

impl Tx<'_> {
    /// Never proposes this pair again, not even after both were erased and came back.
    pub(super) fn block_pair(&mut self, neighbor: &Neighbor, volunteer: &Volunteer) -> Outcome<()> {
        let pair = pair_hash(&self.keys.hasher, neighbor, volunteer);
        Ok(blocks::insert(self.conn, pair, self.now)?)
    }
}

/// What a pair is known by: their contacts where they have any, else their records.
pub(super) fn pair_hash(hasher: &Hasher, neighbor: &Neighbor, volunteer: &Volunteer) -> KeyedHash {
    let of_neighbor = neighbor
        .contact_hash()
        .unwrap_or_else(|| hasher.call(&[neighbor.id.as_bytes()]));
    let of_volunteer = volunteer
        .email_hash
        .unwrap_or_else(|| hasher.call(&[volunteer.id.as_bytes()]));
    hasher.pair(&of_neighbor, &of_volunteer)
}
