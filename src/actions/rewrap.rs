//! Records sealed under an older master key are wrapped under the active one, some at a time, while the
//! service runs. The values themselves are not opened.

use super::{Ctx, Outcome, Tx};
use crate::domain::ids::RecordId;
use crate::storage::audit::Actor;
use crate::storage::sealed;
use crate::storage::sealed::SealedTable;

/// Records that one transaction takes on.
const AT_ONCE: i64 = 100;

/// Wraps the next records of `table` anew, those whose id is above `after`. Gives the last id looked
/// at, or none when there are no more.
///
/// # Errors
/// A failed query.
pub async fn rewrap(
    ctx: &Ctx,
    table: SealedTable,
    after: Option<RecordId>,
) -> Outcome<Option<RecordId>> {
    let wrap = move |tx: &mut Tx<'_>| {
        let mut unreadable = Vec::new();
        let active = tx.keys.active();
        let rows = sealed::wrapped_before(tx.conn, table, active, after, AT_ONCE)?;
        for row in &rows {
            let entropy = tx.ctx.entropy.as_ref();
            let new = tx
                .keys
                .rewrap(entropy, table.as_str(), row.id, row.version, &row.sealed);
            match new {
                // Whoever sealed it anew meanwhile did so under the active key.
                Ok(new) => drop(sealed::rewrap(tx.conn, table, row, &new, active)?),
                // It opens for nobody. The others must not wait for it.
                Err(error) => unreadable.push((row.id, error)),
            }
        }
        Ok((rows.last().map(|row| row.id), unreadable))
    };
    let (last, unreadable) = ctx.write(Actor::SYSTEM, wrap).await?;
    for (id, error) in unreadable {
        tracing::error!(table = %table, record.id = %id, error = %error, "a sealed part cannot be wrapped anew");
    }
    Ok(last)
}
