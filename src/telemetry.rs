//! What the program says of itself: log lines on standard error and numbers on `/metrics`.
//!
//! Neither ever holds a person's data. Labels of metrics come from closed sets (a route's pattern, never
//! a path), and libraries are kept from logging below `info`: at `debug` a mail library, for one, is
//! used to write whole letters and logins.
//!
//! This file is the log; [`metrics`] are the numbers.

pub mod metrics;

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::log::{BadFilter, LogFormat, LogSettings};

/// The log's filter cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("log.filter {filter:?} {}", BadFilter)]
pub struct LogError {
    /// The text that was given.
    pub filter: String,
}

/// Logs to standard error from now on, for the rest of the process. Of several calls, as tests make them,
/// the first one counts.
///
/// # Errors
/// If the filter cannot be read, also in a later call.
pub fn log_to_stderr(log: &LogSettings) -> Result<(), LogError> {
    let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colors = std::io::stderr().is_terminal() && !wants_none;
    // An error says only that somebody was here before.
    _ = subscriber(log, std::io::stderr, colors)?.try_init();
    Ok(())
}

/// Logs to any sink: for tests that read what was logged.
///
/// # Errors
/// If the filter cannot be read.
pub fn subscriber<W>(
    log: &LogSettings,
    sink: W,
    colors: bool,
) -> Result<impl Subscriber + Send + Sync, LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = log.env_filter().map_err(|BadFilter| LogError {
        filter: log.filter.clone(),
    })?;
    let lines = fmt::layer().with_writer(sink).with_ansi(colors);
    let lines = match log.format {
        LogFormat::Pretty => lines.boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
    };
    Ok(tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .with(filter_fn(may_speak)))
}

/// Our own modules keep people's data out of every level by their types; libraries know of no such rule.
fn may_speak(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let is_ours = target == "manyhands" || target.starts_with("manyhands::");
    is_ours || *metadata.level() <= LevelFilter::INFO
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn settings(filter: &str, format: LogFormat) -> LogSettings {
        LogSettings {
            filter: filter.to_owned(),
            format,
        }
    }

    /// What is in the log after `speak`.
    fn logged(filter: &str, format: LogFormat, speak: impl FnOnce()) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber =
            subscriber(&settings(filter, format), move || writer.clone(), false).unwrap();
        tracing::subscriber::with_default(subscriber, speak);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn libraries_do_not_log_letters_at_any_filter() {
        for filter in ["trace", "info,lettre=trace", "lettre::transport=debug"] {
            let log = logged(filter, LogFormat::Pretty, || {
                tracing::debug!(target: "lettre::transport::smtp", "Wrote: RCPT TO:<ana@example.org>");
                tracing::trace!(target: "manyhandsome", "a stranger");
                tracing::warn!(target: "lettre::transport::smtp", "slow");
            });
            assert!(!log.contains("ana") && !log.contains("stranger"), "{log}");
            assert!(log.contains("slow"), "{log}");
        }
    }

    #[test]
    fn our_own_modules_are_filtered_by_the_setting_alone() {
        let log = logged("warn,manyhands::matching=debug", LogFormat::Pretty, || {
            tracing::debug!(target: "manyhands::matching", "asked");
            tracing::debug!(target: "manyhands::storage", "wrote");
        });
        assert!(log.contains("asked") && !log.contains("wrote"), "{log}");
    }

    #[test]
    fn a_json_line_is_one_object_with_the_fields_at_its_top() {
        let log = logged("info", LogFormat::Json, || {
            let span = tracing::info_span!("tick", worker = "outbox");
            span.in_scope(|| tracing::info!(letters = 3, "sent"));
        });
        let line: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(
            (&line["message"], &line["letters"]),
            (&"sent".into(), &3.into()),
            "{log}"
        );
        assert_eq!(line["span"]["worker"], "outbox", "{log}");
        assert!(line.get("spans").is_none(), "{log}");
    }

    #[test]
    fn the_log_is_set_up_once_and_a_bad_filter_is_named() {
        assert!(log_to_stderr(&settings("off", LogFormat::Json)).is_ok());
        assert!(log_to_stderr(&settings("info", LogFormat::Pretty)).is_ok());
        let error = log_to_stderr(&settings("loud", LogFormat::Pretty)).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("log.filter \"loud\" must be levels"),
            "{error}"
        );
    }
}
