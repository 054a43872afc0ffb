//! `manyhands migrate`: the schema, without starting anything.

use super::{Config, Failure, print};
use crate::storage::Db;

pub(super) fn run(config: &Config) -> Result<(), Failure> {
    let settings = config.settings()?;
    match Db::migrate(&settings.database.url()).map_err(anyhow::Error::from)? {
        0 => print::line("The schema is up to date."),
        1 => print::line("1 migration was applied."),
        some => print::line(format_args!("{some} migrations were applied.")),
    }
    Ok(())
}
