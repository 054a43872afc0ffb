//! A coordinator has checked a site and lists it for everyone; or takes it off the list.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::OfferId;
use crate::domain::lifecycle::OfferState;
use crate::domain::secret::OfferSecret;
use crate::domain::task::TaskOutcome;
use crate::storage::audit::Actor;
use crate::storage::sites::Site;
use crate::storage::{offers, sites};

/// Lists the public place of an offer: only now do its title, address and exact point stand in clear.
///
/// # Errors
/// An offer that is not open, that has no public place, of a sensitive category, or of a volunteer who
/// is blocked.
pub async fn list_site(ctx: &Ctx, id: OfferId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let offer = tx.lock_offer_and_matches(id, None)?;
        let blocked = tx.volunteer(offer.volunteer_id)?.blocked_at.is_some();
        let sensitive = tx
            .ctx
            .catalog
            .get(offer.category.as_str())
            .is_none_or(|c| c.policy.sensitive);
        if sensitive || blocked || !matches!(offer.state, OfferState::Open | OfferState::Paused) {
            return refuse(Refusal::NotPossible);
        }
        let Some(sealed) = &offer.sealed else {
            return refuse(Refusal::NoSite);
        };
        let secret: OfferSecret = tx.keys.open(id, offer.sealed_version, sealed)?;
        let Some(details) = secret.site else {
            return refuse(Refusal::NoSite);
        };
        let site = Site {
            offer_id: id,
            title: details.title.expose().to_owned(),
            address: details.address.expose().to_owned(),
            lat: secret.place.lat(),
            lon: secret.place.lon(),
            walk_in: details.walk_in,
            listed_at: tx.now,
            taken: None,
            counted_at: None,
            counts_until: None,
        };
        sites::list(tx.conn, &site)?;
        tx.end_site_check(id, TaskOutcome::Done)?;
        offers::make_due(tx.conn, &[id], tx.now)?;
        tx.audit("site_listed", ("offer", id), &[])?;
        tx.offers_changed(&[id])
    })
    .await
}

/// Takes a site off the public list.
///
/// # Errors
/// An offer that is not there.
pub async fn unlist_site(ctx: &Ctx, id: OfferId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        tx.lock_offer_and_matches(id, None)?;
        if sites::unlist(tx.conn, id)? {
            offers::make_due(tx.conn, &[id], tx.now)?;
            tx.audit("site_unlisted", ("offer", id), &[])?;
            tx.offers_changed(&[id])?;
        }
        Ok(())
    })
    .await
}
