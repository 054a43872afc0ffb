//! What time alone brings about: asks lapse, agreements run out, posts end, sealed parts are destroyed.

use super::aftermath::SILENCE;
use super::ending::{Promises, Tell};
use super::freeze_area::settle_areas;
use super::mail_limits::WITHIN;
use super::tx::To;
use super::{Ctx, Outcome, Tx};
use crate::domain::clock::Ts;
use crate::domain::ids::{MatchId, NeighborId, OfferId, RequestId, VolunteerId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{CloseReason, FallReason, MatchState, OfferState};
use crate::domain::task::TaskOutcome;
use crate::storage::audit::Actor;
use crate::storage::matches::Match;
use crate::storage::{
    changes, departures, idempotency, imports, letters, matches, neighbors, offers, reports,
    requests, tasks, tokens, volunteers,
};

/// Rows that one transaction takes on. Fewer than this mean that nothing is left for now.
pub const AT_ONCE: i64 = 50;

/// Lapses asks without an answer, withdraws asks whose letter did not leave in time, and lets go of
/// acceptances that the neighbor did not agree to in time. Gives how many.
///
/// # Errors
/// A failed query.
pub async fn overdue_matches(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let late = matches::overdue(tx.conn, tx.now, AT_ONCE)?;
        let ids: Vec<MatchId> = late.iter().map(|m| m.id).collect();
        for matched in &tx.lock_matches(&ids)? {
            // It may have been answered before it was locked.
            if matched.is_overdue(tx.now) {
                end_late(tx, matched)?;
            }
        }
        Ok(late.len())
    })
    .await
}

fn end_late(tx: &mut Tx<'_>, matched: &Match) -> Outcome<()> {
    let (_, request, offer) = tx.matched(matched.id)?;
    match matched.state {
        MatchState::Accepted => {
            tx.fall_through(matched, &request, &offer, FallReason::NotAgreed, Tell::Both)?;
        }
        // The letter never left: the volunteer was not asked, so this is no lapse of hers.
        _ if matched.asked_at.is_none() => {
            tx.supersede(matched, &offer, false)?;
            requests::make_due(tx.conn, &[request.id], tx.now)?;
        }
        _ => {
            matches::lapse(tx.conn, matched.id, tx.now)?;
            tx.make_room(&offer)?;
            requests::make_due(tx.conn, &[request.id], tx.now)?;
            tx.audit("match_lapsed", ("match", matched.id), &[])?;
        }
    }
    Ok(())
}

/// Closes requests whose time has gone by. Where help was promised, the two sides have some days to
/// say how it went, and then somebody to find out; after that silence counts as helped. Gives how many.
///
/// # Errors
/// A failed query.
pub async fn past_requests(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let promised_before = tx.now.before(SILENCE * 2);
        let past = requests::past(tx.conn, tx.now, promised_before, AT_ONCE)?;
        for request in &tx.lock_requests_and_matches(&past)? {
            if !requests::is_past(tx.conn, request.id, tx.now, promised_before)? {
                continue;
            }
            let reason = if request.covered > 0 {
                CloseReason::HelpedHere
            } else {
                CloseReason::Unmet
            };
            tx.close_request(request, reason)?;
            if reason == CloseReason::Unmet {
                tx.tell_unmet(request)?;
            }
        }
        Ok(past.len())
    })
    .await
}

/// Closes offers whose term or time is over. Gives how many.
///
/// # Errors
/// A failed query.
pub async fn past_offers(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let past = offers::past(tx.conn, tx.now, AT_ONCE)?;
        let mut ids: Vec<OfferId> = Vec::new();
        for offer in &tx.lock_offers_and_matches(&past)? {
            if !offer.is_past(tx.now) {
                continue;
            }
            ids.push(offer.id);
            // What was promised within the time of the offer stands; only asks are withdrawn.
            tx.end_matches_of_offer(offer, Promises::Kept, Tell::Neighbor)?;
            offers::set_state(tx.conn, offer.id, offer.state, OfferState::Closed, tx.now)?;
            tx.end_site_check(offer.id, TaskOutcome::NotNeeded)?;
            tx.audit("offer_expired", ("offer", offer.id), &[])?;
        }
        tx.offers_changed(&ids)?;
        Ok(past.len())
    })
    .await
}

/// How long before its end a volunteer is asked whether an offer still stands.
const WARNING: std::time::Duration = std::time::Duration::from_hours(7 * 24);

/// Asks volunteers, once each, whether offers that end soon still stand. Gives how many there were.
///
/// # Errors
/// A failed query.
pub async fn ending_offers(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let since = tx.now.before(WARNING + WARNING);
        let owners = offers::owners_to_ask(tx.conn, tx.now.after(WARNING), since, AT_ONCE)?;
        volunteers::lock_all(tx.conn, &owners)?;
        for to in &owners {
            // Somebody else may have asked her before she was locked.
            if letters::count_since(tx.conn, (*to).into(), LetterKind::Expiring, since)? == 0 {
                tx.letter(LetterKind::Expiring, To::Volunteer(*to), None, None)?;
            }
        }
        Ok(owners.len())
    })
    .await
}

/// Erases posts that nobody confirmed in time. Gives how many.
///
/// # Errors
/// A failed query.
pub async fn unconfirmed(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let before = tx.now.before(tx.ctx.settings.retention.unconfirmed);
        let imported = tx.now.before(tx.ctx.settings.retention.imported);
        let stale: Vec<VolunteerId> =
            volunteers::unconfirmed_before(tx.conn, before, imported, AT_ONCE)?;
        for volunteer in tx.lock_volunteers_and_offers(&stale)? {
            if volunteer.confirmed_at.is_none() && volunteer.erased_at.is_none() {
                tx.erase_volunteer(volunteer.id)?;
            }
        }
        Ok(stale.len())
    })
    .await
}

/// Destroys the sealed parts of what was closed or done long enough ago, and erases neighbors who have nothing
/// left. Gives how many records were touched.
///
/// # Errors
/// A failed query.
pub async fn sealed_parts(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let before = tx.now.before(tx.ctx.settings.retention.sealed_after_close);
        let closed = requests::closed_with_secrets(tx.conn, before, AT_ONCE)?;
        let gone = offers::closed_with_secrets(tx.conn, before, AT_ONCE)?;
        let neighbors = tx.lock_neighbors(closed.iter().map(|r| r.neighbor_id))?;
        let ids: Vec<RequestId> = closed.iter().map(|r| r.id).collect();
        requests::lock_all(tx.conn, &ids)?;
        requests::erase_secrets(tx.conn, &ids)?;
        for neighbor in neighbors {
            tx.erase_if_over(neighbor.id, before)?;
        }
        offers::lock_all(tx.conn, &gone)?;
        offers::erase_secrets(tx.conn, &gone)?;
        let notes = tasks::erase_notes_done_before(tx.conn, before, AT_ONCE)?;
        Ok(closed.len() + gone.len() + notes)
    })
    .await
}

/// Destroys the evidence of reports whose time is over. Gives how many.
///
/// # Errors
/// A failed query.
pub async fn evidence(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let due = reports::evidence_due(tx.conn, tx.now, AT_ONCE)?;
        reports::erase_secrets(tx.conn, &due)?;
        tasks::erase_notes_of_reports(tx.conn, &due)?;
        for id in &due {
            tx.audit("evidence_destroyed", ("report", *id), &[])?;
        }
        Ok(due.len())
    })
    .await
}

impl Tx<'_> {
    /// Erases a neighbor all of whose requests were closed before `before`. What she reported stays as
    /// long as evidence does: this is not her own wish. She is locked.
    pub(super) fn erase_if_over(&mut self, id: NeighborId, before: Ts) -> Outcome<bool> {
        let all = requests::of_neighbor(self.conn, id)?;
        let is_over = all
            .iter()
            .all(|r| r.closed_at.is_some_and(|at| at <= before));
        if !is_over || !neighbors::erase(self.conn, id, self.now)? {
            return Ok(false);
        }
        tokens::revoke_all(self.conn, id.into())?;
        let ids: Vec<RequestId> = all.iter().map(|r| r.id).collect();
        self.forget_tasks_of_neighbor(id, &ids)?;
        self.audit("neighbor_erased", ("neighbor", id), &[])?;
        Ok(true)
    }
}

/// Goes on with what a freeze of an area, or its end, brings about. Gives as many as there may be more.
///
/// # Errors
/// A failed query.
pub async fn frozen_areas(ctx: &Ctx) -> Outcome<usize> {
    let has_more = settle_areas(ctx).await?;
    Ok(usize::from(has_more) * usize::try_from(AT_ONCE).unwrap_or(usize::MAX))
}

/// How long the report of an import can be read.
const REPORTED: std::time::Duration = std::time::Duration::from_hours(24);
/// Small rows that one transaction deletes, of each kind.
const MANY: i64 = 200;

/// Forgets what only served for a while: expired tokens, idempotency keys, old departures and changes.
/// Gives how many there were of what there was most of.
///
/// # Errors
/// A failed query.
pub async fn leftovers(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let retention = &tx.ctx.settings.retention;
        let (keys, seen) = (retention.idempotency, retention.changes);
        let rows = retention.imported_rows;
        Ok(tokens::delete_expired(tx.conn, tx.now, MANY)?
            .max(idempotency::trim(tx.conn, tx.now.before(keys), MANY)?)
            .max(departures::trim(tx.conn, tx.now.before(WITHIN), MANY)?)
            .max(imports::trim_rows(tx.conn, tx.now.before(rows), MANY)?)
            .max(imports::trim_parts(tx.conn, tx.now.before(REPORTED), MANY)?)
            .max(imports::trim(
                tx.conn,
                tx.now.before(rows.max(REPORTED)),
                MANY,
            )?)
            .max(changes::trim(tx.conn, tx.now.before(seen), MANY)?))
    })
    .await
}

/// Makes requests due that nothing has looked at for a while: the net under the matching clock.
///
/// # Errors
/// A failed query.
pub async fn sweep(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let since = tx.now.before(tx.ctx.settings.matching.sweep_every);
        Ok(requests::sweep(tx.conn, since, tx.now, 200)?)
    })
    .await
}
