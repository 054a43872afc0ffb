mod defaults;
mod layering;
mod refusals;

use toml::{Table, Value};

use super::*;

fn environment(variables: &[(&str, &str)]) -> Sources {
    let environment = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    Sources {
        environment,
        ..Sources::default()
    }
}

fn keyed(settings: &[(&str, &str)]) -> Sources {
    let overrides = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Sources {
        overrides,
        ..Sources::default()
    }
}

fn file(text: &str) -> (tempfile::NamedTempFile, Sources) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let sources = Sources {
        file: SettingsFile::Named(file.path().to_owned()),
        ..Sources::default()
    };
    (file, sources)
}

fn faults(sources: Sources) -> Vec<Fault> {
    match Settings::load(sources) {
        Ok(_) => Vec::new(),
        Err(SettingsError::Faults(faults)) => faults,
        Err(other) => panic!("{other}"),
    }
}

fn faulty_keys(sources: Sources) -> Vec<String> {
    faults(sources).into_iter().map(|fault| fault.key).collect()
}

/// Every table of the settings, by its dotted name.
fn tables(name: &str, table: &Table, found: &mut Vec<(String, BTreeSet<String>)>) {
    found.push((name.to_owned(), table.keys().cloned().collect()));
    for (key, value) in table {
        if let Value::Table(inner) = value {
            tables(
                format!("{name}.{key}").trim_start_matches('.'),
                inner,
                found,
            );
        }
    }
}
