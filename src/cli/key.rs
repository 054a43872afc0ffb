//! `manyhands key`: the key ring. Its keys are never shown.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Config, Failure, print};
use crate::app::data_dir;
use crate::crypto::keyring::KeyRing;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Which keys there are, and which one seals new records.
    #[command(after_help = "Example:\n  manyhands key status --json")]
    Status(StatusArguments),
}

#[derive(Debug, Args)]
pub(super) struct StatusArguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: &Config, command: &Command) -> Result<(), Failure> {
    let Command::Status(arguments) = command;
    let settings = config.settings()?;
    let data_dir = data_dir(&settings.database.url);
    let path = &settings.keys.path;
    let ring = KeyRing::load(path, Some(&data_dir)).map_err(anyhow::Error::from)?;
    let use_of = |epoch| {
        if epoch == ring.active() {
            "active"
        } else {
            "opens only"
        }
    };
    if arguments.json {
        let keys: Vec<_> = ring
            .epochs()
            .map(|(epoch, created)| {
                json!({ "epoch": epoch, "created": created, "active": epoch == ring.active() })
            })
            .collect();
        print::json(&json!({ "path": path, "keys": keys }));
        return Ok(());
    }
    print::line(format_args!("Key ring {}", path.display()));
    let rows: Vec<_> = ring
        .epochs()
        .map(|(epoch, created)| [epoch.to_string(), created.to_string(), use_of(epoch).into()])
        .collect();
    print::table(["EPOCH", "CREATED", "USE"], &rows);
    Ok(())
}
