//! `manyhands import list` and `manyhands import undo`: which imports there were, and one of them taken back.

use std::io::{BufRead, IsTerminal};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::actions::Ctx;
use crate::actions::run_import::state_of;
use crate::actions::undo_import::{Undone, undo_some};
use crate::cli::{Config, Failure, failed, open_existing, print};
use crate::domain::clock::Ts;
use crate::domain::ids::ImportId;
use crate::storage::audit::Actor;
use crate::storage::imports::{self, Import};
use crate::storage::page::Page;
use crate::storage::{Conn, StorageError};

/// Imports that are listed.
const LISTED: i64 = 200;

#[derive(Debug, Subcommand)]
pub(super) enum Past {
    /// The imports whose rows are remembered, newest first.
    #[command(after_help = "Example:\n  manyhands import list --json")]
    List(ListArguments),
    /// Take an import back: close what it made, as far as nobody has said yes to it or changed it since.
    #[command(
        after_help = "Example:\n  manyhands import undo 3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a --yes\n\nWhat stays is counted. The rows may be imported anew afterward. Run it again if it was stopped: it goes on."
    )]
    Undo(UndoArguments),
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct UndoArguments {
    /// Which, as `import list` shows it.
    id: ImportId,
    /// Do not ask first.
    #[arg(long)]
    yes: bool,
    /// What came of it as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, past: Past) -> Result<(), Failure> {
    match past {
        Past::List(arguments) => list(config, &arguments).await,
        Past::Undo(arguments) => undo(config, &arguments).await,
    }
}

async fn list(config: &Config, arguments: &ListArguments) -> Result<(), Failure> {
    let ctx = open_existing(config).await?;
    let page = Page {
        after: None,
        limit: LISTED,
    };
    let all = read(&ctx, move |conn| Ok(imports::page(conn, page)?)).await?;
    let now = ctx.now();
    if arguments.json {
        let all: Vec<_> = all.iter().map(|import| told(import, now)).collect();
        print::json(&json!(all));
        return Ok(());
    }
    let row = |import: &Import| {
        let undone = match (&import.undone, import.undone_at) {
            (Some(_), Some(at)) => at.to_string(),
            (Some(_), None) => "begun".to_owned(),
            _ => String::new(),
        };
        [
            import.id.to_string(),
            import.created_at.to_string(),
            import.kind.to_string(),
            state_of(import, now).to_string(),
            import.tally.0.new.to_string(),
            undone,
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    print::table(["ID", "BEGUN", "KIND", "STATE", "NEW", "TAKEN BACK"], &rows);
    Ok(())
}

/// As the API tells it.
fn told(import: &Import, now: Ts) -> serde_json::Value {
    json!({
        "id": import.id,
        "kind": import.kind,
        "state": state_of(import, now),
        "dry_run": import.dry_run,
        "tally": import.tally.0,
        "created_by": import.created_by,
        "created_at": import.created_at,
        "updated_at": import.updated_at,
        "undone": import.undone.as_ref().map(|undone| undone.0.tally),
        "undone_at": import.undone_at,
    })
}

async fn undo(config: &Config, arguments: &UndoArguments) -> Result<(), Failure> {
    let ctx = open_existing(config).await?;
    let id = arguments.id;
    let import = read(&ctx, move |conn| Ok(imports::find(conn, id)?)).await?;
    let Some(import) = import else {
        return Err(anyhow::anyhow!("there is no import {id} whose rows are remembered").into());
    };
    if import.undone_at.is_none() && !arguments.yes && !is_confirmed(&import)? {
        print::note("Nothing was done.");
        return Ok(());
    }
    let undone = take_back(&ctx, &import).await?;
    if arguments.json {
        print::json(&json!(undone.tally));
        return Ok(());
    }
    print::line(format_args!(
        "Closed: {}. They stay, because somebody has said yes: {}; because they were changed or confirmed since: {}.",
        undone.tally.closed, undone.tally.accepted, undone.tally.changed
    ));
    Ok(())
}

/// Asks whoever sits there.
fn is_confirmed(import: &Import) -> Result<bool, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let why = "--yes: there is nobody to ask; say it where it is meant";
        return Err(Failure::Settings(why.to_owned()));
    }
    print::note(format_args!(
        "The import of {} made {} new posts. Close those that nobody has said yes to or changed since? [y/N]",
        import.created_at, import.tally.0.new
    ));
    let mut answer = String::new();
    stdin
        .lock()
        .read_line(&mut answer)
        .map_err(anyhow::Error::from)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// Takes it back and shows how far it is: a bar on a terminal, a line for every tenth elsewhere.
async fn take_back(ctx: &Ctx, import: &Import) -> Result<Undone, Failure> {
    let rows = import.tally.0.new;
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new(rows),
        false => ProgressBar::hidden(),
    };
    // The template is a constant that is known to be right.
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} posts, {eta} left") {
        bar.set_style(style);
    }
    let mut tenth = 0;
    let ended = loop {
        let undone = match undo_some(ctx, import.id, Actor::OPERATOR).await {
            Ok(undone) => undone,
            Err(error) => break Err(failed(error)),
        };
        let done = undone.tally.done();
        bar.set_position(done);
        let tenths = done * 10 / rows.max(1);
        if undone.is_over {
            break Ok(undone);
        }
        if tenths != tenth && bar.is_hidden() {
            print::note(format_args!("{done} of {rows} posts"));
        }
        tenth = tenths;
    };
    bar.finish_and_clear();
    if ended.is_err() {
        print::note("Run it again: it goes on where it was.");
    }
    ended
}

async fn read<T, F>(ctx: &Ctx, f: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce(&mut Conn) -> Result<T, StorageError> + Send + 'static,
{
    Ok(ctx.db.read(f).await.map_err(anyhow::Error::from)?)
}
