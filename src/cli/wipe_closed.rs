//! `manyhands wipe-closed`: destroys what is over, now. Works on the database, so the service may be
//! running.

use clap::Args;
use serde_json::json;

use super::{Config, Failure, print};
use crate::actions::wipe_closed::{Wiped, wipe_closed};
use crate::app::{Parts, open};
use crate::storage::audit::Actor;
use crate::storage::{DatabaseUrl, TxError};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let settings = config.settings()?;
    let DatabaseUrl::Sqlite(path) = &settings.database.url;
    if !path.exists() {
        return Err(anyhow::anyhow!("there is no database at {}", path.display()).into());
    }
    let ctx = open(settings, &Parts::default()).await?;
    let progress = |so_far: Wiped| {
        print::note(format_args!("{} records so far", so_far.total()));
    };
    let wiped =
        wipe_closed(&ctx, Actor::OPERATOR, progress)
            .await
            .map_err(|error| match error {
                TxError::Refused(refusal) => anyhow::Error::from(refusal),
                TxError::Storage(error) => error.into(),
            })?;
    if arguments.json {
        print::json(&json!(wiped));
        return Ok(());
    }
    print::line(format_args!(
        "Destroyed: the personal parts of {} requests, {} offers and {} reports. Erased: {} neighbors and {} volunteers.",
        wiped.requests, wiped.offers, wiped.reports, wiped.neighbors, wiped.volunteers
    ));
    if !wiped.flushed {
        print::note(
            "Something was reading the database: it is gone from the disk's files when the service runs for a minute, or after another wipe-closed.",
        );
    }
    print::note("Copies made by `manyhands backup` before still hold it.");
    Ok(())
}
