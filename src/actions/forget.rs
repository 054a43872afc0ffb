//! Rows that nobody needs any more go: what is left of requests are counts, of all else nothing.
//! Their personal parts were destroyed long before.

use std::time::Duration;

use super::expire::AT_ONCE;
use super::{Ctx, Outcome, Tx};
use crate::domain::clock::Ts;
use crate::domain::ids::{NeighborId, RequestId};
use crate::domain::task::TaskOutcome;
use crate::storage::audit::Actor;
use crate::storage::requests::Request;
use crate::storage::statistics::Ended;
use crate::storage::{
    areas, letters, matches, neighbors, notices, offers, plans, reports, requests, statistics,
    tasks, volunteers,
};

const DAY: Duration = Duration::from_hours(24);
/// How long plans are kept to be looked at.
const PLANS: Duration = Duration::from_hours(7 * 24);

/// Forgets requests that were closed long ago, with their matches and letters. Gives how many.
///
/// # Errors
/// A failed query.
pub async fn old_requests(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let before = tx.now.before(tx.ctx.settings.retention.requests);
        let found = requests::to_forget(tx.conn, before, AT_ONCE)?;
        let people = tx.lock_neighbors(found.iter().map(|r| r.neighbor_id))?;
        let ids: Vec<RequestId> = found.iter().map(|r| r.id).collect();
        // Without those that somebody else has forgotten just now, lest they count twice.
        let mut old = requests::lock_all(tx.conn, &ids)?;
        old.sort_by(|a, b| (a.closed_at, &a.category).cmp(&(b.closed_at, &b.category)));
        for request in &old {
            count(tx, request)?;
        }
        let ids: Vec<RequestId> = old.iter().map(|r| r.id).collect();
        letters::delete_of_requests(tx.conn, &ids)?;
        tx.end_tasks_of_forgotten(&ids)?;
        matches::delete_of_requests(tx.conn, &ids)?;
        requests::delete(tx.conn, &ids)?;
        let people: Vec<NeighborId> = people.iter().map(|n| n.id).collect();
        neighbors::delete_forgotten(tx.conn, &people)?;
        Ok(found.len())
    })
    .await
}

fn count(tx: &mut Tx<'_>, request: &Request) -> Outcome<()> {
    let (Some(closed_at), Some(close_reason)) = (request.closed_at, request.close_reason) else {
        return Ok(());
    };
    let ended = Ended {
        day: day_of(closed_at),
        category: request.category.clone(),
        close_reason,
        requests: 1,
        quantity: request.quantity.get().into(),
        covered: request.covered.into(),
    };
    Ok(statistics::add(tx.conn, &ended)?)
}

/// The beginning of the day, UTC.
fn day_of(at: Ts) -> Ts {
    let day = i64::try_from(DAY.as_micros()).unwrap_or(i64::MAX);
    Ts::from_micros(at.as_micros().div_euclid(day) * day)
}

/// Forgets offers that were closed longer ago than an idle volunteer is kept, and to which no match belongs
/// any more. Gives how many.
///
/// # Errors
/// A failed query.
pub async fn old_offers(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        // An idle volunteer goes first: these tell since when.
        let retention = &tx.ctx.settings.retention;
        let before = tx.now.before(retention.offers.max(retention.requests));
        let old = offers::to_forget(tx.conn, before, AT_ONCE)?;
        offers::lock_all(tx.conn, &old)?;
        offers::delete(tx.conn, &old)?;
        Ok(old.len())
    })
    .await
}

/// Erases volunteers who have offered nothing for as long as an offer stands without being renewed, and
/// forgets those who were erased and of whom nothing is left. Gives how many.
///
/// # Errors
/// A failed query.
pub async fn old_volunteers(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let before = tx.now.before(tx.ctx.settings.retention.offers);
        let idle = volunteers::idle_since(tx.conn, before, None, AT_ONCE)?;
        tx.lock_volunteers_and_offers(&idle)?;
        // Of those who are locked, for one may have offered something before.
        for id in volunteers::idle_since(tx.conn, before, Some(&idle), AT_ONCE)? {
            tx.erase_volunteer(id)?;
        }
        Ok(idle.len() + volunteers::delete_forgotten(tx.conn, AT_ONCE)?)
    })
    .await
}

/// Forgets letters that were settled long ago, and what was told to webhooks when nobody follows the feed so far back
/// any more. Gives how many.
///
/// # Errors
/// A failed query.
pub async fn old_letters(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let before = tx.now.before(tx.ctx.settings.retention.requests);
        let told_before = tx.now.before(tx.ctx.settings.retention.changes);
        let mut old = letters::settled_before(tx.conn, before, AT_ONCE)?;
        old.extend(notices::settled_before(tx.conn, told_before, AT_ONCE)?);
        let deleted = letters::delete(tx.conn, &old)?;
        tx.end_dead_letters(&old, TaskOutcome::NotNeeded)?;
        Ok(deleted)
    })
    .await
}

/// Forgets tasks that were done, reports whose evidence is gone, and areas that were lifted, all long ago;
/// and plans that are not applied any more.
/// Gives how many there were of what there was most of.
///
/// # Errors
/// A failed query.
pub async fn old_work(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let retention = &tx.ctx.settings.retention;
        let before = tx.now.before(retention.requests);
        let reported_before = tx.now.before(retention.requests + retention.reports);
        let reported = reports::old(tx.conn, reported_before, AT_ONCE)?;
        tx.end_reports(&reported, TaskOutcome::NotNeeded)?;
        Ok(tasks::delete_old(tx.conn, before, AT_ONCE)?
            .max(reports::delete(tx.conn, &reported)?)
            .max(areas::delete_old(tx.conn, before, AT_ONCE)?)
            .max(plans::delete_old(tx.conn, tx.now.before(PLANS), AT_ONCE)?))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_utc() {
        let at = |text: &str| Ts::from(text.parse::<jiff::Timestamp>().unwrap());
        assert_eq!(
            day_of(at("2026-12-07T18:30:00.5Z")),
            at("2026-12-07T00:00:00Z")
        );
        assert_eq!(
            day_of(at("2026-12-07T00:00:00Z")),
            at("2026-12-07T00:00:00Z")
        );
    }
}
