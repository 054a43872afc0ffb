//! An operator asks whether the audit is what it was: every link of its chain is made again from its
//! entry and compared.

use std::time::Duration;

use super::Ctx;
use crate::crypto::lookup::Hasher;
use crate::domain::clock::Ts;
use crate::domain::word::words;
use crate::storage::audit::Entry;
use crate::storage::audit_chain::{self, Head, Link};
use crate::storage::{Conn, StorageError, audit, meta};

/// Links that are read together.
const PAGE: i64 = 500;

/// For how long the workers may have been at work after an entry without having sealed it.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

words! {
    /// What is wrong with the first entry that is not as it was sealed.
    FaultKind {
        /// Its content is another one, or that of its link.
        Edited = "edited",
        /// It is not there any more.
        Removed = "removed",
        /// It was put between others.
        Inserted = "inserted",
        /// Its content stands at another place.
        Reordered = "reordered",
        /// Its link is not there any more.
        LinkRemoved = "link_removed",
        /// Its link names another entry.
        Relinked = "relinked",
        /// It, or its link, holds what no entry can hold.
        Unreadable = "unreadable",
        /// The workers were at work since, and have not sealed it: it, or its link, is not what they left.
        NotSealed = "not_sealed",
        /// The chain ends before the head that was noted.
        Cut = "cut",
        /// The chain is whole, but not the one whose head was noted.
        Rewritten = "rewritten",
    }
}

/// Where the audit is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In what way.
    pub kind: FaultKind,
    /// The number of the link.
    pub number: i64,
    /// The number of the entry, where it is known.
    pub seq: Option<i64>,
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub struct Verification {
    /// Entries that are as they were sealed, from the first one on.
    pub verified: i64,
    /// Entries after the last one that is sealed.
    pub waiting: i64,
    /// The last link that is right.
    pub head: Option<Head>,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
}

/// Walks the whole chain, and looks whether a head that was noted earlier is part of it. `progress` is
/// told the number of links that were looked at, and of all.
///
/// # Errors
/// A failed query.
pub async fn verify_audit(
    ctx: &Ctx,
    noted: Option<Head>,
    mut progress: impl FnMut(i64, i64),
) -> Result<Verification, StorageError> {
    let end = ctx
        .db
        .read(|conn| Ok::<_, StorageError>(audit_chain::last(conn)?));
    // One that cannot be read is named when its turn comes.
    let all = end.await.ok().flatten().map_or(0, |link| link.number);
    let mut last: Option<Link> = None;
    let broken = loop {
        match step(ctx, &mut last).await? {
            Walk::On => progress(last.map_or(0, |link| link.number), all),
            Walk::Over => break None,
            Walk::Stopped(fault) => break Some(fault),
        }
    };
    let (number, seq) = last.map_or((0, i64::MIN), |link| (link.number, link.seq));
    let read = move |conn: &mut Conn| {
        let fault = match broken {
            Some(fault) => Some(fault),
            None => fault_behind(conn, number, seq, noted)?,
        };
        Ok::<_, StorageError>((audit::count_after(conn, seq)?, fault))
    };
    let (waiting, fault) = ctx.db.read(read).await?;
    Ok(Verification {
        verified: number,
        waiting,
        head: last.map(|link| link.head()),
        fault,
    })
}

/// What is wrong with the end of a chain that is whole up to that link and that entry: it is not the
/// end that was noted, or should not be the end.
fn fault_behind(
    conn: &mut Conn,
    number: i64,
    seq: i64,
    noted: Option<Head>,
) -> Result<Option<Fault>, StorageError> {
    if let Some(head) = noted {
        let missed = missed(head, audit_chain::find(conn, head.number)?);
        if missed.is_some() {
            return Ok(missed);
        }
    }
    if audit_chain::find(conn, number + 1)?.is_some() {
        // It was sealed while we looked.
        return Ok(None);
    }
    let seq = overdue(audit::first_after(conn, seq)?, meta::housekept_at(conn)?);
    Ok(seq.map(|seq| Fault {
        kind: FaultKind::NotSealed,
        number: number + 1,
        seq: Some(seq),
    }))
}

enum Walk {
    On,
    Over,
    Stopped(Fault),
}

/// One page further.
async fn step(ctx: &Ctx, last: &mut Option<Link>) -> Result<Walk, StorageError> {
    let read = match page(ctx, *last, PAGE).await {
        // Among them is one that cannot be read: one after the other, up to it.
        Err(StorageError::Unexpected(_)) => page(ctx, *last, 1).await,
        read => read,
    };
    let (links, entries) = match read {
        Err(StorageError::Unexpected(_)) => return unreadable(ctx, *last).await,
        read => read?,
    };
    let keys = ctx.vault.keys()?;
    for (at, link) in links.iter().enumerate() {
        let rest = entries.get(at..).unwrap_or_default();
        if let Err(fault) = check(&keys.hasher, last.as_ref(), &links[at..], rest) {
            return Ok(Walk::Stopped(fault));
        }
        *last = Some(*link);
    }
    Ok(if links.is_empty() {
        Walk::Over
    } else {
        Walk::On
    })
}

/// The next links, and as many entries: those that the links should be about.
async fn page(
    ctx: &Ctx,
    last: Option<Link>,
    limit: i64,
) -> Result<(Vec<Link>, Vec<Entry>), StorageError> {
    let (number, seq) = last.map_or((0, i64::MIN), |link| (link.number, link.seq));
    ctx.db
        .read(move |conn| {
            let links = audit_chain::after(conn, number, limit)?;
            let count = i64::try_from(links.len()).unwrap_or(limit);
            Ok((links, audit::after(conn, seq, count)?))
        })
        .await
}

async fn unreadable(ctx: &Ctx, last: Option<Link>) -> Result<Walk, StorageError> {
    let after = last.map_or(i64::MIN, |link| link.seq);
    let first = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(audit::first_after(conn, after)?));
    Ok(Walk::Stopped(Fault {
        kind: FaultKind::Unreadable,
        number: last.map_or(0, |link| link.number) + 1,
        seq: first.await?.map(|(seq, _)| seq),
    }))
}

/// Whether the first of `links` follows `last` and seals the first of `entries`.
fn check(
    hasher: &Hasher,
    last: Option<&Link>,
    links: &[Link],
    entries: &[Entry],
) -> Result<(), Fault> {
    let Some(link) = links.first() else {
        return Ok(());
    };
    let number = last.map_or(0, |link| link.number) + 1;
    let fault = |kind, seq| Err(Fault { kind, number, seq });
    let seals = |entry: &Entry| Link::following(last, entry, hasher).hash == link.hash;
    let seq = entries.first().map(|entry| entry.seq);
    if link.number != number {
        return fault(FaultKind::LinkRemoved, seq);
    }
    match entries.first() {
        Some(entry) if entry.seq == link.seq && seals(entry) => Ok(()),
        Some(entry) if entry.seq == link.seq => {
            let moved = |other: &Entry| {
                seals(&Entry {
                    seq: link.seq,
                    ..other.clone()
                })
            };
            let kind = if entries.iter().any(moved) {
                FaultKind::Reordered
            } else {
                FaultKind::Edited
            };
            fault(kind, seq)
        }
        Some(entry) if seals(entry) => fault(FaultKind::Relinked, seq),
        Some(entry) if entry.seq < link.seq => {
            let kind = if links.iter().any(|other| other.seq == entry.seq) {
                FaultKind::Reordered
            } else {
                FaultKind::Inserted
            };
            fault(kind, seq)
        }
        _ => fault(FaultKind::Removed, Some(link.seq)),
    }
}

/// The first entry that waits, if the workers have had their time for it. While they rest, waiting
/// means nothing.
fn overdue(first: Option<(i64, Ts)>, worked_at: Option<Ts>) -> Option<i64> {
    let ((seq, at), worked_at) = first.zip(worked_at)?;
    (worked_at.since(at) > LONGEST_WAIT).then_some(seq)
}

/// What became of the link whose head was noted, if it is not as it was.
fn missed(noted: Head, found: Option<Link>) -> Option<Fault> {
    let kind = match found {
        Some(link) if link.head() == noted => return None,
        Some(_) => FaultKind::Rewritten,
        None => FaultKind::Cut,
    };
    Some(Fault {
        kind,
        number: noted.number,
        seq: found.map(|link| link.seq),
    })
}
