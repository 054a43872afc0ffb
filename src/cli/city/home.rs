//! A directory of a made-up city's own, gone when its story is over.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::domain::entropy::{Entropy, OsEntropy};

/// The directory; dropping it removes it with all that is in it.
#[derive(Debug)]
pub(in crate::cli) struct Home(PathBuf);

impl Home {
    /// A new directory among the system's temporary ones, for this user only; `kind` stands in its name.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(kind: &str) -> io::Result<Self> {
        let name = u64::from_le_bytes((&OsEntropy as &dyn Entropy).bytes());
        let path = parent().join(format!("manyhands-{kind}-{name:016x}"));
        // It fails if the path is there already, also as somebody's link.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Memory where the system offers it: every commit waits for the disk, and what is thrown away needs
/// none. TMPDIR is stronger.
fn parent() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if std::env::var_os("TMPDIR").is_none() && memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            crate::cli::print::note(format_args!(
                "{} could not be removed: {error}",
                self.0.display()
            ));
        }
    }
}
