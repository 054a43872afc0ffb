//! Settings in layers: each overrides single keys of those below.
//!
//! The file with the defaults is the schema as well. A key that it does not have is unknown, and the
//! kind of its default decides how a text from the environment is read: `"0123"` stays a text where
//! the default is one, so a password of digits is still that password. A default that is an empty
//! text marks an optional key, and an empty text there means none.
//!
//! Instead of merging with a configuration crate: those quote the offending value in their errors,
//! which must not happen to a password, and stop at the first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use toml::{Table, Value};

use super::fault::{Fault, Origin, SettingsError};

/// Optional keys that are numbers: an empty text cannot say so.
const OPTIONAL_NUMBERS: [&str; 1] = ["mail.smtp.port"];

/// The defaults and what overrides them, by dotted key.
pub(super) struct Layers {
    defaults: BTreeMap<String, Value>,
    set: BTreeMap<String, (Value, Origin)>,
    faults: Vec<Fault>,
}

impl Layers {
    /// The lowest layer, which has every key.
    pub fn new(defaults: &str) -> Result<Self, SettingsError> {
        let table = table(Path::new("config/default.toml"), defaults)?;
        let mut flat = BTreeMap::new();
        flatten("", table, &mut flat);
        Ok(Self {
            defaults: flat,
            set: BTreeMap::new(),
            faults: Vec::new(),
        })
    }

    /// All that a file sets.
    pub fn add_file(&mut self, path: &Path, text: &str) -> Result<(), SettingsError> {
        let mut flat = BTreeMap::new();
        flatten("", table(path, text)?, &mut flat);
        for (key, value) in flat {
            // A section whose keys are all commented out.
            if value.is_table() && self.has_section(&key) {
                continue;
            }
            self.add(key, Origin::File(path.to_owned()), |default, key| {
                fit(default, key, value)
            });
        }
        Ok(())
    }

    /// One key, set by a text.
    pub fn add_text(&mut self, key: &str, text: &str, origin: Origin) {
        self.add(key.to_owned(), origin, |default, key| {
            read_text(default, key, text)
        });
    }

    /// One key that cannot be read at all.
    pub fn add_fault(&mut self, key: &str, expected: &str, origin: Origin) {
        self.faults.push(Fault {
            origin: Some(origin),
            ..Fault::new(key, expected)
        });
    }

    fn add(
        &mut self,
        key: String,
        origin: Origin,
        read: impl FnOnce(&Value, &str) -> Result<Value, &'static str>,
    ) {
        let read = match self.defaults.get(&key) {
            Some(default) => read(default, &key).map_err(str::to_owned),
            None => Err(self.known_beside(&key)),
        };
        match read {
            Ok(value) => _ = self.set.insert(key, (value, origin)),
            Err(expected) => self.add_fault(&key, &expected, origin),
        }
    }

    /// Reads everything. A value that its type refuses is replaced by the default, so that the next
    /// one is found as well: the result is good only if there are no faults.
    pub fn read<T: DeserializeOwned>(&mut self) -> Option<T> {
        let mut refused = BTreeSet::new();
        loop {
            let error = match serde_path_to_error::deserialize(self.tree(&refused)) {
                Ok(settings) => return Some(settings),
                Err(error) => error,
            };
            let key = key(error.path());
            let mut fault = Fault::new(&key, expectation(error.inner().message()));
            fault.origin = self.origin(&key);
            self.faults.push(fault);
            if !self.set.contains_key(&key) || !refused.insert(key) {
                return None;
            }
        }
    }

    /// What was wrong so far.
    pub fn faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }

    /// Who set that key last.
    pub fn origin(&self, key: &str) -> Option<Origin> {
        self.set.get(key).map(|(_, origin)| origin.clone())
    }

    /// All values in their tables; a refused one is replaced by its default.
    pub fn tree(&self, refused: &BTreeSet<String>) -> Table {
        let mut tree = Table::new();
        for (key, default) in &self.defaults {
            let value = match self.set.get(key) {
                Some((value, _)) if !refused.contains(key) => value,
                _ => default,
            };
            let is_none = is_empty(default) && is_empty(value);
            insert(&mut tree, key, (!is_none).then(|| value.clone()));
        }
        tree
    }

    fn has_section(&self, name: &str) -> bool {
        let prefix = format!("{name}.");
        self.defaults.keys().any(|key| key.starts_with(&prefix))
    }

    /// Says that a key is unknown, and which are known near it.
    fn known_beside(&self, key: &str) -> String {
        if self.has_section(key) {
            return "must be a section with keys".to_owned();
        }
        let mut table = key;
        while let Some((parent, _)) = table.rsplit_once('.') {
            table = parent;
            let prefix = format!("{table}.");
            let known: BTreeSet<_> = self
                .defaults
                .keys()
                .filter_map(|k| first(k.strip_prefix(&prefix)?))
                .collect();
            if !known.is_empty() {
                return format!("is unknown; [{table}] has {}", join(&known));
            }
        }
        let sections: BTreeSet<_> = self.defaults.keys().filter_map(|k| first(k)).collect();
        format!("is unknown; the sections are {}", join(&sections))
    }
}

fn first(key: &str) -> Option<&str> {
    key.split('.').next()
}

fn join(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

fn is_empty(value: &Value) -> bool {
    value.as_str().is_some_and(str::is_empty)
}

/// The parser's own `Display` shows the line, which may hold a password; its message does not.
fn table(path: &Path, text: &str) -> Result<Table, SettingsError> {
    text.parse::<Table>().map_err(|error| {
        let before = error
            .span()
            .and_then(|span| text.get(..span.start))
            .unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        SettingsError::Syntax {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            message: error.message().to_owned(),
        }
    })
}

/// A file that is no layer of the settings, but is read as strictly: into a type that refuses unknown keys.
///
/// # Errors
/// Text that is not TOML; or the first key that is missing, unknown or has a bad value.
pub fn read_table<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, SettingsError> {
    let table = table(path, text)?;
    serde_path_to_error::deserialize(table).map_err(|error| {
        let message = error.inner().message();
        let expected = match message.strip_prefix("unknown field ") {
            Some(rest) => format!("is unknown: {rest}"),
            None => expectation(message),
        };
        // Entries of a list have no keys, so the place of a fault in one is told with its number.
        let key = error.path().to_string();
        SettingsError::Faults(vec![Fault {
            origin: Some(Origin::File(path.to_owned())),
            ..Fault::new(key, expected)
        }])
    })
}

fn flatten(prefix: &str, table: Table, flat: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        match value {
            Value::Table(inner) if !inner.is_empty() => flatten(&format!("{key}."), inner, flat),
            value => _ = flat.insert(key, value),
        }
    }
}

/// Puts a value to its place; `None` only makes the tables on the way.
fn insert(table: &mut Table, key: &str, value: Option<Value>) {
    match key.split_once('.') {
        None => table.extend(value.map(|value| (key.to_owned(), value))),
        Some((name, rest)) => {
            let inner = table
                .entry(name)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

/// A value from a file has the kind that the default has: TOML reads `1_000` or `1e3` without quotes
/// as numbers, and as a password they would no longer be what was written.
fn fit(default: &Value, key: &str, value: Value) -> Result<Value, &'static str> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers above 2^53 are out of every range here"
    )]
    match (default, value) {
        (Value::Float(_), Value::Integer(whole)) => Ok(Value::Float(whole as f64)),
        (Value::String(_), Value::Integer(number)) if OPTIONAL_NUMBERS.contains(&key) => {
            Ok(Value::Integer(number))
        }
        (default, value) if default.same_type(&value) => Ok(value),
        (Value::String(_), _) => Err("must be a text in quotes"),
        (Value::Integer(_), _) => Err(WHOLE_NUMBER),
        (Value::Float(_), _) => Err(NUMBER),
        (Value::Boolean(_), _) => Err(FLAG),
        _ => Err("must be a list of texts"),
    }
}

/// A text from the environment or a flag, as the kind that the default has.
fn read_text(default: &Value, key: &str, text: &str) -> Result<Value, &'static str> {
    match default {
        Value::String(_) if OPTIONAL_NUMBERS.contains(&key) && !text.is_empty() => whole(text),
        Value::String(_) => Ok(Value::String(text.to_owned())),
        Value::Integer(_) => whole(text),
        Value::Float(_) => text.trim().parse().map(Value::Float).map_err(|_| NUMBER),
        Value::Boolean(_) => text.trim().parse().map(Value::Boolean).map_err(|_| FLAG),
        _ => {
            let texts = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Ok(Value::Array(
                texts.map(|item| Value::String(item.to_owned())).collect(),
            ))
        }
    }
}

const WHOLE_NUMBER: &str = "must be a whole number";
const NUMBER: &str = "must be a number";
const FLAG: &str = "must be true or false";

fn whole(text: &str) -> Result<Value, &'static str> {
    text.trim()
        .parse()
        .map(Value::Integer)
        .map_err(|_| WHOLE_NUMBER)
}

/// The dotted key that an error is about, without list indices.
fn key(path: &serde_path_to_error::Path) -> String {
    let names = path.iter().map_while(|segment| match segment {
        Segment::Map { key } => Some(key.as_str()),
        _ => None,
    });
    names.collect::<Vec<_>>().join(".")
}

/// What was expected, in plain words. serde's own messages begin with the value, which is left out;
/// other messages are those of our types, and hold none.
fn expectation(message: &str) -> String {
    let quotes_the_value = ["invalid ", "unknown variant "]
        .iter()
        .any(|start| message.starts_with(start));
    match message.rsplit_once("expected ") {
        Some((_, expected)) if quotes_the_value => match expected {
            "a duration" => "must be a number and a unit, such as 30s, 15m or 2h".to_owned(),
            "f64" => NUMBER.to_owned(),
            "u8" => "must be a whole number from 0 to 255".to_owned(),
            "u16" => "must be a whole number from 0 to 65535".to_owned(),
            "u32" | "u64" | "usize" => {
                "must be a whole number, 0 or more, and not so large".to_owned()
            }
            expected => format!("must be {expected}"),
        },
        None if quotes_the_value => "has a bad value".to_owned(),
        _ => message.to_owned(),
    }
}
