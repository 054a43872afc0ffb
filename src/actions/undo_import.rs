//! A wrong import is taken back: what it made is closed, as far as nobody has said yes to it, changed or confirmed it
//! since. Volunteers whom it brought, and who have confirmed nothing, are erased; what was sealed of the rest is
//! destroyed as of everything that is closed. The rows that made it are forgotten, so that they may be imported anew.
//!
//! In pieces of one transaction each, which note how far they are: one who was interrupted, or two at once, just go on.

use std::collections::BTreeSet;
use std::time::Duration;

use super::run_import::state_of;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{ImportId, OfferId, RecordId, RequestId, VolunteerId};
use crate::domain::import::{ImportKind, ImportState, UndoTally};
use crate::domain::lifecycle::{CloseReason, MatchState, OfferState};
use crate::storage::audit::Actor;
use crate::storage::imports::{Import, Undoing};
use crate::storage::matches::Match;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::{imports, matches, offers, requests, volunteers};

/// Posts that one transaction closes.
const AT_ONCE: i64 = 50;
/// Rows that one transaction forgets.
const ROWS: i64 = 200;
/// How long one call goes on.
const LONGEST: Duration = Duration::from_secs(5);

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone {
    /// What became of how many posts.
    pub tally: UndoTally,
    /// Whether nothing is left to close.
    pub is_over: bool,
}

/// Takes an import back, or as much of it as some seconds allow: called again, it goes on. When it is over, it says the
/// same again.
///
/// # Errors
/// An import that is not there or goes on, or one that was only a trial.
pub async fn undo_import(ctx: &Ctx, id: ImportId, actor: Actor) -> Outcome<Undone> {
    let until = ctx.now().after(LONGEST);
    loop {
        let undone = undo_some(ctx, id, actor).await?;
        if undone.is_over || ctx.now() >= until {
            return Ok(undone);
        }
    }
}

/// Closes the next posts of an import, in one transaction.
///
/// # Errors
/// As [`undo_import`].
pub async fn undo_some(ctx: &Ctx, id: ImportId, actor: Actor) -> Outcome<Undone> {
    ctx.write(actor, move |tx| {
        // Nobody imports meanwhile, or takes the same back.
        imports::lock(tx.conn)?;
        let Some(import) = imports::find(tx.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        let mut undoing = import.undone.as_ref().map(|u| u.0).unwrap_or_default();
        if import.undone_at.is_some() {
            return Ok(undoing.is(true));
        }
        if import.dry_run {
            return refuse(Refusal::NotPossible);
        }
        if state_of(&import, tx.now) == ImportState::Running {
            return refuse(Refusal::ImportUnderWay);
        }
        let is_over = !go_on(tx, &import, &mut undoing)? && finish(tx, &import, undoing.tally)?;
        if !imports::set_undone(tx.conn, id, undoing, is_over.then_some(tx.now))? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        Ok(undoing.is(is_over))
    })
    .await
}

impl Undoing {
    fn is(&self, is_over: bool) -> Undone {
        Undone {
            tally: self.tally,
            is_over,
        }
    }
}

/// The next posts; whether there were any.
fn go_on(tx: &mut Tx<'_>, import: &Import, undoing: &mut Undoing) -> Outcome<bool> {
    let (closed, last) = match import.kind {
        ImportKind::Requests => close_requests(tx, import.id, undoing)?,
        ImportKind::Offers => close_offers(tx, import.id, undoing)?,
    };
    if last.is_some() {
        undoing.after = last;
    }
    undoing.tally.closed += closed.len() as u64;
    imports::forget_rows(tx.conn, import.id, &closed)?;
    Ok(last.is_some())
}

/// All posts were looked at: forgets the rows that made none. Whether none of these is left.
fn finish(tx: &mut Tx<'_>, import: &Import, tally: UndoTally) -> Outcome<bool> {
    let forgotten = imports::forget_duplicates(tx.conn, import.id, ROWS)?;
    if i64::try_from(forgotten).is_ok_and(|count| count >= ROWS) {
        return Ok(false);
    }
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let detail = [
        ("closed", count(tally.closed).into()),
        ("accepted", count(tally.accepted).into()),
        ("changed", count(tally.changed).into()),
    ];
    tx.audit(
        "import_undone",
        ("import", RecordId::from(import.id)),
        &detail,
    )?;
    Ok(true)
}

/// What was closed, and the last one that was looked at.
type Closed = (Vec<RecordId>, Option<RecordId>);

fn close_requests(tx: &mut Tx<'_>, id: ImportId, undoing: &mut Undoing) -> Outcome<Closed> {
    let ids = imports::live_requests(tx.conn, id, undoing.after, AT_ONCE)?;
    let read = requests::find_all(tx.conn, &ids)?;
    let mut closed = Vec::new();
    for request in tx.lock_requests_and_matches(&read)? {
        if !request.state.is_live() {
            continue;
        }
        if is_promised(&matches::of_request(tx.conn, request.id)?) {
            undoing.tally.accepted += 1;
        } else if was_edited(&request) {
            undoing.tally.changed += 1;
        } else {
            tx.close_request(&request, CloseReason::NotNeeded)?;
            closed.push(request.id.into());
        }
    }
    Ok((closed, ids.last().copied().map(RequestId::into)))
}

fn close_offers(tx: &mut Tx<'_>, id: ImportId, undoing: &mut Undoing) -> Outcome<Closed> {
    let ids = imports::live_offers(tx.conn, id, undoing.after, AT_ONCE)?;
    let read = offers::find_all(tx.conn, &ids)?;
    let owners: BTreeSet<VolunteerId> = read.iter().map(|offer| offer.volunteer_id).collect();
    let owners = tx.lock_volunteers_and_offers(&Vec::from_iter(owners))?;
    let mut closed = Vec::new();
    for offer in offers::find_all(tx.conn, &ids)? {
        if offer.state == OfferState::Closed {
            continue;
        }
        // It may have joined another volunteer's before she was locked.
        let owner = owners.iter().find(|owner| owner.id == offer.volunteer_id);
        if is_promised(&matches::of_offer(tx.conn, offer.id)?) {
            undoing.tally.accepted += 1;
        } else if owner.is_none_or(|owner| was_taken_up(&offer, owner)) {
            undoing.tally.changed += 1;
        } else {
            tx.close_offer(&offer)?;
            closed.push(offer.id.into());
        }
    }
    for owner in owners {
        erase_if_unknown(tx, &owner)?;
    }
    Ok((closed, ids.last().copied().map(OfferId::into)))
}

/// Whether somebody has said yes, or has helped.
fn is_promised(all: &[Match]) -> bool {
    let holds = |m: &Match| matches!(m.state, MatchState::Accepted | MatchState::Fulfilled);
    all.iter().any(holds)
}

/// Whether somebody has changed what it says, or where it is.
fn was_edited(request: &Request) -> bool {
    request.version > 1 || request.sealed_version > 1
}

/// Whether its volunteer has changed or confirmed it.
fn was_taken_up(offer: &Offer, owner: &volunteers::Volunteer) -> bool {
    let confirmed = owner.confirmed_at.is_some_and(|at| at > offer.created_at);
    confirmed || offer.sealed_version > 1
}

/// A volunteer who was brought by a sheet, has confirmed nothing and offers nothing any more is not kept: she comes
/// back with a letter of her own, if she does.
fn erase_if_unknown(tx: &mut Tx<'_>, owner: &volunteers::Volunteer) -> Outcome<()> {
    let is_known = owner.confirmed_at.is_some()
        || owner.blocked_at.is_some()
        || owner.mail_stopped_at.is_some()
        || owner.erased_at.is_some();
    if is_known || !volunteers::is_imported(tx.conn, owner.id)? {
        return Ok(());
    }
    let all = offers::of_volunteer(tx.conn, owner.id)?;
    if all.iter().all(|offer| offer.state == OfferState::Closed) {
        tx.erase_volunteer(owner.id)?;
    }
    Ok(())
}
