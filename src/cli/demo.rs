//! `manyhands demo`: a made-up city in deep cold, in an instance that is thrown away.
//!
//! Its people go through the same actions as real ones (`cli::city`), with the tokens of their letters,
//! which stay in memory and are shown as they are "sent". Everything on disk is in a temporary directory
//! of its own.
//!
//! | file | what |
//! |---|---|
//! | `habits` | what its people decide |
//! | `live`, `clock` | before your eyes, with time that runs faster |
//! | `fast` | in virtual time, as fast as it goes |
//! | `figures`, `postbag`, `screen` | what is shown |

mod clock;
mod fast;
mod figures;
mod habits;
mod live;
mod postbag;
mod screen;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::Args;

use super::city::agenda::City;
use super::city::dice::Dice;
use super::city::home::Home;
use super::city::plan::{Arrivals, Day, Planner, Post};
use super::city::taste;
use super::{Config, Failure, city, print, serve};
use crate::actions::Ctx;
use crate::domain::clock::Ts;
use crate::settings::Settings;
use crate::settings::log::LogSettings;
use crate::telemetry;
use figures::Figures;
use habits::Watched;

#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// Where people are answered; without it port 8080 of this machine, or a free one.
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "fast")]
    bind: Option<SocketAddr>,
    /// Virtual minutes in a real second.
    #[arg(long, default_value_t = 1.0, value_name = "MINUTES", conflicts_with = "fast", value_parser = speed)]
    speed: f64,
    /// Which story: the same seed tells the same one, as far as threads allow.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// How many offers are made.
    #[arg(long, default_value_t = 150, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    offers: u32,
    /// How many needs are posted.
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    requests: u32,
    /// Tell 36 hours of the city at once, without a server, and end.
    #[arg(long)]
    fast: bool,
    /// Only the summary, as JSON.
    #[arg(long)]
    json: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|speed| (0.01..=60.0).contains(speed))
        .ok_or_else(|| "must be a number from 0.01 to 60".to_owned())
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let own = Settings::load(config.sources(Vec::new()))?;
    let log = LogSettings {
        filter: "error".to_owned(),
        format: own.log.format,
    };
    telemetry::log_to_stderr(&log).map_err(anyhow::Error::from)?;
    let stop = serve::stop_signal().map_err(anyhow::Error::from)?;
    let home = Home::new("demo").map_err(anyhow::Error::from)?;
    let told = if arguments.fast {
        fast::run(&own, home.path(), &arguments, stop).await
    } else {
        live::run(&own, home.path(), &arguments, stop).await
    };
    let (city, figures) = told?;
    city.habits.screen.close();
    if arguments.json {
        let mut summary = figures.json(&city.habits.letters);
        summary["seed"] = arguments.seed.into();
        print::json(&summary);
    } else {
        print::line(format_args!("\n{}", figures.summary(&city.habits.letters)));
    }
    Ok(())
}

/// The settings of an instance that lives in `home`: the shipped ones, but for the categories and the
/// postal codes of the settings at hand.
fn settings(own: &Settings, home: &Path, more: &[(&str, String)]) -> Result<Settings, Failure> {
    Ok(city::settings(city::overrides(own, home, more))?)
}

/// Every post of the story that begins at `start`, with its instant.
fn posts(ctx: &Ctx, start: Ts, arguments: &Arguments) -> anyhow::Result<Vec<(Ts, Post)>> {
    // Both are at most 20 000.
    let whole = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let day = Day {
        offers: whole(arguments.offers),
        requests: whole(arguments.requests),
        seed: arguments.seed,
        start,
        zone: ctx.settings.area.timezone.clone(),
        nights: 0.5,
        usual: ctx.settings.matching.clone(),
    };
    let tastes = ctx.catalog.iter().map(|c| (c, taste::of(c))).collect();
    Planner::new(day, tastes, &TenHours)?.posts()
}

/// Posts arrive within ten hours.
#[derive(Debug)]
struct TenHours;

impl Arrivals for TenHours {
    /// Most of those who help are there before the worst comes; sites first.
    fn of_offer(&self, dice: &Dice, is_site: bool) -> Duration {
        let (soonest, latest) = match dice.fraction() {
            _ if is_site => (0, 90),
            ..0.65 => (0, 60),
            _ => (60, 540),
        };
        dice.minutes(soonest, latest)
    }

    fn of_request(&self, dice: &Dice) -> Duration {
        dice.minutes(20, 600)
    }
}

/// The table with the city's time at its head.
async fn table(city: &City<Watched>) -> anyhow::Result<String> {
    let now = city.ctx.settings.area.timezone.to_local(city.ctx.now());
    let head = format!("\n{} in the city", now.strftime("%A %H:%M"));
    Ok(Figures::read(&city.ctx).await?.table(&head))
}
