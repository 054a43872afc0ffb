//! `manyhands key`: the key ring and the master keys on it. The keys themselves are never shown.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Config, Failure, clocks_agree, failed, open_existing, print, waiting};
use crate::actions::Ctx;
use crate::actions::activate_key::{ALIVE, Activation, activate_key};
use crate::actions::add_key::add_key;
use crate::actions::destroy_keys::{StillNeeded, destroy_keys};
use crate::app::data_dir;
use crate::crypto::keyring::{Epoch, KeyRing};
use crate::domain::clock::Ts;
use crate::storage::audit::Actor;
use crate::storage::instances::Instance;
use crate::storage::key_epochs::KeyEpoch;
use crate::storage::{StorageError, instances, key_epochs, sealed};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Which keys there are, what each is for, and which processes have them.
    #[command(after_help = "Example:\n  manyhands key status --json")]
    Status(StatusArguments),
    /// Bring a new master key into use: add it, wait until every process has it, let it seal. The service
    /// does this by itself every `keys.rotate_every`.
    #[command(
        after_help = "Example:\n  manyhands key rotate\n\nWhere processes have copies of the key ring of their own, copy the ring to each of them when this\ncommand says so, and run it again."
    )]
    Rotate(RotateArguments),
    /// Destroy the master keys that were replaced long enough ago and wrap nothing any more. The service
    /// does this by itself after `keys.destroy_after`.
    #[command(
        after_help = "Examples:\n  manyhands key prune\n  manyhands key prune --now\n\nBackups that were sealed under a destroyed key can be read by nobody."
    )]
    Prune(PruneArguments),
}

#[derive(Debug, Args)]
pub(super) struct StatusArguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RotateArguments {
    /// How long to wait for the processes, in seconds.
    #[arg(long, default_value_t = 120)]
    wait: u64,
}

#[derive(Debug, Args)]
pub(super) struct PruneArguments {
    /// Also those that were replaced only now.
    #[arg(long)]
    now: bool,
}

pub(super) async fn run(config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Status(arguments) => status(config, &arguments).await,
        Command::Rotate(arguments) => rotate(config, &arguments).await,
        Command::Prune(arguments) => prune(config, &arguments).await,
    }
}

/// What the ring and the database know of one key.
struct Known {
    epoch: Epoch,
    created: Option<Ts>,
    registered: Option<KeyEpoch>,
    records: i64,
}

impl Known {
    fn purpose(&self) -> &'static str {
        match (&self.created, &self.registered) {
            (None, _) => "not on this ring",
            (Some(_), None) => "not in use",
            (Some(_), Some(key)) if key.is_active() => "seals",
            (Some(_), Some(key)) if key.activated_at.is_none() => "waits for other processes",
            (Some(_), Some(_)) => "opens only",
        }
    }
}

async fn status(config: &Config, arguments: &StatusArguments) -> Result<(), Failure> {
    let settings = config.settings()?;
    let path = settings.keys.path.clone();
    let destroy_after = settings.keys.destroy_after;
    let is_before_first_start = settings.database.url().file().is_some_and(|f| !f.exists());
    let data_dir = data_dir(&settings.database.url());
    let ring = KeyRing::load(&path, data_dir.as_deref()).map_err(anyhow::Error::from)?;
    let (keys, present) = match open_existing(config).await {
        Ok(ctx) => known(&ctx, &ring).await.map_err(anyhow::Error::from)?,
        // Before the first start there is only the ring.
        Err(_) if is_before_first_start => (of_ring(&ring), Vec::new()),
        Err(failure) => return Err(failure),
    };
    let destroyed_at =
        |key: &Known| Some(key.registered.as_ref()?.retired_at?.after(destroy_after));
    if arguments.json {
        let keys: Vec<_> = keys
            .iter()
            .map(|key| {
                let of = |at: fn(&KeyEpoch) -> Option<Ts>| key.registered.as_ref().and_then(at);
                json!({
                    "epoch": key.epoch,
                    "created": key.created,
                    "active": key.registered.as_ref().is_some_and(KeyEpoch::is_active),
                    "activated_at": of(|k| k.activated_at),
                    "retired_at": of(|k| k.retired_at),
                    "destroyed_at": destroyed_at(key),
                    "records": key.records,
                })
            })
            .collect();
        let processes: Vec<_> = present
            .iter()
            .map(|p| json!({ "started_at": p.started_at, "newest_epoch": p.newest_epoch, "active_epoch": p.active_epoch }))
            .collect();
        print::json(&json!({ "path": path, "keys": keys, "processes": processes }));
        return Ok(());
    }
    print::line(format_args!("Key ring {}", path.display()));
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            let told = |at: Option<Ts>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            [
                key.epoch.to_string(),
                told(key.created),
                key.purpose().to_owned(),
                key.records.to_string(),
                told(destroyed_at(key)),
            ]
        })
        .collect();
    print::table(
        ["EPOCH", "CREATED", "USE", "RECORDS", "DESTROYED FROM"],
        &rows,
    );
    print::line(format_args!("{} processes serve", present.len()));
    Ok(())
}

fn of_ring(ring: &KeyRing) -> Vec<Known> {
    ring.epochs()
        .map(|(epoch, created)| Known {
            epoch,
            created: Some(created),
            registered: None,
            records: 0,
        })
        .collect()
}

async fn known(ctx: &Ctx, ring: &KeyRing) -> Result<(Vec<Known>, Vec<Instance>), StorageError> {
    let since = ctx.now().before(ALIVE);
    let mut keys = of_ring(ring);
    ctx.db
        .read(move |conn| {
            for registered in key_epochs::all(conn)? {
                let epoch = registered.epoch;
                let records = sealed::count(conn, epoch)?;
                let registered = Some(registered);
                match keys.iter_mut().find(|key| key.epoch == epoch) {
                    Some(key) => (key.registered, key.records) = (registered, records),
                    None => keys.push(Known {
                        epoch,
                        created: None,
                        registered,
                        records,
                    }),
                }
            }
            keys.sort_by_key(|key| key.epoch);
            Ok((keys, instances::seen_since(conn, since)?))
        })
        .await
}

async fn rotate(config: &Config, arguments: &RotateArguments) -> Result<(), Failure> {
    let ctx = open_existing(config).await?;
    clocks_agree(&ctx).await?;
    let path = ctx.settings.keys.path.display();
    let epoch = add_key(&ctx, Actor::OPERATOR)
        .await
        .map_err(anyhow::Error::from)?;
    print::line(format_args!("Key {epoch} is on the ring {path}."));
    let patience = Duration::from_secs(arguments.wait);
    let lacking = waiting("Waiting for processes", patience, async || {
        Ok(match activate_key(&ctx, epoch, Actor::OPERATOR).await {
            Ok(Activation::Active) => 0,
            Ok(Activation::Waiting(some)) => some,
            Err(error) => return Err(failed(error)),
        })
    })
    .await?;
    if lacking > 0 {
        return Err(anyhow::anyhow!(
            "{lacking} processes do not have key {epoch} yet, so it does not seal: copy the key ring to where they run, then run this again"
        )
        .into());
    }
    print::line(format_args!(
        "Key {epoch} seals from now on; the service wraps everything anew while it runs. Make a new copy of {path} and keep it elsewhere."
    ));
    Ok(())
}

async fn prune(config: &Config, arguments: &PruneArguments) -> Result<(), Failure> {
    let ctx = open_existing(config).await?;
    clocks_agree(&ctx).await?;
    let before = match arguments.now {
        true => ctx.now(),
        false => ctx.now().before(ctx.settings.keys.destroy_after),
    };
    let destroyed = destroy_keys(&ctx, before, Actor::OPERATOR)
        .await
        .map_err(failed)?;
    let path = &ctx.settings.keys.path;
    if let Some(last) = destroyed.epochs.last().copied() {
        KeyRing::update(path, |ring| drop(ring.remove_before(last + 1)))
            .map_err(anyhow::Error::from)?;
    }
    for epoch in &destroyed.epochs {
        print::line(format_args!("Key {epoch} is destroyed."));
    }
    match destroyed.kept {
        Some((epoch, StillNeeded::Records(some))) => Err(anyhow::anyhow!(
            "key {epoch} still wraps {some} records; the service wraps them anew while it runs"
        )
        .into()),
        Some((epoch, StillNeeded::Instances(some))) => Err(anyhow::anyhow!(
            "{some} processes still seal with key {epoch}; try again in a minute"
        )
        .into()),
        None if destroyed.epochs.is_empty() => {
            print::line("No key is due. `manyhands key status` shows when one will be.");
            Ok(())
        }
        None => {
            print::line(format_args!(
                "Replace your copies of {} as well: each still holds what is destroyed here.",
                path.display()
            ));
            Ok(())
        }
    }
}
