//! What was done is sealed: entries of the audit become links of its chain, some hundred at a time, so
//! that nobody who writes an entry has to wait for the one before.
//!
//! Where several write at the same time, an entry may become visible after one with a larger number, and
//! however late: its writer may have been paused in between. The chain follows the numbers. So before it
//! is continued up to a number, everybody is waited for who was writing when that number was the largest.
//! Writers do not notice.

use std::time::{Duration, Instant};

use super::{Ctx, Outcome, TxError};
use crate::storage::audit::Actor;
use crate::storage::audit_chain::{self, Link};
use crate::storage::{Conn, StorageError, audit};

/// Entries that one transaction seals.
pub const AT_ONCE: usize = 200;

/// How long writers are waited for before it is left to the next time. A write that is not over by then is
/// stuck, and the database will end it.
const PATIENCE: Duration = Duration::from_secs(5);
/// First rest between two looks at them, doubled with every further one.
const LOOK: Duration = Duration::from_millis(5);
/// The longest.
const LONGEST_LOOK: Duration = Duration::from_millis(200);

/// What became of the chain.
#[derive(Clone, Copy, Debug)]
pub struct Sealed {
    /// Links appended.
    pub links: usize,
    /// Its last link.
    pub last: Option<Link>,
}

/// Seals the next entries. Where somebody else does the same at the same instant, one of the two appends
/// nothing: the chain never forks.
///
/// # Errors
/// A failed query, or an entry that cannot be read.
pub async fn seal_audit(ctx: &Ctx) -> Outcome<Sealed> {
    let (last, newest) = ctx.db.read(ends).await.map_err(TxError::Storage)?;
    let sealed = last.map_or(i64::MIN, |link| link.seq);
    let nothing = Ok(Sealed { links: 0, last });
    let Some(newest) = newest.filter(|newest| *newest > sealed) else {
        return nothing;
    };
    if !everybody_is_done(ctx).await.map_err(TxError::Storage)? {
        tracing::info!("somebody has been writing to the audit for long; it is sealed later");
        return nothing;
    }
    let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let entries =
        move |conn: &mut Conn| Ok::<_, StorageError>(audit::between(conn, sealed, newest, limit)?);
    let entries = ctx.db.read(entries).await.map_err(TxError::Storage)?;
    let keys = ctx.vault.keys()?;
    let mut links: Vec<Link> = Vec::new();
    for entry in &entries {
        let before = links.last().or(last.as_ref());
        links.push(Link::following(before, entry, &keys.hasher));
    }
    let Some(end) = links.last().copied() else {
        return nothing;
    };
    let count = links.len();
    let append =
        move |tx: &mut super::Tx<'_>| Ok(audit_chain::append(tx.conn, last.as_ref(), &links)?);
    match ctx.write(Actor::SYSTEM, append).await {
        Ok(true) => Ok(Sealed {
            links: count,
            last: Some(end),
        }),
        // Somebody else was quicker.
        Ok(false) | Err(TxError::Storage(StorageError::Constraint(_))) => nothing,
        Err(error) => Err(error),
    }
}

/// The end of the chain, and the largest number of the audit.
fn ends(conn: &mut Conn) -> Result<(Option<Link>, Option<i64>), StorageError> {
    Ok((audit_chain::last(conn)?, audit::newest(conn)?))
}

/// Waits until none is left of those who are writing now; false if that takes too long. Who begins
/// meanwhile takes larger numbers and is not waited for.
async fn everybody_is_done(ctx: &Ctx) -> Result<bool, StorageError> {
    let writers = |conn: &mut Conn| Ok::<_, StorageError>(audit::writers(conn)?);
    let begun = Instant::now();
    let mut waited_for = ctx.db.read(writers).await?;
    let mut rest = LOOK;
    while !waited_for.is_empty() {
        if begun.elapsed() > PATIENCE {
            return Ok(false);
        }
        tokio::time::sleep(rest).await;
        rest = (rest * 2).min(LONGEST_LOOK);
        let writing = ctx.db.read(writers).await?;
        waited_for.retain(|writer| writing.contains(writer));
    }
    Ok(true)
}
