//! Keeps the index of open posts like the database: loads it at the start, then follows the change
//! feed.
//!
//! The place in the feed is remembered before the rows are read, and rows are read after the change
//! that announced them; so a change may be applied twice, and none is missed. From time to time the whole
//! index is compared with the database all the same (`check`).

mod check;
mod load;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;

use self::check::Check;
use super::{Next, Worker, WorkerError};
use crate::actions::Ctx;
use crate::actions::cards::{horizon, offer_cards_by_id, request_cards_by_id};
use crate::domain::availability::{Availability, Timetables, Window, Windows};
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, RequestId};
use crate::matching::card::{OfferCard, RequestCard};
use crate::storage::changes::{Change, Entity, Lost, Pass, Place};
use crate::storage::{Conn, StorageError};

/// Changes applied together.
const APPLIED_AT_ONCE: i64 = 500;
/// How often the intervals of offers are extended: the horizon moves on with the time.
const EXTEND_EVERY: Duration = Duration::from_hours(1);
/// Offers extended in one tick, so that matching need not wait for all of them.
const EXTENDED_AT_ONCE: usize = 200;

/// Follows the change feed.
#[derive(Debug)]
pub struct Feed {
    ctx: Ctx,
    /// How often the index was loaded.
    loads: u64,
    /// Up to where changes were applied, and when that was; none before the index is loaded.
    place: Option<(Place, Instant)>,
    extended_at: Ts,
    to_extend: Vec<OfferId>,
    check: Check,
}

/// What a page of changes is about, as it stands now.
struct Changed {
    requests: HashSet<RequestId>,
    offers: HashSet<OfferId>,
    request_cards: Vec<RequestCard>,
    offer_cards: Vec<OfferCard>,
}

/// A page of the feed.
enum Page {
    /// Changes that this feed should have seen are gone.
    Lost(Lost),
    /// All was read.
    End(Place),
    /// Some changes, and the way to the others.
    Some(Box<(Changed, Pass)>),
}

impl Worker for Feed {
    async fn tick(&mut self, now: Ts) -> Result<Next, WorkerError> {
        self.follow(now).await
    }
}

impl Feed {
    /// A feed that will load the index.
    #[must_use]
    pub fn new(ctx: Ctx) -> Self {
        metrics::gauge!("manyhands_index_complete").set(0.0);
        Self {
            ctx,
            loads: 0,
            place: None,
            extended_at: Ts::EPOCH,
            to_extend: Vec::new(),
            check: Check::new(Ts::EPOCH),
        }
    }

    /// How often it has loaded the index: more than once where it had lost its place in the feed.
    #[must_use]
    pub fn loads(&self) -> u64 {
        self.loads
    }

    /// Applies every change there is to the index, which is loaded first where it was not; then
    /// extends some offers and compares some posts with the database, if it is time to.
    ///
    /// # Errors
    /// A failed query; what was applied until then stays.
    pub async fn follow(&mut self, now: Ts) -> Result<Next, WorkerError> {
        self.apply(now).await?;
        self.extend(now).await?;
        let checked = self.go_on_checking(now).await?;
        Ok(if self.to_extend.is_empty() {
            checked
        } else {
            Next::Now
        })
    }

    /// Applies every change there is, and loads the index first where that was not done.
    ///
    /// # Errors
    /// A failed query; what was applied until then stays.
    pub async fn apply(&mut self, now: Ts) -> Result<(), WorkerError> {
        // What is forgotten is older than this. So whoever never rests that long misses nothing, even if
        // it was written by a transaction that was open for a while.
        let too_long = self.ctx.settings.retention.changes / 2;
        let rested = |(_, at): &(Place, Instant)| at.elapsed() > too_long;
        if self.place.as_ref().is_some_and(rested) {
            self.lose(Lost::Trimmed);
        }
        let begun = Instant::now();
        let mut pass = None;
        loop {
            let Some((place, _)) = self.place.clone() else {
                self.load(now).await?;
                pass = None;
                continue;
            };
            match self.read_page(place, pass.take(), now).await? {
                Page::Lost(why) => self.lose(why),
                Page::End(place) => {
                    self.place = Some((place, begun));
                    break;
                }
                Page::Some(page) => {
                    let (changed, on) = *page;
                    self.put(changed);
                    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
                    metrics::gauge!("manyhands_index_lag_changes").set(on.behind() as f64);
                    pass = Some(on);
                }
            }
        }
        metrics::gauge!("manyhands_index_lag_changes").set(0.0);
        self.measure();
        Ok(())
    }

    /// The index has to be loaded anew.
    fn lose(&mut self, why: Lost) {
        self.place = None;
        if why == Lost::WasEmpty {
            // Nothing was missed as far as anybody knows, and there was next to nothing to load.
            return;
        }
        tracing::warn!(why = ?why, "the place in the change feed is lost; the index is loaded anew");
    }

    async fn read_page(
        &self,
        place: Place,
        pass: Option<Pass>,
        now: Ts,
    ) -> Result<Page, StorageError> {
        let ctx = self.ctx.clone();
        let read = move |conn: &mut Conn| {
            let mut pass = match pass {
                Some(pass) => pass,
                None => match Pass::begin(conn, &place)? {
                    Ok(pass) => pass,
                    Err(why) => return Ok(Page::Lost(why)),
                },
            };
            Ok(match pass.next(conn, APPLIED_AT_ONCE)? {
                Err(why) => Page::Lost(why),
                Ok(page) if page.is_empty() => Page::End(pass.end()),
                Ok(page) => Page::Some(Box::new((read_changed(&ctx, conn, &page, now)?, pass))),
            })
        };
        self.ctx.db.read(read).await
    }

    fn put(&self, changed: Changed) {
        let catalog = &self.ctx.catalog;
        let mut index = self
            .ctx
            .index
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut gone = changed.requests;
        for card in changed.request_cards {
            gone.remove(&card.id);
            index.put_request(catalog, card);
        }
        for id in gone {
            index.remove_request(catalog, id);
        }
        let mut gone = changed.offers;
        for card in changed.offer_cards {
            gone.remove(&card.id);
            index.put_offer(catalog, card);
        }
        for id in gone {
            index.remove_offer(catalog, id);
        }
    }

    async fn load(&mut self, now: Ts) -> Result<(), WorkerError> {
        metrics::gauge!("manyhands_index_complete").set(0.0);
        let started = Instant::now();
        let (place, index) = load::load(&self.ctx, now).await?;
        let (offers, requests) = index.len();
        let old = {
            let mut current = self
                .ctx
                .index
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, index)
        };
        // Not while others wait for the lock.
        drop(old);
        self.place = Some((place, started));
        self.extended_at = now;
        self.check.begin_later(now);
        self.to_extend.clear();
        self.loads += 1;
        metrics::gauge!("manyhands_index_complete").set(1.0);
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(offers, requests, elapsed_ms, "the index is loaded");
        Ok(())
    }

    /// Makes the intervals of some offers anew, up to the horizon as it is now.
    async fn extend(&mut self, now: Ts) -> Result<(), WorkerError> {
        let index = &self.ctx.index;
        // Also when the clock has gone back: what was made by it lies too far ahead.
        let is_due = now < self.extended_at || now.since(self.extended_at) >= EXTEND_EVERY;
        if self.to_extend.is_empty() && is_due {
            let current = index.read().unwrap_or_else(PoisonError::into_inner);
            self.to_extend = current.offers_to_extend();
            self.extended_at = now;
        }
        let rest = self.to_extend.len().saturating_sub(EXTENDED_AT_ONCE);
        let ids = self.to_extend.split_off(rest);
        if ids.is_empty() {
            return Ok(());
        }
        let stands: HashMap<OfferId, Availability> = {
            let current = index.read().unwrap_or_else(PoisonError::into_inner);
            let known = |id: &OfferId| Some((*id, current.offer(*id)?.availability.clone()));
            ids.iter().filter_map(known).collect()
        };
        let (Some(horizon), timetables) =
            (horizon(&self.ctx, now), Arc::clone(&self.ctx.timetables))
        else {
            return Ok(());
        };
        let extended = spawn_blocking(move || extended(stands, &timetables, horizon))
            .await
            .map_err(|_| WorkerError::CutOff)?;
        let mut current = index.write().unwrap_or_else(PoisonError::into_inner);
        for (id, availability, windows) in extended {
            current.extend_offer(&self.ctx.catalog, id, &availability, windows);
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges")]
    fn measure(&self) {
        let current = self
            .ctx
            .index
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let (offers, requests) = current.len();
        metrics::gauge!("manyhands_index_posts", "kind" => "offer").set(offers as f64);
        metrics::gauge!("manyhands_index_posts", "kind" => "request").set(requests as f64);
    }
}

fn read_changed(
    ctx: &Ctx,
    conn: &mut Conn,
    page: &[Change],
    now: Ts,
) -> Result<Changed, StorageError> {
    let of = |entity| page.iter().filter(move |change| change.entity == entity);
    let requests: HashSet<RequestId> = of(Entity::Request).map(|c| c.entity_id.into()).collect();
    let offers: HashSet<OfferId> = of(Entity::Offer).map(|c| c.entity_id.into()).collect();
    let request_ids: Vec<RequestId> = requests.iter().copied().collect();
    let offer_ids: Vec<OfferId> = offers.iter().copied().collect();
    Ok(Changed {
        request_cards: request_cards_by_id(ctx, conn, &request_ids, now)?,
        offer_cards: offer_cards_by_id(ctx, conn, &offer_ids, now)?,
        requests,
        offers,
    })
}

fn extended(
    stands: HashMap<OfferId, Availability>,
    timetables: &Timetables,
    horizon: Window,
) -> Vec<(OfferId, Availability, Windows)> {
    stands
        .into_iter()
        .map(|(id, availability)| {
            let windows = timetables.windows(&availability, horizon);
            (id, availability, windows)
        })
        .collect()
}
