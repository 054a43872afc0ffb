//! The letters that have come: files in a directory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[derive(Debug, Default)]
pub struct Mailbox {
    seen: BTreeSet<String>,
    /// Codes of asks that nobody has looked behind.
    pub asks: Vec<String>,
    /// Codes that confirm an address, by the address.
    pub confirm: BTreeMap<String, String>,
}

impl Mailbox {
    /// Reads what is new in `dir/mail`.
    pub fn read(&mut self, dir: &Path) {
        for (name, path) in files(dir) {
            if self.seen.contains(&name) {
                continue;
            }
            // Gone, if it was replaced just now: then it is read the next time.
            let Ok(eml) = std::fs::read_to_string(&path) else {
                continue;
            };
            self.seen.insert(name);
            let to = eml.lines().find_map(|line| line.strip_prefix("To:"));
            let to = to.unwrap_or_default().trim().to_owned();
            if let Some(code) = code(&eml, "mho_") {
                self.confirm.insert(to, code);
            } else if let Some(code) = code(&eml, "mha_") {
                self.asks.push(code);
            }
        }
    }
}

/// The letters in `dir/mail`, by file name. Drafts are none.
pub fn files(dir: &Path) -> Vec<(String, std::path::PathBuf)> {
    let entries = std::fs::read_dir(dir.join("mail")).into_iter().flatten();
    entries
        .flatten()
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            )
        })
        .filter(|(_, path)| path.extension().is_some_and(|ext| ext == "eml"))
        .collect()
}

/// The first code of a kind on a line of its own.
fn code(eml: &str, prefix: &str) -> Option<String> {
    let line = eml.lines().find(|line| line.starts_with(prefix))?;
    Some(line.trim().to_owned())
}
