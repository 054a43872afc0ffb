//! A story in virtual time: the clock leaps from one thing to the next, and nothing runs by itself.
//! The same seed gives the same story to the last letter.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::agenda::City;
use super::habits::Habits;
use crate::actions::Ctx;
use crate::app::{self, Parts, StartError};
use crate::domain::clock::{Clock, ManualClock, Ts};
use crate::domain::entropy::SeededEntropy;
use crate::domain::letter::Lane;
use crate::mail::transport::Transport;
use crate::settings::Settings;
use crate::workers::feed::Feed;
use crate::workers::housekeeping::Housekeeping;
use crate::workers::matching::Matching;
use crate::workers::outbox::Outbox;
use crate::workers::{Next, Stop, Worker, WorkerError};

/// The clock's smallest leap.
const STEP: Duration = Duration::from_mins(1);
/// How often housekeeping looks. Each look is a commit, and nothing that it does is due to the minute.
const HOUSEKEEPING: Duration = Duration::from_mins(15);
/// Ticks at one instant, before something must be wrong.
const MOST_TICKS: usize = 10_000;

/// A worker that is left alone as long as nothing was committed and nothing of its own is due, as in a service.
struct Watched<W> {
    worker: W,
    /// What it said last, and how many commits there were before that.
    last: Option<(Next, u64)>,
}

impl<W: Worker> Watched<W> {
    fn new(worker: W) -> Self {
        Self { worker, last: None }
    }

    async fn tick(&mut self, now: Ts, commits: &watch::Receiver<u64>) -> Result<Next, WorkerError> {
        let commits = *commits.borrow();
        match self.last {
            Some((next, seen)) if seen == commits && !is_due(next, now) => return Ok(next),
            _ => {}
        }
        let next = self.worker.tick(now).await?;
        self.last = Some((next, commits));
        Ok(next)
    }
}

fn is_due(next: Next, now: Ts) -> bool {
    match next {
        Next::Now => true,
        Next::At(at) => at <= now,
        Next::Later => false,
    }
}

/// The clock, and whatever runs by it.
pub(in crate::cli) struct Crew {
    clock: Arc<ManualClock>,
    commits: watch::Receiver<u64>,
    matching: Watched<Matching>,
    outboxes: [Watched<Outbox>; 2],
    housekeeping: Housekeeping,
    housekeeping_due: Ts,
}

/// Opens an instance whose time stands at `start`. What a story needs of its settings, beside a home:
/// one letter after the other, since what is sent first must not depend on threads.
///
/// # Errors
/// As [`app::open`].
pub(in crate::cli) async fn open(
    settings: Settings,
    start: Ts,
    seed: u64,
) -> Result<(Ctx, Arc<Transport>, Crew), StartError> {
    let transport = Arc::new(Transport::new(&settings.mail)?);
    let clock = Arc::new(ManualClock::at(start));
    let parts = Parts {
        clock: Arc::clone(&clock) as _,
        entropy: Arc::new(SeededEntropy::new(seed)),
        ..Parts::default()
    };
    let ctx = app::open(settings, &parts).await?;
    let feed = Feed::new(ctx.clone());
    let crew = Crew {
        clock,
        commits: ctx.db.committed(),
        matching: Watched::new(Matching::new(ctx.clone(), feed, Stop::never())),
        outboxes: Lane::ALL.map(|lane| {
            let transport = Arc::clone(&transport);
            Watched::new(Outbox::new(ctx.clone(), transport, lane, Stop::never()))
        }),
        housekeeping: Housekeeping::new(ctx.clone(), Stop::never()),
        housekeeping_due: start,
    };
    Ok((ctx, transport, crew))
}

impl Crew {
    /// Tells the story up to `end`. After each leap `goes_on` is asked with the time.
    ///
    /// # Errors
    /// A worker or an action that fails.
    pub async fn tell<H: Habits>(
        &mut self,
        city: &mut City<H>,
        end: Ts,
        mut goes_on: impl FnMut(Ts) -> bool,
    ) -> anyhow::Result<()> {
        loop {
            let worker = self.settle(city).await?;
            let due = worker
                .into_iter()
                .chain(city.next())
                .chain([self.housekeeping_due])
                .min();
            let next = due.map_or(end, |due| due.max(self.clock.now().after(STEP)));
            if next >= end || !goes_on(next) {
                self.clock.set(end.min(next));
                return Ok(());
            }
            self.clock.set(next);
        }
    }

    /// Lets workers and people do all that is due now; gives when a worker wants to look again.
    async fn settle<H: Habits>(&mut self, city: &mut City<H>) -> anyhow::Result<Option<Ts>> {
        let now = self.clock.now();
        if self.housekeeping_due <= now {
            self.housekeeping.tick(now).await?;
            self.housekeeping_due = now.after(HOUSEKEEPING);
        }
        for _ in 0..MOST_TICKS {
            city.act().await?;
            let mut ticks = vec![self.matching.tick(now, &self.commits).await?];
            for outbox in &mut self.outboxes {
                ticks.push(outbox.tick(now, &self.commits).await?);
            }
            let read = city.read_letters().await?;
            // What people do about a letter is due later; what they did before was seen by the workers.
            if !read && !ticks.iter().any(|next| is_due(*next, now)) {
                return Ok(ticks
                    .into_iter()
                    .filter_map(|next| match next {
                        Next::At(at) => Some(at),
                        Next::Now | Next::Later => None,
                    })
                    .min());
            }
        }
        anyhow::bail!("the workers do not come to rest")
    }
}
