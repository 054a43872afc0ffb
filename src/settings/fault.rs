//! What is wrong with the settings, told without ever repeating a value: it may be a secret.

use std::fmt::{self, Display};
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// One key that is unknown or has a bad value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key with its section: `server.bind`.
    pub key: String,
    /// What was expected, as the rest of a sentence: `must be a whole number`.
    pub expected: String,
    /// Who set the value; `None` for the defaults.
    pub origin: Option<Origin>,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A settings file.
    File(PathBuf),
    /// The environment variable of that name.
    Environment(String),
    /// A flag.
    CommandLine,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A settings file cannot be read; also one that was named and does not exist.
    #[error("cannot read the settings file {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A settings file is not TOML.
    #[error("{}, line {line}, column {column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// What the parser says; never the text itself.
        message: String,
    },
    /// Keys are unknown or have bad values: all of them, by key, one a line.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faults(Vec<Fault>),
}

impl Fault {
    /// A fault of a key whose origin is not known yet.
    pub fn new(key: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            expected: expected.into(),
            origin: None,
        }
    }

    /// Whether both keys stand in the same table.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        let table = |fault: &Self| {
            fault
                .key
                .rsplit_once('.')
                .map(|(table, _)| table.to_owned())
        };
        table(self) == table(other)
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.expected)?;
        match &self.origin {
            Some(origin) => write!(f, " (set by {origin})"),
            None => Ok(()),
        }
    }
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Environment(name) => f.write_str(name),
            Self::CommandLine => f.write_str("the command line"),
        }
    }
}

/// The checks of one section: collects what does not hold.
pub(super) struct Checks {
    section: &'static str,
    faults: Vec<Fault>,
}

impl Checks {
    pub fn of(section: &'static str) -> Self {
        Self {
            section,
            faults: Vec::new(),
        }
    }

    /// `expected` is the rest of a sentence that begins with the key.
    pub fn require(&mut self, holds: bool, key: &str, expected: impl Into<String>) {
        if !holds {
            self.faults
                .push(Fault::new(format!("{}.{key}", self.section), expected));
        }
    }

    pub fn number<T: Copy + PartialOrd + Display>(
        &mut self,
        key: &str,
        value: T,
        allowed: RangeInclusive<T>,
    ) {
        let expected = format!("must be from {} to {}", allowed.start(), allowed.end());
        self.require(allowed.contains(&value), key, expected);
    }

    pub fn time(&mut self, key: &str, value: Duration, allowed: RangeInclusive<Duration>) {
        let expected = format!(
            "must be from {} to {}",
            told(*allowed.start()),
            told(*allowed.end())
        );
        self.require(allowed.contains(&value), key, expected);
    }

    pub fn done(self) -> Vec<Fault> {
        self.faults
    }
}

/// A time as it is written in the settings, in the largest unit that fits without a rest.
fn told(time: Duration) -> String {
    let seconds = time.as_secs();
    let (unit, name) = [(86_400, "d"), (3_600, "h"), (60, "m")]
        .into_iter()
        .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit))
        .unwrap_or((1, "s"));
    format!("{}{name}", seconds / unit)
}
