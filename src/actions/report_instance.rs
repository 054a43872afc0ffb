//! A process says that it serves, and which keys it holds; and that it ends. Works without keys.

use std::time::Duration;

use super::{Ctx, Outcome};
use crate::domain::ids::RecordId;
use crate::storage::instances;
use crate::storage::instances::Instance;

/// After so long nobody asks any more when a process was last there.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(24);

/// Remembers that the process is there.
///
/// # Errors
/// A failed query.
pub async fn report_instance(ctx: &Ctx, instance: Instance) -> Outcome<()> {
    ctx.db
        .write(move |conn| {
            instances::report(conn, &instance)?;
            instances::trim(conn, instance.seen_at.before(FORGOTTEN_AFTER))?;
            Ok(())
        })
        .await
}

/// Forgets the process.
///
/// # Errors
/// A failed query.
pub async fn remove_instance(ctx: &Ctx, id: RecordId) -> Outcome<()> {
    ctx.db
        .write(move |conn| Ok(instances::remove(conn, id)?))
        .await
}
