//! A coordinator blocks a neighbor: nobody is asked for what she needs any more, nor for what she posts
//! later. Or lets her in again. Her posts look to her as they did, so that nobody can find out by posting
//! who is blocked.
//!
//! The person is meant, not the record: every record with the same e-mail address or phone number. That she
//! is blocked outlives them as keyed hashes.

use super::ending::Tell;
use super::pair::person_hashes;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{NeighborId, RequestId};
use crate::domain::lifecycle::MatchState;
use crate::domain::report::Problem;
use crate::storage::audit::Actor;
use crate::storage::neighbors::Neighbor;
use crate::storage::{blocks, matches, neighbors, requests};

/// Blocks a neighbor: asks are withdrawn, promises are called off and both sides are told.
///
/// # Errors
/// A neighbor who is not there.
pub async fn block_neighbor(
    ctx: &Ctx,
    id: NeighborId,
    reason: Option<Problem>,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let (her, all) = lock_person(tx, id)?;
        if her.blocked_at.is_some() {
            return Ok(());
        }
        for record in all.iter().filter(|n| n.blocked_at.is_none()) {
            let known_by = person_hashes(&tx.keys.hasher, &record.contact_hashes());
            blocks::insert(tx.conn, &known_by, tx.now)?;
            neighbors::set_blocked(tx.conn, record.id, Some(tx.now), tx.now)?;
            end_matches(tx, record)?;
            let why = reason.map(|r| ("reason", r.into()));
            tx.audit("neighbor_blocked", ("neighbor", record.id), why.as_slice())?;
        }
        Ok(())
    })
    .await
}

/// Lets a blocked neighbor in again: what she needs is due at once. What was called off stays so.
///
/// # Errors
/// A neighbor who is not there.
pub async fn unblock_neighbor(ctx: &Ctx, id: NeighborId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let (her, all) = lock_person(tx, id)?;
        if her.blocked_at.is_none() {
            return Ok(());
        }
        for record in all.iter().filter(|n| n.blocked_at.is_some()) {
            let known_by = person_hashes(&tx.keys.hasher, &record.contact_hashes());
            blocks::delete(tx.conn, &known_by)?;
            neighbors::set_blocked(tx.conn, record.id, None, tx.now)?;
            let needs = requests::ids_of(tx.conn, &[record.id])?;
            requests::make_due(tx.conn, &needs, tx.now)?;
            tx.requests_changed(&needs)?;
            tx.audit("neighbor_unblocked", ("neighbor", record.id), &[])?;
        }
        Ok(())
    })
    .await
}

/// All records of the person, locked with everything they need; the one that was named first.
fn lock_person(tx: &mut Tx<'_>, id: NeighborId) -> Outcome<(Neighbor, Vec<Neighbor>)> {
    let read = tx.neighbor(id)?;
    let all = neighbors::of_contacts(tx.conn, &read.contact_hashes())?;
    let ids = all.iter().map(|n| n.id).chain([id]);
    let mut locked = tx.lock_neighbors_and_requests(ids)?;
    locked.retain(|n| n.erased_at.is_none());
    let Some(her) = locked.iter().find(|n| n.id == id).cloned() else {
        return refuse(Refusal::NotFound);
    };
    Ok((her, locked))
}

fn end_matches(tx: &mut Tx<'_>, record: &Neighbor) -> Outcome<()> {
    let needs: Vec<RequestId> = requests::ids_of(tx.conn, &[record.id])?;
    for request in &needs {
        tx.supersede_asks_of(*request)?;
        for matched in matches::of_request(tx.conn, *request)? {
            if matched.state == MatchState::Accepted {
                let (_, request, offer) = tx.matched(matched.id)?;
                tx.call_off(&matched, &request, &offer, Tell::Both)?;
            }
        }
        tx.drop_needless_look(*request)?;
    }
    // A round that is under way comes to nothing, and the next one finds nobody who could be asked.
    requests::make_due(tx.conn, &needs, tx.now)?;
    tx.requests_changed(&needs)
}
