//! A coordinator has asked: two requests that look like one need posted twice are not, so they are no longer
//! flagged because of each other. Or takes that back.

use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::RequestId;
use crate::storage::audit::Actor;
use crate::storage::{distinct, requests};

/// Remembers that two requests are not the same need. Doing so again, either way round, changes nothing.
///
/// # Errors
/// Requests that are not there, or one with itself.
pub async fn tell_apart(ctx: &Ctx, one: RequestId, other: RequestId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        lock_both(tx, one, other)?;
        if distinct::insert(tx.conn, one, other, tx.now)? {
            tx.audit("request_told_apart", ("request", one), &[])?;
            tx.audit("request_told_apart", ("request", other), &[])?;
        }
        Ok(())
    })
    .await
}

/// Forgets that two requests were told apart: they are flagged again, as long as they look alike.
///
/// # Errors
/// Requests that are not there, or one with itself.
pub async fn untell_apart(
    ctx: &Ctx,
    one: RequestId,
    other: RequestId,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        lock_both(tx, one, other)?;
        if distinct::delete(tx.conn, one, other)? {
            tx.audit("request_untold_apart", ("request", one), &[])?;
            tx.audit("request_untold_apart", ("request", other), &[])?;
        }
        Ok(())
    })
    .await
}

/// Neither is forgotten meanwhile, and of several at once each sees what the other has done.
fn lock_both(tx: &mut Tx<'_>, one: RequestId, other: RequestId) -> Outcome<()> {
    if requests::lock_all(tx.conn, &[one, other])?.len() == 2 {
        Ok(())
    } else {
        refuse(Refusal::NotFound)
    }
}
