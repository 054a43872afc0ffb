//! What an operator can set: one file per section, and `config/default.toml` with every key, its
//! default and what it means.
//!
//! There are no defaults in the code. A value is read once, into a type that cannot hold a bad one
//! where that is possible; what is left, [`Settings::load`] checks, and it names all faults at once.
//! Nothing here opens what a setting names, and no error repeats a value.
//!
//! To add a key: a field in its section, the key with its default and a comment in
//! `config/default.toml`, and its range in the section's `validate`. A test compares the two.

pub mod area;
pub mod catalogs;
pub mod database;
pub mod digest;
mod fault;
pub mod keys;
mod layers;
pub mod limits;
pub mod log;
pub mod mail;
pub mod matching;
pub mod outbox;
pub mod retention;
pub mod server;
pub mod tasks;
mod values;
pub mod webhooks;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::{fs, io};

use serde::Deserialize;

pub use self::fault::{Fault, Origin, SettingsError};
use self::layers::Layers;
pub(crate) use self::layers::read_table;

/// The documented defaults: `config/default.toml`.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Where settings are looked for when no file is named, in the working directory.
pub const LOCAL_FILE: &str = "config/local.toml";

/// Environment variables that begin so are settings. Two underscores: `MANYHANDS_TEST_…` is not ours.
pub const PREFIX: &str = "MANYHANDS__";

/// All settings of an instance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens and whom it believes.
    pub server: server::ServerSettings,
    /// Where its database is.
    pub database: database::DatabaseSettings,
    /// Where its key ring is.
    pub keys: keys::KeySettings,
    /// How letters leave.
    pub mail: mail::MailSettings,
    /// How letters that wait are sent.
    pub outbox: outbox::OutboxSettings,
    /// What is logged.
    pub log: log::LogSettings,
    /// Its kinds of aid.
    pub categories: catalogs::CategorySettings,
    /// Its postal codes.
    pub gazetteer: catalogs::GazetteerSettings,
    /// Whether limits apply.
    pub limits: limits::LimitSettings,
    /// Where the neighbors are.
    pub area: area::AreaSettings,
    /// Whom to ask, how many, how often.
    pub matching: matching::MatchingSettings,
    /// When things are erased.
    pub retention: retention::RetentionSettings,
    /// By when what a person must do should be done.
    pub tasks: tasks::TaskSettings,
    /// When coordinators are told in the morning how it stands.
    pub digest: digest::DigestSettings,
    /// Where what changes may be told.
    pub webhooks: webhooks::WebhookSettings,
}

/// What overrides the defaults; each field is stronger than the one before.
#[derive(Clone, Default)]
#[expect(
    missing_debug_implementations,
    reason = "it holds the whole environment, secrets included"
)]
pub struct Sources {
    /// The settings file.
    pub file: SettingsFile,
    /// The environment; what does not begin with [`PREFIX`] is left alone.
    pub environment: Vec<(OsString, OsString)>,
    /// Dotted keys and values, from flags.
    pub overrides: Vec<(String, String)>,
}

/// Which settings file is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SettingsFile {
    /// None.
    #[default]
    None,
    /// This one, where it exists.
    IfPresent(PathBuf),
    /// This one, which must exist.
    Named(PathBuf),
}

impl Sources {
    /// The sources of a process: the file of `--config`, or [`LOCAL_FILE`] where there is one; the
    /// environment ([`std::env::vars_os`]); and flags as dotted keys with values.
    pub fn new(
        config: Option<PathBuf>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        overrides: Vec<(String, String)>,
    ) -> Self {
        let file = match config {
            Some(path) => SettingsFile::Named(path),
            None => SettingsFile::IfPresent(PathBuf::from(LOCAL_FILE)),
        };
        Self {
            file,
            environment: environment.into_iter().collect(),
            overrides,
        }
    }
}

impl Settings {
    /// Reads and checks all layers.
    ///
    /// # Errors
    /// A file that cannot be read; or every key that is unknown or has a bad value, with what was
    /// expected and where it was set. Contradictions between keys are looked for once each of them is
    /// good by itself.
    pub fn load(sources: Sources) -> Result<Self, SettingsError> {
        Self::load_over(DEFAULTS, sources)
    }

    fn load_over(defaults: &str, sources: Sources) -> Result<Self, SettingsError> {
        let mut layers = Layers::new(defaults)?;
        if let Some((path, text)) = sources.file.read()? {
            layers.add_file(&path, &text)?;
        }
        for (name, value) in sources.environment {
            add_variable(&mut layers, &name.to_string_lossy(), &value);
        }
        for (key, value) in sources.overrides {
            layers.add_text(&key, &value, Origin::CommandLine);
        }
        let settings = layers.read::<Self>();
        let mut faults = layers.faults();
        // A refused value was replaced by its default: what that contradicts was never meant.
        let contradictions = settings
            .iter()
            .flat_map(Self::validate)
            .filter(|c| !faults.iter().any(|f| f.is_beside(c)));
        let contradictions: Vec<_> = contradictions
            .map(|c| Fault {
                origin: layers.origin(&c.key),
                ..c
            })
            .collect();
        faults.extend(contradictions);
        match settings {
            Some(settings) if faults.is_empty() => Ok(settings),
            _ => Err(SettingsError::Faults(in_order(faults))),
        }
    }

    /// Whatever is out of range, contradicts another setting, or would be dangerous.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        [
            self.server.validate(),
            self.database.validate(),
            self.keys.validate(),
            self.mail.validate().err().map(told).unwrap_or_default(),
            self.outbox.validate(&self.mail),
            self.log.validate(),
            self.categories.validate(),
            self.gazetteer.validate(),
            self.limits.validate(&self.server),
            self.area.validate(),
            self.matching.validate(),
            self.retention.validate(),
            self.tasks.validate(),
            self.webhooks.validate(&self.outbox),
        ]
        .concat()
    }

    /// What may be meant, but an operator should hear of at the start.
    #[must_use]
    pub fn warnings(&self) -> Vec<Fault> {
        let mut warnings = self.server.warnings();
        if self.mail.transport == mail::TransportKind::Smtp && self.server.public_url.is_loopback()
        {
            warnings.push(Fault::new(
                "server.public_url",
                "leads nowhere but to this machine, and so do links in letters",
            ));
        }
        warnings.extend(told(self.mail.warnings()));
        warnings
    }
}

impl SettingsFile {
    fn read(self) -> Result<Option<(PathBuf, String)>, SettingsError> {
        let (path, may_be_missing) = match self {
            Self::None => return Ok(None),
            Self::IfPresent(path) => (path, true),
            Self::Named(path) => (path, false),
        };
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some((path, text))),
            Err(error) if may_be_missing && error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(reason) => Err(SettingsError::Unreadable { path, reason }),
        }
    }
}

fn add_variable(layers: &mut Layers, name: &str, value: &OsString) {
    let Some(key) = name.strip_prefix(PREFIX) else {
        return;
    };
    let key = key.to_lowercase().replace("__", ".");
    let origin = Origin::Environment(name.to_owned());
    match value.to_str() {
        Some(text) => layers.add_text(&key, text, origin),
        None => layers.add_fault(&key, "must be UTF-8", origin),
    }
}

fn told(faults: mail::Faults) -> Vec<Fault> {
    faults
        .into_iter()
        .map(|(key, expected)| Fault::new(key, expected))
        .collect()
}

/// By key, and the first of each key: what follows is only its consequence.
fn in_order(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort_by(|a, b| a.key.cmp(&b.key));
    let mut seen = BTreeSet::new();
    faults.retain(|fault| {
        seen.insert((
            fault.key.clone(),
            fault.origin.as_ref().map(ToString::to_string),
        ))
    });
    faults
}

#[cfg(test)]
mod tests;
