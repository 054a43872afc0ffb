//! Tasks that are late and that nobody is at: each is marked once, and administrators get one letter of all of
//! them, every so often.

use super::expire::AT_ONCE;
use super::{Ctx, Outcome, Tx};
use crate::domain::letter::LetterKind;
use crate::storage::audit::Actor;
use crate::storage::{coordinators, letters, tasks};

/// Marks tasks that have become late, some at a time. Gives how many.
///
/// # Errors
/// A failed query.
pub async fn escalate_tasks(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let settings = &tx.ctx.settings.tasks;
        let due = tx.now.before(settings.escalate_after);
        let stale = tx.ctx.stale_claims(tx.now);
        let late = tasks::escalate(tx.conn, due, stale, tx.now, AT_ONCE)?;
        tell_administrators(tx)?;
        Ok(late)
    })
    .await
}

/// A letter to each administrator who has not heard of the newest of them, and of none for a while. What it
/// counts is counted when it leaves.
fn tell_administrators(tx: &mut Tx<'_>) -> Outcome<()> {
    let (_, Some(newest)) = tasks::escalated(tx.conn)? else {
        return Ok(());
    };
    let lately = tx.now.before(tx.ctx.settings.tasks.escalate_every);
    for admin in coordinators::lock_admins(tx.conn)? {
        let told = letters::newest_to(tx.conn, admin.into(), LetterKind::TasksLate)?;
        if told.is_none_or(|at| at < newest && at <= lately) {
            tx.letter_to_coordinator(LetterKind::TasksLate, admin)?;
        }
    }
    Ok(())
}
