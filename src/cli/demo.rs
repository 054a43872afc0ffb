//! `manyhands demo`: a made-up city in deep cold, in an instance that is thrown away.
//!
//! Its people go through the same actions as real ones, with the tokens of their letters, which stay
//! in memory and are shown as they are "sent". Everything on disk is in a temporary directory of its
//! own. Nothing here is specific to a category: what the catalog has takes part.
//!
//! | file | what |
//! |---|---|
//! | `plan`, `taste`, `town`, `people`, `attributes` | the story before it happens, from the seed |
//! | `city`, `letters`, `acts` | what people plan, what they make of letters, what they do |
//! | `live`, `clock` | before your eyes, with time that runs faster |
//! | `fast` | in virtual time, as fast as it goes |
//! | `figures`, `postbag`, `screen` | what is shown |

mod acts;
mod attributes;
mod city;
mod clock;
mod dice;
mod fast;
mod figures;
mod home;
mod letters;
mod live;
mod people;
mod plan;
mod postbag;
mod screen;
mod taste;
mod town;

use std::net::SocketAddr;
use std::path::Path;

use clap::Args;

use super::{Config, Failure, print, serve};
use crate::settings::log::LogSettings;
use crate::settings::{Settings, Sources};
use crate::telemetry;
use city::City;
use figures::Figures;
use home::Home;
use plan::Size;

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

impl Arguments {
    fn size(&self) -> Size {
        // Both are at most 20 000.
        let whole = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        Size {
            offers: whole(self.offers),
            requests: whole(self.requests),
            seed: self.seed,
        }
    }
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let own = Settings::load(config.sources(Vec::new()))?;
    let log = LogSettings {
        filter: "error".to_owned(),
        format: own.log.format,
    };
    telemetry::log_to_stderr(&log).map_err(anyhow::Error::from)?;
    let stop = serve::stop_signal().map_err(anyhow::Error::from)?;
    let home = Home::new().map_err(anyhow::Error::from)?;
    let told = if arguments.fast {
        fast::run(&own, home.path(), &arguments, stop).await
    } else {
        live::run(&own, home.path(), &arguments, stop).await
    };
    let (city, figures) = told?;
    city.screen.close();
    if arguments.json {
        let mut summary = figures.json(&city.letters);
        summary["seed"] = arguments.seed.into();
        print::json(&summary);
    } else {
        print::line(format_args!("\n{}", figures.summary(&city.letters)));
    }
    Ok(())
}

/// The settings of an instance that lives in `home`: the shipped ones, but for the categories and the
/// postal codes of the settings at hand.
fn settings(own: &Settings, home: &Path, more: &[(&str, String)]) -> Result<Settings, Failure> {
    let within = |name: &str| home.join(name).display().to_string();
    let mut overrides = vec![
        (
            "database.url".to_owned(),
            format!("sqlite:{}", within("data/manyhands.db")),
        ),
        ("keys.path".to_owned(), within("keys/keyring.toml")),
        ("mail.transport".to_owned(), "memory".to_owned()),
        ("area.timezone".to_owned(), "America/Chicago".to_owned()),
    ];
    let paths = [
        ("categories.path", own.categories.path.as_ref()),
        ("gazetteer.path", own.gazetteer.path.as_ref()),
    ];
    for (key, path) in paths {
        if let Some(path) = path {
            overrides.push((key.to_owned(), path.display().to_string()));
        }
    }
    overrides.extend(
        more.iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone())),
    );
    Ok(Settings::load(Sources {
        overrides,
        ..Sources::default()
    })?)
}

/// The table with the city's time at its head.
async fn table(city: &City) -> anyhow::Result<String> {
    let now = city.ctx.settings.area.timezone.to_local(city.ctx.now());
    let head = format!("\n{} in the city", now.strftime("%A %H:%M"));
    Ok(Figures::read(&city.ctx).await?.table(&head))
}
