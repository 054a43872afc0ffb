//! The clock is right, as far as anybody knows: what it says may end and erase things.

use uuid::Uuid;

use super::{Ctx, Outcome};
use crate::domain::ids::RecordId;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::meta;

/// Remembers the present instant as one at which the clock was right. Where a person says so, the
/// audit knows it: after a leap, erasures depend on it.
///
/// # Errors
/// A failed query.
pub async fn trust_clock(ctx: &Ctx, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        meta::set_housekept_at(tx.conn, tx.now)?;
        meta::raise_latest(tx.conn, tx.now)?;
        if actor.kind != ActorKind::System {
            let clock = RecordId::from(Uuid::nil());
            tx.audit("clock_trusted", ("clock", clock), &[("now", tx.now.into())])?;
        }
        Ok(())
    })
    .await
}

/// Remembers how far the clock has come, right or wrong: if it goes back, what it set meanwhile lies too far ahead.
///
/// # Errors
/// A failed query.
pub async fn note_clock(ctx: &Ctx) -> Outcome<()> {
    ctx.write(Actor::SYSTEM, |tx| Ok(meta::raise_latest(tx.conn, tx.now)?))
        .await
}
