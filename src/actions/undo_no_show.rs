//! That somebody did not come is taken back, for it was a mistake: it counts against nobody any more. The match stays
//! ended, since others may have been asked meanwhile.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::MatchId;
use crate::storage::audit::Actor;
use crate::storage::{matches, volunteers};

/// Takes back what one side has said of the other; doing so again changes nothing.
///
/// # Errors
/// A match of which nobody has said that somebody did not come.
pub async fn undo_no_show(ctx: &Ctx, id: MatchId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let (_, _, offer) = tx.matched(id)?;
        // How often she did not come is counted while nobody else says so.
        volunteers::lock(tx.conn, offer.volunteer_id)?;
        let (matched, _, offer) = tx.lock_match(id)?;
        if matched.no_show_undone_at.is_some() {
            return Ok(());
        }
        let Some(by) = matched.no_show_by else {
            return refuse(Refusal::NotPossible);
        };
        if !matches::undo_no_show(tx.conn, id, tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.end_no_show_tasks(id, offer.volunteer_id)?;
        tx.audit("no_show_undone", ("match", id), &[("by", by.into())])
    })
    .await
}
