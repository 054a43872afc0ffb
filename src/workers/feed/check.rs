//! Compares the whole index with the database from time to time, page by page: what a change that was
//! never announced has left behind is found, told (`manyhands_index_drift`) and put right.
//!
//! The database goes on changing meanwhile. So what differs is only a suspect at first: it is read once
//! more after the feed was applied, and is wrong only if the database says the same as before and the
//! index still says something else. What keeps changing is left to the next time.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::PoisonError;

use super::Feed;
use crate::actions::Ctx;
use crate::actions::cards::{offer_facts, request_cards};
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, RequestId};
use crate::matching::card::{OfferCard, RequestCard};
use crate::matching::index::PostIndex;
use crate::storage::changes::{Change, Entity};
use crate::storage::facts::{self, OfferRow, RequestRow, Which};
use crate::storage::{Conn, StorageError};
use crate::workers::{Next, WorkerError};

use super::{Changed, read_changed};

/// Posts compared in one tick, so that matching need not wait for all of them.
const AT_ONCE: i64 = 500;
/// How often suspects are looked at before they are left to the next check.
const LOOKS: usize = 3;

/// How far the comparison has come.
#[derive(Debug)]
pub(super) struct Check {
    begun_at: Ts,
    walk: Option<Walk>,
    drift: usize,
}

/// Posts as they were in the index when the walk began, by id, and up to which they were compared.
#[derive(Debug)]
enum Walk {
    Offers(Vec<OfferId>, Option<OfferId>),
    Requests(Vec<RequestId>, Option<RequestId>),
}

/// A post as the database has it.
enum Row {
    Offer(OfferId, Option<Box<OfferCard>>),
    Request(RequestId, Option<Box<RequestCard>>),
}

/// A page of the database beside the same range of the index.
struct Page {
    rows: Vec<Row>,
    next: Option<Walk>,
}

impl Check {
    pub(super) fn new(begun_at: Ts) -> Self {
        Self {
            begun_at,
            walk: None,
            drift: 0,
        }
    }

    /// The index was just loaded.
    pub(super) fn begin_later(&mut self, now: Ts) {
        *self = Self::new(now);
        metrics::gauge!("manyhands_index_drift").set(0.0);
    }
}

impl Row {
    /// Whether the index says what the database says. A request whose time is over may still be there or
    /// not: nobody is asked for it.
    fn agrees(&self, index: &PostIndex, now: Ts) -> bool {
        match self {
            Self::Offer(id, row) => match (row, index.offer(*id)) {
                (Some(row), Some(known)) => known.agrees_with(row),
                (row, known) => row.is_none() && known.is_none(),
            },
            Self::Request(_, Some(row)) if row.window.until() <= now => true,
            Self::Request(id, row) => row.as_deref() == index.request(*id),
        }
    }

    fn says_as(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Offer(_, Some(a)), Self::Offer(_, Some(b))) => a.agrees_with(b),
            (Self::Offer(_, a), Self::Offer(_, b)) => a.is_none() && b.is_none(),
            (Self::Request(_, a), Self::Request(_, b)) => a == b,
            _ => false,
        }
    }

    fn change(&self) -> Change {
        let (entity, entity_id) = match self {
            Self::Offer(id, _) => (Entity::Offer, (*id).into()),
            Self::Request(id, _) => (Entity::Request, (*id).into()),
        };
        Change {
            seq: 0,
            mark: 0,
            entity,
            entity_id,
            at: Ts::EPOCH,
        }
    }
}

impl Feed {
    /// Compares the next posts, if it is time to; says when to go on.
    pub(super) async fn go_on_checking(&mut self, now: Ts) -> Result<Next, WorkerError> {
        let every = self.ctx.settings.matching.index_check_every;
        let walk = match self.check.walk.take() {
            Some(walk) => walk,
            None if now < self.check.begun_at || now.since(self.check.begun_at) >= every => {
                self.check.begun_at = now;
                self.check.drift = 0;
                let index = self
                    .ctx
                    .index
                    .read()
                    .unwrap_or_else(PoisonError::into_inner);
                Walk::Offers(index.offer_ids(), None)
            }
            None => return Ok(Next::At(self.check.begun_at.after(every))),
        };
        let ctx = self.ctx.clone();
        let read = move |conn: &mut Conn| page(&ctx, conn, walk);
        let Page { rows, next } = self.ctx.db.read(read).await?;
        self.check.drift += self.settle(rows, now).await?;
        self.check.walk = next;
        if self.check.walk.is_some() {
            return Ok(Next::Now);
        }
        self.tell();
        Ok(Next::At(self.check.begun_at.after(every)))
    }

    /// Puts right what is wrong among `rows`; gives how many were.
    async fn settle(&mut self, mut rows: Vec<Row>, now: Ts) -> Result<usize, WorkerError> {
        self.keep_differing(&mut rows, now);
        let mut drift = 0;
        for _ in 0..LOOKS {
            if rows.is_empty() {
                break;
            }
            // Everything that was announced before the rows were read is in the index after this.
            self.apply(now).await?;
            let before = rows;
            rows = self.read_again(&before).await?;
            self.keep_differing(&mut rows, now);
            let key = |row: &Row| row.change().entity_id;
            let before: HashMap<_, _> = before.iter().map(|row| (key(row), row)).collect();
            let (wrong, moving): (Vec<Row>, Vec<Row>) = rows
                .into_iter()
                .partition(|row| before.get(&key(row)).is_some_and(|b| row.says_as(b)));
            drift += wrong.len();
            self.put_right(&wrong, now).await?;
            rows = moving;
        }
        Ok(drift)
    }

    fn keep_differing(&self, rows: &mut Vec<Row>, now: Ts) {
        let index = self
            .ctx
            .index
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        rows.retain(|row| !row.agrees(&index, now));
    }

    async fn read_again(&self, rows: &[Row]) -> Result<Vec<Row>, StorageError> {
        let (mut of_offers, mut of_requests) = (Vec::new(), Vec::new());
        for row in rows {
            match row {
                Row::Offer(id, _) => of_offers.push(*id),
                Row::Request(id, _) => of_requests.push(*id),
            }
        }
        let ctx = self.ctx.clone();
        let read = move |conn: &mut Conn| {
            let found = facts::offers(conn, Which::Ids(&of_offers))?;
            let mut rows = offer_rows(&ctx, conn, &of_offers, found)?;
            let found = facts::requests(conn, Which::Ids(&of_requests))?;
            rows.extend(request_rows(&ctx, conn, &of_requests, found)?);
            Ok(rows)
        };
        self.ctx.db.read(read).await
    }

    async fn put_right(&self, wrong: &[Row], now: Ts) -> Result<(), StorageError> {
        if wrong.is_empty() {
            return Ok(());
        }
        let changes: Vec<Change> = wrong.iter().map(Row::change).collect();
        for change in &changes {
            tracing::warn!(entity = %change.entity, post.id = %change.entity_id, "the index was wrong about a post");
        }
        let ctx = self.ctx.clone();
        let read = move |conn: &mut Conn| read_changed(&ctx, conn, &changes, now);
        let now_right: Changed = self.ctx.db.read(read).await?;
        self.put(now_right);
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    fn tell(&self) {
        let drift = self.check.drift;
        metrics::gauge!("manyhands_index_drift").set(drift as f64);
        if drift > 0 {
            tracing::warn!(
                drift,
                "the index differed from the database, and was put right"
            );
        }
    }
}

/// The next range of ids: what is open there, and what the index had there.
fn page(ctx: &Ctx, conn: &mut Conn, walk: Walk) -> Result<Page, StorageError> {
    match walk {
        Walk::Offers(mut known, after) => {
            let found = facts::offers(conn, Which::ById(after, AT_ONCE))?;
            let last = is_full(found.len())
                .then(|| found.last().map(|(o, ..)| o.id))
                .flatten();
            let mut ids: Vec<OfferId> = found.iter().map(|(o, ..)| o.id).collect();
            ids.extend(split_off_up_to(&mut known, last));
            let rows = offer_rows(ctx, conn, &ids, found)?;
            let next = if let Some(last) = last {
                Walk::Offers(known, Some(last))
            } else {
                let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
                Walk::Requests(index.request_ids(), None)
            };
            Ok(Page {
                rows,
                next: Some(next),
            })
        }
        Walk::Requests(mut known, after) => {
            let found = facts::requests(conn, Which::ById(after, AT_ONCE))?;
            let last = is_full(found.len())
                .then(|| found.last().map(|(r, _)| r.id))
                .flatten();
            let mut ids: Vec<RequestId> = found.iter().map(|(r, _)| r.id).collect();
            ids.extend(split_off_up_to(&mut known, last));
            let rows = request_rows(ctx, conn, &ids, found)?;
            let next = last.map(|last| Walk::Requests(known, Some(last)));
            Ok(Page { rows, next })
        }
    }
}

fn is_full(rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows >= AT_ONCE)
}

/// Takes those up to `last` out, or all of them.
fn split_off_up_to<I: Ord>(known: &mut Vec<I>, last: Option<I>) -> Vec<I> {
    let end = last.map_or(known.len(), |last| known.partition_point(|id| *id <= last));
    let rest = known.split_off(end);
    std::mem::replace(known, rest)
}

fn offer_rows(
    ctx: &Ctx,
    conn: &mut Conn,
    ids: &[OfferId],
    found: Vec<OfferRow>,
) -> Result<Vec<Row>, StorageError> {
    let cards = offer_facts(ctx, conn, found)?.into_iter();
    let row = |id, card: Option<OfferCard>| Row::Offer(id, card.map(Box::new));
    Ok(rows(ids, cards.map(|card| (card.id, card)), row))
}

fn request_rows(
    ctx: &Ctx,
    conn: &mut Conn,
    ids: &[RequestId],
    found: Vec<RequestRow>,
) -> Result<Vec<Row>, StorageError> {
    // At an instant at which none of them is over yet: time alone is no difference.
    let cards = request_cards(ctx, conn, found, Ts::EPOCH)?.into_iter();
    let row = |id, card: Option<RequestCard>| Row::Request(id, card.map(Box::new));
    Ok(rows(ids, cards.map(|card| (card.id, card)), row))
}

/// One for each id, in their order, with its card where there is one.
fn rows<I: Copy + Ord + Hash, C>(
    ids: &[I],
    cards: impl Iterator<Item = (I, C)>,
    row: impl Fn(I, Option<C>) -> Row,
) -> Vec<Row> {
    let mut cards: HashMap<I, C> = cards.collect();
    let ids: BTreeSet<I> = ids.iter().copied().collect();
    ids.into_iter()
        .map(|id| row(id, cards.remove(&id)))
        .collect()
}
