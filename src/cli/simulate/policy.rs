//! A policy: settings that differ from those that are shipped.

use serde::Deserialize;
use toml::{Table, Value};

use crate::settings::{Fault, Settings, SettingsError};

/// One of those that are compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub name: String,
    /// What it is about, for people.
    #[serde(default)]
    pub about: String,
    /// What it sets of the section of that name.
    #[serde(default)]
    matching: Table,
}

impl Policy {
    /// One of its keys, as faults name it.
    pub fn key(&self, key: &str) -> String {
        format!("policy {:?}: {key}", self.name)
    }

    /// What it sets, by dotted key.
    pub fn overrides(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        flatten("matching", &self.matching, &mut all);
        all
    }

    /// The settings over `base`.
    ///
    /// # Errors
    /// Every key that is unknown or has a bad value.
    pub fn settings(&self, base: &[(String, String)]) -> Result<Settings, SettingsError> {
        let all = base.iter().cloned().chain(self.overrides()).collect();
        crate::cli::city::settings(all).map_err(|error| match error {
            SettingsError::Faults(faults) => {
                let of_policy = |fault: Fault| Fault::new(self.key(&fault.key), fault.expected);
                SettingsError::Faults(faults.into_iter().map(of_policy).collect())
            }
            other => other,
        })
    }
}

fn flatten(prefix: &str, table: &Table, all: &mut Vec<(String, String)>) {
    for (name, value) in table {
        let key = format!("{prefix}.{name}");
        match value {
            Value::Table(inner) => flatten(&key, inner, all),
            Value::String(text) => all.push((key, text.clone())),
            other => all.push((key, other.to_string())),
        }
    }
}
