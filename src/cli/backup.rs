//! `manyhands backup` and `manyhands restore`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use tokio::task::spawn_blocking;

use super::{Config, Failure, print};
use crate::actions::register_keys::fits;
use crate::app::data_dir;
use crate::crypto::keyring::KeyRing;
use crate::settings::Settings;
use crate::storage::backup::{self, BackupError};

#[derive(Debug, Args)]
pub(super) struct BackupArguments {
    /// The copy; must not be there yet.
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArguments {
    /// The copy to take.
    file: PathBuf,
}

pub(super) async fn backup(config: &Config, arguments: BackupArguments) -> Result<(), Failure> {
    let settings = config.settings()?;
    let source = file(&settings)?;
    if !source.exists() {
        return Err(anyhow::anyhow!("there is no database at {}", source.display()).into());
    }
    let target = arguments.file.clone();
    let work = move || backup::backup(&source, &target);
    let growing = backup::unfinished(&arguments.file);
    watched("Copying", &growing, work).await?;
    print::line(format_args!(
        "{}: {}, read back and whole. The key ring is not in it: keep a copy of {} elsewhere.",
        arguments.file.display(),
        size(&arguments.file),
        settings.keys.path.display(),
    ));
    Ok(())
}

pub(super) async fn restore(config: &Config, arguments: RestoreArguments) -> Result<(), Failure> {
    let settings = config.settings()?;
    let target = file(&settings)?;
    let unfinished = target.with_extension("restoring");
    let (source, database) = (arguments.file.clone(), target.clone());
    let work = move || backup::restore(&source, &database);
    watched("Restoring", &unfinished, work).await?;
    print::line(format_args!(
        "{}: {}, whole.",
        target.display(),
        size(&target)
    ));
    if let Some(warning) = ring_warning(&settings) {
        print::note(format_args!("warning: {warning}"));
    }
    Ok(())
}

/// The file that is copied.
fn file(settings: &Settings) -> Result<PathBuf, Failure> {
    let file = settings.database.url().file().map(Path::to_owned);
    let elsewhere = "a database on a server is copied by the server's own tools: pg_dump and pg_restore, or pg_basebackup (README.md, “Backups of a server”); `manyhands copy` carries it to a file and back";
    Ok(file.ok_or_else(|| anyhow::anyhow!(elsewhere))?)
}

/// What to do about the key ring, if the database cannot be read with the one that is there.
fn ring_warning(settings: &Settings) -> Option<String> {
    let path = settings.keys.path.display();
    let (check, known) = match backup::keys_of(&settings.database.url()) {
        Ok((Some(check), known)) => (check, known),
        Ok((None, _)) => return None,
        Err(error) => return Some(error.to_string()),
    };
    match KeyRing::load(
        &settings.keys.path,
        data_dir(&settings.database.url()).as_deref(),
    ) {
        Ok(ring) => fits(&ring, Some(&check), &known).err().map(|why| {
            format!("key ring {path} {why}; put the one there that was last used with it")
        }),
        Err(error) => Some(format!("put its key ring in place: {error}")),
    }
}

/// Does long work on another thread and shows on a terminal how `growing` grows.
async fn watched(
    what: &'static str,
    growing: &Path,
    work: impl FnOnce() -> Result<(), BackupError> + Send + 'static,
) -> Result<(), Failure> {
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    // The template is a constant that is known to be right.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {bytes} in {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    let mut working = spawn_blocking(work);
    let result = loop {
        tokio::select! {
            result = &mut working => break result,
            () = tokio::time::sleep(Duration::from_millis(100)) => {
                bar.set_position(bytes(growing));
                bar.tick();
            }
        }
    };
    bar.finish_and_clear();
    Ok(result
        .map_err(anyhow::Error::from)?
        .map_err(anyhow::Error::from)?)
}

fn bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

fn size(path: &Path) -> HumanBytes {
    HumanBytes(bytes(path))
}
