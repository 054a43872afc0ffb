//! Settings: a file, an empty line, and lines `KEY=value` of the environment.

use super::{parted, says_nothing_of_it};
use crate::settings::{PREFIX, Settings, SettingsError, SettingsFile, Sources};

thread_local! {
    static FILE: tempfile::NamedTempFile = tempfile::NamedTempFile::new().unwrap();
}

pub fn run(bytes: &[u8]) {
    let (environment, file) = parted(bytes);
    let variables = environment.lines().filter_map(|line| line.split_once('='));
    let environment: Vec<_> = variables
        .filter(|(_, value)| !value.contains('\0'))
        .map(|(key, value)| (format!("{PREFIX}{key}").into(), value.into()))
        .collect();
    let path = FILE.with(|of| {
        std::fs::write(of.path(), file).unwrap();
        of.path().to_owned()
    });
    let sources = Sources {
        file: SettingsFile::Named(path),
        environment,
        ..Sources::default()
    };
    match Settings::load(sources) {
        Ok(settings) => assert!(settings.validate().is_empty()),
        Err(SettingsError::Faults(faults)) => {
            assert!(!faults.is_empty());
            // A key is named, its value never.
            let named = |key: &str| key.contains(super::MARK);
            for fault in faults.iter().filter(|fault| !named(&fault.key)) {
                says_nothing_of_it(&fault.expected);
            }
        }
        Err(_) => {}
    }
}
