//! What time ends: posts that are over are closed, and what is no longer needed is erased. And what it brings: word of
//! tasks that are late, and the morning's letter.
//!
//! Erased is erased, so a clock that is wrong must not cause it. When the clock has moved on, or back, by more
//! than a week since it was last trusted, nothing is ended until an operator says that it is right
//! (`manyhands doctor --clock-is-right`); also when the service merely rested that long. When the clock has gone back,
//! what it set for the future while it was ahead is brought back with it, so that nothing waits for years.

use std::time::Duration;

use super::{Next, Stop, Worker, WorkerError};
use crate::actions::activate_key::{Activation, activate_key};
use crate::actions::add_key::add_key;
pub use crate::actions::come_back::LONGEST_LEAP;
use crate::actions::come_back::come_back;
use crate::actions::destroy_keys::destroy_keys;
use crate::actions::escalate_tasks::escalate_tasks;
use crate::actions::morning_digest::morning_digest;
use crate::actions::trust_clock::{note_clock, trust_clock};
use crate::actions::{Ctx, aftermath, expire, forget};
use crate::domain::clock::Ts;
use crate::storage::audit::Actor;
use crate::storage::key_epochs::KeyEpoch;
use crate::storage::{StorageError, key_epochs, meta};

/// How often it looks.
const EVERY: Duration = Duration::from_mins(1);
/// A clock that goes back by no more than this is being put right, and nothing needs to be done.
const STEP_BACK: Duration = Duration::from_mins(1);
/// How often the log repeats that a confirmation is waited for.
const REMIND_EVERY: Duration = Duration::from_hours(1);

/// Ends what is over.
#[derive(Debug)]
pub struct Housekeeping {
    ctx: Ctx,
    stop: Stop,
    due: Ts,
    reminded_at: Option<Ts>,
    /// Since when the clock has been behind the latest instant known.
    behind_since: Option<Ts>,
}

impl Worker for Housekeeping {
    async fn tick(&mut self, now: Ts) -> Result<Next, WorkerError> {
        // Both ways, in case the clock was set back.
        if now < self.due && self.due.since(now) <= EVERY {
            return Ok(Next::At(self.due));
        }
        if self.may_trust(now).await? {
            self.notice_a_step_back(now).await?;
            self.end_what_is_over().await?;
        }
        expire::sweep(&self.ctx).await?;
        self.tell_what_is_late().await?;
        morning_digest(&self.ctx).await?;
        self.due = now.after(EVERY);
        Ok(Next::At(self.due))
    }
}

impl Housekeeping {
    /// A worker that looks at once.
    #[must_use]
    pub fn new(ctx: Ctx, stop: Stop) -> Self {
        Self {
            ctx,
            stop,
            due: Ts::EPOCH,
            reminded_at: None,
            behind_since: None,
        }
    }

    /// Whether the clock has gone back, and if so brings back what it left ahead: once all leases are over that
    /// were taken before, for their holders may still be at work.
    async fn notice_a_step_back(&mut self, now: Ts) -> Result<(), WorkerError> {
        let latest = self
            .ctx
            .db
            .read(|conn| Ok::<_, StorageError>(meta::latest(conn)?))
            .await?;
        if latest.is_none_or(|latest| latest.since(now) <= STEP_BACK) {
            self.behind_since = None;
            return Ok(());
        }
        let since = self.behind_since.filter(|since| *since <= now);
        let since = *self.behind_since.insert(since.unwrap_or(now));
        let settings = &self.ctx.settings;
        if now.since(since) < settings.outbox.lease.max(settings.matching.lease) {
            return Ok(());
        }
        let mut all = 0;
        loop {
            let found = come_back(&self.ctx).await?;
            all += found;
            if found == 0 || self.stop.is_set() {
                break;
            }
        }
        tracing::warn!(
            rows = all,
            "the clock has gone back: what it had set for later was brought back"
        );
        Ok(())
    }

    /// Whether the clock has moved on as clocks do.
    async fn may_trust(&mut self, now: Ts) -> Result<bool, WorkerError> {
        let last = self
            .ctx
            .db
            .read(|conn| Ok::<_, StorageError>(meta::housekept_at(conn)?))
            .await?;
        let leap = last.map_or(Duration::ZERO, |last| now.since(last).max(last.since(now)));
        if leap > LONGEST_LEAP {
            self.remind(now, leap);
            note_clock(&self.ctx).await?;
            return Ok(false);
        }
        trust_clock(&self.ctx, Actor::SYSTEM).await?;
        self.reminded_at = None;
        Ok(true)
    }

    fn remind(&mut self, now: Ts, leap: Duration) {
        if self
            .reminded_at
            .is_some_and(|at| at <= now && now.since(at) < REMIND_EVERY)
        {
            return;
        }
        self.reminded_at = Some(now);
        tracing::error!(
            leap_days = leap.as_secs() / 86_400,
            now = %now,
            "the clock has leapt: nothing is closed or erased until `manyhands doctor --clock-is-right` confirms it"
        );
    }

    /// Brings a new master key into use when the active one is old, and destroys those that were retired
    /// long enough ago.
    async fn renew_keys(&self) -> Result<(), WorkerError> {
        let ctx = &self.ctx;
        let (now, keys) = (ctx.now(), &ctx.settings.keys);
        let known = ctx
            .db
            .read(|conn| Ok::<_, StorageError>(key_epochs::all(conn)?))
            .await?;
        let is_old = |key: &KeyEpoch| match key.activated_at {
            Some(at) => at <= now.before(keys.rotate_every),
            // It was added and waits for the other processes.
            None => true,
        };
        if known.last().is_some_and(is_old) {
            let epoch = add_key(ctx, Actor::SYSTEM).await?;
            if let Activation::Waiting(instances) = activate_key(ctx, epoch, Actor::SYSTEM).await? {
                tracing::info!(
                    key.epoch = epoch,
                    instances,
                    "a new key waits for other processes"
                );
            }
        }
        let destroyed = destroy_keys(ctx, now.before(keys.destroy_after), Actor::SYSTEM).await?;
        if let Some((epoch, why)) = destroyed.kept {
            tracing::warn!(key.epoch = epoch, why = ?why, "a key is due to be destroyed, and is still needed");
        }
        Ok(())
    }

    async fn tell_what_is_late(&self) -> Result<(), WorkerError> {
        let full = usize::try_from(expire::AT_ONCE).unwrap_or(usize::MAX);
        while !self.stop.is_set() && escalate_tasks(&self.ctx).await? >= full {}
        Ok(())
    }

    async fn end_what_is_over(&self) -> Result<(), WorkerError> {
        let ctx = &self.ctx;
        let full = usize::try_from(expire::AT_ONCE).unwrap_or(usize::MAX);
        let mut results = Vec::new();
        macro_rules! until_done {
            ($($work:path),*) => {$(
                let work = async {
                    while !self.stop.is_set() && $work(ctx).await? >= full {}
                    Ok::<_, WorkerError>(())
                };
                results.push(work.await);
            )*};
        }
        until_done!(
            aftermath::reminders,
            aftermath::past_reminders,
            aftermath::questions,
            aftermath::believed,
            aftermath::silence,
            expire::past_requests,
            expire::past_offers,
            expire::unconfirmed,
            expire::sealed_parts,
            expire::frozen_areas,
            expire::evidence,
            expire::leftovers,
            expire::ending_offers,
            forget::old_requests,
            forget::old_offers,
            forget::old_volunteers,
            forget::old_letters,
            forget::old_work
        );
        results.push(self.renew_keys().await);
        // Each had its turn; one that failed must not keep the others from erasing.
        results.into_iter().collect()
    }
}
