//! `manyhands import`: many posts at once, from a spreadsheet. Works on the database, so the service may be
//! running.

mod files;
mod past;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use self::files::save;
use super::{Config, Failure, clocks_agree, failed, open_existing, print};
use crate::actions::Ctx;
use crate::actions::import_rows::Terms;
use crate::actions::run_import::{NewImport, begin_import, end_import, note_rows};
use crate::domain::ids::{ImportId, RecordId};
use crate::domain::import::{ImportKind, ImportState, RowOutcome, RowReport, Tally};
use crate::domain::need::Verified;
use crate::sheets::export::written;
use crate::sheets::mapping::Mapping;
use crate::sheets::run::{Job, Run};
use crate::sheets::table::Table;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    past: Option<past::Past>,
    #[command(flatten)]
    new: Option<NewArguments>,
}

#[derive(Debug, Args)]
struct NewArguments {
    /// What the rows become.
    #[arg(value_enum)]
    kind: KindArgument,
    /// The file: CSV with the heads of its columns in the first line.
    file: PathBuf,
    /// Which column holds what; guessed from the heads where it is left out.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Write the mapping that is used, to be put right and used the next time.
    #[arg(long, value_name = "FILE")]
    save_mapping: Option<PathBuf>,
    /// Write nothing to the database; say what would become of each row.
    #[arg(long)]
    dry_run: bool,
    /// Write what became of each row, as CSV: lines and columns, nothing of what the cells say.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the faulty rows as they are, to be repaired and imported. It holds personal data.
    #[arg(long, value_name = "FILE")]
    faulty: Option<PathBuf>,
    /// How far the neighbors' contacts were checked.
    #[arg(long, value_enum, default_value_t)]
    verified: VerifiedArgument,
    /// The volunteers have agreed on an earlier form: their offers are open at once, and a letter tells them.
    #[arg(long)]
    confirmed: bool,
    /// What came of it as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindArgument {
    /// What neighbors need.
    Requests,
    /// What volunteers offer.
    Offers,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum VerifiedArgument {
    /// Not at all.
    #[default]
    None,
    /// Somebody has called each of them.
    Called,
    /// Somebody knows each of them.
    Vouched,
}

impl From<VerifiedArgument> for Verified {
    fn from(argument: VerifiedArgument) -> Self {
        match argument {
            VerifiedArgument::None => Self::None,
            VerifiedArgument::Called => Self::Called,
            VerifiedArgument::Vouched => Self::Vouched,
        }
    }
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    match (arguments.past, arguments.new) {
        (Some(past), _) => past::run(config, past).await,
        (None, Some(new)) => import(config, new).await,
        // Refused before, by what is required.
        (None, None) => Ok(()),
    }
}

async fn import(config: &Config, arguments: NewArguments) -> Result<(), Failure> {
    let job = read(&arguments)?;
    if let Some(path) = &arguments.save_mapping {
        let text = job.mapping().to_toml().map_err(anyhow::Error::from)?;
        save(path, text.as_bytes())?;
    } else if arguments.mapping.is_none() {
        print::note("The mapping, guessed from the heads (--save-mapping FILE keeps it):");
        let text = job.mapping().to_toml().map_err(anyhow::Error::from)?;
        print::note(text.trim_end());
    }
    if !job.unmapped().is_empty() {
        let heads = job.unmapped().join("\", \"");
        print::note(format_args!("Columns that are not imported: \"{heads}\""));
    }
    let ctx = open_existing(config).await?;
    clocks_agree(&ctx).await?;
    let id = match arguments.dry_run {
        true => None,
        false => Some(begin(&ctx, &job).await?),
    };
    let terms = Terms {
        by: None,
        run: match id {
            Some(id) => id.into(),
            None => RecordId::new(ctx.entropy.as_ref()),
        },
        verified: arguments.verified.into(),
        confirmed: arguments.confirmed,
        tells_callers: true,
    };
    let (tally, reports) = take_in(&ctx, &job, id, terms).await?;
    if let Some(path) = &arguments.report {
        save(path, &report(&reports))?;
    }
    if let Some(path) = &arguments.faulty {
        save(path, &faulty(&job.table, &reports))?;
    }
    show(&arguments, id, &job, tally, &reports);
    match tally.faulty {
        0 => Ok(()),
        _ => Err(Failure::DoesNotVerify),
    }
}

fn read(arguments: &NewArguments) -> Result<Job, Failure> {
    let kind = match arguments.kind {
        KindArgument::Requests => ImportKind::Requests,
        KindArgument::Offers => ImportKind::Offers,
    };
    let open = |path: &Path| std::fs::read(path).with_context(|| path.display().to_string());
    let mapping = match &arguments.mapping {
        Some(path) => {
            let text = String::from_utf8(open(path)?).map_err(anyhow::Error::from)?;
            Some(Mapping::parse(&text).map_err(Failure::Settings)?)
        }
        None => None,
    };
    let table = Table::read(&open(&arguments.file)?).map_err(anyhow::Error::from)?;
    Job::new(kind, table, mapping).map_err(Failure::Settings)
}

/// Notes that an import begins, so that it can be listed and taken back.
async fn begin(ctx: &Ctx, job: &Job) -> Result<ImportId, Failure> {
    let new = NewImport {
        kind: job.kind(),
        dry_run: false,
        rows: job.table.rows.len() as u64,
        by: None,
    };
    let (id, _) = begin_import(ctx, new, None).await.map_err(failed)?;
    Ok(id)
}

/// Takes all rows in and shows how far it is: a bar on a terminal, a line for every tenth elsewhere.
async fn take_in(
    ctx: &Ctx,
    job: &Job,
    id: Option<ImportId>,
    terms: Terms,
) -> Result<(Tally, Vec<RowReport>), Failure> {
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new(job.table.rows.len() as u64),
        false => ProgressBar::hidden(),
    };
    // The template is a constant that is known to be right.
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} rows, {eta} left") {
        bar.set_style(style);
    }
    let mut run = Run::begin(ctx, job, id.is_none(), terms).map_err(failed)?;
    let (mut reports, mut tenth) = (Vec::new(), 0);
    let ended = loop {
        match run.next().await {
            Ok(Some(part)) => reports.extend(part),
            Ok(None) => break Ok(()),
            Err(error) => break Err(failed(error)),
        }
        let tally = run.tally();
        if let Some(id) = id
            && let Err(error) = note_rows(ctx, id, tally, Vec::new()).await
        {
            break Err(failed(error));
        }
        bar.set_position(tally.done());
        let tenths = tally.done() * 10 / tally.rows.max(1);
        if tenths != tenth && bar.is_hidden() {
            print::note(format_args!("{} of {} rows", tally.done(), tally.rows));
        }
        tenth = tenths;
    };
    bar.finish_and_clear();
    if let Some(id) = id {
        let state = match ended {
            Ok(()) => ImportState::Done,
            Err(_) => ImportState::BrokenOff,
        };
        // Where this cannot be written, it is seen by and by that it does not go on.
        if let Err(error) = end_import(ctx, id, state).await {
            print::note(format_args!("the end of the import was not noted: {error}"));
        }
    }
    if ended.is_err() {
        let done = run.tally().done();
        print::note(format_args!(
            "{done} rows were done before. Run it again: what was taken is not taken twice."
        ));
    }
    ended.map(|()| (run.tally(), reports))
}

fn report(reports: &[RowReport]) -> Vec<u8> {
    let heads = [
        "line",
        "outcome",
        "same_as_line",
        "column",
        "reason",
        "posts",
    ];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for row in reports {
        let posts: Vec<String> = row.posts.iter().map(ToString::to_string).collect();
        let posts = posts.join(" ");
        let line = |column: &str, reason: &str| {
            vec![
                row.line.to_string(),
                row.outcome.to_string(),
                row.same_as_line
                    .map_or_else(String::new, |line| line.to_string()),
                column.to_owned(),
                reason.to_owned(),
                posts.clone(),
            ]
        };
        if row.faults.is_empty() && row.warnings.is_empty() {
            rows.push(line("", ""));
        }
        let notes = row.faults.iter().chain(&row.warnings);
        rows.extend(notes.map(|note| line(&note.column, &note.reason)));
    }
    written(&rows)
}

fn faulty(table: &Table, reports: &[RowReport]) -> Vec<u8> {
    let is_faulty = |report: &&RowReport| report.outcome == RowOutcome::Faulty;
    let lines: std::collections::HashSet<u64> = reports
        .iter()
        .filter(is_faulty)
        .map(|row| row.line)
        .collect();
    let mut rows = vec![table.heads.clone()];
    let records = table
        .rows
        .iter()
        .filter(|record| lines.contains(&record.line));
    rows.extend(records.map(|record| record.cells.iter().map(str::to_owned).collect()));
    written(&rows)
}

/// Faulty rows that are shown; --report has all of them.
const SHOWN: usize = 20;

fn show(
    arguments: &NewArguments,
    id: Option<ImportId>,
    job: &Job,
    tally: Tally,
    reports: &[RowReport],
) {
    if arguments.json {
        print::json(&json!({
            "id": id,
            "dry_run": arguments.dry_run,
            "encoding": job.table.encoding,
            "delimiter": job.table.delimiter,
            "tally": tally,
            "mapping": job.mapping(),
            "unmapped": job.unmapped(),
            "rows": reports,
        }));
        return;
    }
    let faulty = reports
        .iter()
        .filter(|row| row.outcome == RowOutcome::Faulty);
    for row in faulty.take(SHOWN) {
        for fault in &row.faults {
            let (column, reason) = (&fault.column, &fault.reason);
            print::line(format_args!("line {}: {column}: {reason}", row.line));
        }
    }
    if tally.faulty > SHOWN as u64 && arguments.report.is_none() {
        print::note("There are more: --report FILE has all of them.");
    }
    let (would, of) = match arguments.dry_run {
        true => ("Would be imported", "rows; nothing was written"),
        false => ("Imported", "rows"),
    };
    print::line(format_args!(
        "{would}: {} of {} {of}. There already: {}. Imported before: {}, of which changed since: {}. Faulty: {}.",
        tally.new,
        tally.rows,
        tally.duplicate,
        tally.unchanged + tally.differs,
        tally.differs,
        tally.faulty
    ));
    if let Some(id) = id.filter(|_| tally.new > 0) {
        print::note(format_args!("To take it back: manyhands import undo {id}"));
    }
}
