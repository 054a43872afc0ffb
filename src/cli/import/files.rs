//! Files that lie beside a sheet with everybody's data: nobody but the operator reads them, whoever could read what lay
//! there before.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

use crate::cli::Failure;

/// Writes a file anew, with mode 0600, and puts it in the place of what lies there; what is no file, such as a pipe, is
/// written to as it is.
pub(super) fn save(path: &Path, content: &[u8]) -> Result<(), Failure> {
    Ok(write(path, content).with_context(|| path.display().to_string())?)
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(content),
        // Not the link to it.
        Ok(_) => replace(&fs::canonicalize(path)?, content),
        Err(_) => replace(path, content),
    }
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(name);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What could not be put in its place is not left behind; where it is not there, that is no error.
        let _ = fs::remove_file(&beside);
    }
    written
}
