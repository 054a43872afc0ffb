//! A volunteer or a coordinator corrects an offer. Asks that rest on what it said are withdrawn; with an accepted match
//! a change of what was promised is refused. It may have more or less of what it gives, but no less than is promised.

use super::ending::{Promises, Tell};
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::attribute::Attributes;
use crate::domain::availability::Availability;
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::lifecycle::{MatchState, OfferState};
use crate::domain::need::{LeadTime, Quantity, Reach};
use crate::domain::secret::OfferSecret;
use crate::domain::task::TaskOutcome;
use crate::storage::audit::Actor;
use crate::storage::offers::{Offer, OfferEdit};
use crate::storage::sql_types::Json;
use crate::storage::{capacity, matches, offers, sites};

/// The offer as it is from now on; its category cannot change.
#[derive(Clone, Debug)]
pub struct ChangedOffer {
    /// How much, in each period that is not over.
    pub capacity: Quantity,
    /// How far it reaches.
    pub reach: Reach,
    /// How long before helping the volunteer must know.
    pub lead: LeadTime,
    /// When it stands.
    pub availability: Availability,
    /// What it provides.
    pub provides: Attributes,
    /// Place, free text and public face.
    pub secret: OfferSecret,
}

/// Changes an offer. A listed site whose public face changes is taken off the list until it is checked
/// again.
///
/// # Errors
/// A closed offer, an accepted match, more that is promised than it is to have, or somebody changed it meanwhile.
pub async fn update_offer(
    ctx: &Ctx,
    id: OfferId,
    of: Option<VolunteerId>,
    read_version: i32,
    new: ChangedOffer,
    actor: Actor,
) -> Outcome<Offer> {
    ctx.write(actor, move |tx| {
        let old = tx.lock_offer_and_matches(id, of)?;
        let Some(sealed) = old
            .sealed
            .as_ref()
            .filter(|_| old.state != OfferState::Closed)
        else {
            return refuse(Refusal::NotPossible);
        };
        let old_secret: OfferSecret = tx.keys.open(id, old.sealed_version, sealed)?;
        let cell = old
            .cell
            .moved_to(new.secret.place, tx.ctx.settings.area.cell_resolution);
        // Only a site's exact point is anybody's to know. Of all others, a step within the ring must
        // not show: not by an ask that is withdrawn, nor by one that comes again.
        let is_public = old_secret.site.is_some() || new.secret.site.is_some();
        let moved = cell != old.cell || (is_public && old_secret.place != new.secret.place);
        let material = moved
            || old.availability().as_ref() != Some(&new.availability)
            || old.provides.0 != new.provides
            || old.reach_m != new.reach
            || old.lead_minutes != new.lead;
        let accepted = matches::of_offer(tx.conn, id)?
            .iter()
            .any(|m| m.state == MatchState::Accepted);
        if material && accepted {
            return refuse(Refusal::HasAcceptedMatch);
        }
        let version = read_version + 1;
        let edit = OfferEdit {
            capacity: new.capacity,
            reach_m: new.reach,
            available_from: new.availability.from,
            available_until: new.availability.until,
            opening_hours: new
                .availability
                .opening_hours
                .as_ref()
                .map(ToString::to_string),
            timezone: new.availability.timezone.to_string(),
            provides: Json(new.provides.clone()),
            cell,
            updated_at: tx.now,
            sealed: Some(tx.seal(id, version, &new.secret)?),
            sealed_version: version,
            sealed_epoch: Some(tx.epoch()),
            lead_minutes: new.lead,
        };
        if !offers::edit(tx.conn, id, read_version, &edit)? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        tx.follow_capacity(&old)?;
        if material {
            tx.end_matches_of_offer(&old, Promises::Kept, Tell::Neighbor)?;
            offers::make_due(tx.conn, &[id], tx.now)?;
        }
        if moved || old_secret.site != new.secret.site {
            sites::unlist(tx.conn, id)?;
        }
        tx.audit(
            "offer_updated",
            ("offer", id),
            &[("material", material.into())],
        )?;
        tx.offers_changed(&[id])?;
        let changed = tx.offer(id, of)?;
        if new.secret.site.is_none() {
            tx.end_site_check(id, TaskOutcome::NotNeeded)?;
        } else if tx.volunteer(changed.volunteer_id)?.blocked_at.is_none() {
            tx.ask_for_site_check(&changed)?;
        }
        Ok(changed)
    })
    .await
}

impl Tx<'_> {
    /// The periods that are not over have the capacity that the offer has now. Where that is less, asks for which
    /// nothing is left are ended; where it is more, whoever waits is looked for as with a new offer.
    fn follow_capacity(&mut self, old: &Offer) -> Outcome<()> {
        let offer = self.offer(old.id, None)?;
        if offer.capacity == old.capacity {
            return Ok(());
        }
        // All count of an offer whose hours do not parse any more.
        let since = old.availability().map_or(Ts::EPOCH, |stands| {
            stands.period_start(old.renews, self.now)
        });
        capacity::set(self.conn, old.id, since, offer.capacity)?;
        let taken = capacity::most_taken(self.conn, old.id, since)?;
        if taken > offer.capacity.get() {
            return refuse(Refusal::MoreTaken(taken));
        }
        if offer.capacity < old.capacity {
            return self.supersede_unfit(&offer);
        }
        offers::make_due(self.conn, &[old.id], self.now)?;
        Ok(())
    }
}
