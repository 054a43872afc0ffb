//! A coordinator has dealt with a report: its evidence is kept no longer than that of other closed
//! things.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::{CoordinatorId, RecordId, ReportId};
use crate::domain::task::TaskOutcome;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::reports;

/// Closes a report; closing it again changes nothing.
///
/// # Errors
/// A report that is not there.
pub async fn close_report(ctx: &Ctx, id: ReportId, by: CoordinatorId) -> Outcome<()> {
    let actor = Actor::person(ActorKind::Coordinator, RecordId::from(by));
    ctx.write(actor, move |tx| {
        let Some(report) = reports::find(tx.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        let keep = tx.ctx.settings.retention.sealed_after_close;
        let erase_at = report.erase_at.min(tx.now.after(keep));
        if reports::close(tx.conn, id, by, erase_at, tx.now)? {
            tx.end_reports(&[id], TaskOutcome::Done)?;
            tx.audit("report_closed", ("report", id), &[])?;
        }
        Ok(())
    })
    .await
}
