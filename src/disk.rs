//! What a file system has to be told so that what was written is there after a crash of the machine, and so that
//! what is read is what the disk holds.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Makes a directory with these permissions, and those above it that are missing: they are there after a power
/// failure too. One that is there already is left as it is.
///
/// # Errors
/// A directory that cannot be made or synced.
pub fn make_dir(dir: &Path, mode: u32) -> io::Result<()> {
    let missing = dir
        .ancestors()
        .take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists());
    let above: Vec<&Path> = missing.filter_map(Path::parent).collect();
    DirBuilder::new().recursive(true).mode(mode).create(dir)?;
    // The name of a directory stands in the one above it.
    above.into_iter().try_for_each(sync_dir)
}

/// Brings the names in a directory to the disk; the empty path is where the process works.
///
/// # Errors
/// A directory that cannot be opened or synced.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    let dir = match dir.as_os_str().is_empty() {
        true => Path::new("."),
        false => dir,
    };
    File::open(dir)?.sync_all()
}

/// Brings a file to the disk and lets the system forget what it holds of it, so that it is read from the disk
/// again. One that is not there is left alone.
///
/// When a sync fails, Linux marks the pages as written that were not: they read as if they were on the disk, and no
/// later sync brings them there (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
///
/// # Errors
/// A file that cannot be synced: then nothing is forgotten.
pub fn read_anew(path: &Path) -> io::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    file.sync_all()?;
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_read_anew_is_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        read_anew(&path).unwrap();
        std::fs::write(&path, "said").unwrap();
        read_anew(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "said");
    }

    #[test]
    fn a_directory_is_made_with_those_above_it() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        make_dir(&deep, 0o700).unwrap();
        make_dir(&deep, 0o700).unwrap();
        let mode = deep.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(make_dir(&dir.path().join("a/b/c/\0"), 0o700).is_err());
    }
}
