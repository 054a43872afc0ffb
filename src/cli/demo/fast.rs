//! The story in virtual time: the clock leaps from one thing to the next, and nothing runs by itself.
//! The same seed gives the same story to the last letter.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::city::City;
use super::figures::Figures;
use super::plan::Planner;
use super::screen::Screen;
use super::{Arguments, settings};
use crate::app::{self, Parts};
use crate::cli::Failure;
use crate::domain::clock::{ManualClock, Ts};
use crate::domain::entropy::SeededEntropy;
use crate::domain::letter::Lane;
use crate::mail::transport::Transport;
use crate::settings::Settings;
use crate::workers::feed::Feed;
use crate::workers::housekeeping::Housekeeping;
use crate::workers::matching::Matching;
use crate::workers::outbox::Outbox;
use crate::workers::{Next, Stop, Worker};

/// A Monday, eight in the morning in Minneapolis, in winter.
const START: i64 = 1_796_652_000;
/// How much of the city's time is told.
const TOLD: Duration = Duration::from_hours(36);
/// The clock's smallest leap.
const STEP: Duration = Duration::from_mins(1);
/// How often housekeeping looks. Each look is a commit, and nothing that it does is due to the minute.
const HOUSEKEEPING: Duration = Duration::from_mins(15);
/// Ticks at one instant, before something must be wrong.
const MOST_TICKS: usize = 10_000;

struct Crew {
    matching: Matching,
    outboxes: [Outbox; 2],
    housekeeping: Housekeeping,
    housekeeping_due: Ts,
}

/// Tells the story to its end, or to the first signal.
pub(super) async fn run(
    own: &Settings,
    home: &Path,
    arguments: &Arguments,
    mut stop: oneshot::Receiver<()>,
) -> Result<(City, Figures), Failure> {
    // One letter after the other: what is sent first must not depend on threads.
    let settings = settings(own, home, &[("outbox.parallel", "1".to_owned())])?;
    let transport = Arc::new(Transport::new(&settings.mail).map_err(anyhow::Error::from)?);
    let start = Ts::from_micros(START * 1_000_000);
    let clock = Arc::new(ManualClock::at(start));
    let parts = Parts {
        clock: Arc::clone(&clock) as _,
        entropy: Arc::new(SeededEntropy::new(arguments.seed)),
        ..Parts::default()
    };
    let ctx = app::open(settings, &parts).await?;
    let zone = ctx.settings.area.timezone.clone();
    let posts = Planner::new(&ctx.catalog, zone, start, arguments.size())?.posts()?;
    let (loaded, _) = watch::channel(false);
    let feed = Feed::new(ctx.clone(), Arc::new(loaded));
    let mut crew = Crew {
        matching: Matching::new(ctx.clone(), feed, Stop::never()),
        outboxes: Lane::ALL
            .map(|lane| Outbox::new(ctx.clone(), Arc::clone(&transport), lane, Stop::never())),
        housekeeping: Housekeeping::new(ctx.clone(), Stop::never()),
        housekeeping_due: start,
    };
    let screen = Screen::open(arguments.json);
    let mut city = City::new(ctx, transport, screen, arguments.seed, posts).await?;
    let end = start.after(TOLD);
    loop {
        let worker = settle(&mut crew, &mut city).await?;
        let due = worker
            .into_iter()
            .chain(city.next())
            .chain([crew.housekeeping_due])
            .min();
        let next = due.map_or(end, |due| due.max(city.ctx.now().after(STEP)));
        if next >= end || stop.try_recv().is_ok() {
            clock.set(end.min(next));
            break;
        }
        clock.set(next);
    }
    let figures = Figures::read(&city.ctx).await?;
    city.ctx.db.close();
    Ok((city, figures))
}

/// Lets workers and people do all that is due now; gives when a worker wants to look again.
async fn settle(crew: &mut Crew, city: &mut City) -> anyhow::Result<Option<Ts>> {
    let now = city.ctx.now();
    if crew.housekeeping_due <= now {
        crew.housekeeping.tick(now).await?;
        crew.housekeeping_due = now.after(HOUSEKEEPING);
    }
    for _ in 0..MOST_TICKS {
        let acted = city.act().await?;
        let mut ticks = vec![crew.matching.tick(now).await?];
        for outbox in &mut crew.outboxes {
            ticks.push(outbox.tick(now).await?);
        }
        let read = city.read_letters().await?;
        let is_due = |next: &Next| match next {
            Next::Now => true,
            Next::At(at) => *at <= now,
            Next::Later => false,
        };
        if !acted && !read && !ticks.iter().any(is_due) {
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
