//! Brings due requests and offers together.
//!
//! What is due stands in the database: nothing is lost when this worker dies, and what it had taken
//! is due again when the lease runs out.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::actions::Ctx;
use crate::actions::claim_posts::{ClaimedPosts, claim_posts};
use crate::actions::expire::{AT_ONCE, overdue_matches};
use crate::actions::match_offer::match_offer;
use crate::actions::match_request::{IdleRound, match_request, settle_idle};
use crate::domain::clock::Ts;
use crate::domain::ids::LeaseId;
use crate::storage::{StorageError, matches, offers, requests};

use super::feed::Feed;
use super::{Next, Stop, Worker, WorkerError};

/// Requests, and offers, taken at a time: a fraction of what a lease lasts for.
const TAKEN_AT_ONCE: i64 = 32;

/// While one in so many of the calls wait for the database that may (`server.waiting_calls`), matching gives way to them: it
/// rests for as long as it works, and for several times as long while several times as many wait.
const MANY_CALLS: usize = 8;
/// It gives way for no longer than this at a time.
const LONGEST_WAY: Duration = Duration::from_millis(250);

/// Matches what is due.
#[derive(Debug)]
pub struct Matching {
    ctx: Ctx,
    feed: Feed,
    stop: Stop,
}

/// When there is something to do.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// Matches whose time has run out.
    matches: Option<Ts>,
    /// Requests and offers.
    posts: Option<Ts>,
}

impl Worker for Matching {
    async fn tick(&mut self, now: Ts) -> Result<Next, WorkerError> {
        let followed = self.feed.follow(now).await?;
        let mut due = self.due().await?;
        let mut ended = Ok(());
        if due.matches.is_some_and(|at| at <= now) {
            // A match that cannot be ended must not keep the posts waiting.
            ended = only_outages(self.end_overdue().await)?;
            due = self.due().await?;
        }
        while due.posts.is_some_and(|at| at <= now) {
            if self.stop.is_set() || !self.round(now).await? {
                due.posts = None;
                break;
            }
            due = self.due().await?;
        }
        ended?;
        let due = due.matches.into_iter().chain(due.posts);
        Ok(match followed {
            Next::Now => Next::Now,
            Next::At(at) => Next::due(due.chain([at]).min()),
            Next::Later => Next::due(due.min()),
        })
    }
}

impl Matching {
    /// A worker that matches over the index that `feed` keeps.
    #[must_use]
    pub fn new(ctx: Ctx, feed: Feed, stop: Stop) -> Self {
        Self { ctx, feed, stop }
    }

    async fn due(&self) -> Result<Due, StorageError> {
        self.ctx
            .db
            .read(|conn| {
                let posts = [requests::next_due(conn)?, offers::next_due(conn)?];
                Ok(Due {
                    matches: matches::next_overdue(conn)?,
                    posts: posts.into_iter().flatten().min(),
                })
            })
            .await
    }

    async fn end_overdue(&self) -> Result<(), WorkerError> {
        let full = usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
        while !self.stop.is_set() && overdue_matches(&self.ctx).await? >= full {}
        Ok(())
    }

    /// Takes some due posts and matches them; false if there were none to take. The index is brought
    /// up to date after they were taken: of two posts that arrive together, each waits for a round of
    /// its own, and the later round sees both.
    async fn round(&mut self, now: Ts) -> Result<bool, WorkerError> {
        let ClaimedPosts {
            lease,
            requests,
            offers,
        } = claim_posts(&self.ctx, TAKEN_AT_ONCE).await?;
        if requests.is_empty() && offers.is_empty() {
            return Ok(false);
        }
        self.feed.apply(now).await?;
        let mut idle = Vec::new();
        for request in requests {
            let (id, begun) = (request.id, Instant::now());
            let result = match_request(&self.ctx, request, lease).await;
            match only_outages(result.map_err(Into::into))? {
                Ok(round) => idle.extend(round),
                Err(error) => {
                    tracing::error!(request.id = %id, error = %error, "a request could not be matched");
                }
            }
            self.give_way(begun).await;
        }
        self.settle(idle, lease).await?;
        for offer in offers {
            let (id, begun) = (offer.id, Instant::now());
            let result = match_offer(&self.ctx, offer, lease).await;
            if let Err(error) = only_outages(result.map_err(Into::into))? {
                tracing::error!(offer.id = %id, error = %error, "an offer could not be matched");
            }
            self.give_way(begun).await;
        }
        Ok(true)
    }

    /// Rests after what it has done since `begun`, if many calls wait.
    async fn give_way(&self, begun: Instant) {
        let most = usize::try_from(self.ctx.settings.server.waiting_calls).unwrap_or(usize::MAX);
        let times = self.ctx.db.waiting_calls() / (most / MANY_CALLS).max(1);
        if times > 0 && !self.stop.is_set() {
            let rest = begun
                .elapsed()
                .saturating_mul(u32::try_from(times).unwrap_or(u32::MAX));
            sleep(rest.min(LONGEST_WAY)).await;
        }
    }

    async fn settle(&self, idle: Vec<IdleRound>, lease: LeaseId) -> Result<(), WorkerError> {
        let together = settle_idle(&self.ctx, idle.clone(), lease).await;
        if only_outages(together.map_err(Into::into))?.is_ok() {
            return Ok(());
        }
        for round in idle {
            let id = round.request();
            let alone = settle_idle(&self.ctx, vec![round], lease).await;
            if let Err(error) = only_outages(alone.map_err(Into::into))? {
                tracing::error!(request.id = %id, error = %error, "a round could not be settled");
            }
        }
        Ok(())
    }
}

/// An outage ends the tick; what fails for one post only must not keep the others waiting.
fn only_outages<T>(result: Result<T, WorkerError>) -> Result<Result<T, WorkerError>, WorkerError> {
    match result {
        Err(error) if error.is_outage() => Err(error),
        other => Ok(other),
    }
}
