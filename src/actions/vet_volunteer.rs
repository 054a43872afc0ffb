//! A coordinator has met a volunteer, and vouches for a time; or does so no longer.

use super::{Ctx, Outcome};
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, VolunteerId};
use crate::storage::audit::Actor;
use crate::storage::{offers, volunteers};

/// Vets a volunteer until an instant; `None` ends it. What was accepted meanwhile stays.
///
/// # Errors
/// A volunteer who is not there.
pub async fn vet_volunteer(
    ctx: &Ctx,
    id: VolunteerId,
    until: Option<Ts>,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        if tx.lock_volunteer(id)?.vetted_until == until {
            return Ok(());
        }
        volunteers::set_vetted(tx.conn, id, until, tx.now)?;
        let ids: Vec<OfferId> = offers::of_volunteer(tx.conn, id)?
            .iter()
            .map(|o| o.id)
            .collect();
        offers::make_due(tx.conn, &ids, tx.now)?;
        tx.audit(
            "volunteer_vetted",
            ("volunteer", id),
            &[("until", until.into())],
        )?;
        tx.offers_changed(&ids)
    })
    .await
}
