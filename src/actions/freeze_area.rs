//! A coordinator stops everything in an area, or lets it go on.
//!
//! The freeze holds from its own transaction on, for every use case looks at the areas. What was asked
//! before is withdrawn afterward, in pieces; `settle_areas` goes on where one was interrupted.

use super::frozen::{offer_place, touches};
use super::{Call, Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::area::{AreaReason, Frozen, Radius, Settling};
use crate::domain::ids::{AreaId, CoordinatorId, MatchId, OfferId, RecordId, RequestId};
use crate::domain::lifecycle::MatchState;
use crate::domain::place::{Cell, GeoPoint};
use crate::storage::areas::Area;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::{areas, matches, offers, requests};

/// Where, how far, and why.
#[derive(Clone, Copy, Debug)]
pub struct NewArea {
    /// The middle, as it was given; its cell is kept.
    pub place: GeoPoint,
    /// How far.
    pub radius: Radius,
    /// Why.
    pub reason: AreaReason,
}

/// Records that one transaction looks at.
const AT_ONCE: i64 = 100;

/// Freezes an area: nothing in it is matched, asked, accepted or shown from now on.
///
/// # Errors
/// A key used for another call.
pub async fn freeze_area(
    ctx: &Ctx,
    new: NewArea,
    by: CoordinatorId,
    call: Option<Call>,
) -> Outcome<AreaId> {
    let actor = Actor::person(ActorKind::Coordinator, RecordId::from(by));
    let id = ctx
        .write(actor, move |tx| {
            let id = AreaId::new(tx.ctx.entropy.as_ref());
            if let Some(made) = tx.repeated(call, id)? {
                return Ok(made.into());
            }
            let area = Area {
                id,
                cell: Cell::of(new.place, tx.ctx.settings.area.cell_resolution),
                radius_m: new.radius,
                reason: new.reason,
                created_at: tx.now,
                created_by: by,
                lifted_at: None,
                lifted_by: None,
                settling: Some(Settling::Asks),
                settled_to: None,
            };
            areas::insert(tx.conn, &area)?;
            let detail = [
                ("radius_m", new.radius.meters().into()),
                ("reason", new.reason.into()),
            ];
            tx.audit("area_frozen", ("area", id), &detail)?;
            Ok(id)
        })
        .await?;
    while settle_areas(ctx).await? {}
    Ok(id)
}

/// Lifts an area: what waited in it is matched at once. Lifting it again changes nothing.
///
/// # Errors
/// An area that is not there.
pub async fn lift_area(ctx: &Ctx, id: AreaId, by: CoordinatorId) -> Outcome<()> {
    let actor = Actor::person(ActorKind::Coordinator, RecordId::from(by));
    ctx.write(actor, move |tx| {
        if areas::find(tx.conn, id)?.is_none() {
            return refuse(Refusal::NotFound);
        }
        if areas::lift(tx.conn, id, by, tx.now)? {
            tx.audit("area_lifted", ("area", id), &[])?;
        }
        Ok(())
    })
    .await?;
    while settle_areas(ctx).await? {}
    Ok(())
}

/// Carries a piece out of what a freeze, or its end, brings about. False if nothing is left.
///
/// # Errors
/// A failed query.
pub async fn settle_areas(ctx: &Ctx) -> Outcome<bool> {
    ctx.write(Actor::SYSTEM, |tx| {
        let Some(area) = areas::next_to_settle(tx.conn)? else {
            return Ok(false);
        };
        let (next, to) = match area.settling {
            Some(Settling::Asks) => (None, withdraw_asks(tx, &area)?),
            Some(Settling::Requests) => (Some(Settling::Offers), wake_requests(tx, &area)?),
            Some(Settling::Offers) | None => (None, wake_offers(tx, &area)?),
        };
        let settling = if to.is_some() { area.settling } else { next };
        areas::set_settled(tx.conn, area.id, settling, to)?;
        Ok(true)
    })
    .await
}

/// The last of a full piece; none where the end is reached.
fn last_of<T, I: Into<RecordId>>(rows: &[T], id: impl Fn(&T) -> I) -> Option<RecordId> {
    let full = usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
    let last = rows.last().map(|row| id(row).into());
    last.filter(|_| rows.len() >= full)
}

/// Nothing new is asked in the area any more, so that one way through all that was asked is enough.
fn withdraw_asks(tx: &mut Tx<'_>, area: &Area) -> Outcome<Option<RecordId>> {
    let circle = Frozen(vec![area.circle()]);
    let after = area.settled_to.map(Into::into);
    let asks = matches::open_asks_after(tx.conn, after, AT_ONCE)?;
    let mut withdrawn = 0;
    let ids: Vec<MatchId> = asks.iter().map(|ask| ask.id).collect();
    for ask in &tx.lock_matches(&ids)? {
        if !matches!(ask.state, MatchState::Proposed | MatchState::Notified) {
            continue;
        }
        let (_, request, offer) = tx.matched(ask.id)?;
        if touches(tx.conn, &circle, &request, &offer)? {
            tx.supersede(ask, &offer, false)?;
            requests::make_due(tx.conn, &[request.id], tx.now)?;
            withdrawn += 1;
        }
    }
    if withdrawn > 0 {
        let detail = [("asks", withdrawn.into())];
        tx.audit("area_asks_withdrawn", ("area", area.id), &detail)?;
    }
    Ok(last_of(&asks, |m| m.id))
}

fn wake_requests(tx: &mut Tx<'_>, area: &Area) -> Outcome<Option<RecordId>> {
    let after = area.settled_to.map(Into::into);
    let open = requests::open_after(tx.conn, after, AT_ONCE)?;
    let circle = area.circle();
    let inside: Vec<RequestId> = open
        .iter()
        .filter(|r| circle.holds(r.cell.center()))
        .map(|r| r.id)
        .collect();
    requests::make_due(tx.conn, &inside, tx.now)?;
    Ok(last_of(&open, |r| r.id))
}

fn wake_offers(tx: &mut Tx<'_>, area: &Area) -> Outcome<Option<RecordId>> {
    let after = area.settled_to.map(Into::into);
    let open = offers::open_after(tx.conn, after, AT_ONCE)?;
    let circle = area.circle();
    let mut inside: Vec<OfferId> = Vec::new();
    for offer in &open {
        if circle.holds(offer_place(tx.conn, offer)?) {
            inside.push(offer.id);
        }
    }
    offers::make_due(tx.conn, &inside, tx.now)?;
    Ok(last_of(&open, |o| o.id))
}
