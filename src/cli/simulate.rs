//! `manyhands simulate`: one made-up day under several policies, in virtual time, through the same
//! actions and workers as in a service. It is what the shipped defaults were chosen by.
//!
//! Each policy gets an instance of its own that is thrown away. As many run at a time as there are cores; each is by itself
//! a single line of events, so that the same seed gives the same figures to the last digit.
//!
//! | file | what |
//! |---|---|
//! | `config`, `policy` | what is simulated: `config/simulate.toml` |
//! | `day` | who posts what, and one day from its begin to its end |
//! | `habits`, `delay` | what people decide, and how long they take |
//! | `figures`, `report` | what came of it |
//!
//! To add a policy: a `[[policy]]`; code only where it is more than settings.

mod config;
mod day;
mod delay;
mod figures;
mod habits;
mod policy;
mod report;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::city::home::Home;
use super::{Config as OwnConfig, Failure, city, print, serve};
use crate::app;
use crate::settings::Settings;
use crate::settings::log::LogSettings;
use crate::telemetry;
use config::Config;
use figures::Figures;
use policy::Policy;
use report::Outcome;

#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// Another day and other policies than those of config/simulate.toml, which comes with the program.
    #[arg(long, value_name = "FILE")]
    day: Option<PathBuf>,
    /// Only the policy of that name; may be repeated.
    #[arg(long, value_name = "NAME")]
    policy: Vec<String>,
    /// The first seed: another one is another day.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// On how many days, each of the next seed; the mean is reported with the least and the greatest.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    seeds: u32,
    /// How many offers and requests there are together, in the proportion of the day.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=200_000))]
    posts: Option<u32>,
    /// The figures as JSON, of each day as well.
    #[arg(long)]
    json: bool,
}

/// What the instance of a policy is set to beside it. Letters leave one after the other, since their order
/// must not depend on threads, and as many as there are: the mail provider is not the question. One
/// process alone has nothing to compare its index with.
const BESIDE: [(&str, &str); 3] = [
    ("outbox.parallel", "1"),
    ("mail.hourly_budget", "0"),
    ("matching.index_check_every", "1d"),
];

pub(super) async fn run(own: &OwnConfig, arguments: Arguments) -> Result<(), Failure> {
    let own = Settings::load(own.sources(Vec::new()))?;
    let log = LogSettings {
        filter: "error".to_owned(),
        format: own.log.format,
    };
    telemetry::log_to_stderr(&log).map_err(anyhow::Error::from)?;
    let catalog = app::read_catalog(&own)?;
    let mut config = Config::read(arguments.day.as_deref(), &catalog)?;
    if let Some(posts) = arguments.posts {
        scale(&mut config, posts);
    }
    let policies = chosen(&config.policies, &arguments.policy)?;
    // Whatever is wrong with the last one is better said before the first one runs.
    for policy in &policies {
        settings(&own, policy, std::path::Path::new("."))?;
    }
    let seeds: Vec<u64> = (0..u64::from(arguments.seeds))
        .map(|nth| arguments.seed.wrapping_add(nth))
        .collect();
    let day = json!({
        "offers": config.day.offers,
        "requests": config.day.requests,
        "hours": config.day.length.as_secs_f64() / 3600.0,
        "seeds": &seeds,
    });
    let played = play_all(&own, Arc::new(config), &policies, &seeds).await?;
    let mut played = played.into_iter();
    let outcomes: Vec<Outcome<'_>> = policies
        .iter()
        .map(|policy| Outcome {
            policy,
            runs: seeds.iter().copied().zip(played.by_ref()).collect(),
        })
        .collect();
    match arguments.json {
        true => report::json(&day, &outcomes),
        false => report::table(&outcomes),
    }
    Ok(())
}

/// So many posts, in the same proportion, and at least one request.
fn scale(config: &mut Config, posts: u32) {
    let day = &mut config.day;
    let (offers, all) = (
        u64::from(day.offers),
        u64::from(day.offers) + u64::from(day.requests),
    );
    let scaled = (u64::from(posts) * offers + all / 2) / all;
    day.offers = u32::try_from(scaled).unwrap_or(u32::MAX).min(posts - 1);
    day.requests = posts - day.offers;
}

fn chosen(all: &[Policy], names: &[String]) -> Result<Vec<Policy>, Failure> {
    if names.is_empty() {
        return Ok(all.to_vec());
    }
    let known: Vec<&str> = all.iter().map(|p| p.name.as_str()).collect();
    for name in names {
        if !known.contains(&name.as_str()) {
            let known = known.join(", ");
            return Err(Failure::Settings(format!(
                "--policy {name}: there are {known}"
            )));
        }
    }
    Ok(all
        .iter()
        .filter(|p| names.contains(&p.name))
        .cloned()
        .collect())
}

fn settings(own: &Settings, policy: &Policy, home: &std::path::Path) -> Result<Settings, Failure> {
    let beside = BESIDE.map(|(key, value)| (key, value.to_owned()));
    Ok(policy.settings(&city::overrides(own, home, &beside))?)
}

/// Plays every policy on every day; the figures are in that order.
async fn play_all(
    own: &Settings,
    config: Arc<Config>,
    policies: &[Policy],
    seeds: &[u64],
) -> Result<Vec<Figures>, Failure> {
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = serve::stop_signal().map_err(anyhow::Error::from)?;
    let told = Arc::clone(&stopped);
    tokio::spawn(async move {
        // The sender waits for a signal as long as the process lives.
        let _ = stop.await;
        told.store(true, Ordering::SeqCst);
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let turn = Arc::new(Semaphore::new(cores));
    let jobs = policies
        .iter()
        .flat_map(|p| seeds.iter().map(move |s| (p, *s)));
    let bar = bar(&config, policies.len() * seeds.len());
    let mut running = JoinSet::new();
    for (nth, (policy, seed)) in jobs.enumerate() {
        let job = Job {
            own: own.clone(),
            config: Arc::clone(&config),
            policy: policy.clone(),
            seed,
            bar: bar.clone(),
            stopped: Arc::clone(&stopped),
        };
        let turn = Arc::clone(&turn);
        running.spawn(async move {
            // It is never closed.
            let _turn = turn.acquire_owned().await;
            (nth, Box::pin(job.play()).await)
        });
    }
    let mut played = Vec::new();
    while let Some(ended) = running.join_next().await {
        let (nth, figures) = ended.map_err(anyhow::Error::from)?;
        played.push((nth, figures?));
    }
    bar.finish_and_clear();
    played.sort_by_key(|(nth, _)| *nth);
    played
        .into_iter()
        .map(|(_, figures)| figures.ok_or(Failure::Said))
        .collect()
}

/// On a terminal, the virtual minutes of all days.
fn bar(config: &Config, days: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let minutes = config.day.length.as_secs() / 60 * days as u64;
    let style = ProgressStyle::with_template("{wide_bar} {percent} %  {eta} left");
    ProgressBar::new(minutes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// One policy on one day.
struct Job {
    own: Settings,
    config: Arc<Config>,
    policy: Policy,
    seed: u64,
    bar: ProgressBar,
    stopped: Arc<AtomicBool>,
}

impl Job {
    /// None if it was stopped.
    async fn play(self) -> Result<Option<Figures>, Failure> {
        if self.stopped.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let home = Home::new("simulate").map_err(anyhow::Error::from)?;
        let settings = settings(&self.own, &self.policy, home.path())?;
        let mut told = day::start();
        let goes_on = |now: crate::domain::clock::Ts| {
            self.bar.inc(now.since(told).as_secs() / 60);
            told = now;
            !self.stopped.load(Ordering::SeqCst)
        };
        let played = Box::pin(day::play(&self.config, settings, self.seed, goes_on));
        let figures = played.await?;
        if figures.is_some() && self.bar.is_hidden() {
            print::note(format_args!(
                "{}, seed {}: done",
                self.policy.name, self.seed
            ));
        }
        Ok(figures)
    }
}
