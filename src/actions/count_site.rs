//! Somebody has counted how full a site is. The count stands until the opening ends in which it was made.

use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::need::Quantity;
use crate::domain::occupancy::Occupancy;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::sites;

/// Writes down how much of a listed site is taken, in its category's unit, and when that was counted.
/// A count older than the one that is known changes nothing: phones on bad networks send late. Gives what is
/// known now, with the site's capacity; nothing where even the newest count is over.
///
/// # Errors
/// A site that is not there, not this volunteer's, not listed, or was closed at that time.
pub async fn count_site(
    ctx: &Ctx,
    id: OfferId,
    of: Option<VolunteerId>,
    taken: i32,
    at: Ts,
    actor: Actor,
) -> Outcome<Option<(Occupancy, Quantity)>> {
    ctx.write(actor, move |tx| {
        let offer = tx.lock_offer(id, of)?;
        let Some(known) = sites::find(tx.conn, id)? else {
            return refuse(Refusal::NotListed);
        };
        let counted = offer
            .availability()
            .and_then(|open| Occupancy::counted(taken, at, &open));
        let Some(counted) = counted else {
            return refuse(Refusal::SiteClosed);
        };
        let newest = if sites::count(tx.conn, id, counted)? {
            audit(tx, id, "site_counted")?;
            Some(counted).filter(|c| tx.now < c.counts_until)
        } else {
            known.occupancy(tx.now)
        };
        Ok(newest.map(|occupancy| (occupancy, offer.capacity)))
    })
    .await
}

/// Takes the count back. Doing so again changes nothing.
///
/// # Errors
/// A site that is not there, not this volunteer's, or not listed.
pub async fn uncount_site(
    ctx: &Ctx,
    id: OfferId,
    of: Option<VolunteerId>,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        tx.lock_offer(id, of)?;
        if sites::find(tx.conn, id)?.is_none() {
            return refuse(Refusal::NotListed);
        }
        if sites::uncount(tx.conn, id)? {
            audit(tx, id, "site_uncounted")?;
        }
        Ok(())
    })
    .await
}

/// Whoever keeps the site counts many times a day, which is no news; somebody else's count is.
fn audit(tx: &mut Tx<'_>, id: OfferId, action: &'static str) -> Outcome<()> {
    match tx.actor.kind {
        ActorKind::Volunteer => Ok(()),
        _ => tx.audit(action, ("offer", id), &[]),
    }
}
