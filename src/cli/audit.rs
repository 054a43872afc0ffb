//! `manyhands audit`: whether what was done is still told as it was done. Works on the database, so the
//! service may be running.

use std::io::IsTerminal;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Config, Failure, open_existing, print};
use crate::actions::verify_audit::{Fault, FaultKind, Verification, verify_audit};
use crate::storage::audit_chain::Head;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look for entries that were edited, removed, inserted or reordered since they were sealed.
    #[command(
        after_help = "Examples:\n  manyhands audit verify\n  manyhands audit verify --json\n  manyhands audit verify --head 4711:2f5c…\n\nExit codes: 0 if all is as it was sealed, 3 if not, 1 if that could not be found out.\nThat the end of the chain was cut off shows only with a head that was noted before: keep the one that is printed,\nor those in the log, somewhere else."
    )]
    Verify(VerifyArguments),
}

#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// A head that was noted earlier: everything up to it must still be there.
    #[arg(long, value_name = "NUMBER:HASH")]
    head: Option<Head>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, command: Command) -> Result<(), Failure> {
    let Command::Verify(arguments) = command;
    let ctx = open_existing(config).await?;
    let bar = bar();
    let found = verify_audit(&ctx, arguments.head, |done, all| {
        bar.set_length(u64::try_from(all).unwrap_or_default());
        bar.set_position(u64::try_from(done).unwrap_or_default());
    })
    .await;
    bar.finish_and_clear();
    let found = found.map_err(anyhow::Error::from)?;
    if arguments.json {
        as_json(&found);
    } else {
        as_text(&found);
    }
    match found.fault {
        Some(_) => Err(Failure::DoesNotVerify),
        None => Ok(()),
    }
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    // The template is a constant that is known to be right.
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} entries, {eta} left") {
        bar.set_style(style);
    }
    bar
}

fn as_json(found: &Verification) {
    let fault = found.fault.map(|fault| {
        json!({ "kind": fault.kind, "number": fault.number, "seq": fault.seq, "detail": told(&fault) })
    });
    print::json(&json!({
        "verified": found.verified,
        "waiting": found.waiting,
        "head": found.head.map(|head| head.to_string()),
        "fault": fault,
    }));
}

fn as_text(found: &Verification) {
    let behind = match found.fault {
        Some(_) => "behind them",
        None => "not sealed yet",
    };
    print::line(format_args!(
        "Entries verified: {}; {behind}: {}",
        found.verified, found.waiting
    ));
    if let Some(head) = found.head {
        print::line(format_args!("Head: {head}"));
    }
    if let Some(fault) = &found.fault {
        print::error(told(fault));
    }
}

/// What is wrong, in words.
fn told(fault: &Fault) -> String {
    let number = fault.number;
    let entry = fault
        .seq
        .map_or_else(|| "the entry".to_owned(), |seq| format!("entry {seq}"));
    match fault.kind {
        FaultKind::Edited => {
            format!("{entry} (link {number}) was edited, or its link was")
        }
        FaultKind::Removed => format!("{entry} (link {number}) was removed"),
        FaultKind::Inserted => {
            format!("{entry} was inserted: link {number} seals the one after it")
        }
        FaultKind::Reordered => {
            format!("{entry} (link {number}) was reordered: its place is another one")
        }
        FaultKind::LinkRemoved => format!("link {number} was removed; {entry} has lost its seal"),
        FaultKind::Relinked => {
            format!("link {number} was edited: it names another entry than {entry}")
        }
        FaultKind::Unreadable => {
            format!("{entry} (link {number}) was edited: it cannot be read any more")
        }
        FaultKind::NotSealed => format!(
            "{entry} has waited for link {number} while the workers were at work: the end of the chain was cut off, or sealing fails (see the log)"
        ),
        FaultKind::Cut => {
            format!(
                "the chain ends before link {number}, whose head was noted: its end was cut off"
            )
        }
        FaultKind::Rewritten => {
            format!("link {number} is not the one whose head was noted: the chain was made anew")
        }
    }
}
