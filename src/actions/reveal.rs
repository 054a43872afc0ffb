//! A coordinator looks at what is sealed: with a reason, into the audit, and not without limit.

use std::time::Duration;

use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{CoordinatorId, OfferId, RecordId, ReportId, RequestId, VolunteerId};
use crate::domain::remit::Remit;
use crate::domain::secret::{
    NeighborSecret, OfferSecret, ReportSecret, RequestSecret, VolunteerSecret,
};
use crate::domain::word::words;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::{audit, coordinators, reports};

words! {
    /// Why somebody's sealed data is looked at.
    RevealReason {
        /// To call the person.
        Call = "call",
        /// To check who somebody is.
        Vetting = "vetting",
        /// To check a site.
        SiteCheck = "site_check",
        /// To look into a report.
        Report = "report",
        /// To decide on a match.
        Review = "review",
        /// The person asked for it.
        OwnWish = "own_wish",
    }
}

/// In which a coordinator's reveals and searches are counted.
const HOUR: Duration = Duration::from_hours(1);

/// What was sealed of a request.
#[derive(Debug)]
pub struct RevealedRequest {
    /// Of her who asks.
    pub neighbor: NeighborSecret,
    /// Of what she asks.
    pub request: RequestSecret,
}

/// What was sealed of an offer.
#[derive(Debug)]
pub struct RevealedOffer {
    /// Of the volunteer.
    pub volunteer: VolunteerSecret,
    /// Of the offer.
    pub offer: OfferSecret,
}

/// Shows who asks, how to reach her, where, and her notes.
///
/// # Errors
/// A request outside the remit, what was erased, or too many reveals.
pub async fn reveal_request(
    ctx: &Ctx,
    id: RequestId,
    remit: Remit,
    by: CoordinatorId,
    reason: RevealReason,
) -> Outcome<RevealedRequest> {
    ctx.write(
        Actor::person(ActorKind::Coordinator, RecordId::from(by)),
        move |tx| {
            let request = tx.request(id, None)?;
            tx.refuse_outside(remit, request.neighbor_id)?;
            let neighbor = tx.neighbor(request.neighbor_id)?;
            let (Some(of_neighbor), Some(of_request)) = (&neighbor.sealed, &request.sealed) else {
                return refuse(Refusal::Gone);
            };
            record(tx, by, "request", RecordId::from(id), reason)?;
            let vault = tx.keys;
            Ok(RevealedRequest {
                neighbor: vault.open(neighbor.id, neighbor.sealed_version, of_neighbor)?,
                request: vault.open(id, request.sealed_version, of_request)?,
            })
        },
    )
    .await
}

/// Shows who offers, how to reach her, where, and her notes.
///
/// # Errors
/// What was erased, or too many reveals.
pub async fn reveal_offer(
    ctx: &Ctx,
    id: OfferId,
    by: CoordinatorId,
    reason: RevealReason,
) -> Outcome<RevealedOffer> {
    ctx.write(
        Actor::person(ActorKind::Coordinator, RecordId::from(by)),
        move |tx| {
            let offer = tx.offer(id, None)?;
            let volunteer = tx.volunteer(offer.volunteer_id)?;
            let (Some(of_volunteer), Some(of_offer)) = (&volunteer.sealed, &offer.sealed) else {
                return refuse(Refusal::Gone);
            };
            record(tx, by, "offer", RecordId::from(id), reason)?;
            let vault = tx.keys;
            Ok(RevealedOffer {
                volunteer: vault.open(volunteer.id, volunteer.sealed_version, of_volunteer)?,
                offer: vault.open(id, offer.sealed_version, of_offer)?,
            })
        },
    )
    .await
}

/// Shows a volunteer's contact.
///
/// # Errors
/// What was erased, or too many reveals.
pub async fn reveal_volunteer(
    ctx: &Ctx,
    id: VolunteerId,
    by: CoordinatorId,
    reason: RevealReason,
) -> Outcome<VolunteerSecret> {
    ctx.write(
        Actor::person(ActorKind::Coordinator, RecordId::from(by)),
        move |tx| {
            let volunteer = tx.volunteer(id)?;
            let Some(sealed) = &volunteer.sealed else {
                return refuse(Refusal::Gone);
            };
            record(tx, by, "volunteer", RecordId::from(id), reason)?;
            Ok(tx.keys.open(id, volunteer.sealed_version, sealed)?)
        },
    )
    .await
}

/// Shows the evidence of a report.
///
/// # Errors
/// Evidence that was destroyed, or too many reveals.
pub async fn reveal_report(
    ctx: &Ctx,
    id: ReportId,
    by: CoordinatorId,
    reason: RevealReason,
) -> Outcome<ReportSecret> {
    ctx.write(
        Actor::person(ActorKind::Coordinator, RecordId::from(by)),
        move |tx| {
            let Some(report) = reports::find(tx.conn, id)? else {
                return refuse(Refusal::NotFound);
            };
            let Some(sealed) = &report.sealed else {
                return refuse(Refusal::Gone);
            };
            record(tx, by, "report", RecordId::from(id), reason)?;
            Ok(tx.keys.open(id, report.sealed_version, sealed)?)
        },
    )
    .await
}

fn record(
    tx: &mut Tx<'_>,
    by: CoordinatorId,
    subject: &'static str,
    id: RecordId,
    reason: RevealReason,
) -> Outcome<()> {
    let hourly = tx.ctx.settings.limits.reveals;
    if let Some(wait_s) = tx.must_wait(by, "revealed", hourly)? {
        return refuse(Refusal::TooManyReveals(wait_s));
    }
    tx.audit("revealed", (subject, id), &[("reason", reason.into())])
}

impl Tx<'_> {
    /// Seconds for which a coordinator, who is locked from now on, must wait before doing something again, because
    /// it was done `hourly` times within the hour: until the oldest that counts is an hour ago.
    pub(super) fn must_wait(
        &mut self,
        by: CoordinatorId,
        action: &'static str,
        hourly: u32,
    ) -> Outcome<Option<u32>> {
        // One after the other, so that none is left out of the count.
        coordinators::lock(self.conn, by)?;
        let since = self.now.before(HOUR);
        let oldest = audit::nth_last_since(self.conn, by.into(), action, since, hourly)?;
        Ok(oldest.map(|at| {
            let wait = at.after(HOUR).since(self.now);
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            u32::try_from(seconds).unwrap_or(u32::MAX)
        }))
    }
}
