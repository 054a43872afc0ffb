//! The clock has gone back: what it left behind while it was ahead is brought back with it.

use std::time::Duration;

use super::{Ctx, Outcome, Tx};
use crate::storage::ahead::{self, Reach, Table};
use crate::storage::audit::Actor;
use crate::storage::meta;

/// How far the clock may move between two looks, either way, and be trusted.
pub const LONGEST_LEAP: Duration = Duration::from_hours(7 * 24);
/// Rows of each kind at a time.
const AT_ONCE: i64 = 200;
/// The next wave of a request comes sooner than this.
const WAVE: Duration = Duration::from_hours(7 * 24);
/// A neighbor has at most this long to agree.
const AGREEMENT: Duration = Duration::from_hours(30 * 24);
/// What was asked meanwhile can be answered for as long as this.
const ANSWER: Duration = Duration::from_hours(1);
/// Letters to an address that had enough, and to a domain that rests, wait for no longer than this.
const LETTER_RESTS: Duration = Duration::from_hours(2);

/// Brings back to the present what lies farther ahead than anything is ever set, or has happened in the future. Nothing
/// ends or comes back to life by this. The clock of before is forgotten once nothing is left; gives how many rows there
/// were, some of each table at a time.
///
/// # Errors
/// A failed query.
pub async fn come_back(ctx: &Ctx) -> Outcome<usize> {
    let settings = &ctx.settings;
    let reach = Reach {
        event: LONGEST_LEAP,
        round: settings.matching.lease,
        letter: settings.outbox.lease,
        attempt: settings.outbox.retry_max.max(LETTER_RESTS),
        wave: WAVE,
        agreement: AGREEMENT,
        answer: ANSWER,
        offer: settings.retention.offers,
        evidence: settings.retention.reports,
        closed: settings.retention.sealed_after_close,
    };
    let mut found = 0;
    for table in Table::ALL {
        let bring_back =
            move |tx: &mut Tx<'_>| Ok(ahead::bring_back(tx.conn, table, tx.now, reach, AT_ONCE)?);
        found += ctx.write(Actor::SYSTEM, bring_back).await?;
    }
    if found == 0 {
        let forget = |tx: &mut Tx<'_>| Ok(meta::set_latest(tx.conn, tx.now)?);
        ctx.write(Actor::SYSTEM, forget).await?;
    }
    Ok(found)
}
