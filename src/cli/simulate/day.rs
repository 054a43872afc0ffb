//! One day under one policy, in an instance of its own.

use std::sync::Arc;
use std::time::Duration;

use super::config::{Config, Mix};
use super::figures::Figures;
use super::habits::Modeled;
use crate::cli::Failure;
use crate::cli::city::agenda::{City, Desk};
use crate::cli::city::dice::Dice;
use crate::cli::city::plan::{self, Arrivals, Planner, Post};
use crate::cli::city::taste::{self, Taste};
use crate::cli::city::{MONDAY, leaps};
use crate::domain::availability::TimeZoneName;
use crate::domain::category::{Catalog, Category};
use crate::domain::clock::Ts;
use crate::domain::place::GeoPoint;
use crate::settings::Settings;
use crate::settings::matching::MatchingSettings;

/// When the day begins.
pub(super) fn start() -> Ts {
    Ts::from_micros(MONDAY * 1_000_000)
}

/// Everything that is posted on the day of that seed. Policies have no part in it, but for the limits of those who
/// keep the usual ones.
pub(super) fn posts(
    config: &Config,
    catalog: &Catalog,
    zone: TimeZoneName,
    usual: MatchingSettings,
    seed: u64,
) -> anyhow::Result<Vec<(Ts, Post)>> {
    let whole = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let day = plan::Day {
        offers: whole(config.day.offers),
        requests: whole(config.day.requests),
        seed,
        start: start(),
        zone,
        nights: config.day.nights,
        usual,
    };
    let tastes = catalog.iter().map(|c| (c, taste_of(config, c))).collect();
    Planner::new(day, tastes, &ByHour(config))?.posts()
}

fn taste_of(config: &Config, category: &Category) -> Taste {
    let mix = config.categories.get(category.key.as_str());
    let urgency = config.urgencies(mix);
    let share = |of: fn(&Mix) -> f64| mix.map_or(1.0, of);
    Taste {
        weight: share(|m| m.requests),
        offered: share(|m| m.offers),
        urgency: (urgency.now, urgency.today),
        ..taste::of(category)
    }
}

/// Arrivals by the curves of the configuration.
struct ByHour<'a>(&'a Config);

impl Arrivals for ByHour<'_> {
    fn of_offer(&self, dice: &Dice, _: bool) -> Duration {
        along(&self.0.day.offers_by_hour, dice)
    }

    fn of_request(&self, dice: &Dice) -> Duration {
        along(&self.0.day.requests_by_hour, dice)
    }
}

/// A second of an hour that is drawn by its weight.
fn along(hours: &[f64], dice: &Dice) -> Duration {
    let mut left = dice.fraction() * hours.iter().sum::<f64>();
    let is_it = |weight: &f64| {
        left -= weight;
        left < 0.0
    };
    let hour = hours.iter().position(is_it).unwrap_or(0);
    let second = dice.whole((0, 3599)).unsigned_abs();
    Duration::from_secs(hour as u64 * 3600 + second)
}

/// Plays the day to its end; `goes_on` is asked with every leap of the clock. None if it said no.
pub(super) async fn play(
    config: &Arc<Config>,
    settings: Settings,
    seed: u64,
    mut goes_on: impl FnMut(Ts) -> bool + Send,
) -> Result<Option<Figures>, Failure> {
    let (ctx, transport, mut crew) = leaps::open(settings, start(), seed).await?;
    let zone = ctx.settings.area.timezone.clone();
    let posts = posts(
        config,
        &ctx.catalog,
        zone.clone(),
        ctx.settings.matching.clone(),
        seed,
    )?;
    let places: Vec<GeoPoint> = posts.iter().map(|(_, post)| post.place()).collect();
    let clock = Arc::clone(&ctx.clock);
    let people = Modeled::new(Arc::clone(config), clock, zone, seed, places);
    let mut city = City::new(ctx, transport, people, Desk::Told, posts).await?;
    let end = start().after(config.day.length);
    let mut is_whole = true;
    crew.tell(&mut city, end, |now| {
        is_whole = goes_on(now);
        is_whole
    })
    .await?;
    let figures = Figures::read(&city.ctx).await?;
    city.ctx.db.close();
    Ok(is_whole.then_some(figures))
}
