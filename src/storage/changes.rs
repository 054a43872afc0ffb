//! The change feed: what has changed, for the indexes that must look at it again, and for whoever watches.
//!
//! Every write that changes what they know adds rows here in its own transaction; every instance polls for
//! them.
//!
//! On SQLite one writer gives the numbers, and whoever has read up to one has read everything below it.
//! On PostgreSQL a transaction that is still open may hold a smaller number than what was read already.
//! So a reader does not remember a number there but a *snapshot*: the first transaction that had not begun
//! (`before`), and those below it that were open. The next time it reads what these wrote, and what was
//! written by transactions from `before` on up to the next snapshot; every row has its writer's number as
//! its `mark`. Nothing can be overtaken, whatever is open for however long, and hardly anything is read twice.
//! A mark from another server, which a restored dump may hold, is above or below that range, and is not read.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::connection::{Conn, insert_rows, with};
use super::dialect::{Horizon, horizon, one_of};
use super::schema::changes;
use crate::domain::clock::Ts;
use crate::domain::event::EventType;
use crate::domain::ids::{MatchId, OfferId, RecordId, RequestId, TaskId};
use crate::domain::word::words;

words! {
    /// What changed.
    Entity {
        /// A request.
        Request = "request",
        /// An offer, or something of its volunteer.
        Offer = "offer",
        /// A match.
        Match = "match",
        /// A task.
        Task = "task",
    }
}

/// A change, to read.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = changes)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct Change {
    pub seq: i64,
    pub mark: i64,
    pub entity: Entity,
    pub entity_id: RecordId,
    pub at: Ts,
}

impl From<Entity> for EventType {
    fn from(entity: Entity) -> Self {
        match entity {
            Entity::Request => Self::Request,
            Entity::Offer => Self::Offer,
            Entity::Match => Self::Match,
            Entity::Task => Self::Task,
        }
    }
}

fn insert(
    conn: &mut Conn,
    entity: Entity,
    ids: impl Iterator<Item = RecordId>,
    now: Ts,
) -> QueryResult<()> {
    let rows: Vec<_> = ids
        .map(|id| {
            (
                changes::entity.eq(entity),
                changes::entity_id.eq(id),
                changes::at.eq(now),
            )
        })
        .collect();
    insert_rows!(conn, changes::table, &rows[..])?;
    Ok(())
}

/// Announces changed requests.
///
/// # Errors
/// A failed query.
pub fn requests(conn: &mut Conn, ids: &[RequestId], now: Ts) -> QueryResult<()> {
    insert(
        conn,
        Entity::Request,
        ids.iter().map(|id| (*id).into()),
        now,
    )
}

/// Announces changed offers.
///
/// # Errors
/// A failed query.
pub fn offers(conn: &mut Conn, ids: &[OfferId], now: Ts) -> QueryResult<()> {
    insert(conn, Entity::Offer, ids.iter().map(|id| (*id).into()), now)
}

/// Announces changed matches.
///
/// # Errors
/// A failed query.
pub fn matches(conn: &mut Conn, ids: &[MatchId], now: Ts) -> QueryResult<()> {
    insert(conn, Entity::Match, ids.iter().map(|id| (*id).into()), now)
}

/// Announces changed tasks.
///
/// # Errors
/// A failed query.
pub fn tasks(conn: &mut Conn, ids: &[TaskId], now: Ts) -> QueryResult<()> {
    insert(conn, Entity::Task, ids.iter().map(|id| (*id).into()), now)
}

/// How far a reader has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    read: Horizon,
    /// The row with the largest number that was there. As long as it is, so is every row above it: rows
    /// are forgotten from the smallest number on.
    newest: Option<i64>,
}

/// A way through what is new, page by page.
#[derive(Clone, Debug)]
pub struct Pass {
    from: Place,
    to: Place,
    /// The last row of the page before: mark and number.
    after: Option<(i64, i64)>,
}

/// Why what is new cannot be read: the index must be loaded anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The row that the reader held on to is gone, and so may be others that it has not read.
    Trimmed,
    /// The feed was empty: there was no row to hold on to.
    WasEmpty,
    /// The server gives smaller numbers to transactions than before: it is another one, or was set back.
    OtherServer,
}

impl Place {
    /// The present end of the feed. Whatever is committed before this is asked can be seen by whoever
    /// reads rows afterward; everything else will be new.
    ///
    /// # Errors
    /// A failed query.
    pub fn now(conn: &mut Conn) -> QueryResult<Self> {
        let read = horizon(conn)?;
        let newest = newest(conn)?;
        Ok(Self { read, newest })
    }
}

impl Pass {
    /// Through everything that has become visible since `from`; nothing, if nothing has.
    ///
    /// # Errors
    /// A failed query.
    pub fn begin(conn: &mut Conn, from: &Place) -> QueryResult<Result<Self, Lost>> {
        let begun = Self::begin_anywhere(conn, from)?;
        Ok(
            begun.and_then(|pass| match (pass.from.newest, pass.to.newest) {
                (None, Some(_)) => Err(Lost::WasEmpty),
                _ => Ok(pass),
            }),
        )
    }

    /// As [`Pass::begin`], also from an empty feed: for who looks so often that nothing is forgotten meanwhile.
    ///
    /// # Errors
    /// A failed query.
    pub fn begin_anywhere(conn: &mut Conn, from: &Place) -> QueryResult<Result<Self, Lost>> {
        let to = Place::now(conn)?;
        if let (Horizon::Concurrent { before, .. }, Horizon::Concurrent { before: now, .. }) =
            (&from.read, &to.read)
            && now < before
        {
            return Ok(Err(Lost::OtherServer));
        }
        Ok(Ok(Self {
            from: from.clone(),
            to,
            after: None,
        }))
    }

    /// The next rows, at most `limit`; none at the end. Read what they are about after this.
    ///
    /// # Errors
    /// A failed query.
    pub fn next(&mut self, conn: &mut Conn, limit: i64) -> QueryResult<Result<Vec<Change>, Lost>> {
        let ends = (&self.from.read, &self.to.read);
        let page = if let (
            Horizon::Concurrent { before, open },
            Horizon::Concurrent { before: until, .. },
        ) = ends
        {
            between(conn, *before, open, *until, self.after, limit)?
        } else {
            let after = self.after.map(|(_, seq)| seq).or(self.from.newest);
            after_seq(conn, after.unwrap_or(i64::MIN), self.to.newest, limit)?
        };
        // Asked after the rows were read: what is forgotten from here on was not needed for them.
        if let Some(seq) = self.from.newest
            && !is_there(conn, seq)?
        {
            return Ok(Err(Lost::Trimmed));
        }
        if let Some(last) = page.last() {
            self.after = Some((last.mark, last.seq));
        }
        Ok(Ok(page))
    }

    /// How many rows are still to come, as far as numbers without gaps would tell.
    #[must_use]
    pub fn behind(&self) -> i64 {
        let (last, newest) = (self.after.map(|(_, seq)| seq), self.to.newest);
        last.zip(newest)
            .map_or(0, |(last, newest)| (newest - last).max(0))
    }

    /// Where the reader is, once every page was read and applied.
    #[must_use]
    pub fn end(self) -> Place {
        self.to
    }
}

/// Changes by transactions from `before` up to `until`, and by those that were `open`, in the order of
/// marks and numbers. Those that were open are looked up one by one: one may be open for hours, in another
/// database of the server too, and everything behind it was read long ago.
fn between(
    conn: &mut Conn,
    before: i64,
    open: &[i64],
    until: i64,
    after: Option<(i64, i64)>,
    limit: i64,
) -> QueryResult<Vec<Change>> {
    let (mark, seq) = after.unwrap_or((i64::MIN, i64::MIN));
    let open: Vec<i64> = open.iter().copied().filter(|open| *open >= mark).collect();
    let mut page: Vec<Change> = Vec::new();
    if !open.is_empty() {
        page = with!(conn, c => changes::table
            .filter(one_of(changes::mark, &open))
            .filter(changes::mark.gt(mark).or(changes::seq.gt(seq)))
            .order((changes::mark, changes::seq))
            .limit(limit)
            .select(Change::as_select())
            .load(c))?;
    }
    let rest = limit - i64::try_from(page.len()).unwrap_or(limit);
    if rest > 0 {
        // Every one that was open is below `before`.
        let (mark, seq) = after
            .filter(|(mark, _)| *mark >= before)
            .unwrap_or((before, i64::MIN));
        page.extend(with!(conn, c => changes::table
            .filter(changes::mark.ge(mark))
            .filter(changes::mark.lt(until))
            .filter(changes::mark.gt(mark).or(changes::seq.gt(seq)))
            .order((changes::mark, changes::seq))
            .limit(rest)
            .select(Change::as_select())
            .load::<Change>(c))?);
    }
    Ok(page)
}

/// Changes after `seq` up to `newest`, in their order.
fn after_seq(
    conn: &mut Conn,
    seq: i64,
    newest: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<Change>> {
    with!(conn, c => changes::table
        .filter(changes::seq.gt(seq))
        .filter(changes::seq.le(newest.unwrap_or(i64::MIN)))
        .order(changes::seq)
        .limit(limit)
        .select(Change::as_select())
        .load(c))
}

/// The largest number there is; none in an empty feed.
fn newest(conn: &mut Conn) -> QueryResult<Option<i64>> {
    with!(conn, c => changes::table.select(diesel::dsl::max(changes::seq)).first(c))
}

fn is_there(conn: &mut Conn, seq: i64) -> QueryResult<bool> {
    with!(conn, c => diesel::select(diesel::dsl::exists(changes::table.find(seq))).get_result(c))
}

/// Forgets up to `limit` changes older than `before`, from the smallest number on and up to the first that
/// is not older; never the newest: it tells where the feed stands.
///
/// # Errors
/// A failed query.
pub fn trim(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<usize> {
    let Some(newest) = newest(conn)? else {
        return Ok(0);
    };
    let first: Vec<(i64, Ts)> = with!(conn, c => changes::table
        .filter(changes::seq.lt(newest))
        .order(changes::seq)
        .select((changes::seq, changes::at))
        .limit(limit)
        .load(c))?;
    let old: Vec<i64> = first
        .into_iter()
        .take_while(|(_, at)| *at < before)
        .map(|(seq, _)| seq)
        .collect();
    if old.is_empty() {
        return Ok(0);
    }
    with!(conn, c => diesel::delete(changes::table.filter(one_of(changes::seq, &old))).execute(c))
}
