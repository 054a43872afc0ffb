//! `manyhands export`: everything of one kind as a file. Works on the database, so the service may be
//! running.

use std::io::{self, ErrorKind, Write};

use clap::{Args, ValueEnum};

use super::{Config, Failure, failed, open_existing, print};
use crate::actions::export_persons::{ExportReason, export_persons};
use crate::domain::import::ImportKind;
use crate::http::sites;
use crate::sheets::export::{Choice, Export, Exported};
use crate::sheets::hsds;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What.
    #[arg(value_enum)]
    what: WhatArgument,
    /// In which form; all but CSV are for sites.
    #[arg(long, value_enum, default_value_t)]
    format: FormatArgument,
    /// With names, contacts, places and notes, of requests and offers. It is in the audit.
    #[arg(long, requires = "reason")]
    persons: bool,
    /// Why, in a word that the audit keeps.
    #[arg(long)]
    reason: Option<ExportReason>,
    /// Only of this category, by its key.
    #[arg(long, value_name = "KEY")]
    category: Option<String>,
    /// Only what stands within this H3 cell, of any resolution.
    #[arg(long, value_name = "CELL")]
    area: Option<String>,
    /// Only what stands there, as in `open` or `closed`; not of sites.
    #[arg(long)]
    state: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WhatArgument {
    /// What neighbors need.
    Requests,
    /// What volunteers offer.
    Offers,
    /// Who was asked, and what came of it.
    Matches,
    /// Places open to the public.
    Sites,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum FormatArgument {
    /// Comma separated values.
    #[default]
    Csv,
    /// A map's features.
    Geojson,
    /// Services of Open Referral's Human Services Data Specification 3.0.
    Hsds,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let what = match arguments.what {
        WhatArgument::Requests => Exported::Requests,
        WhatArgument::Offers => Exported::Offers,
        WhatArgument::Matches => Exported::Matches,
        WhatArgument::Sites => Exported::Sites,
    };
    let usage = |why: &str| Err(Failure::Settings(why.to_owned()));
    if arguments.format != FormatArgument::Csv && what != Exported::Sites {
        return usage("--format: only sites have another form than csv");
    }
    let persons_of = match (arguments.persons, what) {
        (false, _) => None,
        (true, Exported::Requests) => Some(ImportKind::Requests),
        (true, Exported::Offers) => Some(ImportKind::Offers),
        (true, _) => return usage("--persons: only requests and offers have them"),
    };
    let ctx = open_existing(config).await?;
    let filters = [
        arguments.category.as_deref(),
        arguments.area.as_deref(),
        arguments.state.as_deref(),
    ];
    let choice = Choice::parse(what, &ctx.catalog, filters).map_err(wrong)?;
    if arguments.format != FormatArgument::Csv && !choice.is_all() {
        return usage("--format: must be csv where only a part is wanted");
    }
    if let (Some(kind), Some(reason)) = (persons_of, arguments.reason) {
        let posts = export_persons(&ctx, kind, None, reason, choice.of_persons())
            .await
            .map_err(failed)?;
        print::note(format_args!(
            "The persons of {posts} posts; that they were exported is in the audit."
        ));
    }
    match arguments.format {
        FormatArgument::Csv => {
            let mut out = std::io::stdout().lock();
            let mut export = Export::new(&ctx, what, arguments.persons, choice);
            while let Some(part) = export.next().await.map_err(anyhow::Error::from)? {
                match out.write_all(&part) {
                    Ok(()) => {}
                    // A reader that has gone away is no error; a full disk is.
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                    Err(error) => return Err(not_written(error)),
                }
            }
            out.flush().map_err(not_written)?;
        }
        FormatArgument::Geojson => {
            let all = sites::all(&ctx).await.map_err(anyhow::Error::from)?;
            print::json(&serde_json::to_value(all).map_err(anyhow::Error::from)?);
        }
        FormatArgument::Hsds => {
            print::json(&hsds::services(&ctx).await.map_err(anyhow::Error::from)?);
        }
    }
    Ok(())
}

fn not_written(error: io::Error) -> Failure {
    anyhow::Error::from(error)
        .context("the file is not whole")
        .into()
}

fn wrong(faults: Vec<(&'static str, String)>) -> Failure {
    let lines = faults
        .into_iter()
        .map(|(name, why)| format!("--{name}: {why}"));
    Failure::Settings(lines.collect::<Vec<_>>().join("\n"))
}
