//! A made-up city: its people, what they post, and what they do about their letters, all of it through
//! the same actions as real people. `demo` shows one, `simulate` compares policies with many.
//!
//! Nothing here is specific to a category: what the catalog has takes part. Everything is drawn from a
//! seed and a name, so that one person's choices depend on nobody else.
//!
//! | file | what |
//! |---|---|
//! | `plan`, `taste`, `town`, `people`, `attributes` | who posts what and when, before it happens |
//! | `agenda`, `letters`, `acts` | what people plan, what they make of letters, what they do |
//! | `habits` | what they decide: whoever tells a story says |
//! | `leaps` | virtual time, as fast as it goes |
//! | `home` | where an instance lives that is thrown away |

mod acts;
pub(super) mod agenda;
mod attributes;
pub(super) mod dice;
pub(super) mod habits;
pub(super) mod home;
pub(super) mod leaps;
pub(super) mod letters;
mod people;
pub(super) mod plan;
pub(super) mod taste;
mod town;

use std::path::Path;

use crate::settings::{Settings, SettingsError, Sources};

/// A Monday, eight in the morning in Minneapolis, in winter.
pub(super) const MONDAY: i64 = 1_796_652_000;

/// What the throw-away instance in `home` is set to: the categories and postal codes of the settings at
/// hand, the city's time zone, letters that stay in memory. `more` is stronger.
pub(super) fn overrides(
    own: &Settings,
    home: &Path,
    more: &[(&str, String)],
) -> Vec<(String, String)> {
    let within = |name: &str| home.join(name).display().to_string();
    let mut overrides = vec![
        (
            "database.url".to_owned(),
            format!("sqlite:{}", within("data/manyhands.db")),
        ),
        ("keys.path".to_owned(), within("keys/keyring.toml")),
        ("mail.transport".to_owned(), "memory".to_owned()),
        ("area.timezone".to_owned(), "America/Chicago".to_owned()),
    ];
    let paths = [
        ("categories.path", own.categories.path.as_ref()),
        ("gazetteer.path", own.gazetteer.path.as_ref()),
    ];
    for (key, path) in paths {
        if let Some(path) = path {
            overrides.push((key.to_owned(), path.display().to_string()));
        }
    }
    overrides.extend(
        more.iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone())),
    );
    overrides
}

/// The shipped settings with these overrides.
///
/// # Errors
/// Overrides that are not right.
pub(super) fn settings(overrides: Vec<(String, String)>) -> Result<Settings, SettingsError> {
    Settings::load(Sources {
        overrides,
        ..Sources::default()
    })
}
