//! `manyhands copy`: a town moves from one database to another, up or down.

use std::io::IsTerminal;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::task::spawn_blocking;

use super::{Config, Failure, print};
use crate::actions::activate_key::ALIVE;
use crate::domain::clock::{Clock, SystemClock};
use crate::storage::DatabaseUrl;
use crate::storage::copy::{self, Compared, CopyError, Progress, Terms};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What is copied, written as `database.url` is; that one, if none is named.
    #[arg(long, value_name = "URL")]
    from: Option<DatabaseUrl>,
    /// Where it goes: a database in which there is nothing yet. Its password is best in the file that
    /// `database.password_file` names.
    #[arg(long, value_name = "URL")]
    to: DatabaseUrl,
    /// Copy nothing; read both and say where they differ.
    #[arg(long)]
    verify_only: bool,
    /// Leave the source open: for a rehearsal. Otherwise it is locked when the copy is complete, so that no
    /// process serves both.
    #[arg(long, conflicts_with = "verify_only")]
    keep_open: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let settings = config.settings()?;
    let from = match arguments.from {
        Some(url) => settings.database.spoken_to(url),
        None => settings.database.url(),
    };
    let to = settings.database.spoken_to(arguments.to);
    if from == to {
        return Err(Failure::Settings(
            "--from and --to are one database".to_owned(),
        ));
    }
    let must_be_there = [Some(&from), arguments.verify_only.then_some(&to)];
    for path in must_be_there
        .into_iter()
        .flatten()
        .filter_map(DatabaseUrl::file)
    {
        if !path.exists() {
            return Err(anyhow::anyhow!("there is no database at {}", path.display()).into());
        }
    }
    let Arguments {
        verify_only,
        keep_open,
        ..
    } = arguments;
    let terms = Terms {
        now: SystemClock.now(),
        alive: ALIVE,
        keep_open,
    };
    let compared = watched(move |told| match verify_only {
        true => copy::compare(&from, &to, told),
        false => copy::copy(&from, &to, terms, told),
    })
    .await?;
    if arguments.json {
        as_json(&compared, verify_only, keep_open);
    } else {
        as_text(&compared, verify_only, keep_open);
    }
    match compared.different {
        0 => Ok(()),
        _ => Err(Failure::DoesNotVerify),
    }
}

/// Does the work on another thread and shows how far it is: a bar on a terminal, a line for every tenth
/// elsewhere.
async fn watched(
    work: impl FnOnce(&mut dyn FnMut(Progress)) -> Result<Compared, CopyError> + Send + 'static,
) -> Result<Compared, Failure> {
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new(0),
        false => ProgressBar::hidden(),
    };
    // The template is a constant that is known to be right.
    if let Ok(style) =
        ProgressStyle::with_template("{msg} {bar:40} {pos} of {len} rows, {eta} left")
    {
        bar.set_style(style);
    }
    let shown = bar.clone();
    let mut tenth = 0;
    let mut told = move |at: Progress| {
        let what = match at.comparing {
            true => "Comparing",
            false => "Copying",
        };
        shown.set_length(at.all);
        shown.set_position(at.done);
        shown.set_message(format!("{what} {}", at.table));
        let tenths = at.done * 10 / at.all.max(1);
        if tenths != tenth && shown.is_hidden() {
            print::note(format_args!("{what}: {} of {} rows", at.done, at.all));
        }
        tenth = tenths;
    };
    let result = spawn_blocking(move || work(&mut told)).await;
    bar.finish_and_clear();
    Ok(result
        .map_err(anyhow::Error::from)?
        .map_err(anyhow::Error::from)?)
}

fn rows(compared: &Compared) -> u64 {
    compared.tables.iter().map(|table| table.rows).sum()
}

fn as_json(compared: &Compared, verify_only: bool, keep_open: bool) {
    let tables: serde_json::Map<_, _> = compared
        .tables
        .iter()
        .map(|table| (table.table.to_owned(), table.rows.into()))
        .collect();
    let differences: Vec<_> = compared
        .differences
        .iter()
        .map(|d| json!({ "table": d.table, "key": d.key, "kind": d.kind.as_str() }))
        .collect();
    let copied = !verify_only && compared.different == 0;
    print::json(&json!({
        "copied": copied,
        "source_locked": copied.then_some(compared.was_locked || !keep_open),
        "rows": rows(compared),
        "tables": tables,
        "different": compared.different,
        "differences": differences,
    }));
}

fn as_text(compared: &Compared, verify_only: bool, keep_open: bool) {
    let lines: Vec<_> = compared
        .tables
        .iter()
        .map(|table| [table.table.to_owned(), table.rows.to_string()])
        .collect();
    print::table(["TABLE", "ROWS"], &lines);
    let rows = rows(compared);
    if compared.different > 0 {
        let named = compared
            .differences
            .iter()
            .map(|d| format!("{} {}: {}", d.table, d.key, d.kind.as_str()));
        let kept = match verify_only {
            true => "",
            false => "; nothing of the copy was kept",
        };
        let told = format!(
            "{} of {rows} rows are not the same{kept}",
            compared.different
        );
        let all: Vec<_> = [told].into_iter().chain(named).collect();
        print::error(all.join("\n"));
    } else if verify_only {
        print::line(format_args!("The same in both: {rows} rows."));
    } else {
        print::line(format_args!("Copied, read back and compared: {rows} rows."));
        as_next(compared.was_locked, keep_open);
    }
}

/// What there is to do with the two databases.
fn as_next(was_locked: bool, keep_open: bool) {
    print::note(
        "Now let every process have the target as database.url, with the key ring it has, and start it. The source still\nholds all of it: destroy it and its backups when you need them no more.",
    );
    if was_locked {
        print::note(
            "The source was locked before, and so both are: `manyhands unlock`, with the target as database.url, opens it.",
        );
    } else if keep_open {
        print::note(
            "warning: the source is open: a process that starts with it sends the same letters once more.",
        );
    } else {
        print::note(
            "The source is locked: a process that starts with it answers nobody and sends nothing. To go back to it, stop\neverything on the target and run `manyhands unlock` with the source as database.url.",
        );
    }
}
