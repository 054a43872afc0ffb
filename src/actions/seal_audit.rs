//! What was done is sealed: entries of the audit become links of its chain, some hundred at a time, so
//! that nobody who writes an entry has to wait for the one before.

use std::time::Duration;

use super::{Ctx, Outcome, TxError};
use crate::domain::clock::Ts;
use crate::storage::audit::{Actor, Entry};
use crate::storage::audit_chain::{self, Link};
use crate::storage::{StorageError, audit};

/// Entries that one transaction seals.
pub const AT_ONCE: usize = 200;

/// How long an entry rests before it is sealed. Where several write at the same time, an entry may
/// become visible after one with a larger number. A write is over long before this; so what has
/// rested has nothing before it that is still to come, and the chain follows the numbers.
pub const REST: Duration = Duration::from_secs(30);

/// What became of the chain.
#[derive(Clone, Copy, Debug)]
pub struct Sealed {
    /// Links appended.
    pub links: usize,
    /// Its last link.
    pub last: Option<Link>,
}

/// Seals the next entries that have rested. Where somebody else does the same at the same instant, one
/// of the two appends nothing: the chain never forks.
///
/// # Errors
/// A failed query, or an entry that cannot be read.
pub async fn seal_audit(ctx: &Ctx) -> Outcome<Sealed> {
    let now = ctx.now();
    let (last, entries) = ctx.db.read(waiting).await.map_err(TxError::Storage)?;
    let keys = ctx.vault.keys()?;
    let mut links: Vec<Link> = Vec::new();
    for entry in entries.iter().take_while(|entry| has_rested(entry.at, now)) {
        let before = links.last().or(last.as_ref());
        links.push(Link::following(before, entry, &keys.hasher));
    }
    let Some(end) = links.last().copied() else {
        return Ok(Sealed { links: 0, last });
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
        Ok(false) | Err(TxError::Storage(StorageError::Constraint(_))) => {
            Ok(Sealed { links: 0, last })
        }
        Err(error) => Err(error),
    }
}

type Waiting = (Option<Link>, Vec<Entry>);

fn waiting(conn: &mut crate::storage::Conn) -> Result<Waiting, StorageError> {
    let last = audit_chain::last(conn)?;
    let seq = last.map_or(i64::MIN, |link| link.seq);
    let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    Ok((last, audit::after(conn, seq, limit)?))
}

/// Both ways, in case the clock was set back.
fn has_rested(at: Ts, now: Ts) -> bool {
    now.since(at) >= REST || at.since(now) >= REST
}
