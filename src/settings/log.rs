//! The section `log`: what is logged and how it looks.

use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::fault::{Checks, Fault};

/// The section `log`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// What is logged: `info,manyhands::matching=debug`.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line, for machines.
    Json,
}

/// A filter that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be levels, such as info or info,manyhands::matching=debug")]
pub struct BadFilter;

impl LogSettings {
    /// The filter must be one.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        let mut checks = Checks::of("log");
        checks.require(self.env_filter().is_ok(), "filter", BadFilter.to_string());
        checks.done()
    }

    /// The filter, read. A word alone must be a level: the syntax would take a misspelled `inof` for the
    /// name of a part of the program, and log nothing else.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn env_filter(&self) -> Result<EnvFilter, BadFilter> {
        let directives: Vec<_> = self.filter.split(',').map(str::trim).collect();
        let is_clear = |directive: &&str| {
            directive.contains(['=', '['])
                || !directive.is_empty() && directive.parse::<LevelFilter>().is_ok()
        };
        if !directives.iter().all(is_clear) {
            return Err(BadFilter);
        }
        EnvFilter::builder()
            .parse(directives.join(","))
            .map_err(|_| BadFilter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_levels() {
        for (filter, good) in [
            ("info", true),
            ("WARN", true),
            ("off", true),
            ("info, manyhands::matching=debug", true),
            ("info,manyhands[request{id}]=trace", true),
            ("", false),
            ("info,", false),
            ("inof", false),
            ("manyhands=loud", false),
            ("info,=x", false),
        ] {
            let log = LogSettings {
                filter: filter.to_owned(),
                format: LogFormat::Json,
            };
            assert_eq!(log.env_filter().is_ok(), good, "{filter}");
            assert_eq!(log.validate().is_empty(), good, "{filter}");
        }
    }
}
