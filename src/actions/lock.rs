//! The operator locks the service: every process drops its keys and answers nobody until it is
//! unlocked. Works without keys.

use uuid::Uuid;

use super::{Ctx, Outcome};
use crate::storage::audit::Actor;
use crate::storage::{audit, meta};

/// Locks the service. False if it is locked already.
///
/// # Errors
/// A failed query.
pub async fn lock(ctx: &Ctx) -> Outcome<bool> {
    set(ctx, true).await
}

/// Unlocks the service. False if it is not locked.
///
/// # Errors
/// A failed query.
pub async fn unlock(ctx: &Ctx) -> Outcome<bool> {
    set(ctx, false).await
}

async fn set(ctx: &Ctx, is_locked: bool) -> Outcome<bool> {
    let now = ctx.now();
    ctx.db
        .write(move |conn| {
            let changed = if is_locked {
                meta::lock(conn, now)?
            } else {
                meta::unlock(conn)?
            };
            if changed {
                let action = if is_locked { "locked" } else { "unlocked" };
                let service = ("service", Uuid::nil().into());
                audit::record(conn, now, Actor::OPERATOR, action, service, &[])?;
            }
            Ok(changed)
        })
        .await
}
