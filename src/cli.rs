//! The command line: one file for each group of commands.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 looked at and found not to verify. What was
//! asked for goes to standard output, everything else to standard error.
//!
//! To add a command: a variant of `Command` with an example, and a file named after it.

mod audit;
mod backup;
mod check_config;
mod city;
mod coordinator;
mod copy;
mod demo;
mod doctor;
mod export;
mod import;
mod key;
mod lock;
mod migrate;
mod openapi;
mod print;
mod serve;
mod simulate;
mod wipe_closed;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use indicatif::ProgressBar;

use crate::actions::{Ctx, Refusal};
use crate::app::{Parts, StartError, open};
use crate::settings::log::LogSettings;
use crate::settings::{Settings, SettingsError, Sources};
use crate::storage::postgres::{Server, survey};
use crate::storage::{DatabaseUrl, TxError, clocks};
use crate::telemetry;

/// Matches neighbors who need something with neighbors who can give it.
#[derive(Debug, Parser)]
#[command(
    name = "manyhands",
    version,
    about,
    disable_help_subcommand = true,
    after_help = "Without a command, it serves.\n\nExamples:\n  manyhands\n  manyhands --config /etc/manyhands.toml serve"
)]
struct Arguments {
    /// The settings file; without it config/local.toml, where there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service until SIGTERM or Ctrl-C.
    #[command(after_help = "Example:\n  manyhands serve --bind 0.0.0.0:8080")]
    Serve(serve::Arguments),
    /// Show it all at work: a made-up city in deep cold, with its people, in a throw-away instance.
    #[command(
        after_help = "Examples:\n  manyhands demo\n  manyhands demo --speed 5 --seed 7\n  manyhands demo --fast --json\n\nNothing of the working directory is touched; all that is made is removed at the end."
    )]
    Demo(demo::Arguments),
    /// Compare policies of asking on the same made-up day, in virtual time and a throw-away instance each.
    #[command(
        after_help = "Examples:\n  manyhands simulate\n  manyhands simulate --posts 20000 --policy shipped --policy everybody\n  manyhands simulate --seeds 5 --day my-day.toml --json\n\nThe figures, over all requests of the day:\n  served %      requests of which everything was accepted before their time was over, by people who came\n  wait p50 p95  from posting to full cover, of the served (nearest rank)\n  longer        requests that had longer than p95 and were not served within it\n  asks          letters with an ask that left\n  asks per yes  asks for one acceptance\n  fell through  acceptances that came to nothing: not agreed, given back, nobody came\n  distance      between the cells, or sites, of acceptances that stood; the mean, in meters\n  Gini          of the asks among all who could be asked: 0 where all are asked alike, near 1 where one is\n\nThe same seed gives the same people, posts and answers under every policy. Walking in at a site needs no match\nand is left out. Nothing of the working directory is touched; all that is made is removed at the end."
    )]
    Simulate(simulate::Arguments),
    /// Make the database, or bring its schema up to date.
    #[command(after_help = "Example:\n  manyhands migrate")]
    Migrate,
    /// Read all settings and say what is wrong with them, without starting.
    #[command(after_help = "Example:\n  manyhands check-config --json")]
    CheckConfig(check_config::Arguments),
    /// Look at everything the service needs; or ask a running one whether it is ready.
    #[command(after_help = "Examples:\n  manyhands doctor\n  manyhands doctor --live")]
    Doctor(doctor::Arguments),
    /// Let people coordinate, and end it; also while the service runs.
    #[command(
        subcommand,
        after_help = "Example:\n  manyhands coordinator add \"Ana Reyes\" --email ana@example.org"
    )]
    Coordinator(coordinator::Command),
    /// Look at the key ring, bring new keys into use, destroy old ones.
    #[command(subcommand, after_help = "Example:\n  manyhands key status")]
    Key(key::Command),
    /// Lock the service: every process drops its keys and answers nobody until it is unlocked.
    #[command(
        after_help = "Examples:\n  manyhands lock\n  manyhands lock --take-ring /media/stick/keyring.toml"
    )]
    Lock(lock::LockArguments),
    /// Unlock the service.
    #[command(
        after_help = "Examples:\n  manyhands unlock\n  manyhands unlock --ring /media/stick/keyring.toml"
    )]
    Unlock(lock::UnlockArguments),
    /// Write a copy of the database; also while the service runs. The key ring is no part of it.
    #[command(after_help = "Example:\n  manyhands backup /backups/manyhands-$(date +%F).db")]
    Backup(backup::BackupArguments),
    /// Put a copy in the place of a database that is not there yet.
    #[command(after_help = "Example:\n  manyhands restore /backups/manyhands-2026-11-22.db")]
    Restore(backup::RestoreArguments),
    /// Carry everything to another kind of database, or back, while the service is stopped; read it back and
    /// compare it row by row. The source is locked then.
    #[command(
        after_help = "Examples:\n  manyhands copy --from sqlite:data/manyhands.db --to postgres://manyhands@db.example.org/manyhands\n  manyhands copy --from sqlite:data/manyhands.db --to postgres://manyhands@db.example.org/manyhands --verify-only\n\nWhen the copy is complete the source is locked, so that nobody serves both: to go back to it, stop everything\non the target and run `manyhands unlock` with the source as database.url.\nThe target keeps all of it or nothing: after an abort, run it again. The key ring stays as it is.\nExit codes: 0 all is the same; 1 nothing was copied; 3 rows differ, and nothing was kept."
    )]
    Copy(copy::Arguments),
    /// Look whether the audit is what it was; also while the service runs.
    #[command(subcommand, after_help = "Example:\n  manyhands audit verify")]
    Audit(audit::Command),
    /// Take in many posts at once, from a spreadsheet; also while the service runs, and as often as you like:
    /// a row is taken once.
    #[command(
        after_help = "Examples:\n  manyhands import requests answers.csv --dry-run\n  manyhands import requests answers.csv --save-mapping answers.toml --dry-run\n  manyhands import requests answers.csv --mapping answers.toml --verified called --faulty repair.csv\n  manyhands import offers volunteers.csv --confirmed --report report.csv\n  manyhands import list\n  manyhands import undo 3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a\n\nThe file is CSV as form tools and spreadsheets export it: UTF-8, UTF-16 or Windows-1252; commas, semicolons, tabs or\nbars. Faulty rows are left out, the others are taken. Volunteers get a letter to confirm their address, unless\n--confirmed says that they have agreed before.\nExit codes: 0 all rows are there; 1 broken off, run it again; 2 wrong usage, settings or mapping; 3 some rows are faulty."
    )]
    Import(import::Arguments),
    /// Write everything of one kind to standard output; also while the service runs.
    #[command(
        after_help = "Examples:\n  manyhands export requests > requests.csv\n  manyhands export offers --persons --reason field > offers.csv\n  manyhands export requests --category food --area 862649b2fffffff --state open > food.csv\n  manyhands export sites --format hsds > services.json\n\nWithout --persons no name, contact, address or note is told, and no place but the cell.\nReasons: move (to another service), field (a list for helpers without a network), repair, authority, own_wish."
    )]
    Export(export::Arguments),
    /// Destroy the personal parts of everything that is closed, now; also while the service runs. It cannot
    /// be undone.
    #[command(after_help = "Example:\n  manyhands wipe-closed --json")]
    WipeClosed(wipe_closed::Arguments),
    /// Print the OpenAPI document.
    #[command(after_help = "Example:\n  manyhands openapi > openapi.json")]
    Openapi,
}

/// Why a command did not do what it was asked for.
#[derive(Debug)]
enum Failure {
    /// A setting must be changed: 2.
    Settings(String),
    /// It did not work: 1.
    Failed(anyhow::Error),
    /// As before, and everything was said.
    Said,
    /// What was to be verified is not as it was, and everything was said: 3.
    DoesNotVerify,
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        if error.is_about_settings() {
            Self::Settings(error.to_string())
        } else {
            Self::Failed(error.into())
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Does what the arguments say, in a process of its own.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    // Two TLS providers in one program would make rustls refuse both; an error means that this is done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nobody is left to tell if the terminal is gone.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            print::error(format_args!("no threads can be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(dispatch(arguments));
    // Whatever still blocks a thread has had its time.
    runtime.shutdown_timeout(Duration::from_millis(200));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Said) => ExitCode::FAILURE,
        Err(Failure::DoesNotVerify) => ExitCode::from(3),
        Err(Failure::Failed(error)) => {
            // All causes on one line; no backtrace, which tells an operator nothing.
            print::error(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
        Err(Failure::Settings(error)) => {
            print::error(error);
            ExitCode::from(2)
        }
    }
}

async fn dispatch(arguments: Arguments) -> Result<(), Failure> {
    let config = Config(arguments.config);
    match arguments.command {
        None => serve::run(&config, serve::Arguments::default()).await,
        Some(Command::Serve(arguments)) => serve::run(&config, arguments).await,
        Some(Command::Demo(arguments)) => Box::pin(demo::run(&config, arguments)).await,
        Some(Command::Simulate(arguments)) => simulate::run(&config, arguments).await,
        Some(Command::Migrate) => migrate::run(&config),
        Some(Command::CheckConfig(arguments)) => check_config::run(&config, &arguments),
        Some(Command::Doctor(arguments)) => doctor::run(&config, arguments).await,
        Some(Command::Coordinator(command)) => coordinator::run(&config, command).await,
        Some(Command::Key(command)) => key::run(&config, command).await,
        Some(Command::Lock(arguments)) => lock::lock(&config, arguments).await,
        Some(Command::Unlock(arguments)) => lock::unlock(&config, arguments).await,
        Some(Command::Backup(arguments)) => backup::backup(&config, arguments).await,
        Some(Command::Restore(arguments)) => backup::restore(&config, arguments).await,
        Some(Command::Copy(arguments)) => copy::run(&config, arguments).await,
        Some(Command::Audit(command)) => audit::run(&config, command).await,
        Some(Command::WipeClosed(arguments)) => wipe_closed::run(&config, &arguments).await,
        Some(Command::Import(arguments)) => import::run(&config, arguments).await,
        Some(Command::Export(arguments)) => export::run(&config, arguments).await,
        Some(Command::Openapi) => {
            openapi::run();
            Ok(())
        }
    }
}

/// Which settings file was named.
struct Config(Option<PathBuf>);

impl Config {
    /// The layers of settings, flags last.
    fn sources(&self, flags: Vec<(String, String)>) -> Sources {
        Sources::new(self.0.clone(), std::env::vars_os(), flags)
    }

    /// The settings of a command that is over soon: of the log, only what went wrong is shown.
    fn settings(&self) -> Result<Settings, Failure> {
        let settings = Settings::load(self.sources(Vec::new()))?;
        let log = LogSettings {
            filter: "warn".to_owned(),
            format: settings.log.format,
        };
        telemetry::log_to_stderr(&log).map_err(anyhow::Error::from)?;
        Ok(settings)
    }
}

/// The settings, if they name a database that is there: a typing error must not end in an empty one.
fn existing(config: &Config) -> Result<Settings, Failure> {
    let settings = config.settings()?;
    let missing = match settings.database.url() {
        DatabaseUrl::Sqlite(path) if !path.exists() => path.display().to_string(),
        DatabaseUrl::Postgres(server) if !has_tables(&server)? => format!(
            "{}: no tables are in it (manyhands migrate makes them)",
            server.shown()
        ),
        _ => return Ok(settings),
    };
    Err(anyhow::anyhow!("there is no database at {missing}").into())
}

fn has_tables(server: &Server) -> Result<bool, Failure> {
    Ok(survey(server).map_err(anyhow::Error::from)?.has_tables)
}

/// Opens the service's parts over a database that is there.
async fn open_existing(config: &Config) -> Result<Ctx, Failure> {
    Ok(open(existing(config)?, &Parts::default()).await?)
}

/// Refuses what judges who lives by this machine's clock, where that is not the server's.
async fn clocks_agree(ctx: &Ctx) -> Result<(), Failure> {
    let compared = clocks::compare_with(&ctx.db, &ctx.clock)
        .await
        .map_err(anyhow::Error::from)?;
    match compared.map(clocks::Comparison::verdict) {
        Some(Err(why)) => Err(anyhow::Error::from(why).into()),
        _ => Ok(()),
    }
}

fn failed(error: TxError<Refusal>) -> Failure {
    Failure::Failed(match error {
        TxError::Refused(refusal) => refusal.into(),
        TxError::Storage(error) => error.into(),
    })
}

/// Asks again and again how many are left, until there are none or `patience` is over; gives how many
/// there are then. On a terminal it shows that it waits.
async fn waiting(
    what: &'static str,
    patience: Duration,
    left: impl AsyncFn() -> Result<usize, Failure>,
) -> Result<usize, Failure> {
    const STEP: Duration = Duration::from_millis(200);
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new_spinner().with_message(what),
        false => ProgressBar::hidden(),
    };
    let mut waited = Duration::ZERO;
    let left = loop {
        let left = left().await?;
        if left == 0 || waited >= patience {
            break left;
        }
        bar.set_message(format!("{what}: {left} left"));
        bar.tick();
        tokio::time::sleep(STEP).await;
        waited += STEP;
    };
    bar.finish_and_clear();
    Ok(left)
}
