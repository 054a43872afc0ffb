//! `manyhands check-config`: the settings, read as the service reads them.

use clap::Args;
use serde_json::{Value, json};

use super::{Config, Failure, print};
use crate::app::{StartError, read_catalog, read_gazetteer};
use crate::settings::limits::LimitsMode;
use crate::settings::log::LogFormat;
use crate::settings::mail::TransportKind;
use crate::settings::{PREFIX, Settings, SettingsError, SettingsFile, Sources};
use crate::storage::DatabaseUrl;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let sources = config.sources(Vec::new());
    let (file, variables) = (file_of(&sources), variables_of(&sources));
    let settings = match Settings::load(sources) {
        Ok(settings) => settings,
        Err(error) => return Err(refused(arguments, error)),
    };
    let counts = match counts(&settings) {
        Ok(counts) => counts,
        Err(error) => {
            let fault = json!([{ "expected": error.to_string() }]);
            show_faults(arguments, &fault);
            return Err(error.into());
        }
    };
    let in_force = in_force(&settings, counts);
    let warnings = settings.warnings();
    if arguments.json {
        let warnings: Vec<_> = warnings
            .iter()
            .map(|w| json!({ "key": w.key, "warning": w.expected }))
            .collect();
        let values: serde_json::Map<String, Value> = in_force
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.into()))
            .collect();
        print::json(&json!({
            "ok": true, "file": file, "environment": variables, "settings": values, "warnings": warnings,
        }));
        return Ok(());
    }
    for (key, value) in in_force {
        print::line(format_args!("{key} = {value}"));
    }
    print::line("");
    print::line(format_args!(
        "settings file: {}",
        file.as_deref().unwrap_or("none")
    ));
    let variables = if variables.is_empty() {
        "none".to_owned()
    } else {
        variables.join(", ")
    };
    print::line(format_args!("environment: {variables}"));
    for warning in warnings {
        print::line(format_args!(
            "warning: {} {}",
            warning.key, warning.expected
        ));
    }
    print::line("ok");
    Ok(())
}

/// The settings file that is read.
fn file_of(sources: &Sources) -> Option<String> {
    match &sources.file {
        SettingsFile::None => None,
        SettingsFile::IfPresent(path) if !path.exists() => None,
        SettingsFile::IfPresent(path) | SettingsFile::Named(path) => {
            Some(path.display().to_string())
        }
    }
}

/// The names of the variables that are settings; never their values.
fn variables_of(sources: &Sources) -> Vec<String> {
    let names = sources
        .environment
        .iter()
        .map(|(name, _)| name.to_string_lossy());
    let mut names: Vec<String> = names
        .filter(|name| name.starts_with(PREFIX))
        .map(Into::into)
        .collect();
    names.sort();
    names
}

fn refused(arguments: &Arguments, error: SettingsError) -> Failure {
    let faults = match &error {
        SettingsError::Faults(faults) => faults
            .iter()
            .map(|f| {
                let origin = f.origin.as_ref().map(ToString::to_string);
                json!({ "key": f.key, "expected": f.expected, "set_by": origin })
            })
            .collect(),
        other => json!([{ "expected": other.to_string() }]),
    };
    show_faults(arguments, &faults);
    error.into()
}

fn show_faults(arguments: &Arguments, faults: &Value) {
    if arguments.json {
        print::json(&json!({ "ok": false, "faults": faults }));
    }
}

/// How many categories and postal codes there are.
fn counts(settings: &Settings) -> Result<(usize, usize), StartError> {
    let categories = read_catalog(settings)?.iter().len();
    Ok((categories, read_gazetteer(settings)?.len()))
}

/// What is in force of the settings that most instances set; no secret is among them.
fn in_force(
    settings: &Settings,
    (categories, codes): (usize, usize),
) -> Vec<(&'static str, String)> {
    let database = match settings.database.url() {
        DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        DatabaseUrl::Postgres(server) => server.shown(),
    };
    let origin = |path: &Option<std::path::PathBuf>| match path {
        Some(path) => path.display().to_string(),
        None => "shipped".to_owned(),
    };
    let mail = match settings.mail.transport {
        TransportKind::Smtp => "smtp",
        TransportKind::File => "file",
        TransportKind::Memory => "memory",
    };
    let format = match settings.log.format {
        LogFormat::Pretty => "pretty",
        LogFormat::Json => "json",
    };
    let limits = match settings.limits.mode {
        LimitsMode::On => "on",
        LimitsMode::Off => "off",
    };
    vec![
        ("server.bind", settings.server.bind.to_string()),
        ("server.admin_bind", settings.server.admin_bind.to_string()),
        (
            "server.public_url",
            settings.server.public_url.as_str().to_owned(),
        ),
        ("database.url", database),
        ("keys.path", settings.keys.path.display().to_string()),
        ("mail.transport", mail.to_owned()),
        ("mail.from", settings.mail.from.address().to_owned()),
        ("log.filter", settings.log.filter.clone()),
        ("log.format", format.to_owned()),
        ("limits.mode", limits.to_owned()),
        ("area.country", settings.area.country.as_str().to_owned()),
        (
            "categories.path",
            format!(
                "{} ({categories} categories)",
                origin(&settings.categories.path)
            ),
        ),
        (
            "gazetteer.path",
            format!(
                "{} ({codes} postal codes)",
                origin(&settings.gazetteer.path)
            ),
        ),
    ]
}
