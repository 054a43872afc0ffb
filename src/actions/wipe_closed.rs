//! "Wipe closed": what is over is destroyed now, without waiting for the retention times. For the day on
//! which the machine may fall into other hands.
//!
//! It destroys the sealed parts of closed requests and offers, the evidence of closed reports and the notes of done tasks; it
//! erases neighbors all of whose requests are closed, and volunteers who offer nothing any more and owe
//! nothing: no offer that is not closed, no match that is active, no letter on its way to them. Who is
//! blocked stays, because the hash of the address keeps them out. What is open, promised, or reported
//! and not dealt with stays as it is; so do the contacts of a match whose time has gone by and of which
//! nobody has said yet how it went, until its request is closed.

use std::path::Path;

use serde::Serialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;
use uuid::Uuid;

use super::expire::AT_ONCE;
use super::{Ctx, Outcome, Tx};
use crate::domain::ids::{RecordId, RequestId};
use crate::storage::audit::Actor;
use crate::storage::backup::checkpoint;
use crate::storage::{offers, reports, requests, tasks, volunteers};

/// What was wiped.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct Wiped {
    /// Closed requests whose sealed parts were destroyed.
    pub requests: usize,
    /// Closed offers whose sealed parts were destroyed.
    pub offers: usize,
    /// Closed reports whose evidence was destroyed.
    pub reports: usize,
    /// Notes of tasks that are done, which were destroyed.
    pub notes: usize,
    /// Neighbors who were erased.
    pub neighbors: usize,
    /// Volunteers who were erased.
    pub volunteers: usize,
    /// Whether it is gone from the disk's files too; otherwise the running service sees to that within
    /// a minute. Never where the database is a server's: there it is gone when its key is destroyed.
    pub flushed: bool,
}

impl Wiped {
    /// How many records in all.
    #[must_use]
    pub fn total(&self) -> usize {
        self.requests + self.offers + self.reports + self.notes + self.neighbors + self.volunteers
    }

    fn add(&mut self, more: Self) {
        self.requests += more.requests;
        self.offers += more.offers;
        self.reports += more.reports;
        self.notes += more.notes;
        self.neighbors += more.neighbors;
        self.volunteers += more.volunteers;
    }
}

/// Wipes everything that is closed, in pieces; `told` hears of the progress.
///
/// # Errors
/// A failed query; what was wiped until then is wiped.
pub async fn wipe_closed(ctx: &Ctx, actor: Actor, mut told: impl FnMut(Wiped)) -> Outcome<Wiped> {
    let mut all = Wiped::default();
    loop {
        let piece = ctx.write(actor, wipe_piece).await?;
        if piece.total() == 0 {
            break;
        }
        all.add(piece);
        told(all);
    }
    if let Some(path) = ctx.db.path().map(Path::to_owned) {
        let flushed = spawn_blocking(move || checkpoint(&path)).await;
        all.flushed = matches!(flushed, Ok(Ok(true)));
    }
    Ok(all)
}

fn wipe_piece(tx: &mut Tx<'_>) -> Outcome<Wiped> {
    let mut wiped = Wiped::default();
    let closed = requests::closed_with_secrets(tx.conn, tx.now, AT_ONCE)?;
    let neighbors = tx.lock_neighbors(closed.iter().map(|r| r.neighbor_id))?;
    let idle = volunteers::without_duty(tx.conn, None, AT_ONCE / 5)?;
    volunteers::lock_all(tx.conn, &idle)?;
    let ids: Vec<RequestId> = closed.iter().map(|r| r.id).collect();
    requests::lock_all(tx.conn, &ids)?;
    wiped.requests = requests::erase_secrets(tx.conn, &ids)?;
    for neighbor in neighbors {
        wiped.neighbors += usize::from(tx.erase_if_over(neighbor.id, tx.now)?);
    }
    let gone = offers::closed_with_secrets(tx.conn, tx.now, AT_ONCE)?;
    offers::lock_all(tx.conn, &gone)?;
    wiped.offers = offers::erase_secrets(tx.conn, &gone)?;
    let dealt_with = reports::closed_with_secrets(tx.conn, AT_ONCE)?;
    wiped.reports = reports::erase_secrets(tx.conn, &dealt_with)?;
    tasks::erase_notes_of_reports(tx.conn, &dealt_with)?;
    wiped.notes = tasks::erase_notes_done_before(tx.conn, tx.now, AT_ONCE)?;
    // Of those who are locked, for something may have come in before.
    for volunteer in volunteers::without_duty(tx.conn, Some(&idle), AT_ONCE / 5)? {
        tx.erase_volunteer(volunteer)?;
        wiped.volunteers += 1;
    }
    if wiped.total() > 0 {
        let detail = [
            ("requests", wiped.requests.into()),
            ("offers", wiped.offers.into()),
            ("reports", wiped.reports.into()),
            ("notes", wiped.notes.into()),
            ("neighbors", wiped.neighbors.into()),
            ("volunteers", wiped.volunteers.into()),
        ];
        tx.audit(
            "closed_wiped",
            ("everything", RecordId::from(Uuid::nil())),
            &detail,
        )?;
    }
    Ok(wiped)
}
