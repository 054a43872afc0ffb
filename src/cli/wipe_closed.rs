//! `manyhands wipe-closed`: destroys what is over, now. Works on the database, so the service may be
//! running.

use clap::Args;
use serde_json::json;

use super::{Config, Failure, failed, open_existing, print};
use crate::actions::wipe_closed::{Wiped, wipe_closed};
use crate::storage::audit::Actor;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let ctx = open_existing(config).await?;
    let progress = |so_far: Wiped| {
        print::note(format_args!("{} records so far", so_far.total()));
    };
    let wiped = wipe_closed(&ctx, Actor::OPERATOR, progress)
        .await
        .map_err(failed)?;
    if arguments.json {
        print::json(&json!(wiped));
        return Ok(());
    }
    print::line(format_args!(
        "Destroyed: the personal parts of {} requests, {} offers and {} reports, and {} notes. Erased: {} neighbors and {} volunteers.",
        wiped.requests, wiped.offers, wiped.reports, wiped.notes, wiped.neighbors, wiped.volunteers
    ));
    if ctx.db.is_on_server() {
        print::note(
            "The server's files, log and backups still hold it, and so does whoever has them and the key ring, until the\nkey that it was sealed under is destroyed: by itself in keys.rotate_every and keys.destroy_after; at once by\n`manyhands key rotate` and then `manyhands key prune --now`.",
        );
        return Ok(());
    }
    if !wiped.flushed {
        print::note(
            "Something was reading the database: it is gone from the disk's files when the service runs for a minute, or after another wipe-closed.",
        );
    }
    print::note("Copies made by `manyhands backup` before still hold it.");
    Ok(())
}
